/*
Transpiles test files with decorator syntax, which Node.js does not support.
The folder in the path selects standard or legacy decorators, and the transpiler if it is not that of TypeScript: `legacy`, `standard`, `swc-legacy`, …
A file that is not in that folder is read from `shared`.
*/
import fs from 'node:fs';
import {registerHooks} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {transformSync as transformBySwc} from '@swc/core';
import {transformSync as transformByEsbuild} from 'esbuild';
import ts from 'typescript';

export type Dialect = 'legacy' | 'standard';
export const dialects = ['legacy', 'standard'] as const;

type Transpile = (code: string, dialect: Dialect) => string;

const transpilers: Readonly<Record<string, Transpile>> = {
	typescript: (code, dialect) => ts.transpileModule(code, {
		compilerOptions: {
			target: ts.ScriptTarget.ES2022,
			module: ts.ModuleKind.ESNext,
			experimentalDecorators: dialect === 'legacy',
			emitDecoratorMetadata: dialect === 'legacy',
			inlineSourceMap: true,
		},
	}).outputText,
	swc: (code, dialect) => transformBySwc(code, {
		jsc: {
			parser: {syntax: 'typescript', decorators: true},
			target: 'es2022',
			transform: dialect === 'legacy' ? {legacyDecorator: true, decoratorMetadata: true} : {decoratorVersion: '2023-11'},
		},
		module: {type: 'es6'},
	}).code,
	esbuild: (code, dialect) => transformByEsbuild(code, {
		loader: 'ts',
		target: 'es2022',
		tsconfigRaw: {compilerOptions: {experimentalDecorators: dialect === 'legacy'}},
	}).code,
};

const folders = /\/test\/decorators\/(?:(?<tool>swc|esbuild)-)?(?<dialect>legacy|standard)\/(?<file>[\w\-]+\.ts)$/v;

// eslint-disable-next-line unicorn/no-top-level-side-effects -- Importing this file registers them.
registerHooks({
	resolve(specifier, context, nextResolve) {
		const parent = context.parentURL;
		const url = parent !== undefined && specifier.startsWith('.') ? new URL(specifier, parent).href : specifier;
		return folders.test(url) ? {url, format: 'module', shortCircuit: true} : nextResolve(specifier, context);
	},
	load(url, context, nextLoad) {
		const {tool = 'typescript', dialect, file} = folders.exec(url)?.groups ?? {};
		if (dialect === undefined) {
			return nextLoad(url, context);
		}

		const own = fileURLToPath(url);
		const source = fs.existsSync(own) ? own : path.join(import.meta.dirname, 'shared', file!);
		return {format: 'module', source: transpilers[tool]!(fs.readFileSync(source, 'utf8'), dialect as Dialect), shortCircuit: true};
	},
});

/** Imports a file with standard or legacy decorators. The path is not known to the compiler. */
export async function importIn(folder: string, file: string): Promise<unknown> {
	return import(`./${folder}/${file}`);
}
