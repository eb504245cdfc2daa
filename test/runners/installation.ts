import {execFile, type ExecFileOptions} from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');

const promised = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return

/** Runs a program to its end. */
export async function execute(file: string, args: readonly string[], options: ExecFileOptions = {}): Promise<{readonly stdout: string; readonly stderr: string}> {
	return promised(file, args, {...options, encoding: 'utf8'});
}

/** The folder of all runners. Each has a folder of its own in it, where its packages lie; what they share lies in `node_modules` here. */
export const place: string = path.join(root, '.ci/.cache/runners');

// Under `npm run`, npm would hand its own folder on to the npm that is called here, and AVA its own options to Node.js. In CI, some runners print more.
const inherited = Object.entries(process.env).filter(([name]) => !/^(?:npm_config_(?:local_)?prefix|npm_package_json|INIT_CWD|NODE_OPTIONS|NODE_V8_COVERAGE|FORCE_COLOR|CI|CONTINUOUS_INTEGRATION|GOT_CACHE_.*)$/v.test(name));

export const environment: Readonly<Record<string, string | undefined>> = {...Object.fromEntries(inherited), NO_COLOR: '1', NEXT_TELEMETRY_DISABLED: '1'}; // eslint-disable-line @typescript-eslint/naming-convention

async function npm(folder: string, ...args: readonly string[]): Promise<string> {
	const {stdout} = await execute('npm', args, {
		cwd: folder, env: environment, timeout: 240_000, maxBuffer: 2 ** 26,
	});
	return stdout;
}

/**
Installs packages into a folder, unless they are there from an earlier run.

@returns What has kept them from being installed, in one line.
*/
export async function install(folder: string, dependencies: Readonly<Record<string, string>>): Promise<string | undefined> {
	const manifest = JSON.stringify({private: true, dependencies});
	const mark = path.join(folder, 'installed.json');
	if (await readText(mark) === manifest) {
		return undefined;
	}

	await fs.rm(mark, {force: true});
	await fs.mkdir(folder, {recursive: true});
	await fs.writeFile(path.join(folder, 'package.json'), manifest);
	try {
		await npm(folder, 'install', '--no-audit', '--no-fund', '--loglevel=error');
	} catch (error) {
		return (error instanceof Error ? error.message : String(error)).split('\n').filter(line => line.trim() !== '').slice(0, 3).join(' ');
	}

	await fs.writeFile(mark, manifest);
	return undefined;
}

/** Builds and packs the library, and unpacks it where all runners find it, beside Got and its dependency. */
export async function installLibrary(): Promise<void> {
	const {dependencies} = JSON.parse(await fs.readFile(path.join(root, 'package.json'), 'utf8')) as {readonly dependencies: Readonly<Record<string, string>>};
	const problem = await install(place, {...dependencies, got: '^16.1.0'});
	if (problem !== undefined) {
		throw new Error(problem);
	}

	await npm(root, 'run', 'build');
	// The scripts change the links of the readme for as long as npm packs it, which other tests may be reading.
	const [tarball] = (await npm(root, 'pack', '--silent', '--ignore-scripts', '--pack-destination', place)).trim().split('\n').slice(-1);
	const target = path.join(place, 'node_modules/got-cache-hooks');
	await fs.rm(target, {recursive: true, force: true});
	await fs.mkdir(target, {recursive: true});
	await execute('tar', ['--extract', '--file', path.join(place, tarball!), '--directory', target, '--strip-components=1']);
}

async function readText(file: string): Promise<string | undefined> {
	try {
		return await fs.readFile(file, 'utf8');
	} catch {
		return undefined;
	}
}
