import {platform} from 'node:process';
import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import type {CacheCore} from '../../source/cache/core.ts';
import {Locks, type LockSetting} from '../../source/cache/locks.ts';
import type {InFlight} from '../../source/exchange/in-flight.ts';
import {mayRefresh, sendWithLock} from '../../source/exchange/lock.ts';
import {Sharing} from '../../source/exchange/sharing.ts';
import {TimeBudget} from '../../source/exchange/time-budget.ts';
import type {Action} from '../../source/exchange/exchange.ts';
import {processIdentity} from '../../source/stores/process-identity.ts';
import type {Store, StoredValue} from '../../source/stores/types.ts';
import {SharedStore} from '../cache/shared-store.ts';
import {HandClock} from '../helpers/hand-clock.ts';

const lockKey = 'got-cache:1:lock:key';
const send: Action = {do: 'send', validators: {}};
const serve = {do: 'serve', refreshes: false} as unknown as Action;

/** A process that shares a store, with a clock that is moved by hand. */
class Process {
	readonly clock: HandClock;
	readonly locks: Locks;
	readonly cache: CacheCore;
	readonly held: Array<Promise<void>> = [];
	readonly faults: string[] = [];
	readonly #sharing: Sharing<string>;

	/** The result of the next lookup in the store. */
	found: Action = send;
	looks = 0;

	constructor(store: Store, clock: HandClock) {
		this.clock = clock;
		this.#sharing = new Sharing(clock);
		this.locks = new Locks(store, {setting: true, now: clock.now, clock: clock.now});
		this.cache = {
			locks: this.locks,
			writes: {
				whenWritten: async () => turn(),
				track: (work: Promise<void>) => {
					this.held.push(work);
				},
			},
			events: {
				tolerate: (operation: string, key: string, error: unknown) => {
					this.faults.push(`${operation}: ${String(error)}`);
				},
				emit: (event: string, {error}: {readonly error: unknown}) => {
					this.faults.push(`${event}: ${String(error)}`);
				},
			},
		} as unknown as CacheCore;
	}

	register(key = 'key'): InFlight<string> {
		return this.#sharing.register(key, {})!;
	}

	/** The action of the request; `undefined` while it waits. */
	ask({inFlight = this.register(), total = Infinity}: {readonly inFlight?: InFlight<string>; readonly total?: number} = {}): {readonly inFlight: InFlight<string>; action: Action | undefined} {
		const asking: {readonly inFlight: InFlight<string>; action: Action | undefined} = {inFlight, action: undefined};
		void (async () => {
			asking.action = await sendWithLock(send, {
				cache: this.cache,
				key: 'key',
				inFlight,
				budget: new TimeBudget({store: 500, total}, this.clock),
				lookUpAgain: () => {
					this.looks++;
					return this.found;
				},
			});
		})();

		return asking;
	}

	/** Advances the clock in small steps, so that waiting requests can look. */
	async after(milliseconds: number): Promise<void> {
		for (let passed = 0; passed < milliseconds; passed += 5) {
			this.clock.advance(5);
			await turn();
			await turn();
		}
	}
}

function setUp() {
	const clock = new HandClock();
	const store = new SharedStore();
	const others = new Process(new SharedStore(store.values), clock);
	return {
		clock, store, others, process: new Process(store, clock),
	};
}

async function turns(): Promise<void> {
	for (let count = 0; count < 10; count++) {
		await turn();
	}
}

test('a request that acquires the lock reads the store once more, and releases the lock when its response is written', async t => {
	const {store, process} = setUp();
	const asking = process.ask();
	await turns();
	t.is(asking.action, send);
	t.is(process.looks, 1);
	t.true(store.values.has(lockKey));
	asking.inFlight.resolve('result', {}, () => true);
	t.true(store.values.has(lockKey), 'it is not written yet');
	await Promise.all(process.held);
	t.false(store.values.has(lockKey));
	t.is(process.clock.timers, 0);
});

test('a response that another process has stored meanwhile is served, without a request', async t => {
	const {store, process} = setUp();
	process.found = serve;
	const asking = process.ask();
	await turns();
	t.is(asking.action, serve);
	asking.inFlight.end('failed');
	await Promise.all(process.held);
	t.false(store.values.has(lockKey));
});

test('a request waits while another process holds the lock, and gets the response that is stored then', async t => {
	const {process, others} = setUp();
	const lock = await others.locks.take('key');
	const asking = process.ask();
	await process.after(2000);
	t.is(asking.action, undefined);
	t.is(process.looks, 0);
	process.found = serve;
	await lock!.release(false);
	await process.after(100);
	t.is(asking.action, serve);
	t.is(process.clock.timers, 0);
});

test('a request that finds no response after its wait acquires the lock, and reads the store once more', async t => {
	const {store, process, others} = setUp();
	const lock = await others.locks.take('key');
	const asking = process.ask();
	await process.after(50);
	await lock!.release(false);
	store.before = operation => {
		// Between the look and the lock, a third process has been quicker, and has ended.
		if (operation === 'add') {
			process.found = serve;
		}
	};

	await process.after(100);
	t.is(asking.action, serve);
	t.is(process.looks, 2);
});

test('of several requests that find the lock free, one is sent, and the others continue to wait', async t => {
	const {process, others, store} = setUp();
	const third = new Process(new SharedStore(store.values), process.clock);
	const lock = await others.locks.take('key');
	const asking = [process.ask(), third.ask()];
	await process.after(50);
	await lock!.release(false);
	await process.after(200);
	t.is(asking.filter(({action}) => action === send).length, 1);
	const [first, next] = asking[0]!.action === send ? asking : asking.toReversed();
	first!.inFlight.end('failed');
	await Promise.all([...process.held, ...third.held]);
	await process.after(200);
	t.is(next!.action, send);
});

test('after a response that cannot be shared, all waiting requests are sent at once', async t => {
	const {store, process, others} = setUp();
	const lock = await others.locks.take('key');
	const asking = [process.ask(), new Process(new SharedStore(store.values), process.clock).ask()];
	await process.after(50);
	await lock!.release(true);
	await process.after(200);
	t.deepEqual(asking.map(({action}) => action), [send, send]);
	// That is remembered for two seconds.
	t.is(store.expirations.get(lockKey), undefined, 'it is another view of the store');
});

for (const [total, end] of [[Infinity, 10_000], [1000, 1000]] as const) {
	test(`a request that may wait for ${total} ms waits for ${end} ms, even if several processes hold the lock in turn`, async t => {
		const {process, others} = setUp();
		let lock = await others.locks.take('key');
		const asking = process.ask({total});
		for (let waited = 0; waited < end - 100; waited += 100) {
			await process.after(100);
			await lock!.release(false);
			lock = await others.locks.take('key');
			t.is(asking.action, undefined, `after ${waited} ms`);
		}

		await process.after(200);
		t.is(asking.action, send);
		t.is(process.clock.timers, 0);
	});
}

test('a request whose caller gives up stops waiting, and acquires no lock', async t => {
	const {store, process, others} = setUp();
	const lock = await others.locks.take('key');
	const asking = process.ask();
	await process.after(50);
	asking.inFlight.end('abandoned');
	await process.after(100);
	t.is(asking.action, send);
	await lock!.release(false);
	await turns();
	await Promise.all(process.held);
	t.false(store.values.has(lockKey));
	t.is(process.clock.timers, 0);
});

test('a lock that is acquired after its request has ended is released', async t => {
	const {store, process} = setUp();
	const added = Promise.withResolvers<void>();
	store.before = async () => added.promise;
	const asking = process.ask();
	asking.inFlight.end('abandoned');
	added.resolve();
	await turns();
	await Promise.all(process.held);
	t.false(store.values.has(lockKey));
});

test('a store without locks delays no request', async t => {
	const {store, process} = setUp();
	store.add = async () => false;
	const asking = process.ask();
	await process.after(50);
	t.is(asking.action, send);
});

test('a request continues to wait if another process acquires and releases the lock between two of its calls, and is served what that process stores', async t => {
	const {store, process, others} = setUp();
	const lock = await others.locks.take('key');
	const asking = process.ask();
	await turns();
	// At the next look, the lock is free and nothing is stored. Then another process is quicker, and has already ended at the look after that.
	const {add} = store;
	store.add = async () => {
		store.add = add;
		process.found = serve;
		return false;
	};

	await lock!.release(false);
	await process.after(500);
	t.is(asking.action, serve);
});

test('a request for another variant, or after an outdated response, does not wait for a lock of its own process', async t => {
	const {process} = setUp();
	const [one, other] = [process.ask(), process.ask({inFlight: process.register('another')})];
	await turns();
	t.deepEqual([one.action, other.action], [send, send]);
});

test('a refresh is sent if no other process sends the same one', async t => {
	const {store, process, others} = setUp();
	const lock = await others.locks.take('key');
	t.false(await mayRefresh('key', process.register(), process.cache));
	await lock!.release(false);
	const inFlight = process.register('another');
	t.true(await mayRefresh('key', inFlight, process.cache));
	t.true(store.values.has(lockKey));
	inFlight.end('failed');
	await Promise.all(process.held);
	t.false(store.values.has(lockKey));
});

test('a lock that cannot be released is an event, and expires', async t => {
	const {store, process} = setUp();
	const asking = process.ask();
	await turns();
	store.before = operation => {
		if (operation === 'delete') {
			throw new Error('gone');
		}
	};

	asking.inFlight.end('failed');
	await Promise.all(process.held);
	t.deepEqual(process.faults, ['storeError: Error: gone']);
	t.is(store.expirations.get(lockKey), 11_000);
});

test('an expired lock may belong to another process, and is not released', async t => {
	const {store, process} = setUp();
	const lock = (await process.locks.take('key'))!;
	const other = (await new Process(new SharedStore(), process.clock).locks.take('key'))!;
	t.not(other, lock);
	process.clock.advance(10_000);
	store.values.set(lockKey, 'the token of another process');
	await lock.release(false);
	t.is(store.values.get(lockKey), 'the token of another process');
});

/** A store of a file of this machine. */
class LocalStore extends SharedStore {
	override readonly scope = 'machine';
}

const isOnLinux = platform === 'linux';
const [, ...rest] = processIdentity().split('/').toReversed();

// This process, had it started at another time.
const gone = [...rest.toReversed(), '1'].join('/');

(isOnLinux ? test : test.skip)('the lock of a process that has ended is free, and of all that see it, one takes it', async t => {
	const clock = new HandClock();
	const values = new Map<string, StoredValue>([[lockKey, `dead ${gone}`]]);
	const all = Array.from({length: 5}, () => new Process(new LocalStore(values), clock).locks);
	t.deepEqual(await Promise.all(all.map(async locks => locks.stateOf('key'))), all.map(() => 'free'));
	const taken = await Promise.all(all.map(async locks => locks.take('key')));
	const [lock, ...others] = taken.filter(one => one !== undefined);
	t.truthy(lock);
	t.deepEqual(others, []);
	t.is(await all[0]!.stateOf('key'), 'taken');
	const text = values.get(lockKey);
	t.true(typeof text === 'string' && text.endsWith(` ${processIdentity()}`));
	t.is(await all[1]!.take('key'), undefined);
	await lock!.release(false);
	t.false(values.has(lockKey));
	t.truthy(await all[2]!.take('key'));
});

(isOnLinux ? test : test.skip)('whoever comes late to a lock that was free leaves the lock of whoever has taken it since', async t => {
	const clock = new HandClock();
	const slow = new LocalStore(new Map<string, StoredValue>([[lockKey, `dead ${gone}`]]));
	const quick = new Process(new LocalStore(slow.values), clock);
	const added = Promise.withResolvers<void>();
	slow.before = async (operation, key) => {
		if (operation === 'add' && key.includes(':takeover:')) {
			await added.promise;
		}
	};

	const taking = new Process(slow, clock).locks.take('key');
	await turns();
	const lock = await quick.locks.take('key');
	t.truthy(lock);
	// The record of the one that won is over.
	for (const key of slow.values.keys()) {
		if (key.includes(':takeover:')) {
			slow.values.delete(key);
		}
	}

	added.resolve();
	t.is(await taking, undefined);
	t.is(await quick.locks.stateOf('key'), 'taken');
	await lock!.release(false);
	t.false(slow.values.has(lockKey));
});

test('if a process ends while it acquires a lock, the lock expires', async t => {
	const values = new Map<string, StoredValue>([[lockKey, `dead ${gone}`], ['got-cache:1:takeover:dead', 'another']]);
	t.is(await new Process(new LocalStore(values), new HandClock()).locks.take('key'), undefined);
	t.is(values.get(lockKey), `dead ${gone}`);
});

(isOnLinux ? test : test.skip)('while a process takes over the lock of one that has ended, other processes see it taken', async t => {
	const values = new Map<string, StoredValue>([[lockKey, `dead ${gone}`]]);
	const {locks} = new Process(new LocalStore(values), new HandClock());
	t.is(await locks.stateOf('key'), 'free');
	values.set('got-cache:1:takeover:dead', 'another');
	t.is(await locks.stateOf('key'), 'taken');
});

for (const [title, text, isLocal] of [
	['of a running process', `token ${processIdentity()}`, true],
	['of an earlier version, which names no process,', 'token', true],
	['of another machine', `token other/${gone.split('/').slice(1).join('/')}`, true],
	['in a store that other machines share', `token ${gone}`, false],
] as const) {
	test(`a lock ${title} is not released`, async t => {
		const {locks} = new Process(new (isLocal ? LocalStore : SharedStore)(new Map<string, StoredValue>([[lockKey, text]])), new HandClock());
		t.is(await locks.stateOf('key'), 'taken');
		t.is(await locks.take('key'), undefined);
	});
}

test('a lock in a store that other machines share names no process', async t => {
	const {store, process} = setUp();
	await process.locks.take('key');
	t.regex(store.values.get(lockKey) as string, /^[\w\-]{22}$/v);
});

for (const jump of [-3_600_000, -5000, 5000, 3_600_000]) {
	test(`a lock is released after the wall clock has changed by ${jump} ms, unless another process holds it`, async t => {
		const wall = {time: 1_000_000_000};
		const clock = new HandClock();
		const store = new SharedStore();
		const locks = new Locks(store, {setting: true, now: () => wall.time, clock: clock.now});
		const lock = await locks.take('key');
		wall.time += jump;
		await lock!.release(false);
		t.false(store.values.has(lockKey));
		const next = await locks.take('key');
		wall.time += jump;
		store.values.set(lockKey, 'the token of another process');
		await next!.release(true);
		t.is(store.values.get(lockKey), 'the token of another process');
	});
}

test('a lock is released with one read less while the clocks agree', async t => {
	const {store, process} = setUp();
	const lock = await process.locks.take('key');
	process.clock.advance(9000);
	store.takeCalls();
	await lock!.release(false);
	t.deepEqual(store.takeCalls(), {reads: [], writes: [lockKey]});
	await lock!.release(true);
	t.deepEqual(store.takeCalls(), {reads: [], writes: []}, 'it is given back once');
});

test('a store that fails to acquire a lock is one event, and delays no request', async t => {
	const {store, process} = setUp();
	store.before = operation => {
		if (operation === 'add') {
			throw new Error('gone');
		}
	};

	const asking = process.ask();
	await turns();
	t.is(asking.action, send);
	t.deepEqual(process.faults, ['add: Error: gone']);
	t.false(await mayRefresh('other', process.register('other'), process.cache));
});

test('a refusal is stored for 2 seconds', async t => {
	const {store, process} = setUp();
	const lock = (await process.locks.take('key'))!;
	await lock.release(true);
	t.is(await process.locks.stateOf('key'), 'refused');
	t.is(store.expirations.get(lockKey), process.clock.now() + 2000);
	store.values.set(lockKey, 'rubbish');
	t.is(await process.locks.stateOf('key'), 'taken');
	store.values.delete(lockKey);
	t.is(await process.locks.stateOf('key'), 'free');
});

const settings: ReadonlyArray<readonly [setting: LockSetting, scope: Store['scope'], hasAdd: boolean, isOn: boolean]> = [
	[true, 'network', true, true],
	[true, undefined, true, true],
	[true, 'network', false, false],
	[false, 'machine', true, false],
	['local', 'machine', true, true],
	['local', 'machine', false, false],
	['local', 'network', true, false],
	['local', undefined, true, false],
	['local', 'process', true, false],
];

for (const [setting, scope, hasAdd, isOn] of settings) {
	test(`by \`lock: ${JSON.stringify(setting)}\` a store with the scope ${scope} and ${hasAdd ? '' : 'without '}\`add\` has ${isOn ? '' : 'no '}locks`, t => {
		const store = {scope, ...(hasAdd && {add: () => true})} as unknown as Store;
		t.is(new Locks(store, {setting, now: Date.now}).isOn, isOn);
	});
}
