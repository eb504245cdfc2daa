import {Buffer} from 'node:buffer';
import {execFile} from 'node:child_process';
import {
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {DatabaseSync} from 'node:sqlite';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {SqliteStore} from '../../source/stores/sqlite/store.ts';
import {listed} from './contract.ts';

const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return
const kept = {expires: undefined} as const;
const bytes = (text: string): Uint8Array => Buffer.from(text);

function temporaryFile(t: ExecutionContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'got-cache-hooks-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	return join(folder, 'cache.sqlite');
}

function query(path: string, sql: string): Record<string, unknown> | undefined {
	const database = new DatabaseSync(path);
	try {
		return database.prepare(sql).get();
	} finally {
		database.close();
	}
}

function execute(path: string, sql: string): void {
	const database = new DatabaseSync(path);
	database.exec(sql);
	database.close();
}

function countOf(path: string): unknown {
	return query(path, 'SELECT count(*) AS count FROM entries')?.count;
}

for (const wal of [true, false]) {
	test.serial(`six processes that open one new file at once all write and read${wal ? '' : ', also without WAL'}`, async t => {
		const path = temporaryFile(t);
		const startTime = String(Date.now() + 1500);
		const names = ['a', 'b', 'c', 'd', 'e', 'f'];
		await Promise.all(names.map(async name => run(process.execPath, [
			'--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'sqlite-writer.ts'), path, name, startTime, String(wal),
		])));
		const store = new SqliteStore({path});
		const found = await listed(store);
		t.is(found.length, (6 * 98) + 1);
		t.is(Buffer.from(store.get('c 42')!).toString(), 'c 42');
		store.close();
		t.is(query(path, 'PRAGMA integrity_check')?.integrity_check, 'ok');
	});
}

test('the file is made by the first call, with WAL, an index for each question and room for incremental vacuum', t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path});
	t.false(existsSync(path));
	store.set('key', bytes('one'), kept);
	t.true(existsSync(`${path}-wal`));
	t.is(query(path, 'PRAGMA journal_mode')?.journal_mode, 'wal');
	t.is(query(path, 'PRAGMA user_version')?.user_version, 2);
	t.is(query(path, 'PRAGMA auto_vacuum')?.auto_vacuum, 2);
	t.regex(String(query(path, 'EXPLAIN QUERY PLAN SELECT value FROM entries WHERE key = \'a\' AND (expires IS NULL OR expires > 5)')?.detail), /USING INDEX entries_key/v);
	t.regex(String(query(path, 'EXPLAIN QUERY PLAN SELECT id FROM entries WHERE expires <= 5 ORDER BY expires LIMIT 9')?.detail), /USING COVERING INDEX entries_expires/v);
	store.close();
	t.false(existsSync(`${path}-wal`));
});

test('after closing, every call says that the store is closed', async t => {
	const path = temporaryFile(t);
	for (const store of [new SqliteStore({path}), new SqliteStore({path})]) {
		store.set('key', bytes('one'), kept);
		store.close();
		store.close();
		const closed = {code: 'ERR_STORE_CLOSED', message: /is closed/v};
		t.throws(() => store.get('key'), closed);
		t.throws(() => {
			store.set('key', bytes('one'), kept);
		}, closed);
		t.throws(() => {
			store.deleteMany(['key']);
		}, closed);
		await t.throwsAsync(async () => listed(store), closed);
	}

	const unused = new SqliteStore({path});
	unused.close();
	t.throws(() => unused.get('key'), {code: 'ERR_STORE_CLOSED'});
});

test('a file of a newer version is left as it is', t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path});
	store.set('key', bytes('one'), kept);
	store.close();
	execute(path, 'PRAGMA user_version = 3');
	const before = readFileSync(path);
	t.throws(() => new SqliteStore({path}).get('key'), {code: 'ERR_STORE_SCHEMA', message: /schema version 3/v});
	t.deepEqual(readFileSync(path), before);
});

test('a database of somebody else is left as it is, its journal mode too', t => {
	for (const sql of ['CREATE TABLE users (name TEXT)', 'PRAGMA user_version = 7', 'PRAGMA application_id = 7']) {
		const path = temporaryFile(t);
		execute(path, sql);
		const before = readFileSync(path);
		t.throws(() => {
			new SqliteStore({path}).set('key', bytes('one'), kept);
		}, {code: 'ERR_STORE_SCHEMA', message: /not a store of got-cache-hooks/v});
		t.deepEqual(readFileSync(path), before);
	}
});

test('a file that is no database is a clear error, and used once it is out of the way', t => {
	const path = temporaryFile(t);
	writeFileSync(path, 'This is a text, and long enough to be taken for a header of SQLite. '.repeat(100));
	const store = new SqliteStore({path});
	const error = t.throws(() => store.get('key'), {code: 'ERR_STORE_OPEN', message: /not a database/v});
	t.true(error.message.includes(path));
	t.truthy(error.cause);
	rmSync(path);
	store.set('key', bytes('one'), kept);
	t.truthy(store.get('key'));
	store.close();
});

test('a file with damaged pages throws, and does not end the process', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path});
	for (let index = 0; index < 200; index += 1) {
		store.set(`key ${index}`, Buffer.alloc(5000, 7), kept);
	}

	store.close();
	const content = readFileSync(path);
	content.fill(0xAA, 4096 * 2);
	writeFileSync(path, content);
	const damaged = new SqliteStore({path});
	await t.throwsAsync(async () => {
		damaged.get('key 100');
		await listed(damaged);
	}, {message: /malformed|corrupt/v});
	damaged.close();
});

test('a missing folder surfaces with the first call', t => {
	const store = new SqliteStore({path: join(temporaryFile(t), 'missing', 'cache.sqlite')});
	t.throws(() => store.get('key'), {code: 'ERR_STORE_OPEN', message: /unable to open/v});
});

test('expired rows leave on opening and while entries are set, and all of them when asked', t => {
	const path = temporaryFile(t);
	let time = 1000;
	const now = () => time;
	const store = new SqliteStore({path, now});
	for (let index = 0; index < 600; index += 1) {
		store.set(`old ${index}`, bytes('one'), {expires: 1500});
	}

	time = 2000;
	for (let index = 0; index < 168; index += 1) {
		store.set(`new ${index}`, bytes('one'), kept);
	}

	t.is(countOf(path), 600 + 168 - 256);
	t.is(store.purgeExpired(), 344);
	t.is(countOf(path), 168);
	store.set('last', bytes('one'), {expires: 2500});
	store.close();
	time = 2500;
	const again = new SqliteStore({path, now});
	t.truthy(again.get('new 0'));
	t.is(countOf(path), 168);
	again.close();
});

test('iterating leaves out what is added meanwhile, also under a key that was deleted', async t => {
	const store = new SqliteStore({path: temporaryFile(t)});
	const keys = Array.from({length: 600}, (_, index) => `key ${index}`);
	for (const key of keys) {
		store.set(key, bytes(key), kept);
	}

	const met: string[] = [];
	for await (const [key] of store.iterate()) {
		met.push(key);
		// The last row's id must not be given to another one.
		store.deleteMany([key, 'key 599']);
		store.set(key, bytes('new'), kept);
		store.set(`${key} too`, bytes('new'), kept);
	}

	t.deepEqual(met, keys.slice(0, -1));
	store.close();
});

test('another connection writes between two steps of an iteration', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path});
	const other = new SqliteStore({path, busyTimeout: 0});
	store.set('a', bytes('a'), kept);
	store.set('b', bytes('b'), kept);
	for await (const [key] of store.iterate()) {
		other.set(key, bytes('new'), kept);
		other.clear();
	}

	t.is(countOf(path), 0);
	store.close();
	other.close();
});

test('only bytes are stored', t => {
	const store = new SqliteStore({path: ':memory:'});
	t.throws(() => {
		store.set('key', 'text', kept);
	}, {code: 'ERR_STORE_VALUE'});
	store.close();
});

test('a file that stays locked is an error once the busy timeout is over, and used when it is free', t => {
	const path = temporaryFile(t);
	const other = new DatabaseSync(path);
	const store = new SqliteStore({path, busyTimeout: 20});
	const locked = {code: 'ERR_STORE_OPEN', message: /locked/v};
	other.exec('BEGIN EXCLUSIVE');
	t.throws(() => store.get('key'), locked);
	other.exec('COMMIT');
	const withoutWal = new SqliteStore({path, wal: false});
	withoutWal.set('key', bytes('one'), kept);
	withoutWal.close();
	other.exec('BEGIN; SELECT * FROM entries');
	// A reader is in the way of turning the file to WAL.
	t.throws(() => store.get('key'), locked);
	other.exec('COMMIT');
	other.close();
	t.truthy(store.get('key'));
	store.close();
});

test('many keys are deleted together or not at all', t => {
	const store = new SqliteStore({path: ':memory:'});
	store.set('a', bytes('a'), kept);
	t.throws(() => {
		store.deleteMany(['a', Symbol('no key') as unknown as string]);
	});
	t.truthy(store.get('a'));
	store.deleteMany(['a']);
	t.is(store.get('a'), undefined);
	store.close();
});

test('wrong options are refused at once', t => {
	t.throws(() => new SqliteStore({busyTimeout: -1}), {instanceOf: TypeError, message: /`busyTimeout`/v});
	t.throws(() => new SqliteStore({path: ''}), {instanceOf: TypeError, message: /`path`/v});
});

test('those who do not use it see no warning of node:sqlite', async t => {
	const {stdout} = await run(process.execPath, ['--input-type=module', '--eval', `
		await import(${JSON.stringify(new URL('../../source/stores/sqlite/store.ts', import.meta.url).href)});
		console.log(process.moduleLoadList.some(name => name === 'NativeModule sqlite'));
	`]);
	t.is(stdout.trim(), 'false');
});
