import {Buffer} from 'node:buffer';
import {execFile} from 'node:child_process';
import {
	existsSync,
	readFileSync,
	readdirSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import process from 'node:process';
import {DatabaseSync} from 'node:sqlite';
import {mock} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {promisify} from 'node:util';
import test from 'ava';
import {guardStore, type FailedCall} from '../../../source/stores/guard.ts';
import {SqliteStore} from '../../../source/stores/sqlite/store.ts';
import {listed} from '../contract.ts';
import {
	bytes,
	countOf,
	noExpiry,
	query,
	temporaryFile,
} from './files.ts';

const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return

function execute(path: string, sql: string): void {
	const database = new DatabaseSync(path);
	database.exec(sql);
	database.close();
}

function filesBeside(path: string): string[] {
	return readdirSync(dirname(path)).filter(name => !/-(?:wal|shm)$/v.test(name));
}

for (const wal of [true, false]) {
	test.serial(`six processes that open a new file at once all write and read${wal ? '' : ', without WAL'}`, async t => {
		const path = temporaryFile(t);
		const startTime = String(Date.now() + 1500);
		const names = ['a', 'b', 'c', 'd', 'e', 'f'];
		await Promise.all(names.map(async name => run(process.execPath, [
			'--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'writer.ts'), path, name, startTime, String(wal),
		])));
		const store = new SqliteStore({path});
		const found = await listed(store);
		t.is(found.length, (6 * 98) + 1);
		t.is(Buffer.from((await store.get('c 42'))!).toString(), 'c 42');
		await store.close();
		t.is(query(path, 'PRAGMA integrity_check')?.integrity_check, 'ok');
	});
}

test('the first call creates the file, with WAL, an index for each query, and incremental vacuum', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path});
	t.false(existsSync(path));
	await store.set('key', bytes('one'), noExpiry);
	t.true(existsSync(`${path}-wal`));
	t.is(query(path, 'PRAGMA journal_mode')?.journal_mode, 'wal');
	t.is(query(path, 'PRAGMA user_version')?.user_version, 3);
	t.is(query(path, 'PRAGMA auto_vacuum')?.auto_vacuum, 2);
	t.regex(String(query(path, 'EXPLAIN QUERY PLAN SELECT value FROM entries WHERE key = \'a\' AND (expires IS NULL OR expires > 5)')?.detail), /USING INDEX entries_key/v);
	t.regex(String(query(path, 'EXPLAIN QUERY PLAN SELECT id FROM entries WHERE expires <= 5 ORDER BY expires LIMIT 9')?.detail), /USING COVERING INDEX entries_expires/v);
	await store.close();
	t.false(existsSync(`${path}-wal`));
});

test('after close, every call throws ERR_STORE_CLOSED', async t => {
	const path = temporaryFile(t);
	for (const store of [new SqliteStore({path}), new SqliteStore({path})]) {
		await store.set('key', bytes('one'), noExpiry);
		await store.close();
		await store.close();
		const closed = {code: 'ERR_STORE_CLOSED', message: /is closed/v};
		t.throws(() => store.get('key'), closed);
		t.throws(() => {
			void store.set('key', bytes('one'), noExpiry);
		}, closed);
		t.throws(() => {
			void store.deleteMany(['key']);
		}, closed);
		await t.throwsAsync(async () => listed(store), closed);
	}

	const unused = new SqliteStore({path});
	await unused.close();
	t.throws(() => unused.get('key'), {code: 'ERR_STORE_CLOSED'});
});

for (const version of [2, 4]) {
	test(`a file of schema version ${version} is not changed`, async t => {
		const path = temporaryFile(t);
		const store = new SqliteStore({path});
		await store.set('key', bytes('one'), noExpiry);
		await store.close();
		execute(path, `PRAGMA user_version = ${version}`);
		const before = readFileSync(path);
		t.throws(() => new SqliteStore({path}).get('key'), {code: 'ERR_STORE_SCHEMA', message: new RegExp(String.raw`schema version ${version}, .*: use the version of the package that made the file, or another file\.$`, 'v')});
		t.deepEqual(readFileSync(path), before);
	});
}

test('a database of another program is not changed, not even its journal mode', t => {
	for (const sql of ['CREATE TABLE users (name TEXT)', 'PRAGMA user_version = 7', 'PRAGMA application_id = 7']) {
		const path = temporaryFile(t);
		execute(path, sql);
		const before = readFileSync(path);
		t.throws(() => {
			void new SqliteStore({path}).set('key', bytes('one'), noExpiry);
		}, {code: 'ERR_STORE_SCHEMA', message: /not a store of got-cache-hooks/v});
		t.deepEqual(readFileSync(path), before);
	}
});

test('a file that is not a database throws ERR_STORE_OPEN, and the store works once it is removed', async t => {
	const path = temporaryFile(t);
	writeFileSync(path, 'This is a text, and long enough to be taken for a header of SQLite. '.repeat(100));
	const store = new SqliteStore({path});
	const error = t.throws(() => store.get('key'), {code: 'ERR_STORE_OPEN', message: /not a database/v});
	t.true(error.message.includes(path));
	t.truthy(error.cause);
	rmSync(path);
	await store.set('key', bytes('one'), noExpiry);
	t.truthy(await store.get('key'));
	await store.close();
});

/** Creates a file with 200 entries, which have many pages. */
async function fillFile(path: string): Promise<void> {
	const store = new SqliteStore({path});
	for (let index = 0; index < 200; index += 1) {
		await store.set(`key ${index}`, Buffer.alloc(5000, 7), noExpiry);
	}

	await store.close();
}

/** Creates such a file that is damaged behind its first two pages. */
async function damage(path: string): Promise<void> {
	await fillFile(path);
	overwrite(path, 4096 * 2);
}

function overwrite(path: string, from: number, app?: number): void {
	const content = readFileSync(path);
	content.fill(0xAA, from);
	if (app !== undefined) {
		content.writeUInt32BE(app, 68);
	}

	writeFileSync(path, content);
}

test('the call that finds a damaged file sets it aside and throws once, and the next calls work', async t => {
	const path = temporaryFile(t);
	await damage(path);
	const content = readFileSync(path);
	const faults: FailedCall[] = [];
	const store = guardStore(new SqliteStore({path, now: () => 1000}), {
		onError(fault) {
			faults.push(fault);
		},
	});
	void store.get('key 100');
	await listed(store);
	void store.set('new', bytes('one'), noExpiry);
	t.is(Buffer.from(await store.get('new') as Uint8Array).toString(), 'one');
	t.deepEqual(await listed(store), ['new']);
	t.is(faults.length, 1);
	t.like(faults[0]!.error, {code: 'ERR_STORE_CORRUPT'});
	t.regex((faults[0]!.error as Error).message, /set aside as .*\.corrupt-1000/v);
	t.true(readFileSync(`${path}.corrupt-1000`).subarray(8192).equals(content.subarray(8192)));
	await store.close();
});

test('a damaged file with a readable header is set aside if the header is that of the store', async t => {
	const path = temporaryFile(t);
	await damage(path);
	overwrite(path, 100);
	const store = new SqliteStore({path});
	t.throws(() => store.get('key'), {code: 'ERR_STORE_CORRUPT'});
	t.is(await store.get('key'), undefined);
	t.is(filesBeside(path).filter(name => name.includes('.corrupt-')).length, 1);
	await store.close();
});

test('a damaged file of another program is not changed', async t => {
	const path = temporaryFile(t);
	await damage(path);
	overwrite(path, 100, 7);
	const before = readFileSync(path);
	t.throws(() => new SqliteStore({path}).get('key'), {code: 'ERR_STORE_OPEN'});
	t.deepEqual(readFileSync(path), before);
	t.deepEqual(filesBeside(path), ['cache.sqlite']);
});

test('a new file that has replaced the damaged one is not set aside', async t => {
	const path = temporaryFile(t);
	await fillFile(path);
	const store = new SqliteStore({path});
	t.is(await store.count(), 0);
	overwrite(path, 4096 * 2);
	const other = `${path}.other`;
	execute(other, 'CREATE TABLE users (name TEXT)');
	renameSync(other, path);
	const before = readFileSync(path);
	const error = t.throws(() => {
		for (let index = 0; index < 200; index += 1) {
			void store.get(`key ${index}`);
		}
	}, {code: 'ERR_STORE_CORRUPT'});
	t.regex(error.message, /not a store of got-cache-hooks/v);
	t.deepEqual(readFileSync(path), before);
	t.throws(() => store.get('key'), {code: 'ERR_STORE_SCHEMA'});
});

test('maxBytes evicts the least recently used entries, and a larger entry is not stored', async t => {
	const path = temporaryFile(t);
	let time = 1000;
	const maxBytes = 1_048_576;
	const store = new SqliteStore({path, maxBytes, now: () => time});
	await store.set('hot', Buffer.alloc(10_000), noExpiry);
	await store.set('expired', Buffer.alloc(10_000), {expires: 1005});
	for (let index = 0; index < 300; index += 1) {
		time += 1;
		await store.set(`key ${String(index).padStart(3, '0')}`, Buffer.alloc(10_000), noExpiry);
		t.true(await store.size() <= maxBytes);
		t.truthy(await store.get('hot'));
	}

	const left = await listed(store);
	t.true(left.length > 60, `${left.length}`);
	t.deepEqual(left, ['hot', ...Array.from({length: 300}, (_, index) => `key ${String(index).padStart(3, '0')}`).slice(301 - left.length)].toSorted());
	await store.set('hot', Buffer.alloc(maxBytes + 1), noExpiry);
	t.is(await store.get('hot'), undefined);
	t.false(await store.add('hot', Buffer.alloc(maxBytes + 1), noExpiry));
	await store.close();
});

test('no more entries are evicted than necessary', async t => {
	const store = new SqliteStore({useMemory: true, maxBytes: 1_048_576});
	const evicted: string[] = [];
	const stop = store.watchEvictions(key => {
		evicted.push(key);
	});
	for (let index = 0; index < 5; index += 1) {
		await store.set(`key ${index}`, Buffer.alloc(300_000), noExpiry);
	}

	t.deepEqual(await listed(store), ['key 2', 'key 3', 'key 4']);
	t.deepEqual(evicted, ['key 0', 'key 1']);
	stop();
	await store.set('small', Buffer.alloc(150_000), noExpiry);
	t.deepEqual(await listed(store), ['key 3', 'key 4', 'small']);
	t.is(evicted.length, 2);
	await store.close();
});

test('values without indexed are evicted last, since entries depend on them', async t => {
	const maxBytes = 1_048_576;
	let time = 1000;
	const store = new SqliteStore({useMemory: true, maxBytes, now: () => time});
	await store.set('record', Buffer.alloc(10), noExpiry);
	const setEntry = async (index: number, length: number) => {
		time += 1;
		await store.set(`key ${index}`, Buffer.alloc(length), {...noExpiry, indexed: {createdAt: time, freshUntil: undefined}});
	};

	for (let index = 0; index < 300; index += 1) {
		await setEntry(index, 10_000);
	}

	t.truthy(await store.get('record'));
	t.is(await store.get('key 0'), undefined);
	t.truthy(await store.get('key 299'));
	for (let index = 0; index < 2; index += 1) {
		time += 1;
		await store.set(`record ${index}`, Buffer.alloc(600_000), noExpiry);
	}

	t.deepEqual(await listed(store), ['record 1']);
	t.true(await store.size() <= maxBytes);
	await store.close();
});

test.serial('uses are written together once a minute, and do not wait for a lock', async t => {
	const path = temporaryFile(t);
	let time = 1000;
	const {timers} = mock;
	timers.enable({apis: ['setTimeout']});
	t.teardown(() => {
		timers.reset();
	});
	const store = new SqliteStore({path, maxBytes: 10_000_000, now: () => time});
	await store.set('key', bytes('one'), noExpiry);
	const used = () => query(path, 'SELECT used FROM entries')?.used;
	const passMinute = async () => {
		timers.tick(60_000);
		await nextTurn();
	};

	time = 2000;
	t.truthy(await store.get('key'));
	t.is(used(), 1000);
	const other = new DatabaseSync(path);
	other.exec('BEGIN IMMEDIATE');
	await passMinute();
	t.truthy(await store.get('key'));
	other.exec('COMMIT');
	other.close();
	t.is(used(), 1000);
	await passMinute();
	t.is(used(), 2000);
	// The clock is set back, but this use is still the last one.
	time = 500;
	await store.set('later', bytes('one'), noExpiry);
	t.is(query(path, 'SELECT used FROM entries WHERE key = \'later\'')?.used, 2000);
	await store.close();
});

test('vacuum returns the space of deleted rows', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path});
	for (let index = 0; index < 300; index += 1) {
		await store.set(`key ${index}`, Buffer.alloc(20_000), noExpiry);
	}

	await store.clear();
	t.true(await store.size() < 100_000);
	await store.vacuum();
	await store.close();
	t.true(statSync(path).size < 100_000);
});

test('several thousand rows are deleted by their times, whatever their order', async t => {
	const store = new SqliteStore({useMemory: true});
	for (let index = 0; index < 30_000; index += 1) {
		void store.set(`key ${index}`, bytes('one'), {expires: undefined, indexed: {createdAt: index, freshUntil: (index * 7919) % 30_000}});
	}

	t.is(await store.deleteFound({staleAt: 27_999}), 28_000);
	t.is(await store.count(), 2000);
	await store.close();
});

test('useTemp and useCacheDir create a folder of this user; useMemory creates no file', async t => {
	const folder = temporaryFile(t);
	const {stdout} = await run(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', `
		const {SqliteStore} = await import(${JSON.stringify(new URL('../../../source/stores/sqlite/store.ts', import.meta.url).href)});
		for (const options of [{path: 'deep/here.sqlite', useTemp: true}, {path: 'deep/here.sqlite', useCacheDir: true}, {useMemory: true}]) {
			const store = new SqliteStore(options);
			await store.set('key', new Uint8Array(1), {expires: undefined});
			console.log((await store.get('key')).length);
			await store.close();
		}
	`], {
		env: {...process.env, ...Object.fromEntries([['TMPDIR', `${folder}/temp`], ['HOME', `${folder}/home`], ['XDG_CACHE_HOME', `${folder}/cache`]])},
	});
	t.is(stdout, '1\n1\n1\n');
	const files = readdirSync(folder, {recursive: true}) as string[];
	t.is(files.filter(file => file.endsWith('here.sqlite')).length, 2);
});

test('the first call creates missing folders, and throws if it cannot', async t => {
	const path = join(dirname(temporaryFile(t)), 'missing', 'too', 'cache.sqlite');
	const store = new SqliteStore({path});
	t.is(store.path, path);
	t.false(existsSync(dirname(path)));
	await store.set('key', bytes('one'), noExpiry);
	t.true(existsSync(path));
	await store.close();
	const inFile = new SqliteStore({path: join(path, 'cache.sqlite')});
	t.throws(() => inFile.get('key'), {code: 'ERR_STORE_OPEN'});
});

test('expired rows are removed on opening, after some sets, and by purgeExpired', async t => {
	const path = temporaryFile(t);
	let time = 1000;
	const now = () => time;
	const store = new SqliteStore({path, now});
	for (let index = 0; index < 600; index += 1) {
		await store.set(`old ${index}`, bytes('one'), {expires: 1500});
	}

	time = 2000;
	for (let index = 0; index < 168; index += 1) {
		await store.set(`new ${index}`, bytes('one'), noExpiry);
	}

	t.is(countOf(path), 600 + 168 - 256);
	t.is(await store.purgeExpired(), 344);
	t.is(countOf(path), 168);
	await store.set('last', bytes('one'), {expires: 2500});
	await store.close();
	time = 2500;
	const again = new SqliteStore({path, now});
	t.truthy(await again.get('new 0'));
	t.is(countOf(path), 168);
	await again.close();
});

test('an iteration leaves out values that are added meanwhile, even under a deleted key', async t => {
	const store = new SqliteStore({path: temporaryFile(t)});
	const keys = Array.from({length: 600}, (_, index) => `key ${index}`);
	for (const key of keys) {
		await store.set(key, bytes(key), noExpiry);
	}

	const met: string[] = [];
	for await (const [key] of store.iterate()) {
		met.push(key);
		// The id of the last row must not be used again.
		await store.deleteMany([key, 'key 599']);
		await store.set(key, bytes('new'), noExpiry);
		await store.set(`${key} too`, bytes('new'), noExpiry);
	}

	t.deepEqual(met, keys.slice(0, -1));
	await store.close();
});

test('another connection can write between two steps of an iteration', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path});
	await store.set('a', bytes('a'), noExpiry);
	await store.set('b', bytes('b'), noExpiry);
	const other = new DatabaseSync(path);
	for await (const [key] of store.iterate()) {
		other.prepare('UPDATE entries SET value = ? WHERE key = ?').run(bytes('new'), key);
		other.exec('DELETE FROM entries');
	}

	t.is(countOf(path), 0);
	other.close();
	await store.close();
});

test('a value that is not a Uint8Array throws ERR_STORE_VALUE', async t => {
	const store = new SqliteStore({path: ':memory:'});
	t.throws(() => {
		void store.set('key', 'text', noExpiry);
	}, {code: 'ERR_STORE_VALUE'});
	await store.close();
});

test('a file that stays locked throws an error after busyTimeout, and works once it is unlocked', async t => {
	const path = temporaryFile(t);
	const other = new DatabaseSync(path);
	const store = new SqliteStore({path, busyTimeout: 20});
	const locked = {code: 'ERR_STORE_OPEN', message: /locked/v};
	other.exec('BEGIN EXCLUSIVE');
	await t.throwsAsync(async () => store.get('key'), locked);
	other.exec('COMMIT');
	const withoutWal = new SqliteStore({path, wal: false});
	await withoutWal.set('key', bytes('one'), noExpiry);
	await withoutWal.close();
	other.exec('BEGIN; SELECT * FROM entries');
	// A reader prevents the change to WAL.
	await t.throwsAsync(async () => store.get('key'), locked);
	other.exec('COMMIT');
	other.close();
	t.truthy(await store.get('key'));
	await store.close();
});

test('deleteMany deletes all keys or none', async t => {
	const store = new SqliteStore({path: ':memory:'});
	await store.set('a', bytes('a'), noExpiry);
	await t.throwsAsync(async () => store.deleteMany(['a', Symbol('no key') as unknown as string]));
	t.truthy(await store.get('a'));
	await store.deleteMany(['a']);
	t.is(await store.get('a'), undefined);
	await store.close();
});

test('wrong options throw an error', t => {
	t.throws(() => new SqliteStore({busyTimeout: -1}), {instanceOf: TypeError, message: /\.busyTimeout`/v});
	t.throws(() => new SqliteStore({maxBytes: 1000}), {instanceOf: TypeError, message: /\.maxBytes`.*1048576/v});
	t.throws(() => new SqliteStore({useTemp: true, useCacheDir: true}), {instanceOf: TypeError, message: /\.useCacheDir`/v});
	t.throws(() => new SqliteStore({useMemory: true, useTemp: true}), {instanceOf: TypeError, message: /\.useTemp`/v});
	t.throws(() => new SqliteStore({path: ''}), {instanceOf: TypeError, message: /\.path`/v});
});

test('importing the package prints no warning of node:sqlite', async t => {
	const {stdout} = await run(process.execPath, ['--input-type=module', '--eval', `
		await import(${JSON.stringify(new URL('../../../source/stores/sqlite/store.ts', import.meta.url).href)});
		console.log(process.moduleLoadList.some(name => name === 'NativeModule sqlite'));
	`]);
	t.is(stdout.trim(), 'false');
});
