// Bundles `pack-test-bundled.js` in a folder into which `pack-test` has installed the library and Got, without externals, and runs each bundle in an empty folder. It exits with an error unless each shows what it should.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import fs from 'node:fs';
import {isBuiltin} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import commonjs from '@rollup/plugin-commonjs';
import {nodeResolve} from '@rollup/plugin-node-resolve';
import esbuild from 'esbuild';
import {rollup} from 'rollup';
import webpack from 'webpack';

const folder = process.argv[2];
const entry = path.join(folder, 'pack-test-bundled.js');
const node = process.execPath;

async function withEsbuild(file, options) {
	const {warnings} = await esbuild.build({
		absWorkingDir: folder, entryPoints: [entry], outfile: file, bundle: true, platform: 'node', logLevel: 'error', ...options,
	});
	assert.deepEqual(warnings, []);
}

// What Got brings as CommonJS, and drivers, want a `require`.
const banner = {js: 'import {createRequire} from \'node:module\'; const require = createRequire(import.meta.url);'};

// The optional drivers of the development of this library.
const nodePaths = [path.resolve(import.meta.dirname, '../node_modules')];

async function withWebpack(file) {
	const stats = await promisify(webpack)({
		context: folder, entry, mode: 'production', target: 'node22', output: {path: path.dirname(file), filename: path.basename(file)},
	});
	assert.deepEqual(stats.compilation.errors, []);
	const surprising = stats.compilation.warnings.filter(({name, message}) => name !== 'ModuleNotFoundError' || message.includes('Can\'t resolve \'.'));
	assert.deepEqual(surprising, []);
}

async function withRollup(file) {
	const warnings = [];
	const bundle = await rollup({
		input: entry,
		external: isBuiltin,
		plugins: [nodeResolve({preferBuiltins: true, exportConditions: ['node']}), commonjs({ignoreDynamicRequires: true})],
		onwarn(warning) {
			warnings.push(warning);
		},
	});
	await bundle.write({dir: path.dirname(file), entryFileNames: path.basename(file), format: 'esm'});
	await bundle.close();
	const surprising = warnings.filter(({code, ids = [], exporter, id}) => !['UNRESOLVED_IMPORT', 'CIRCULAR_DEPENDENCY'].includes(code) && [exporter, id, ...ids].some(name => name?.includes('got-cache-hooks')));
	assert.deepEqual(surprising, []);
}

const bundlers = {
	'esbuild, ESM': {file: 'bundle.mjs', make: file => withEsbuild(file, {format: 'esm', banner})},
	'esbuild, CJS': {file: 'bundle.cjs', make: file => withEsbuild(file, {format: 'cjs'})},
	'esbuild, ESM, minified, with drivers': {
		file: 'bundle.mjs', make: file => withEsbuild(file, {
			format: 'esm', banner, nodePaths, minify: true,
		}), drivers: true,
	},
	'esbuild, CJS, with drivers': {file: 'bundle.cjs', make: file => withEsbuild(file, {format: 'cjs', nodePaths}), drivers: true},
	'webpack, with its minimizer': {file: 'bundle.cjs', make: withWebpack},
	rollup: {file: 'bundle.mjs', make: withRollup},
};

for (const [name, {file, make, drivers = false}] of Object.entries(bundlers)) {
	const place = fs.mkdtempSync(path.join(os.tmpdir(), 'bundle-'));
	try {
		await make(path.join(place, file));
		const {stdout} = await promisify(execFile)(node, ['--disable-warning=ExperimentalWarning', file, String(drivers)], {cwd: place, timeout: 60_000});
		assert.match(stdout, /^bundled: /v);
		console.log(`${name}: ${stdout.trim()}`);
	} catch (error) {
		process.exitCode = 1;
		console.log(`${name}: FAILED`, error);
	} finally {
		fs.rmSync(place, {recursive: true});
	}
}
