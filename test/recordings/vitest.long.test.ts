import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {
	environment,
	execute,
	install,
	installLibrary,
	place,
} from '../runners/installation.ts';
import {record} from './helpers.ts';
import {writeSamples} from './samples.ts';

test('the program of the page for Vitest records and replays', async t => {
	const folder = path.join(place, 'recordings');
	const problem = await install(folder, {vitest: '^5.1.0', vite: '8.3.8'});
	if (problem !== undefined) {
		t.log(`Skipped, since Vitest cannot be installed: ${problem}`);
		t.pass();
		return;
	}

	await installLibrary();
	const {origin} = await record(t, (_request, response) => {
		response.end('{"name":"Ada"}');
	});
	const recordings = path.join(folder, 'recordings');
	await fs.rm(recordings, {recursive: true, force: true});
	await writeSamples(folder, origin.url);
	const start = async (variables: NodeJS.ProcessEnv): Promise<unknown> => execute(path.join(folder, 'node_modules/.bin/vitest'), ['run', 'vitest.test.js'], {cwd: folder, env: {...environment, ...variables}, timeout: 120_000});

	await t.throwsAsync(start({}), undefined, 'nothing is recorded');
	t.is(origin.count, 0);
	await start({RECORD: 'record-missing'}); // eslint-disable-line @typescript-eslint/naming-convention
	t.is(origin.count, 1);
	t.deepEqual(await fs.readdir(recordings), ['Vitest-gets-a-user']);
	await start({});
	t.is(origin.count, 1);
});
