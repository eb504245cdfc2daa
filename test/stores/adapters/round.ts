import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext, TestFn} from 'ava';
import got from 'got';
import {
	cacheHooks,
	cacheInfo,
	getCache,
	type HttpCache,
} from '../../../source/index.ts';
import {runNode} from '../../examples/run-node.ts';
import {Clock, Origin} from '../../helpers/origin.ts';
import {runWithLimits} from '../contract.ts';
import {subjects, type Setting} from './subjects.ts';
import type {Tested} from './test-adapter.ts';

type Round = {
	readonly origin: Origin;
	readonly clock: Clock;
	readonly client: typeof got;
	readonly cache: HttpCache;
	readonly url: string;
	readonly setting: Setting;
	readonly place: ReturnType<Tested['newPlace']>;
};

const everyByte = Buffer.from(Array.from({length: 1024}, (_, index) => index % 256));
const large = Buffer.concat(Array.from({length: 80}, (_, index) => createHash('shake256', {outputLength: 65_536}).update(String(index)).digest()));

const removals: ReadonlyArray<readonly [title: string, remove: (cache: HttpCache) => Promise<unknown>]> = [
	['clearing', async cache => cache.clear()],
	['deleting invalid responses', async cache => cache.delete({invalid: true})],
];

/**
Tests the way from a request of Got to the adapter's storage and back.
*/
export function testRound(test: TestFn, title: string, tested: Tested): void {
	const check = (sentence: string, body: (t: ExecutionContext, round: Round) => Promise<void>): void => {
		const limit = tested.limits.find(known => known.test === sentence);
		test(`${title}: ${sentence}`, async t => {
			const origin = await Origin.start(answer);
			t.teardown(async () => {
				await origin[Symbol.asyncDispose]();
			});
			await runWithLimits(t, limit, async attempt => body(attempt, makeRound(t, origin, tested)));
		});
	};

	check('a response is a miss, then a hit, and is validated with a 304 when it is stale', async (t, {client, cache, clock, url, origin}) => {
		const reasons = [];
		for (const seconds of [0, 1, 3600, 1]) {
			clock.advance(seconds);
			const response = await client(`${url}/text`);
			t.is(response.body, 'answer of /text');
			reasons.push(cacheInfo(response).reason);
			await cache.idle();
		}

		t.deepEqual(reasons, ['miss', 'fresh', 'revalidated', 'fresh']);
		t.is(origin.count, 2);
	});

	check('variants by `Vary` are kept apart', async (t, {client, cache, url}) => {
		for (const isHit of [false, true]) {
			for (const language of ['de', 'fr', 'en']) {
				const {body, isFromCache} = await client(`${url}/vary`, {headers: {'accept-language': language}});
				t.is(body, `answer in ${language}`);
				t.is(isFromCache, isHit, language);
				await cache.idle();
			}
		}
	});

	check('every byte comes back', async (t, round) => expectBody(t, round, '/bytes', everyByte));

	check('5 MB come back', async (t, round) => expectBody(t, round, '/large', large));

	check('a response that the storage has deleted is a miss', async (t, {client, cache, url}) => {
		const response = await client(`${url}/text`, {context: {cache: {expireAfter: 0.001}}});
		t.false(response.isFromCache);
		await cache.idle();
		t.is(cacheInfo(await client(`${url}/text`)).reason, 'fresh');
	});

	check('responses are listed and counted', async (t, {client, cache, url}) => {
		for (const path of ['/a', '/b']) {
			await client(url + path);
		}

		await cache.idle();
		t.is(await cache.count(), 2);
		const urls = await Array.fromAsync(cache.responses(), ({url: found}) => found);
		t.deepEqual(urls.toSorted(), [`${url}/a`, `${url}/b`]);
	});

	check('responses are deleted by URL and by tag', async (t, {client, cache, url}) => {
		for (const [path, tags] of [['/a', []], ['/b', ['one']], ['/c', []]] as const) {
			await client(url + path, {context: {cache: {tags: [...tags]}}});
		}

		await cache.idle();
		t.is(await cache.delete({urls: [`${url}/a`]}), 1);
		await cache.delete({tags: ['one']});
		for (const [path, isHit] of [['/a', false], ['/b', false], ['/c', true]] as const) {
			t.is((await client(url + path)).isFromCache, isHit, path);
		}
	});

	check('clearing makes every request a miss', async (t, {client, cache, url}) => {
		const ask = async (): Promise<boolean> => {
			const {isFromCache} = await client(`${url}/text`);
			await cache.idle();
			return isFromCache;
		};

		t.deepEqual([await ask(), await ask()], [false, true]);
		await cache.clear();
		t.deepEqual([await ask(), await ask()], [false, true]);
	});

	for (const [removal, remove] of removals) {
		check(`${removal} does not delete the keys of the application`, async (t, {client, cache, url, setting: {setting}, place}) => {
			// Some servers have one namespace for all keys.
			const key = `session-${place.id}`;
			// The adapter of Memcached parses every value as JSON.
			await setting.set(key, '12');
			await client(`${url}/text`);
			await cache.idle();
			await remove(cache);
			t.is(String(await setting.get(key)), '12');
		});
	}

	if (subjects[tested.name].isShared !== false) {
		check('another process finds the stored response', async (t, {client, cache, url, place}) => {
			await client(`${url}/text`);
			await cache.idle();
			const {stdout, stderr} = await runNode([
				'--disable-warning=ExperimentalWarning', '--disable-warning=GOT_CACHE_KEYV_GRIDFS', fileURLToPath(new URL('round-main.ts', import.meta.url)), tested.name, tested.shape, JSON.stringify(place), `${url}/text`,
			], import.meta.dirname);
			t.deepEqual([stdout, stderr], ['true', '']);
		});
	}
}

async function expectBody(t: ExecutionContext, {client, cache, url}: Round, path: string, expected: Uint8Array): Promise<void> {
	for (const isHit of [false, true]) {
		const {body, isFromCache} = await client(url + path, {responseType: 'buffer'});
		t.is(isFromCache, isHit);
		t.true(Buffer.compare(body, expected) === 0);
		await cache.idle();
	}
}

function makeRound(t: ExecutionContext, origin: Origin, {name, make, newPlace}: Tested): Round {
	const place = newPlace();
	const setting = make(place);
	// Keyv has no other clock than the machine's.
	const clock = new Clock(Date.now());
	const {isApart = true} = subjects[name];
	t.teardown(async () => {
		await (isApart ? setting.adapter.disconnect?.() : undefined);
	});
	const client = got.extend({retry: {limit: 0}}, cacheHooks({
		store: setting.setting, cacheName: place.id, expireAfter: '1h', now: clock.now, storeTimeout: 20_000, failFast: true,
	}));
	return {
		origin, clock, client, cache: getCache(client), url: origin.url, setting, place,
	};
}

function answer(request: Parameters<Parameters<typeof Origin.start>[0]>[0], response: Parameters<Parameters<typeof Origin.start>[0]>[1]): void {
	// Between two requests may be more time than a kept connection lasts.
	response.setHeader('connection', 'close');
	switch (request.url) {
		case '/vary': {
			response.setHeader('vary', 'accept-language');
			response.end(`answer in ${request.headers['accept-language']}`);
			return;
		}

		case '/bytes': {
			response.end(everyByte);
			return;
		}

		case '/large': {
			response.end(large);
			return;
		}

		default: {
			response.setHeader('etag', '"1"');
			response.statusCode = request.headers['if-none-match'] === '"1"' ? 304 : 200;
			response.end(response.statusCode === 304 ? undefined : `answer of ${request.url}`);
		}
	}
}
