/* eslint-disable node-test/prefer-context-mock -- AVA's context has none. */
import {Buffer} from 'node:buffer';
import {execFile} from 'node:child_process';
import {
	existsSync,
	symlinkSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import process from 'node:process';
import {DatabaseSync} from 'node:sqlite';
import {mock} from 'node:test';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {SqliteStore} from '../../../source/stores/sqlite/store.ts';
import {textOf} from '../contract.ts';
import {
	bytes,
	countOf,
	noExpiry,
	query,
	temporaryFile,
} from './files.ts';

const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return

/** Opens another connection, as another process would, that holds a lock until it is closed. */
function lock(path: string, sql: string): DatabaseSync {
	const database = new DatabaseSync(path);
	database.exec(sql);
	return database;
}

const exclusive = 'PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; UPDATE entries SET used = used; COMMIT';

// A call that waited for the lock would keep the process for longer than a test may take.
const busyTimeout = 600_000;

for (const [wal, sql, isRead] of [
	[true, 'BEGIN IMMEDIATE', true],
	[true, 'BEGIN EXCLUSIVE', true],
	[true, exclusive, false],
	[false, 'BEGIN IMMEDIATE', true],
	[false, 'BEGIN EXCLUSIVE', false],
	[false, exclusive, false],
] as const) {
	const name = `\`${sql}\` of another connection${wal ? '' : ', without WAL'}`;
	test.serial(`no call blocks on ${name}: ${isRead ? 'reads succeed at once' : 'reads are tried again'}, and writes succeed once it is released`, async t => {
		const path = temporaryFile(t);
		const store = new SqliteStore({path, wal, busyTimeout});
		if (wal && !isRead) {
			// This lock is impossible while the file is open elsewhere.
			const first = new SqliteStore({path});
			await first.set('old', bytes('old'), noExpiry);
			await first.close();
		} else {
			await store.set('old', bytes('old'), noExpiry);
		}

		const other = lock(path, sql);
		const calls: ReadonlyArray<() => unknown> = [
			() => store.get('old'),
			() => store.set('new', bytes('new'), noExpiry),
			() => store.add('added', bytes('added'), noExpiry),
			() => store.add('new', bytes('late'), noExpiry),
			() => store.delete('old'),
			() => store.deleteMany(['absent']),
			() => store.get('new'),
			() => store.count(),
			() => store.size(),
			() => store.clear(),
			() => store.set('last', bytes('last'), noExpiry),
			() => store.purgeExpired(),
			() => store.vacuum(),
			() => store.deleteFound({}),
			() => Array.fromAsync(store.find({})),
			() => Array.fromAsync(store.iterate()),
		];
		const answers = calls.map(call => call());
		t.is(answers[0] instanceof Uint8Array, isRead);
		const both = Promise.all(answers);
		t.is(await Promise.race([both.then(() => 'done'), nextTurn('waiting')]), 'waiting');
		other.close();
		const done = await both;
		const [added, late, deleted] = done.slice(2);
		const [old, seen, listed] = [done[0], done[6], done.at(-1)];
		// A read that waits may be answered after a later write.
		t.true(['old', isRead ? 'old' : undefined].includes(textOf(old as Uint8Array | undefined)));
		t.deepEqual([added, late, deleted, textOf(seen as Uint8Array)], [true, false, true, 'new']);
		t.deepEqual((listed as Array<[string, Uint8Array]>).map(([key]) => key), ['last']);
		await store.close();
		t.is(countOf(path), 1);
	});
}

test('close waits for a lock without blocking, and all writes are saved', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path, busyTimeout});
	await store.set('a', bytes('a'), noExpiry);
	const other = lock(path, 'BEGIN IMMEDIATE');
	const written = store.set('b', bytes('b'), noExpiry);
	const closed = store.close();
	t.true(closed instanceof Promise);
	t.throws(() => store.get('a'), {code: 'ERR_STORE_CLOSED'});
	other.close();
	await Promise.all([written, closed]);
	t.is(countOf(path), 2);
});

test('a write that waits too long for a lock rejects and is dropped, and the next one succeeds', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path, busyTimeout: 30});
	await store.set('key', bytes('old'), noExpiry);
	const other = lock(path, 'BEGIN IMMEDIATE');
	const written = store.set('key', bytes('new'), noExpiry);
	const added = store.add('added', bytes('new'), noExpiry);
	t.is(textOf(await store.get('key')), 'new');
	await t.throwsAsync(async () => written, {code: 'ERR_STORE_BUSY', message: /locked/v});
	await t.throwsAsync(async () => added, {code: 'ERR_STORE_BUSY'});
	t.is(textOf(await store.get('key')), 'old');
	t.is(await store.get('added'), undefined);
	await t.throwsAsync(async () => store.clear(), {code: 'ERR_STORE_BUSY'});
	t.is(textOf(await store.get('key')), 'old');
	other.close();
	await store.set('key', bytes('newest'), noExpiry);
	t.is(textOf(await store.get('key')), 'newest');
	await store.close();
});

test('uncommitted writes are visible to all stores of the process, by any path, in their order', async t => {
	const path = temporaryFile(t);
	symlinkSync(path, join(dirname(path), 'link.sqlite'));
	let time = 1000;
	const first = new SqliteStore({path, now: () => time});
	const second = new SqliteStore({path: join(dirname(path), 'link.sqlite'), now: () => time});
	await first.set('old', bytes('old'), noExpiry);
	t.is(textOf(second.get('old') as Uint8Array), 'old');

	const value = Buffer.from('one');
	const writes = [first.set('key', value, {expires: 2000}), second.delete('old'), first.add('old', bytes('again'), noExpiry), second.add('key', bytes('two'), noExpiry)];
	const seen = second.get('key') as Uint8Array;
	t.is(textOf(seen), 'one');
	t.is(textOf(first.get('old') as Uint8Array), 'again');
	t.deepEqual(await Promise.all(writes.map(async write => write)), [undefined, true, true, false]);
	t.is(textOf(second.get('old') as Uint8Array), 'again');

	void first.set('brief', bytes('one'), {expires: 1500});
	const brief = second.get('brief') as Uint8Array;
	brief.fill(0);
	t.is(textOf(second.get('brief') as Uint8Array), 'one');
	time = 1500;
	t.is(second.get('brief'), undefined);
	void first.deleteMany(['key', 'old']);
	t.is(second.get('key'), undefined);
	void first.set('key', bytes('last'), noExpiry);
	t.is(textOf(second.get('key') as Uint8Array), 'last');
	t.is(countOf(path), 2);
	void second.clear();
	t.is(first.get('key'), undefined);
	t.is(countOf(path), 0);
	void first.set('key', bytes('one'), noExpiry);
	await first.close();
	t.is(countOf(path), 1);
	t.true(existsSync(`${path}-wal`));
	t.is(textOf(second.get('key') as Uint8Array), 'one');
	await second.set('more', bytes('one'), noExpiry);
	await second.close();
	t.false(existsSync(`${path}-wal`));
});

test.serial('the writes of one turn of the event loop are one transaction, and large ones are committed earlier', async t => {
	const path = temporaryFile(t);
	const stores = [new SqliteStore({path}), new SqliteStore({path})];
	await Promise.all(stores.map(async store => store.set('first', bytes('one'), noExpiry)));
	const statements: string[] = [];
	const execute = DatabaseSync.prototype.exec;
	DatabaseSync.prototype.exec = function (sql) {
		statements.push(sql);
		execute.call(this, sql);
	};

	t.teardown(() => {
		DatabaseSync.prototype.exec = execute;
	});
	await Promise.all(Array.from({length: 64}, async (_, index) => stores[index % 2]!.set(`key ${index}`, Buffer.alloc(10_000), noExpiry)));
	t.deepEqual(statements, ['BEGIN IMMEDIATE', 'COMMIT']);
	const written = stores[0]!.set('large', Buffer.alloc(3_000_000), noExpiry);
	t.is(statements.length, 4);
	await written;
	for (const store of stores) {
		await store.close();
	}
});

test('a write that fails does not make other writes of its turn fail', async t => {
	const store = new SqliteStore({useMemory: true});
	const outcomes = await Promise.allSettled([
		store.set('a', bytes('a'), noExpiry), store.delete(Symbol('no key') as unknown as string), store.set('b', bytes('b'), noExpiry),
	]);
	t.deepEqual(outcomes.map(({status}) => status), ['fulfilled', 'rejected', 'fulfilled']);
	t.is(textOf(await store.get('b')), 'b');
	await store.close();
});

test('a process that ends by itself or by `exit` has saved its writes', async t => {
	const path = temporaryFile(t);
	for (const [end, isDeferrable] of [['', false], ['process.exit(0);', false], ['', true], ['process.exit(0);', true]] as const) {
		await run(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', `
			const {SqliteStore} = await import(${JSON.stringify(new URL('../../../source/stores/sqlite/store.ts', import.meta.url).href)});
			const store = new SqliteStore({path: ${JSON.stringify(path)}});
			void store.set(${JSON.stringify(`key ${end} ${isDeferrable}`)}, new Uint8Array(1), {expires: undefined, isDeferrable: ${isDeferrable}});
			store.locks.add('lock', 'one', {expires: Date.now() + 10_000});
			process.once('exit', () => {
				store.locks.delete('lock');
				void store.set(${JSON.stringify(`at exit ${end} ${isDeferrable}`)}, new Uint8Array(1), {expires: undefined, isDeferrable: ${isDeferrable}});
			});
			${end}
		`]);
	}

	t.is(countOf(path), 8);
	t.is(query(path, 'SELECT count(*) AS count FROM locks')?.count, 0);
});

const deferrable = {...noExpiry, isDeferrable: true} as const;

/** Opens a store whose timers the test advances. */
function storeWithTimers(t: ExecutionContext, path: string): SqliteStore {
	mock.timers.enable({apis: ['setTimeout']});
	t.teardown(() => {
		mock.timers.reset();
	});
	return new SqliteStore({path, busyTimeout});
}

test.serial('writes that are deferrable are read at once, and committed together after 5 ms', async t => {
	const path = temporaryFile(t);
	const store = storeWithTimers(t, path);
	await store.set('old', bytes('old'), noExpiry);
	const first = store.set('first', bytes('first'), deferrable);
	await nextTurn();
	mock.timers.tick(4);
	const second = store.set('second', bytes('second'), deferrable);
	await nextTurn();
	t.is(countOf(path), 1);
	t.is(textOf(await store.get('first')), 'first');
	mock.timers.tick(1);
	t.is(countOf(path), 3);
	await Promise.all([first, second]);
	const third = store.set('third', bytes('third'), deferrable);
	await nextTurn();
	t.is(countOf(path), 3);
	mock.timers.tick(5);
	t.is(countOf(path), 4);
	await third;
	await store.close();
});

for (const [name, act] of [
	['`flush`', store => {
		store.flush();
	}],
	['a write that is not deferrable', async store => store.set('next', bytes('next'), noExpiry)],
	['more than 2 MB', store => {
		void store.set('large', new Uint8Array(3_000_000), deferrable);
	}],
	['`count`', store => store.count()],
	['`close`', store => store.close()],
] as ReadonlyArray<readonly [string, (store: SqliteStore) => unknown]>) {
	test.serial(`${name} commits what was deferred`, async t => {
		const path = temporaryFile(t);
		const store = storeWithTimers(t, path);
		await store.set('old', bytes('old'), noExpiry);
		const written = store.set('deferred', bytes('deferred'), deferrable);
		await nextTurn();
		t.is(countOf(path), 1);
		await act(store);
		t.is(query(path, 'SELECT count(*) AS count FROM entries WHERE key = \'deferred\'')?.count, 1);
		await written;
		await store.close();
	});
}

test('`flush` before the first call does nothing', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path});
	store.flush();
	t.false(existsSync(path));
	await store.close();
});

test.serial('what was deferred keeps its order while another process holds a lock', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path, busyTimeout});
	await store.set('old', bytes('old'), noExpiry);
	const other = lock(path, 'BEGIN IMMEDIATE');
	const first = store.set('key', bytes('first'), deferrable);
	store.flush();
	const second = store.set('key', bytes('second'), deferrable);
	store.flush();
	t.is(textOf(await store.get('key')), 'second');
	other.close();
	await Promise.all([first, second]);
	t.is(query(path, 'SELECT CAST(value AS TEXT) AS text FROM entries WHERE key = \'key\'')?.text, 'second');
	await store.close();
});
