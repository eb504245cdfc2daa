import {request as sendRequest, type IncomingMessage, type RequestOptions} from 'node:http';
import path from 'node:path';
import test from 'ava';
import type {RequestFunction} from 'got';
import {
	cached,
	type CacheHooksError,
	DO_NOT_CACHE,
	getCache,
	HttpCache,
	type CacheSettings,
	type ResultSettings,
} from '../../source/index.ts';
import {withoutNetwork} from '../../source/exchange/scope.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Clock, Origin} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {Calls, settle} from './calls.ts';

type Settings = Omit<ResultSettings<void, [], unknown>, 'result'>;

function setUp(settings: Settings = {}, ofCache: CacheSettings = {}) {
	const clock = new Clock();
	const cache = new HttpCache({
		// So long that no call of many that wait after a failure is let go while a busy machine pauses.
		store: 'memory', now: clock.now, storeTimeout: 3_000_000, ...ofCache,
	});
	const calls = new Calls();
	const ask = cached(async (_name = 'usual') => calls.begin(), '1h', {
		result: true, name: 'ask', cache, ...settings,
	});
	return {
		cache, calls, clock, ask,
	};
}

/** Returns a function that calls another one the first time, and returns its result. */
function nesting(name: string, cache: HttpCache, inner: (count: number) => Promise<unknown>, inTurn: PromiseLike<unknown> = Promise.resolve()) {
	let count = 0;
	return cached(async () => {
		count++;
		const own = count;
		await inTurn;
		return own === 1 ? `${name} of ${String(await inner(own))}` : `${name} ${own}`;
	}, '1h', {result: true, name, cache});
}

test('a call inside the same call does not wait for it', async t => {
	const {cache} = setUp();
	const ask: () => Promise<unknown> = nesting('ask', cache, async () => ask());
	t.is(await ask(), 'ask of ask 2');
	t.is(await ask(), 'ask of ask 2');
});

test('a call inside the same call does not wait for it through other calls and other caches', async t => {
	const [one, other] = [setUp(), setUp()];
	const first: () => Promise<unknown> = nesting('first', one.cache, async () => second());
	const second = nesting('second', other.cache, async () => third());
	const third = nesting('third', one.cache, async () => first());
	t.is(await first(), 'first of second of third of first 2');
});

test('if two calls wait for each other, one of them proceeds', async t => {
	const {cache} = setUp();
	const bothRun = Promise.withResolvers<void>();
	const first: () => Promise<unknown> = nesting('first', cache, async () => second(), bothRun.promise);
	const second = nesting('second', cache, async () => first(), bothRun.promise);
	const results = Promise.all([first(), second()]);
	await settle();
	bothRun.resolve();
	t.deepEqual(await results, ['first of second of first 2', 'second of first 2']);
});

for (const [name, instance] of majors) {
	for (const begins of ['the call', 'the request', 'both']) {
		test(`${name}: a call does not wait for itself through a request, nor a request through a call: ${begins} begins`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.end('content');
			});
			const areBegun = Promise.withResolvers<void>();
			let requests = 0;
			const {client} = createClient({}, instance.extend({
				request: (async (url: URL, options: RequestOptions, callback: (response: IncomingMessage) => void) => {
					requests++;
					if (requests === 1) {
						await areBegun.promise;
						await ask();
					}

					return sendRequest(url, options, callback);
				}) as RequestFunction,
			}));
			const ask = cached(async (): Promise<string> => {
				await areBegun.promise;
				return client(origin.url).text();
			}, '1h', {result: true, name: 'ask', cache: getCache(client)});

			const results = [
				...(begins === 'the request' ? [] : [ask()]),
				...(begins === 'the call' ? [] : [client(origin.url).text()]),
			];
			await settle();
			areBegun.resolve();
			t.deepEqual(new Set(await Promise.all(results)), new Set(['content']));
			t.is(await ask(), 'content');
		});
	}
}

test('a call inside another call waits for a third one in flight', async t => {
	const {ask, calls, cache} = setUp();
	const outer = nesting('outer', cache, async () => Promise.all([ask(), ask()]));
	const results = Promise.all([outer(), ask()]);
	await settle();
	calls.succeed('one');
	t.deepEqual(await results, ['outer of one,one', 'one']);
	t.is(calls.count, 1);
});

test('a call that never ends delays others for at most `maxWait`', async t => {
	const {ask, calls} = setUp({}, {singleFlight: {maxWait: '50ms'}});
	void ask();
	await calls.reach(1);
	const start = performance.now();
	const others = Promise.all([ask(), ask()]);
	await calls.reach(3);
	// Timers may be late on a busy machine, but never early.
	t.true(performance.now() - start > 48);
	calls.succeed('never');
	calls.succeed('one');
	calls.succeed('other');
	t.deepEqual(await others, ['one', 'other']);
});

test('after a failure one waiting call proceeds, then two, then four, each with its own result', async t => {
	const {ask, calls} = setUp();
	const failure = new Error('down');
	const results = Promise.allSettled(Array.from({length: 21}, async () => ask()));
	const running: number[] = [];
	await settle();
	while (calls.pending > 0) {
		running.push(calls.pending);
		calls.fail(failure);
		await settle();
	}

	t.deepEqual(running, [1, 1, 2, 4, 8, 5]);
	t.true((await results).every(result => result.status === 'rejected' && result.reason === failure));
});

test('after failures, all waiting calls share the first success', async t => {
	const {ask, calls} = setUp();
	const results = Promise.allSettled(Array.from({length: 300}, async () => ask()));
	await settle();
	calls.fail(new Error('down'));
	await settle();
	calls.succeed('up');
	const fulfilled = (await results).filter(({status}) => status === 'fulfilled');
	t.is(fulfilled.length, 299);
	t.is(calls.count, 2);
});

function nested(depth: number): unknown {
	let value: unknown = 'end';
	for (let level = 0; level < depth; level++) {
		value = [value];
	}

	return value;
}

for (const [what, code, misuse] of [
	['is not a promise', 'ERR_RESULT_NOT_A_PROMISE', () => 'at once'],
	['cannot be stored', 'ERR_RESULT_NOT_CLONEABLE', async () => ({callback() {}})],
	['is nested too deeply', 'ERR_RESULT_NOT_CLONEABLE', async () => nested(200_000)],
] as const) {
	test(`a result that ${what} is an error for its own caller: no stale result hides it, and others make their own calls`, async t => {
		const {cache, clock} = setUp();
		let count = 0;
		const ask = cached((() => {
			count++;
			return count === 2 ? misuse() : Promise.resolve(count);
		}) as () => Promise<unknown>, '1h', {
			result: true, name: 'ask', cache, staleIfError: true,
		});
		t.is(await ask(), 1);
		clock.advance(7200);
		const [first, ...others] = [ask(), ask(), ask()];
		await t.throwsAsync(first, {code});
		t.deepEqual(await Promise.all(others), [3, 3]);
	});
}

test('a call with `refresh` neither waits for others nor makes them wait', async t => {
	const {ask, calls, cache} = setUp();
	const anew = cached(ask, undefined, {forceRefresh: true, cache});
	const results = Promise.all([ask(), anew(), ask()]);
	await settle();
	t.is(calls.count, 2);
	calls.succeed('one');
	calls.succeed('new');
	t.deepEqual(await results, ['one', 'new', 'one']);
});

test('with `singleFlight: false` each call is made', async t => {
	const {ask, calls} = setUp({}, {singleFlight: false});
	const results = Promise.all([ask(), ask()]);
	await settle();
	calls.succeed('one');
	calls.succeed('other');
	t.deepEqual(await results, ['one', 'other']);
});

test('a result that is too large for the cache is returned to its own caller, and others make their own calls', async t => {
	const {ask, calls} = setUp({}, {maxEntryBytes: 100});
	const large = 'x'.repeat(1000);
	const results = Promise.all([ask(), ask(), ask()]);
	await settle();
	calls.succeed(large);
	await settle();
	t.is(calls.count, 3);
	calls.succeed(large);
	calls.succeed(large);
	t.deepEqual(await results, [large, large, large]);
});

test('a stored result that cannot be revived is deleted, and concurrent callers share one new call', async t => {
	let isWhole = true;
	const {ask, calls, cache} = setUp({
		revive(value: unknown) {
			if (!isWhole) {
				throw new Error('of an older version');
			}

			return value;
		},
	});
	const operations: string[] = [];
	cache.on('storeError', ({operation}) => {
		operations.push(operation);
	});
	const first = ask();
	await settle();
	calls.succeed('old');
	await first;

	isWhole = false;
	const results = Promise.all([ask(), ask(), ask()]);
	await settle();
	t.is(calls.count, 2);
	isWhole = true;
	calls.succeed('new');
	t.deepEqual(await results, ['new', 'new', 'new']);
	t.deepEqual(operations, ['decode', 'decode', 'decode']);
});

for (const [name, settings, given, after] of [
	['deleted and computed again', {}, 'value 2', 'value 2'],
	['kept with `readOnly`', {readOnly: true}, 'value 2', 'value 1'],
	['deleted, and an error with `onlyIfCached`', {onlyIfCached: true}, 'ERR_NOT_CACHED', 'value 2'],
	['kept, and an error, with both', {readOnly: true, onlyIfCached: true}, 'ERR_NOT_CACHED', 'value 1'],
] as const) {
	test(`a stored result that can never be revived is ${name}`, async t => {
		const store = new Map();
		let count = 0;
		const ask = async (own: Settings) => cached(async (): Promise<unknown> => {
			count++;
			return `value ${count}`;
		}, '1h', {
			...own, result: true, name: 'ask', cache: new HttpCache({store}),
		})();
		await ask({});
		const [result] = await Promise.allSettled([ask({
			...settings,
			revive() {
				throw new Error('never');
			},
		})]);
		t.is(result.status === 'fulfilled' ? result.value : (result.reason as CacheHooksError).code, given);
		t.is(await ask({}), after);
	});
}

test('if a stale result cannot be revived after a failure, the caller gets the failure', async t => {
	let isWhole = true;
	const {ask, calls, clock} = setUp({
		staleIfError: true,
		revive(value: unknown) {
			if (!isWhole) {
				throw new Error('of an older version');
			}

			return value;
		},
	});
	const first = ask();
	await settle();
	calls.succeed('old');
	await first;
	clock.advance(7200);
	isWhole = false;
	const failure = new Error('down');
	const failing = t.throwsAsync(ask(), {is: failure});
	await settle();
	calls.fail(failure);
	await failing;
});

for (const [name, settings] of [['disabled: true', {disabled: true}], ['DO_NOT_CACHE', {expireAfter: DO_NOT_CACHE}]] as const) {
	test(`with \`${name}\` a call needs no key and does not use the store`, async t => {
		const asked: string[] = [];
		const store = new Proxy(new Map(), {
			get(target, key) {
				asked.push(String(key));
				return Reflect.get(target, key, target) as unknown;
			},
		});
		const cache = new HttpCache({store});
		const events: unknown[] = [];
		for (const event of ['hit', 'miss', 'bypassed', 'stored', 'refused', 'settingError', 'storeError'] as const) {
			cache.on(event, (payload: unknown) => {
				events.push(payload);
			});
		}

		asked.length = 0;
		let count = 0;
		const value = {callback() {}};
		const ask = cached(async (_callback: () => void) => {
			count++;
			return value;
		}, undefined, {
			result: true,
			name: 'ask',
			cache,
			keyFn() {
				throw new Error('No key is wanted');
			},
			...settings,
		});
		t.is(await ask(() => {}), value);
		t.is(await ask(() => {}), value);
		t.is(count, 2);
		await cache.idle();
		t.deepEqual(asked, []);
		t.deepEqual(events, []);
	});
}

test('without network a function is still called, and only its requests are refused', async t => {
	const {ask, calls} = setUp();
	const result = withoutNetwork(async () => ask());
	await settle();
	calls.succeed('computed');
	t.is(await result, 'computed');
});

for (const lock of ['local', false] as const) {
	test(`several caches over one file ${lock === false ? 'each call the function without `lock`' : 'share one call with `lock`'}`, async t => {
		await using folder = await temporaryFolder();
		const settings: CacheSettings = {
			store: 'sqlite', cacheName: path.join(folder.path, 'results'), lock, now: undefined, storeTimeout: 20_000,
		};
		const [one, other] = [setUp({}, settings), setUp({}, settings)];
		const first = one.ask();
		await settle();
		const second = other.ask();
		await settle();
		t.is(one.calls.count, 1);
		t.is(other.calls.count, lock === false ? 1 : 0);
		one.calls.succeed('value');
		if (lock === false) {
			other.calls.succeed('value');
		}

		t.deepEqual(await Promise.all([first, second]), ['value', 'value']);
		t.is(other.calls.count, lock === false ? 1 : 0);
		await Promise.all([one.cache.close(), other.cache.close()]);
	});
}
