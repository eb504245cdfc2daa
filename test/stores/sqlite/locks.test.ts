import {DatabaseSync} from 'node:sqlite';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import {guardStore, type FailedCall} from '../../../source/stores/guard.ts';
import {readOnlyStore} from '../../../source/stores/read-only.ts';
import {SqliteStore} from '../../../source/stores/sqlite/store.ts';
import {listed} from '../contract.ts';
import {query, temporaryFile} from './files.ts';

const expires = 2000;

const lockCount = (path: string): unknown => query(path, 'SELECT count(*) AS count FROM locks')?.count;

test('a lock is written and read at once, seems deleted at once, and is no value of the store', async t => {
	const store = new SqliteStore({path: temporaryFile(t), now: () => 1000});
	const {locks} = store;
	t.true(locks.add('key', 'one', {expires}));
	t.false(locks.add('key', 'two', {expires}));
	t.is(locks.get('key'), 'one');
	t.is(lockCount(store.path!), 1);
	t.is(store.get('key'), undefined);
	t.deepEqual(await listed(store), []);
	t.is(locks.set('key', 'three', {expires}), undefined);
	t.is(locks.get('key'), 'three');
	locks.delete('key');
	t.is(lockCount(store.path!), 1);
	t.is(locks.get('key'), undefined);
	t.is(lockCount(store.path!), 0);
	t.true(locks.add('key', 'four', {expires}));
	locks.delete('key');
	t.true(locks.add('key', 'five', {expires}));
	t.is(locks.get('key'), 'five');
	locks.delete('key');
	await store.close();
	t.is(lockCount(store.path!), 0);
});

test('a deletion is committed with other writes, and expires with a fault', async t => {
	const store = new SqliteStore({path: temporaryFile(t), now: () => 1000, busyTimeout: 0});
	t.true(store.locks.add('key', 'one', {expires}));
	const other = new DatabaseSync(store.path!);
	other.exec('BEGIN IMMEDIATE');
	store.locks.delete('key');
	t.is(await store.locks.get('key'), 'one');
	other.exec('COMMIT');
	store.locks.delete('key');
	await store.set('value', new Uint8Array(1), {expires: undefined});
	t.is(lockCount(store.path!), 0);
	other.close();
	await store.close();
});

test('an expired lock is free, and is removed when the file is opened, or after 256 sets', async t => {
	const path = temporaryFile(t);
	let time = 1000;
	const now = () => time;
	const store = new SqliteStore({path, now});
	t.true(store.locks.add('one', 'first', {expires}));
	t.true(store.locks.add('two', 'first', {expires}));
	time = expires;
	t.is(store.locks.get('one'), undefined);
	t.true(store.locks.add('one', 'second', {expires: 3000}));
	t.is(lockCount(path), 2);
	for (let count = 0; count < 256; count++) {
		await store.set('key', new Uint8Array(1), {expires: undefined});
	}

	t.is(lockCount(path), 1);
	time = 3000;
	await store.close();
	const again = new SqliteStore({path, now});
	t.is(again.locks.get('one'), undefined);
	t.is(lockCount(path), 0);
	await again.close();
});

test('`clear` deletes locks as well', async t => {
	const store = new SqliteStore({path: temporaryFile(t), now: () => 1000});
	t.true(store.locks.add('key', 'one', {expires}));
	await store.clear();
	t.is(store.locks.get('key'), undefined);
	await store.close();
});

test('a lock that meets another process waits for it without blocking', async t => {
	const path = temporaryFile(t);
	// A call that waited for the lock would keep the process for longer than a test may take.
	const store = new SqliteStore({path, now: () => 1000, busyTimeout: 600_000});
	t.true(store.locks.add('held', 'one', {expires}));
	const other = new DatabaseSync(path);
	other.exec('BEGIN IMMEDIATE');
	const first = store.locks.add('key', 'one', {expires});
	store.locks.delete('held');
	const calls = Promise.all([first, store.locks.add('held', 'two', {expires})]);
	t.is(await Promise.race([calls, nextTurn('waiting')]), 'waiting');
	other.exec('INSERT INTO locks (key, expires, value) VALUES (\'key\', 2000, \'theirs\')');
	other.exec('COMMIT');
	t.deepEqual(await calls, [false, true]);
	t.is(store.locks.get('key'), 'theirs');
	t.is(store.locks.get('held'), 'two');
	other.close();
	await store.close();
});

test('a lock that waits too long for another process fails with ERR_STORE_BUSY', async t => {
	const path = temporaryFile(t);
	const store = new SqliteStore({path, now: () => 1000, busyTimeout: 20});
	t.is(store.locks.get('key'), undefined);
	const other = new DatabaseSync(path);
	other.exec('BEGIN IMMEDIATE');
	await t.throwsAsync(async () => store.locks.add('key', 'one', {expires}), {code: 'ERR_STORE_BUSY'});
	other.close();
	await store.close();
});

test('a file that may only be read holds no new locks', async t => {
	const path = temporaryFile(t);
	const writer = new SqliteStore({path, now: () => 1000});
	t.true(writer.locks.add('key', 'one', {expires}));
	const reader = new SqliteStore({path, readOnly: true, now: () => 1000});
	t.throws(() => reader.locks.add('other', 'one', {expires}), {code: 'ERR_STORE_READ_ONLY'});
	t.throws(() => {
		reader.locks.delete('key');
	}, {code: 'ERR_STORE_READ_ONLY'});
	t.is(reader.locks.get('key'), 'one');
	await reader.close();
	await writer.close();
	t.throws(() => writer.locks.get('key'), {code: 'ERR_STORE_CLOSED'});
});

test('a guarded store guards its locks as well, and one that is only read has none', async t => {
	const path = temporaryFile(t);
	const faults: FailedCall[] = [];
	const store = new SqliteStore({path, now: () => 1000, busyTimeout: 0});
	const {locks} = guardStore(store, {
		onError(fault) {
			faults.push(fault);
		},
	});
	t.true(locks!.add('key', 'one', {expires}));
	t.is(locks!.get('key'), 'one');
	const other = new DatabaseSync(path);
	other.exec('BEGIN IMMEDIATE');
	t.false(await locks!.add('other', 'one', {expires}));
	t.like(faults, [{operation: 'add', key: 'other', error: {code: 'ERR_STORE_BUSY'}}]);
	other.close();
	t.is(readOnlyStore(store).locks, undefined);
	await store.close();
});
