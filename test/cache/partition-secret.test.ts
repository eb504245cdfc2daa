import {Buffer} from 'node:buffer';
import {spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {PartitionSecret, secretKey} from '../../source/cache/partition-secret.ts';
import type {MaybePromise} from '../../source/maybe-promise.ts';
import type {Store, StoredValue} from '../../source/stores/types.ts';
import {Origin} from '../helpers/origin.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

type Faults = {get: boolean; set: boolean};

/** A store that several secrets share, which answers synchronously or asynchronously. */
function storeOf(holds: Store['valueType'], isAsync = false) {
	const values = new Map<string, StoredValue>();
	const faults: Faults = {get: false, set: false};
	const calls: string[] = [];
	const answer = <T>(name: keyof Faults, run: () => T): MaybePromise<T> => {
		calls.push(name);
		if (faults[name]) {
			if (isAsync) {
				return Promise.reject(new Error(name));
			}

			throw new Error(name);
		}

		return isAsync ? Promise.resolve(run()) : run();
	};

	const store = {
		valueType: holds,
		get: (key: string) => answer('get', () => values.get(key)),
		set: (key: string, value: StoredValue) => answer('set', () => {
			values.set(key, value);
		}),
	} as unknown as Store;
	return {
		store, values, faults, calls,
	};
}

function secretOf(store: Store, given?: string) {
	let now = 0;
	const reported: string[] = [];
	const secret = new PartitionSecret({
		store,
		given,
		onFault(operation) {
			reported.push(operation);
		},
		clock: () => now,
	});
	return {
		secret,
		reported,
		advance(milliseconds: number) {
			now += milliseconds;
		},
	};
}

for (const holds of ['bytes', 'text', 'objects'] as const) {
	for (const isAsync of [false, true]) {
		test(`${holds}, ${isAsync ? 'asynchronously' : 'synchronously'}: a secret is written with the first entry, and found by the next cache`, async t => {
			const {store, values} = storeOf(holds, isAsync);
			const {secret} = secretOf(store);
			const first = secret.get();
			t.is(first instanceof Promise, isAsync);
			t.is((await first).length, 32);
			t.is(values.size, 0);
			t.deepEqual(await secret.get(), await first);

			await secret.ensureStored();
			t.deepEqual(values.keys().toArray(), [secretKey]);
			t.deepEqual(await secretOf(store).secret.get(), await first);
			t.notDeepEqual(await secretOf(storeOf(holds).store).secret.get(), await first);
		});
	}
}

test('a given secret causes no reads or writes, and an unused one is not written', t => {
	const {store, calls} = storeOf('text');
	const {secret} = secretOf(store, 'given');
	t.is(secret.get(), 'given');
	void secret.ensureStored();
	void secretOf(store).secret.ensureStored();
	t.deepEqual(calls, []);
});

test('a confirmed secret is not read again', t => {
	const {store, calls} = storeOf('text');
	const first = secretOf(store);
	void first.secret.get();
	void first.secret.ensureStored();
	first.advance(10_000);
	const other = secretOf(store).secret;
	void other.get();
	calls.length = 0;
	void first.secret.get();
	void other.get();
	void other.ensureStored();
	t.deepEqual(calls, []);
});

test('two caches that write at once end with one secret', async t => {
	const {store, values} = storeOf('bytes', true);
	const [one, other] = [secretOf(store), secretOf(store)];
	await Promise.all([one.secret.get(), other.secret.get()]);
	await Promise.all([one.secret.ensureStored(), other.secret.ensureStored()]);
	t.deepEqual(await one.secret.get(), await other.secret.get());
	t.true(Buffer.from(values.get(secretKey) as Uint8Array).includes(Buffer.from(await one.secret.get()).toString('hex')));
});

test('for some seconds after its write, a cache detects the later write of another one', t => {
	const {store, values} = storeOf('text');
	const {secret, advance} = secretOf(store);
	void secret.get();
	void secret.ensureStored();
	advance(9999);
	const other = `got-cache-secret:1:${'ab'.repeat(32)}`;
	values.set(secretKey, other);
	t.is(Buffer.from(secret.get() as Uint8Array).toString('hex'), 'ab'.repeat(32));
});

for (const isAsync of [false, true]) {
	test(`a store that cannot be read ${isAsync ? 'asynchronously' : 'synchronously'} is reported, not called for a while, and never overwritten`, async t => {
		const {store, values, faults} = storeOf('text', isAsync);
		const stored = `got-cache-secret:1:${'ab'.repeat(32)}`;
		values.set(secretKey, stored);
		faults.get = true;
		const {secret, reported, advance} = secretOf(store);
		const standIn = await secret.get();
		t.is(standIn.length, 32);
		t.deepEqual(await secret.get(), standIn);
		await secret.ensureStored();
		t.deepEqual(reported, ['get']);
		t.is(values.get(secretKey), stored);

		faults.get = false;
		t.deepEqual(await secret.get(), standIn);
		advance(10_000);
		t.is(Buffer.from(await secret.get() as Uint8Array).toString('hex'), 'ab'.repeat(32));
	});

	test(`a store that cannot be written ${isAsync ? 'asynchronously' : 'synchronously'} is tried again`, async t => {
		const {store, values, faults} = storeOf('text', isAsync);
		faults.set = true;
		const {secret, reported, advance} = secretOf(store);
		const standIn = await secret.get();
		await secret.ensureStored();
		await secret.ensureStored();
		t.deepEqual(reported, ['set']);
		faults.set = false;
		advance(10_000);
		await secret.ensureStored();
		t.is(values.size, 1);
		t.deepEqual(await secret.get(), standIn);
	});
}

test('of two caches that write at once, the first one keeps its secret where the store has `add`', t => {
	const {store, values} = storeOf('text');
	store.add = (key, value) => {
		const isFree = !values.has(key);
		if (isFree) {
			values.set(key, value);
		}

		return isFree;
	};

	const [one, other] = [secretOf(store).secret, secretOf(store).secret];
	const first = one.get();
	t.notDeepEqual(other.get(), first);
	// Between the read and the write of the other one.
	const {get} = store;
	let isLate = true;
	store.get = key => {
		const found = get(key);
		if (isLate) {
			isLate = false;
			void one.ensureStored();
		}

		return found;
	};

	void other.ensureStored();
	t.deepEqual(one.get(), first);
	t.deepEqual(other.get(), first);
	values.set(secretKey, 'rubbish');
	const {secret} = secretOf(store);
	const own = secret.get();
	void secret.ensureStored();
	t.deepEqual(secretOf(store).secret.get(), own);
});

test('an invalid secret is replaced, and an emptied store gets its secret back', t => {
	const {store, values} = storeOf('objects');
	for (const rubbish of [{}, 'rubbish', {secret: 'got-cache-secret:1:ab'}, new Uint8Array(3)]) {
		values.set(secretKey, rubbish);
		const {secret} = secretOf(store);
		const known = secret.get();
		void secret.ensureStored();
		t.notDeepEqual(values.get(secretKey), rubbish);
		values.clear();
		secret.forget();
		t.deepEqual(secret.get(), known);
		t.is(values.size, 0);
		void secret.ensureStored();
		t.is(values.size, 1);
	}
});

test('processes that begin at once on one file end with one secret', async t => {
	const folder = testFolder(t);
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const run = async (startTime: number): Promise<string> => {
		const script = path.join(import.meta.dirname, 'secret-user.ts');
		const child = spawn(process.execPath, [script, path.join(folder, 'cache'), origin.url, String(startTime)], {stdio: ['ignore', 'pipe', 'inherit'], timeout: 240_000});
		return Buffer.concat(await Array.fromAsync(child.stdout as AsyncIterable<Uint8Array>)).toString();
	};

	const startTime = Date.now() + 3000;
	const keys = await Promise.all(Array.from({length: 5}, async () => run(startTime)));
	keys.push(await run(0));
	t.regex(keys[0]!, /^got-cache:2:/v);
	t.is(new Set(keys).size, 1);
});
