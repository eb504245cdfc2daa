import {spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {HttpCache} from '../../source/index.ts';
import {runHere, runProcess, snapshot} from '../helpers/cli.ts';
import {testFolder} from '../helpers/temporary-folder.ts';
import {fill} from './commands.ts';

const entry = fileURLToPath(new URL('../../source/cli/index.ts', import.meta.url));
const library = new URL('../../source/index.ts', import.meta.url).href;

async function save(store: string, count: number): Promise<void> {
	await using cache = new HttpCache({store: `sqlite:${store}`, storeTimeout: 30_000});
	await Promise.all(Array.from({length: count}, async (_, index) => cache.save({url: `https://example.com/${index}`}, {body: 'body'.repeat(100)})));
}

test('a reader that has seen enough ends the command without an error', async t => {
	const folder = testFolder(t);
	await save(path.join(folder, 'a.db'), 2000);
	const child = spawn(process.execPath, [entry, 'ls', 'a.db', '--json'], {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']});
	const ended = once(child, 'exit');
	const errors = text(child.stderr);
	await once(child.stdout, 'data');
	child.stdout.destroy();
	t.deepEqual([await ended, await errors], [[0, null], '']);
});

test('output to a pipe is whole', async t => {
	const folder = testFolder(t);
	await save(path.join(folder, 'a.db'), 2000);
	const {stdout} = await runProcess(['ls', 'a.db', '--json'], {folder});
	t.is((JSON.parse(stdout) as unknown[]).length, 2000);
});

test('an interrupted command says so, and what it did stays done', async t => {
	const folder = testFolder(t);
	await save(path.join(folder, 'a.db'), 50);
	const controller = new AbortController();
	controller.abort();
	for (const words of [['ls'], ['stats'], ['show', 'https://example.com/other'], ['explain', 'https://example.com/other'], ['har', '-'], ['rm', '--valid', '--yes'], ['copy', path.join(folder, 'b')]]) {
		const {code, stderr} = await runHere([words[0]!, path.join(folder, 'a.db'), ...words.slice(1)], {signal: controller.signal});
		t.is(code, 130, words[0]);
		t.is(stderr, 'got-cache-hooks: Interrupted. What was done stays done.\n');
	}
});

const storing = `
	import {HttpCache} from '${library}';
	const cache = new HttpCache({store: 'sqlite'});
	await cache.save({url: 'https://example.com/live'}, {body: 'body'});
	process.send('stored');
	setInterval(() => {}, 1000);
`;

test('a file that another process has open, or had open when it was killed, is read and stays as it is', async t => {
	const folder = testFolder(t);
	fs.writeFileSync(path.join(folder, 'storing.mjs'), storing);
	const child = spawn(process.execPath, ['storing.mjs'], {cwd: folder, stdio: ['ignore', 'ignore', 'inherit', 'ipc']});
	await once(child, 'message');
	const seen = async () => {
		const {stdout} = await runProcess(['ls', 'http_cache.sqlite', '--json'], {folder});
		return (JSON.parse(stdout) as Array<{url: string}>).map(({url}) => url);
	};

	t.deepEqual(await seen(), ['https://example.com/live']);
	const ended = once(child, 'exit');
	child.kill('SIGKILL');
	await ended;
	t.true(fs.existsSync(path.join(folder, 'http_cache.sqlite-wal')));
	const before = snapshot(folder);
	t.deepEqual(await seen(), ['https://example.com/live']);
	t.deepEqual(snapshot(folder), before);
});

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

test('a file that may only be read, in a folder that may only be read, is read', async t => {
	const folder = testFolder(t);
	await fill({store: `sqlite:${folder}/a.db`});
	fs.chmodSync(path.join(folder, 'a.db'), 0o444);
	fs.chmodSync(folder, 0o555);
	t.teardown(() => {
		fs.chmodSync(folder, 0o755);
	});
	const options = {folder, ...(isRoot && {uid: nobody})};
	const {code, stdout, stderr} = await runProcess(['ls', 'a.db', '--json'], options);
	t.deepEqual([code, stderr], [0, '']);
	t.is((JSON.parse(stdout) as unknown[]).length, 4);
	const refused = await runProcess(['rm', 'a.db', '--expired', '--yes'], options);
	t.is(refused.code, 1);
	t.regex(refused.stderr, /^got-cache-hooks: The SQLite store `.*a\.db` may only be read\.\n$/v);
});

test('a link to a file, and a path with signs that URLs have, name the file', async t => {
	const folder = testFolder(t);
	for (const name of ['50% #1?.sqlite', 'http_cache', 'memory', 'redis', 'file:a', '-wal']) {
		await save(path.join(folder, 'new.db'), 1);
		fs.renameSync(path.join(folder, 'new.db'), path.join(folder, name));
		const {stdout} = await runHere(['ls', path.join(folder, name), '--json']);
		t.is((JSON.parse(stdout) as unknown[]).length, 1);
	}

	fs.symlinkSync(path.join(folder, 'http_cache'), path.join(folder, 'link.db'));
	t.is((JSON.parse((await runHere(['ls', path.join(folder, 'link.db'), '--json'])).stdout) as unknown[]).length, 1);
});
