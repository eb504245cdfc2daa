import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

/** The folder in which the package of an adapter is installed: that of the devDependencies, or one that `.ci/servers` fills. */
export type Installed = 'node_modules' | 'test/adapters' | 'test/adapters/beta';

type Manifest = {
	readonly version: string;
	readonly main?: string;
	readonly module?: string;
};

export type FoundPackage = {
	readonly version: string;
	load(): Promise<Record<string, unknown>>;
};

const root = path.resolve(import.meta.dirname, '../../..');

/** Finds the package in a folder. Returns `undefined` if it is not installed. */
export function findPackage(name: string, installed: Installed): FoundPackage | undefined {
	const folder = path.join(root, installed === 'node_modules' ? '' : installed, 'node_modules', name);
	try {
		const {version, main, module} = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
		const entry = path.join(folder, module ?? main!);
		return {
			version,
			load: async () => import(pathToFileURL(entry).href) as Promise<Record<string, unknown>>,
		};
	} catch {
		return undefined;
	}
}
