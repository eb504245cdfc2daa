import {execFile} from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import test from 'ava';
import {environment} from '../runners/installation.ts';
import {root} from '../examples/pages.ts';
import {record} from './helpers.ts';
import {writeSamples} from './samples.ts';

const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return

const loader = `
	import {registerHooks} from 'node:module';

	registerHooks({
		resolve(specifier, context, nextResolve) {
			return specifier === 'got-cache-hooks' ? {url: ${JSON.stringify(new URL('../../source/index.ts', import.meta.url).href)}, shortCircuit: true} : nextResolve(specifier, context);
		},
	});
`;

const runners: ReadonlyArray<readonly [name: string, args: readonly string[], title: string]> = [
	['node:test', ['--test', 'node.test.js'], 'node-test-gets-a-user'],
	['AVA', [path.join(root, 'node_modules/ava/entrypoints/cli.mjs'), 'ava.test.js'], 'AVA-gets-a-user'],
];

for (const [name, args, title] of runners) {
	test(`the program of the page for ${name} records and replays`, async t => {
		const {origin, folder} = await record(t, (_request, response) => {
			response.end('{"name":"Ada"}');
		});
		await fs.mkdir(folder);
		await fs.writeFile(path.join(folder, 'package.json'), '{"type": "module"}');
		await fs.writeFile(path.join(folder, 'loader.js'), loader);
		await fs.symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
		await writeSamples(folder, origin.url);
		const start = async (variables: NodeJS.ProcessEnv): Promise<unknown> => run(process.execPath, [...args], {
			cwd: folder,
			env: {...environment, NODE_OPTIONS: `--import=${path.join(folder, 'loader.js')}`, ...variables}, // eslint-disable-line @typescript-eslint/naming-convention
		});

		await t.throwsAsync(start({}), undefined, 'nothing is recorded');
		t.is(origin.count, 0);
		await start({RECORD: 'record-missing'}); // eslint-disable-line @typescript-eslint/naming-convention
		t.is(origin.count, 1);
		t.is((await fs.readdir(path.join(folder, 'recordings', title))).length, 1);
		await start({});
		await start({RECORD: 'record-missing'}); // eslint-disable-line @typescript-eslint/naming-convention
		t.is(origin.count, 1);
	});
}
