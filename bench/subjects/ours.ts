import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import got, {type Got} from 'got';
import {
	cacheHooks,
	cacheInfo,
	createCachedGot,
	createKey,
	getCache,
	type CacheSettings,
	type HttpCache,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {RedisStore} from '../../source/stores/redis/redis.ts';
import {jsonBody} from '../body.ts';
import type {Opened, Place, Subject} from '../types.ts';
import {
	asking,
	stampede,
	timeToFirstByte,
	timeToLastByte,
} from './got.ts';
import {
	ask,
	ownPath,
	reading,
	timesAsked,
} from './read.ts';

type Settings = (place: Place) => CacheSettings;

const byHand = {expireAfter: '1h'} as const;

const sqlite: Settings = ({folder}) => ({...byHand, store: 'sqlite', cacheName: join(folder, 'cache')});
const filesystem: Settings = ({folder}) => ({...byHand, store: 'filesystem', cacheName: join(folder, 'files')});
const memory: Settings = () => ({...byHand, store: new MemoryStore({maxEntries: 200_000, maxBytes: 2 ** 31})});
/** A busy machine must not make a miss of a hit. */
const redis: Settings = ({redis: url}) => ({
	...byHand, storeTimeout: 20_000, autoclose: true, store: new RedisStore({url: url!, cacheName: randomUUID()}),
});

type Cached = {readonly client: Got; readonly cache: HttpCache; readonly ending: Pick<Opened, 'settle' | 'close'>};

function cached(settings: CacheSettings, create: (settings: CacheSettings) => Got = given => got.extend(cacheHooks(given))): Cached {
	const client = create(settings);
	const cache = getCache(client);
	return {client, cache, ending: {settle: () => cache.idle(), close: () => cache.close()}};
}

async function assertHit(client: Got, url: string, reason: string): Promise<void> {
	const response = await client(url);
	assert.ok(response.isFromCache, 'no hit');
	assert.equal(cacheInfo(response).reason, reason);
}

function hits(settings: Settings, create?: (settings: CacheSettings) => Got): Subject {
	return async place => {
		const {client, ending} = cached(settings(place), create);
		return reading(place, url => ask(client, url, place.read), {...ending, check: () => assertHit(client, place.origin + ownPath(place), 'fresh')});
	};
}

function misses(settings: Settings): Subject {
	return async place => {
		const {client, ending} = cached(settings(place));
		const urlOf = (index: number): string => `${place.origin}/${place.bytes}/${index}`;
		return asking(place, client, urlOf, {
			...ending,
			async check() {
				await ending.settle!();
				await assertHit(client, urlOf(-1), 'fresh');
			},
		});
	};
}

/** Streams that are kept, or such as 100 MB are by default: larger than what is. */
function streams(run: (client: Got, url: string, place: Place) => Promise<unknown>, {keeps}: {readonly keeps: boolean}): Subject {
	return async place => {
		const {bytes, origin} = place;
		const {client, cache, ending} = cached({...byHand, store: new MemoryStore({maxBytes: 3 * bytes}), maxEntryBytes: keeps ? 2 * bytes : bytes / 2});
		return {
			...ending,
			run: index => run(client, `${origin}/stream/${bytes}/${index}`, place),
			async check() {
				const url = `${origin}/stream/${bytes}/-1`;
				await timeToLastByte(client, url, place);
				await cache.idle();
				assert.equal(await cache.get({url}) !== undefined, keeps, 'whether it is kept');
			},
		};
	};
}

async function fill(cache: HttpCache, count: number, urlOf: (index: number) => string, body: string): Promise<void> {
	for (let index = 0; index < count; index++) {
		await cache.save({url: urlOf(index)}, {headers: {'content-type': 'application/json'}, body});
	}
}

function among(count: (place: Place) => number, pick: (index: number, entries: number) => number): Subject {
	return async place => {
		const {client, cache, ending} = cached(memory(place));
		const urlOf = (index: number): string => `${place.origin}/${place.bytes}/${index}`;
		const entries = count(place);
		await fill(cache, entries, urlOf, jsonBody(place.bytes));
		return {
			...ending,
			run: index => ask(client, urlOf(pick(index, entries)), place.read),
			async check() {
				assert.equal(await cache.count(), entries);
				await assertHit(client, urlOf(entries - 1), 'fresh');
			},
		};
	};
}

const few = (): number => 100;
const many = ({entries}: Place): number => entries;

// A generator of its own, so that each run asks for the same ones.
let state = 1;
function random(most: number): number {
	state = (state * 48_271) % 2_147_483_647;
	return state % most;
}

const randomOne = (_index: number, entries: number): number => random(entries);
const hotOne = (index: number): number => index % 10;

export const ourSubjects: Readonly<Record<string, Subject>> = {
	'ours, memory': hits(memory),
	'ours, memory, createCachedGot': hits(memory, createCachedGot),
	'ours, memory, RFC 9111': hits(place => ({...memory(place), cacheControl: true})),
	'ours, SQLite': hits(sqlite),
	'ours, filesystem': hits(filesystem),
	'ours, Redis': hits(redis),
	async 'ours, disabled'(place) {
		const {client, ending} = cached({...memory(place), disabled: true});
		return asking(place, client, index => `${place.origin}/${place.bytes}/${index}`, ending);
	},
	'ours, memory, miss': misses(memory),
	'ours, SQLite, miss': misses(sqlite),
	'ours, filesystem, miss': misses(filesystem),
	'ours, Redis, miss': misses(redis),
	async 'ours, revalidation'(place) {
		const {client, ending} = cached({...memory(place), cacheControl: true});
		const url = `${place.origin}/tagged/${place.bytes}`;
		return asking(place, client, () => url, {...ending, check: () => assertHit(client, url, 'revalidated')});
	},
	'ours, stream that is kept': streams(timeToLastByte, {keeps: true}),
	'ours, stream that is too large': streams(timeToLastByte, {keeps: false}),
	'ours, first byte of what is kept': streams(timeToFirstByte, {keeps: true}),
	'ours, first byte of what is too large': streams(timeToFirstByte, {keeps: false}),
	'ours, random of 100': among(few, randomOne),
	'ours, random of many': among(many, randomOne),
	'ours, hot of 100': among(few, hotOne),
	'ours, hot of many': among(many, hotOne),
	async 'createKey of a plain GET'(place) {
		const request = {method: 'GET', url: place.origin + ownPath(place), headers: {}};
		return {run: () => createKey(request)};
	},
	async 'ours, stampede of 50'(place) {
		const {client, ending} = cached(memory(place));
		const pathOf = (index: number): string => ownPath(place, `-${index}`);
		const run = (index: number): Promise<unknown[]> => stampede(client, place.origin + pathOf(index), place.read);
		return {
			...ending,
			run,
			async check() {
				await run(-1);
				assert.equal(await timesAsked(place, pathOf(-1)), 1, 'times that the origin was asked');
			},
		};
	},
};
