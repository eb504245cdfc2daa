import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import type {OptionsInit} from 'got';
import {
	cacheInfo,
	getCache,
	type CacheSettings,
	type StoredValue,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import type {SetOptions} from '../../source/stores/types.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';

/** Counts what it is asked. */
class CountingStore extends MemoryStore {
	reads = 0;
	writes = 0;

	override get(key: string): StoredValue | undefined {
		this.reads++;
		return super.get(key);
	}

	override set(key: string, value: StoredValue, options: SetOptions): void {
		this.writes++;
		super.set(key, value, options);
	}

	take(): {readonly reads: number; readonly writes: number} {
		const {reads, writes} = this;
		this.reads = 0;
		this.writes = 0;
		return {reads, writes};
	}
}

/** The same, answered by promises. */
class LaterCountingStore extends CountingStore {
	override get(key: string): never {
		return Promise.resolve(super.get(key)) as never;
	}
}

const stores: Readonly<Record<string, () => CountingStore>> = {
	'a store that answers at once': () => new CountingStore({now: () => 0}),
	'a store that answers later': () => new LaterCountingStore({now: () => 0}),
};

const requests: Readonly<Record<string, OptionsInit>> = {
	'a URL without options': {},
	'a JSON response': {responseType: 'json'},
	'a request header': {headers: {accept: 'text/plain'}},
	'a timeout': {timeout: {request: 60_000}},
	'a signal': {signal: new AbortController().signal},
};

const handler: Handler = (request, response) => {
	response.setHeader('etag', '"1"');
	response.statusCode = request.headers['if-none-match'] === undefined ? 200 : 304;
	response.end(response.statusCode === 200 ? '{"a":1}' : undefined);
};

for (const [name, instance] of majors) {
	for (const [title, make] of Object.entries(stores)) {
		for (const [kind, options] of Object.entries(requests)) {
			test.serial(`${name}: a miss and a hit need one lookup each, on ${title}, for ${kind}`, async t => {
				await using origin = await Origin.start(handler);
				const store = make();
				const settings: CacheSettings = {store, matchHeaders: ['accept']};
				const {client} = createClient(settings, instance);
				const cache = getCache(client);
				await client(`${origin.url}/a`, options);
				await cache.idle();
				await turn();
				t.deepEqual(store.take(), {reads: 1, writes: 1});
				t.like(cache.stats(), {
					misses: 1, hits: 0, stored: 1, bypassed: 0,
				});
				await client(`${origin.url}/a`, options);
				await cache.idle();
				t.deepEqual(store.take(), {reads: 1, writes: 0});
				t.like(cache.stats(), {
					misses: 1, hits: 1, stored: 1, bypassed: 0,
				});
				t.is(origin.count, 1);
			});
		}

		test.serial(`${name}: an expired response is looked up once and validated, on ${title}`, async t => {
			await using origin = await Origin.start(handler);
			const store = make();
			const {client, clock} = createClient({store, expireAfter: 10}, instance);
			const cache = getCache(client);
			await client(`${origin.url}/a`);
			clock.advance(20);
			await cache.idle();
			store.take();
			const response = await client(`${origin.url}/a`);
			await cache.idle();
			t.like(cacheInfo(response), {revalidated: true, reason: 'revalidated'});
			t.deepEqual(store.take(), {reads: 1, writes: 1});
			t.like(cache.stats(), {misses: 1, revalidated: 1, hits: 0});
		});

		test.serial(`${name}: 50 concurrent requests send one request to the origin, on ${title}`, async t => {
			await using origin = await Origin.start((_request, response) => {
				setTimeout(() => {
					response.end('{"a":1}');
				}, 20);
			});
			const {client} = createClient({store: make()}, instance);
			const bodies = await Promise.all(Array.from({length: 50}, async (_, index) => index % 2 === 0 ? client(`${origin.url}/a`).json() : client(`${origin.url}/a`, {responseType: 'json', resolveBodyOnly: true})));
			t.deepEqual(new Set(bodies.map(body => JSON.stringify(body))), new Set(['{"a":1}']));
			t.is(origin.count, 1);
			await getCache(client).idle();
			t.like(getCache(client).stats(), {stored: 1, misses: 1, hits: 49});
		});

		test.serial(`${name}: a stale response is served and refreshed once, on ${title}`, async t => {
			await using origin = await Origin.start(handler);
			const {client, clock} = createClient({store: make(), expireAfter: 10, staleWhileRevalidate: 100}, instance);
			const cache = getCache(client);
			await client(`${origin.url}/a`);
			await cache.idle();
			clock.advance(20);
			const before = origin.count;
			const answers = await Promise.all(Array.from({length: 10}, async () => client(`${origin.url}/a`)));
			t.true(answers.every(({isFromCache}) => isFromCache));
			await cache.idle();
			t.is(origin.count, before + 1);
			t.like(cache.stats(), {stale: 10, misses: 1});
			t.is(cacheInfo(await client(`${origin.url}/a`)).reason, 'fresh');
		});
	}

	test.serial(`${name}: hits emit progress events as responses of the origin do`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('a text');
		});
		const {client} = createClient({}, instance);
		const heard: unknown[][] = [];
		for (const _ of [1, 2]) {
			const progress: unknown[] = [];
			const pending = client(origin.url);
			void pending.on('downloadProgress', step => {
				progress.push(step);
			});
			const {request} = await pending;
			await turn();
			heard.push([...progress, request.downloadProgress]);
		}

		t.deepEqual(heard[1], heard[0]);
		const {request} = await client(origin.url);
		t.deepEqual(request.downloadProgress, heard[0]!.at(-1) as never);
	});
}

/** Answers by promises, as a store of several machines does, and writes down the groups of reads that are made without waiting for an answer. */
class GroupingStore extends LaterCountingStore {
	override readonly scope = 'network' as never;
	#groups: string[][] = [];
	#isOpen = false;

	override get(key: string): never {
		const name = key === 'got-cache:1:journal' ? 'head' : 'entry';
		if (this.#isOpen) {
			this.#groups.at(-1)!.push(name);
		} else {
			this.#groups.push([name]);
			this.#isOpen = true;
			queueMicrotask(() => {
				this.#isOpen = false;
			});
		}

		return super.get(key);
	}

	takeGroups(): string[][] {
		const groups = this.#groups;
		this.#groups = [];
		return groups;
	}
}

const entryOnly = [['entry']];
const inTurn = [['entry'], ['head']];
const together = [['entry', 'head']];
for (const [title, settings, [first, second, miss]] of [
	['without tags reads no head', {}, [entryOnly, entryOnly, inTurn]],
	['with tags reads the head as well, and from the second one on at once', {tags: () => ['a']}, [inTurn, together, together]],
	['with `cacheControl` reads the head at once', {cacheControl: true}, [together, together, together]],
] as ReadonlyArray<readonly [string, CacheSettings, readonly string[][][]]>) {
	test.serial(`on a store of several machines, a hit ${title}, and a miss needs the head`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.setHeader('cache-control', 'max-age=1000');
			response.end('{}');
		});
		const store = new GroupingStore({now: () => 0});
		const {client} = createClient({store, ...settings});
		await client(`${origin.url}/a`);
		await getCache(client).idle();
		for (const groups of [first, second]) {
			store.takeGroups();
			const {isFromCache} = await client(`${origin.url}/a`);
			t.true(isFromCache);
			t.deepEqual(store.takeGroups(), groups);
		}

		await client(`${origin.url}/b`);
		t.deepEqual(store.takeGroups().slice(0, miss!.length), miss);
		await getCache(client).idle();
	});
}
