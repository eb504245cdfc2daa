import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import process from 'node:process';
import test from 'ava';
import {StoreTimeoutError} from '../../source/errors.ts';
import {type CircuitState, Circuits} from '../../source/stores/circuits.ts';
import {guardStore, type GuardOptions, type FailedCall} from '../../source/stores/guard.ts';
import {storeCalls, type StoreCallEvent} from '../../source/stores/store-calls.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import type {Store} from '../../source/stores/types.ts';
import {listed, testStore} from './contract.ts';

const noExpiry = {expires: undefined} as const;
const fault = new Error('The disk is broken');

type Methods = {-readonly [Name in keyof Store]?: Store[Name] | (() => unknown)};

/** Returns a guarded store with the given methods, its clock, and what it reported. */
function guarded(methods: Methods, options: GuardOptions = {}) {
	const clock = {time: 0};
	const faults: FailedCall[] = [];
	const openings: string[] = [];
	const states: Array<readonly [of: string, state: CircuitState]> = [];
	const circuits = new Circuits({
		storeName: 'fake',
		clock: () => clock.time,
		onCircuit(state, of) {
			states.push([of, state]);
		},
		onOpen(error) {
			openings.push(error.message);
		},
	});
	const inner: Methods = {name: 'fake', valueType: 'text', ...methods};
	const store = guardStore(inner as Store, {
		timeout: 20,
		circuits,
		onError(reported) {
			faults.push(reported);
		},
		...options,
	});
	return {
		store, inner, clock, faults, circuits, openings, states, operations: () => faults.map(({operation}) => operation),
	};
}

const never = async () => Promise.withResolvers<never>().promise;
const failing = {
	'throws at once'() {
		throw fault;
	},
	async rejects() {
		throw fault;
	},
	'never answers': never,
	'rejects after the time limit': async () => new Promise<never>((_, reject) => {
		setTimeout(reject, 200, fault);
	}),
};

testStore(test, 'guarded memory', {
	makePlace: ({now}) => ({open: () => guardStore(new MemoryStore({now}))}),
	hasOurClock: true,
	persists: false,
});

for (const [name, method] of Object.entries(failing)) {
	test(`every call of a store that ${name} is a miss and is reported`, async t => {
		for (const [operation, call, miss] of [
			['get', (store: Store) => store.get('key'), undefined],
			['set', (store: Store) => store.set('key', 'value', noExpiry), 'failed'],
			['delete', (store: Store) => store.delete('key'), false],
			['deleteMany', (store: Store) => store.deleteMany(['key']), undefined],
			['clear', (store: Store) => store.clear(), undefined],
			['close', (store: Store) => store.close(), undefined],
			['add', (store: Store) => store.add!('key', 'value', noExpiry), false],
			['deleteFound', (store: Store) => store.deleteFound!({}), 0],
			['count', (store: Store) => store.count!(), NaN],
			['size', (store: Store) => store.size!(), NaN],
		] as const) {
			const {store, faults} = guarded({[operation]: method});
			const answer: unknown = await Promise.resolve<unknown>(call(store));
			t.is(answer, miss);
			const mayTakeLong = ['clear', 'deleteFound', 'count', 'size'].includes(operation);
			const isSlow = name.includes('never') || (name.includes('after') && !mayTakeLong);
			t.is(faults.length, 1);
			t.is(faults[0]!.operation, operation);
			t.is(faults[0]!.key, ['get', 'set', 'add', 'delete'].includes(operation) ? 'key' : undefined);
			if (isSlow) {
				t.true(faults[0]!.error instanceof StoreTimeoutError);
				t.regex((faults[0]!.error as Error).message, new RegExp(`${operation}.* within ${mayTakeLong ? '1200' : '2[01]'} ms`, 'v'));
			} else {
				t.is(faults[0]!.error, fault);
			}
		}

		// Long enough for the late rejections, which would fail the test if they were unhandled.
		await new Promise(resolve => {
			setTimeout(resolve, 250);
		});
	});

	test(`an iteration over a store that ${name} ends and is reported`, async t => {
		const {store, operations} = guarded({iterate: () => ({[Symbol.asyncIterator]: () => ({next: method})})});
		t.deepEqual(await listed(store), []);
		t.deepEqual(operations(), ['iterate']);
		await new Promise(resolve => {
			setTimeout(resolve, 250);
		});
	});

	test(`a search in a store that ${name} ends and is reported`, async t => {
		const {store, operations} = guarded({find: () => ({[Symbol.asyncIterator]: () => ({next: method})})});
		t.deepEqual(await Array.fromAsync(store.find!({})), []);
		t.deepEqual(operations(), ['find']);
	});

	test(`with throws, errors of a store that ${name} are thrown`, async t => {
		const {store, faults} = guarded({get: method, iterate: () => ({[Symbol.asyncIterator]: () => ({next: method})})}, {throws: true, circuits: undefined});
		for (let index = 0; index < 7; index += 1) {
			await t.throwsAsync(async () => store.get('key'), {message: name.includes('never') || name.includes('after') ? /did not answer/v : 'The disk is broken'});
		}

		await t.throwsAsync(async () => listed(store));
		t.deepEqual(faults, []);
	});
}

test('synchronous answers stay synchronous', t => {
	const {store, faults} = guarded({
		get: () => 'value', set: () => undefined, delete: () => true, deleteMany: () => undefined, clear: () => undefined, close: () => undefined,
	});
	t.is(store.get('key'), 'value');
	t.is(store.set('key', 'value', noExpiry), undefined);
	t.true(store.delete('key'));
	t.is(store.deleteMany([]), undefined);
	t.is(store.clear(), undefined);
	t.is(store.close(), undefined);
	t.deepEqual(faults, []);
	t.is(guarded({get: failing['throws at once']}).store.get('key'), undefined);
});

test('a guarded store has only the optional methods of the store', async t => {
	const names = ['add', 'find', 'deleteFound', 'count', 'size'] as const;
	t.deepEqual(names.filter(name => guarded({}).store[name] !== undefined), []);
	const {store, faults} = guarded({
		add: (key, value) => key === 'key' && value === 'value',
		async * find({staleAt}) {
			yield `stale at ${staleAt}`;
		},
		deleteFound: ({createdBefore}) => createdBefore!,
		count: () => 2,
		size: async () => 3,
	});
	t.true(store.add!('key', 'value', noExpiry));
	t.deepEqual(await Array.fromAsync(store.find!({staleAt: 4})), ['stale at 4']);
	t.is(store.deleteFound!({createdBefore: 5}), 5);
	t.is(store.count!(), 2);
	t.is(await store.size!(), 3);
	t.deepEqual(faults, []);
});

test('a guarded store has the name and the kind of values of the store', t => {
	const store = guardStore(new MemoryStore());
	t.is(store.name, 'memory');
	t.is(store.valueType, 'objects');
});

test('a value of the wrong type is a reported miss, and null is a miss that is not reported', async t => {
	for (const [valueType, answer] of [['text', new Uint8Array(1)], ['text', {}], ['bytes', 'text'], ['bytes', {}], ['objects', 'text']] as const) {
		const atOnce = guarded({valueType, get: () => answer});
		t.is(atOnce.store.get('key'), undefined);
		const later = guarded({valueType, get: async () => answer});
		t.is(await later.store.get('key'), undefined);
		t.deepEqual([...atOnce.operations(), ...later.operations()], ['get', 'get']);
	}

	const {store, faults} = guarded({get: () => null});
	t.is(store.get('key'), undefined);
	t.deepEqual(faults, []);
});

test('a larger value has more time to be set', async t => {
	const slow = async () => new Promise<void>(resolve => {
		setTimeout(resolve, 60);
	});
	const small = guarded({set: slow});
	await small.store.set('key', 'value', noExpiry);
	t.deepEqual(small.operations(), ['set']);
	for (const [value, options] of [['x'.repeat(10_000_000), noExpiry], ['x', {...noExpiry, size: 10_000_000}]] as const) {
		const large = guarded({set: slow});
		await large.store.set('key', value, options);
		t.deepEqual(large.operations(), []);
	}
});

test('a write that exceeds its time limit is not overtaken by later calls for its key, even through another guard', async t => {
	const calls: string[] = [];
	const held = Promise.withResolvers<void>();
	const {store, inner, operations} = guarded({
		async set(key, value) {
			if (value === 'slow') {
				await held.promise;
			}

			calls.push(`set ${key} ${value as string}`);
		},
		delete(key) {
			calls.push(`delete ${key}`);
			return true;
		},
	});
	const other = guardStore(inner as Store, {timeout: 20_000});
	await store.set('key', 'slow', noExpiry);
	const deleted = other.delete('key');
	await store.set('another', 'quick', noExpiry);
	const written = other.set('key', 'quick', noExpiry);
	held.resolve();
	t.true(await deleted);
	await written;
	t.deepEqual(calls, ['set another quick', 'set key slow', 'delete key', 'set key quick']);
	t.deepEqual(operations(), ['set']);
	t.true(store.delete('key'));
});

test.serial('timers are cleared, and an infinite time limit needs none', async t => {
	const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
	const before = timers();
	const {store} = guarded({get: async () => 'value', delete: failing.rejects}, {timeout: 100_000});
	t.is(await store.get('key'), 'value');
	t.false(await store.delete('key'));
	t.is(timers(), before);
	const endless = guarded({get: async () => 'value'}, {timeout: Infinity});
	t.is(await endless.store.get('key'), 'value');
	t.deepEqual(endless.faults, []);
});

test('an error of the onError listener is ignored', t => {
	const {store} = guarded({get: failing['throws at once']}, {
		onError() {
			throw new Error('A listener');
		},
	});
	t.is(store.get('key'), undefined);
});

test('an iteration that the caller ends early is closed, even if closing hangs or fails', async t => {
	const calls = {closed: 0};
	const entry = ['key', 'value'] as const;
	for (const close of [never, failing.rejects, failing['throws at once']]) {
		const {store, faults} = guarded({
			iterate: () => ({
				[Symbol.asyncIterator]: () => ({
					next: async () => ({done: false, value: entry}),
					return() {
						calls.closed += 1;
						return close();
					},
				}),
			}),
		});
		const entries = store.iterate() as AsyncGenerator;
		t.deepEqual(await entries.next(), {done: false, value: entry});
		t.deepEqual(await entries.return(undefined), {done: true, value: undefined});

		t.deepEqual(faults, []);
	}

	t.is(calls.closed, 3);
});

// For each call: the seconds since the start, whether the store works, whether it is called, and what is reported.
type Row = readonly [second: number, works: boolean, isCalled: boolean, reported: string];
const fiveFaults: Row[] = [
	[0, false, true, 'get'], [1, false, true, 'get'], [2, false, true, 'get'], [3, false, true, 'get'], [4, false, true, 'get open'],
];
const sequences: Record<string, Row[]> = {
	'five consecutive failures open it for ten seconds, and a successful trial closes it': [
		...fiveFaults, [4, true, false, ''], [13.9, true, false, ''], [14, true, true, ''], [14, true, true, ''],
	],
	'a success in between resets the count': [
		...fiveFaults.slice(0, 4), [3, true, true, ''], ...fiveFaults, [5, true, false, ''],
	],
	'a failed trial keeps it open for another ten seconds': [
		...fiveFaults, [14, false, true, 'get'], [14, true, false, ''], [23.9, true, false, ''], [24, true, true, ''], [24, true, true, ''],
	],
	'after a successful trial, five failures are needed again': [
		...fiveFaults, [14, true, true, ''], ...fiveFaults.map(([second, ...rest]) => [20 + second, ...rest] as const), [25, true, false, ''], [34, true, true, ''],
	],
};

for (const [title, rows] of Object.entries(sequences)) {
	for (const isSynchronous of [true, false]) {
		test(`circuit: ${title} (${isSynchronous ? 'synchronous' : 'asynchronous'} store)`, async t => {
			const {store, inner, clock, faults, openings} = guarded({});
			for (const [index, [second, works, isCalled, reported]] of rows.entries()) {
				const label = `row ${index}`;
				let called = false;
				const answer = () => {
					called = true;
					if (!works) {
						throw fault;
					}

					return 'value';
				};

				inner.get = isSynchronous ? answer : async () => answer();
				clock.time = second * 1000;
				faults.length = 0;
				openings.length = 0;
				t.is(await store.get('key'), works && isCalled ? 'value' : undefined, label);
				t.is(called, isCalled, label);
				t.is([...faults.map(({operation}) => operation), ...openings.map(() => 'open')].join(' '), reported, label);
			}
		});
	}
}

test('circuit: the error names the store and has the last failure as its cause', t => {
	const errors: Error[] = [];
	const circuits = new Circuits({
		storeName: 'fake', onOpen(error) {
			errors.push(error);
		},
	});
	const {store} = guarded({get: failing['throws at once'], set: failing['throws at once']}, {circuits});
	for (let index = 0; index < 5; index += 1) {
		void store.set('key', 'value', noExpiry);
	}

	for (let index = 0; index < 5; index += 1) {
		t.is(store.get('key'), undefined);
	}

	t.deepEqual(errors.map(({message}) => message), [
		'5 writes of the store `fake` failed in a row: it is only read for 10 s.',
		'5 reads of the store `fake` failed in a row: it is not used for 10 s.',
	]);
	t.like(errors[0], {code: 'ERR_STORE_CIRCUIT', cause: fault});
});

const allCalls: ReadonlyArray<readonly [kind: 'reads' | 'writes', operation: string, call: (store: Store) => unknown]> = [
	['reads', 'get', store => store.get('key')],
	['reads', 'count', store => store.count!()],
	['reads', 'size', store => store.size!()],
	['reads', 'iterate', async store => listed(store)],
	['reads', 'find', async store => Array.fromAsync(store.find!({}))],
	['writes', 'set', store => store.set('key', 'value', noExpiry)],
	['writes', 'add', store => store.add!('key', 'value', noExpiry)],
	['writes', 'delete', store => store.delete('key')],
	['writes', 'deleteMany', store => store.deleteMany(['key'])],
	['writes', 'deleteFound', store => store.deleteFound!({})],
	['writes', 'clear', store => store.clear()],
];

for (const [kind, operation, failingCall] of allCalls) {
	test(`circuit: failures of \`${operation}\` count as ${kind}; failed reads stop all calls, failed writes stop only writes`, async t => {
		const called: string[] = [];
		const methods = Object.fromEntries(allCalls.map(([, name]) => [name, () => {
			called.push(name);
			if (name === operation) {
				throw fault;
			}

			return name === 'iterate' || name === 'find' ? (async function * () {})() : undefined;
		}]));
		const {store, circuits, states, clock} = guarded(methods);
		for (let index = 0; index < 5; index += 1) {
			// Successes of the other kind in between change nothing.
			for (const [otherKind, _name, call] of allCalls) {
				if (otherKind !== kind) {
					await call(store);
				}
			}

			await failingCall(store);
		}

		t.deepEqual(states, [[kind, 'open']]);
		t.deepEqual([circuits.reads, circuits.writes], [kind === 'reads' ? 'open' : 'closed', 'open']);
		called.length = 0;
		for (const [_kind, _name, call] of allCalls) {
			await call(store);
		}

		t.deepEqual(called, allCalls.filter(([otherKind]) => kind === 'writes' && otherKind === 'reads').map(([, name]) => name));
		// A write is not a trial for reads.
		clock.time = 10_000;
		called.length = 0;
		await allCalls.find(([otherKind, name]) => otherKind === 'writes' && name !== operation)![2](store);
		t.is(called.length, kind === 'reads' ? 0 : 1);
	});
}

test('circuit: guards share the circuits of a store, and one with throws says that the circuit is open', t => {
	const {store, inner, circuits, faults} = guarded({get: failing['throws at once'], set: () => undefined});
	const strict = guardStore(inner as Store, {circuits, throws: true});
	t.is(store.get('key'), undefined);
	for (let index = 0; index < 4; index += 1) {
		t.throws(() => strict.get('key'), {is: fault});
	}

	inner.get = () => 'value';
	t.is(store.get('key'), undefined);
	t.throws(() => strict.get('key'), {code: 'ERR_STORE_CIRCUIT', message: /reads/v});
	t.throws(() => strict.set('key', 'value', noExpiry), {code: 'ERR_STORE_CIRCUIT', message: /reads/v});
	t.is(faults.length, 1);
});

test('circuit: there is one trial at a time, and calls that began before it opened do not close it', async t => {
	const waiting: Array<{resolve(value: string): void; reject(error: Error): void}> = [];
	const {store, clock, operations} = guarded({
		get: async () => new Promise<string>((resolve, reject) => {
			waiting.push({resolve, reject});
		}),
	}, {timeout: 5000});
	const calls = Array.from({length: 7}, async () => store.get('key'));
	for (const {reject} of waiting.slice(0, 6)) {
		reject(fault);
	}

	await Promise.all(calls.slice(0, 6));
	t.deepEqual(operations(), ['get', 'get', 'get', 'get', 'get', 'get']);
	waiting[6]!.resolve('late');
	t.is(await calls[6], 'late');
	t.is(store.get('key'), undefined);
	clock.time = 10_000;
	const trial = store.get('key');
	t.is(store.get('key'), undefined);
	t.is(waiting.length, 8);
	waiting[7]!.resolve('trial');
	t.is(await trial, 'trial');
	void store.get('key');
	t.is(waiting.length, 9);
	waiting[8]!.resolve('after');
});

test('circuit: while it is open, every call is a miss at once, and only close reaches the store', async t => {
	let closed = 0;
	const {store, operations} = guarded({
		get: failing['throws at once'],
		close() {
			closed += 1;
		},
	});
	for (let index = 0; index < 5; index += 1) {
		t.is(store.get('key'), undefined);
	}

	t.is(store.set('key', 'value', noExpiry), 'failed');
	t.false(store.delete('key'));
	t.is(store.deleteMany(['key']), undefined);
	t.is(store.clear(), undefined);
	t.deepEqual(await listed(store), []);
	t.is(store.close(), undefined);
	t.is(closed, 1);
	t.is(operations().length, 5);
});

/** Returns the calls that a guarded store publishes while a function runs. */
async function publishedCalls(run: () => Promise<unknown>): Promise<readonly StoreCallEvent[]> {
	const calls: StoreCallEvent[] = [];
	const listener = (message: unknown): void => {
		if ((message as StoreCallEvent).cacheName === 'measured') {
			calls.push(message as StoreCallEvent);
		}
	};

	subscribe(storeCalls.name, listener);
	try {
		await run();
	} finally {
		unsubscribe(storeCalls.name, listener);
	}

	return calls;
}

test.serial('each call is published with its duration and the kind of its error, if anybody listens', async t => {
	let time = 0;
	const clock = (): number => time;
	const {store, circuits} = guarded({
		get() {
			time += 2;
			return 'value';
		},
		async set() {
			time += 3;
		},
		delete() {
			time += 4;
			throw new TypeError('https://user:SECRET@example.com');
		},
		add: never,
		async * iterate() {
			time += 5;
			yield ['key', 'value'] as const;
		},
	}, {timeout: 1, cacheName: 'measured', clock});
	const calls = await publishedCalls(async () => {
		await store.get('key');
		await store.set('key', 'value', noExpiry);
		await store.delete('key');
		await store.add!('key', 'value', noExpiry);
		await listed(store);
	});
	const common = {store: 'fake', cacheName: 'measured'};
	t.deepEqual(calls, [
		{...common, operation: 'get', milliseconds: 2},
		{...common, operation: 'set', milliseconds: 3},
		{
			...common, operation: 'delete', milliseconds: 4, errorType: 'TypeError',
		},
		{
			...common, operation: 'add', milliseconds: 0, errorType: 'ERR_STORE_TIMEOUT',
		},
		{...common, operation: 'iterate', milliseconds: 5},
		{...common, operation: 'iterate', milliseconds: 0},
	]);

	// A call that the circuit leaves out is none.
	for (let round = 0; round < 5; round++) {
		circuits.fail('reads', 'allowed', fault);
	}

	t.deepEqual(await publishedCalls(async () => store.get('key')), []);
});

test.serial('where nobody listens, no call is measured', async t => {
	const {store} = guarded({get: () => 'value', async set() {}}, {
		clock() {
			throw fault;
		},
	});
	t.is(await store.get('key'), 'value');
	await t.notThrowsAsync(async () => store.set('key', 'value', noExpiry));
});

test('a guarded store writes what is deferred if its store defers anything', t => {
	let flushes = 0;
	const store = Object.assign(new MemoryStore(), {
		flush() {
			flushes++;
		},
	});
	guardStore(store).flush!();
	t.is(flushes, 1);
	t.is(guardStore(new MemoryStore()).flush, undefined);
});
