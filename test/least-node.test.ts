/*
What is published is compiled for the least Node.js that `engines` promises: what only a newer one has does not compile. An older Node.js is refused with a clear error.
*/
import {execFile} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '..');

type Line = readonly [code: string, verdict: 'compiles' | 'does not compile'];

const lines: readonly Line[] = [
	// Of ECMAScript 2025 and later, what Node.js 22.19 has
	['new Set([1]).union(new Set([2]))', 'compiles'],
	['new Map([[1, 2]]).values().map(value => value + 1).toArray()', 'compiles'],
	['Iterator.from([1])', 'compiles'],
	['Array.fromAsync([1])', 'compiles'],
	['Promise.withResolvers<void>()', 'compiles'],
	['Symbol.asyncDispose', 'compiles'],
	['/[a--b]/v', 'compiles'],

	// What it lacks
	['RegExp.escape(\'a\')', 'does not compile'],
	['Promise.try(() => 1)', 'does not compile'],
	['Error.isError(1)', 'does not compile'],
	['new URLPattern({})', 'does not compile'],
	['new Map([[1, 2]]).getOrInsert(1, 2)', 'does not compile'],
	['new WeakMap<object, number>().getOrInsert({}, 2)', 'does not compile'],
	['Iterator.concat([1], [2])', 'does not compile'],
	['Math.sumPrecise([1])', 'does not compile'],
	['Math.f16round(1)', 'does not compile'],
	['new Float16Array(1)', 'does not compile'],
	['new Uint8Array(1).toBase64()', 'does not compile'],
	['Uint8Array.fromBase64(\'\')', 'does not compile'],
	['new DisposableStack()', 'does not compile'],
	['new AsyncDisposableStack()', 'does not compile'],
	['new SuppressedError(1, 2)', 'does not compile'],
	['new Intl.DurationFormat(\'en\')', 'does not compile'],
	['JSON.rawJSON(\'1\')', 'does not compile'],
	['Temporal.Now', 'does not compile'],

	// The same, of Node.js
	['sqlite.DatabaseSync.prototype.createSession', 'compiles'],
	['sqlite.DatabaseSync.prototype.createTagStore', 'does not compile'],
	['fs.mkdtemp', 'compiles'],
	['fs.mkdtempDisposable', 'does not compile'],
	['zlib.zstdCompress', 'compiles'],
	['http.setGlobalProxyFromEnv', 'does not compile'],
	['crypto.hash', 'compiles'],
	['crypto.argon2', 'does not compile'],
];

const header = [
	'import * as crypto from \'node:crypto\';',
	'import * as fs from \'node:fs/promises\';',
	'import * as http from \'node:http\';',
	'import * as sqlite from \'node:sqlite\';',
	'import * as zlib from \'node:zlib\';',
].join(' ');

test('code that the oldest supported Node.js cannot run does not compile', t => {
	const config = ts.getParsedCommandLineOfConfigFile(path.join(root, 'tsconfig.build.json'), {noEmit: true, isolatedDeclarations: false}, {...ts.sys, onUnRecoverableConfigFileDiagnostic() {}})!;
	const file = path.join(root, 'source/least-node.ts');
	const code = [header, ...lines.map(([expression], index) => `export const value${index} = ${expression};`)].join('\n');

	const host = ts.createCompilerHost(config.options);
	const getSourceFile: typeof host.getSourceFile = (name, ...rest) => name === file ? ts.createSourceFile(name, code, ts.ScriptTarget.ESNext) : host.getSourceFile(name, ...rest);
	const program = ts.createProgram([file], config.options, {...host, getSourceFile});
	const refused = new Set(ts.getPreEmitDiagnostics(program).map(({file: at, start}) => at!.getLineAndCharacterOfPosition(start!).line));

	t.deepEqual(lines.map(([expression], index): Line => [expression, refused.has(index + 1) ? 'does not compile' : 'compiles']), lines);
});

const {engines} = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {engines: {node: string}};

/** Imports a file of the library where Node.js, or another runtime, says that it has a version, and returns the error. */
async function errorOf(file: string, versions: Readonly<Record<string, string>>): Promise<string> {
	const preload = `
		Object.defineProperty(process, 'versions', {value: {...process.versions, ...${JSON.stringify(versions)}}});
		// What the oldest ones lack.
		${Number(versions.node!.split('.', 1)[0]) < 22 ? 'delete Map.groupBy;' : ''}
	`;
	const program = `${preload}
		const error = await import(${JSON.stringify(`./${file}`)}).catch(error => error);
		console.log(error instanceof Error ? error.code + ': ' + error.message : 'none');
	`;
	return new Promise(resolve => {
		execFile(process.execPath, ['--input-type=module', '--eval', program], {cwd: root}, (error, stdout) => {
			resolve(error === null ? stdout.trim() : error.message);
		});
	});
}

const entryPoints = ['source/index.ts', 'source/register.ts', 'source/stores/dynamodb/index.ts', 'source/opentelemetry/index.ts', 'source/cli/run.ts'];

for (const version of ['20.20.2', '22.18.1']) {
	test(`on Node.js ${version}, each entry point says which Node.js it needs`, async t => {
		for (const file of entryPoints) {
			t.is(await errorOf(file, {node: version}), `ERR_UNSUPPORTED_NODE: got-cache-hooks needs Node.js ${engines.node.slice(2)} or newer, and this is Node.js ${version}. Update Node.js.`, file);
		}
	});
}

test('the least Node.js, newer ones, and other runtimes with a version of their own are not refused', async t => {
	for (const versions of [{node: '22.19.0'}, {node: '23.0.0'}, {node: '100.0.0-nightly'}, {node: '22.6.0', bun: '1.2.0'}, {node: '22.5.0', deno: '2.0.0'}]) {
		t.is(await errorOf('source/index.ts', versions), 'none', JSON.stringify(versions));
	}
});
