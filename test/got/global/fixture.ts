import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {ExecutionContext} from 'ava';

const root = path.resolve(import.meta.dirname, '../../..');

// The processes of a test file load the same modules over and over.
const compileCache = mkdtempSync(path.join(os.tmpdir(), 'got-cache-hooks-compiled-'));
// eslint-disable-next-line @typescript-eslint/naming-convention -- A variable of Node.js's.
const shared = {NODE_COMPILE_CACHE: compileCache};

// eslint-disable-next-line unicorn/no-top-level-side-effects -- It is the test's process, and there is nobody else to clean up.
process.once('exit', () => {
	rmSync(compileCache, {recursive: true, force: true});
});

export type Run = {
	readonly code: number;
	readonly stderr: string;

	/** Each line that the program printed, as JSON. */
	readonly lines: readonly unknown[];
};

export type RunOptions = {
	/** Start it with the register. Default: `true`. */
	readonly isRegistered?: boolean;
	readonly environment?: Readonly<Record<string, string>>;
	readonly args?: readonly string[];
};

/**
A program of files in a temporary folder, with packages that have copies of Got of their own, run by a process of its own.
*/
export class Fixture {
	readonly folder: string;

	private constructor(folder: string) {
		this.folder = folder;
	}

	/** Got 16 is among the program's packages, and this library, whose sources lie elsewhere. What they need is found further up. */
	static async create(t: ExecutionContext): Promise<Fixture> {
		const outer = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-install-')));
		t.teardown(async () => fs.rm(outer, {recursive: true}));
		await fs.symlink(path.join(root, 'node_modules'), path.join(outer, 'node_modules'));
		const fixture = new Fixture(path.join(outer, 'app'));
		await fixture.write('package.json', '{"type": "module"}');
		await fixture.copyGot('got', 'node_modules/got');
		await fixture.write('node_modules/got-cache-hooks/package.json', JSON.stringify({
			name: 'got-cache-hooks',
			type: 'module',
			exports: {'.': './source/index.ts', './register': './source/register.ts'},
		}));
		await fs.symlink(path.join(root, 'source'), path.join(fixture.folder, 'node_modules/got-cache-hooks/source'));
		return fixture;
	}

	async write(file: string, content: string): Promise<void> {
		const target = path.join(this.folder, file);
		await fs.mkdir(path.dirname(target), {recursive: true});
		await fs.writeFile(target, content);
	}

	/** A physical copy. */
	async copyGot(name: 'got' | 'got15', to: string): Promise<void> {
		await fs.cp(path.join(root, 'node_modules', name), path.join(this.folder, to), {recursive: true});
	}

	/** A package of one module. */
	async writePackage(folder: string, code: string, type: 'commonjs' | 'module' = 'module'): Promise<void> {
		await this.write(`${folder}/package.json`, JSON.stringify({name: path.basename(folder), type, exports: './index.js'}));
		await this.write(`${folder}/index.js`, code);
	}

	/** Writes a program and runs it. */
	async run(code: string, {isRegistered = true, environment = {}, args = []}: RunOptions = {}): Promise<Run> {
		await this.write('app.js', code);
		const flags = isRegistered ? ['--import', 'got-cache-hooks/register'] : [];
		return new Promise(resolve => {
			const options = {cwd: this.folder, env: {...process.env, ...shared, ...environment}};
			execFile(process.execPath, [...flags, 'app.js', ...args], options, (error, stdout, stderr) => {
				resolve({
					code: error === null ? 0 : Number(error.code),
					stderr,
					lines: stdout.split('\n').filter(Boolean).map(line => JSON.parse(line) as unknown),
				});
			});
		});
	}
}
