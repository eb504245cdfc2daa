import {readFileSync} from 'node:fs';

const {name, exports} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {readonly name: string; readonly exports: Readonly<Record<string, string | {readonly types: string}>>};

/** What the package exports: the name by which users import it, and the file of `source/` that it is. */
export const entryPoints: ReadonlyMap<string, string> = new Map(Object.entries(exports).flatMap(([subpath, target]) => typeof target === 'string'
	? []
	: [[name + subpath.slice(1), target.types.replace('./dist/types/', 'source/').replace(/\.d\.ts$/v, '.ts')] as const]));
