import fs from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';

const {CommonJS: commonJs, ESNext: esModule} = ts.ModuleKind;

function compiled(code: string, module: ts.ModuleKind): string {
	return ts.transpileModule(code, {
		compilerOptions: {
			module, target: ts.ScriptTarget.ES2024, esModuleInterop: true, verbatimModuleSyntax: false,
		},
	}).outputText;
}

/** Ways to call `run` of the program, by the runner. */
const calls = {
	// Not at the top, which CommonJS has not.
	program: 'void run();',
	global: 'it(\'caches\', run);',
	node: 'import {it} from \'node:test\';\nit(\'caches\', run);',
	worker: 'import {Worker} from \'node:worker_threads\';\nnew Worker(new URL(\'./program.mjs\', import.meta.url));',
	cluster: 'import cluster from \'node:cluster\';\nif (cluster.isPrimary) {\n\tcluster.fork();\n} else {\n\trun().finally(() => cluster.worker.disconnect());\n}',
};

/** Writes the program into the folder of a runner, in each form that a runner may want. */
export async function writePrograms(folder: string): Promise<void> {
	const source = await fs.readFile(path.join(import.meta.dirname, 'program.ts'), 'utf8');
	const program = source.replace('\'../../source/index.ts\'', '\'got-cache-hooks\'');
	const withCall = (call: string) => `${program}\n${call}\n`;
	const files: Readonly<Record<string, string>> = {
		'module.mjs': compiled(program, esModule),
		'program.mjs': compiled(withCall(calls.program), esModule),
		'program.cjs': compiled(withCall(calls.program), commonJs),
		'program.mts': withCall(calls.program),
		'program.cts': withCall(calls.program),
		'globals.test.mjs': compiled(withCall(calls.global), esModule),
		'globals.test.mts': withCall(calls.global),
		'globals.test.cts': withCall(calls.global),
		'node.test.mjs': compiled(withCall(calls.node), esModule),
		'worker.mjs': calls.worker,
		'cluster.mjs': compiled(withCall(calls.cluster), esModule),
	};
	await fs.mkdir(folder, {recursive: true});
	for (const [name, code] of Object.entries(files)) {
		await fs.writeFile(path.join(folder, name), code);
	}
}
