import {fork} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {scenarios} from '../../bench/scenarios.ts';
import {subjects} from '../../bench/subjects/index.ts';

test('every subject of the benchmarks answers as it should', async t => {
	const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-bench-'));
	const origin = fork(path.join(import.meta.dirname, '../../bench/origin.ts'));
	t.teardown(async () => {
		origin.kill();
		await fs.rm(folder, {recursive: true});
	});
	const [port] = await once(origin, 'message') as [number];
	for (const [name, open] of Object.entries(subjects)) {
		const opened = await open({
			origin: `http://127.0.0.1:${port}`, folder, bytes: 1024, read: 'json', entries: 10,
		});
		await t.notThrowsAsync(async () => {
			await opened.run(0);
			await opened.run(1);
			await opened.check?.();
			await opened.close?.();
		}, name);
	}
});

test('every scenario names subjects that there are, and compares those that it measures', t => {
	for (const {title, subjects: measured, goals = []} of scenarios) {
		t.deepEqual(measured.filter(name => !Object.hasOwn(subjects, name)), [], title);
		t.deepEqual(goals.flatMap(({subject, against}) => [subject, against]).filter(name => !measured.includes(name)), [], title);
	}

	t.deepEqual(Object.keys(subjects).filter(name => scenarios.every(({subjects: measured}) => !measured.includes(name))), []);
});
