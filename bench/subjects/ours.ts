import assert from 'node:assert/strict';
import {join} from 'node:path';
import got, {type Got} from 'got';
import {
	cacheHooks,
	createKey,
	getCache,
	type CacheSettings,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import type {Opened, Place, Subject} from '../types.ts';
import {timeToFirstByte} from './got.ts';
import {ask, reading} from './read.ts';

const byHand = {expireAfter: '1h'} as const;

function sqlite({folder}: Place): CacheSettings {
	return {...byHand, store: 'sqlite', cacheName: join(folder, 'cache')};
}

function memory(): CacheSettings {
	return {...byHand, store: new MemoryStore({maxEntries: 200_000, maxBytes: 2 ** 31})};
}

/** A hook of the user's own, so that the whole way through Got is gone. */
function ordinary(client: Got): Got {
	return client.extend({
		hooks: {
			beforeRequest: [() => {
				// Nothing: that it is there is enough.
			}],
		},
	});
}

function closing(client: Got, opened: Opened): Opened {
	return {
		...opened,
		async close() {
			await getCache(client)!.close();
		},
	};
}

function hits(settings: (place: Place) => CacheSettings, change: (client: Got) => Got = client => client): Subject {
	return async place => {
		const client = change(got.extend(cacheHooks(settings(place))));
		const opened = reading(place, async url => ask(client, url, place.read));
		return closing(client, {
			...opened,
			async check() {
				await getCache(client)!.idle();
				await opened.check!();
				assert.ok((await client(`${place.origin}/${place.bytes}/item`)).isFromCache, 'no hit');
			},
		});
	};
}

function misses(settings: (place: Place) => CacheSettings): Subject {
	return async place => {
		const client = got.extend(cacheHooks(settings(place)));
		return closing(client, {run: async index => ask(client, `${place.origin}/${place.bytes}/${index}`, place.read)});
	};
}

function streams(run: (client: Got, url: string) => Promise<unknown>): Subject {
	return async place => {
		const client = got.extend(cacheHooks({...memory(), maxEntryBytes: 10_000_000}));
		return closing(client, {run: async () => run(client, `${place.origin}/stream/${place.bytes}`)});
	};
}

function among(pick: (index: number, entries: number) => number): Subject {
	return async place => {
		const client = got.extend(cacheHooks(memory()));
		const url = (index: number): string => `${place.origin}/${place.bytes}/${index}`;
		for (let start = 0; start < place.entries; start += 50) {
			// Some at a time: the origin is not to be flooded.
			await Promise.all(Array.from({length: Math.min(50, place.entries - start)}, async (_, offset) => client(url(start + offset))));
		}

		return closing(client, {run: async index => ask(client, url(pick(index, place.entries)), place.read)});
	};
}

// A generator of its own, so that each run asks for the same ones.
let state = 1;
function random(most: number): number {
	state = (state * 48_271) % 2_147_483_647;
	return state % most;
}

export const ourSubjects: Readonly<Record<string, Subject>> = {
	'ours, memory': hits(memory),
	'ours, memory, ordinary lane': hits(memory, ordinary),
	'ours, memory, RFC 9111': hits(() => ({...memory(), cacheControl: true})),
	'ours, SQLite': hits(sqlite),
	'ours, memory, miss': misses(memory),
	'ours, SQLite, miss': misses(sqlite),
	async 'ours, revalidation'(place) {
		const client = got.extend(cacheHooks({...memory(), cacheControl: true}));
		return closing(client, {run: async () => ask(client, `${place.origin}/tagged/${place.bytes}`, place.read)});
	},
	'ours, stream': streams(async (client, url) => ask(client, url, 'stream')),
	'ours, first byte': streams(timeToFirstByte),
	'ours, random entry': among((_index, entries) => random(entries)),
	'ours, hot entry': among(index => index % 10),
	async 'createKey of a plain GET'({origin, bytes}) {
		const request = {method: 'GET', url: `${origin}/${bytes}/item`, headers: {}};
		return {run: async () => createKey(request)};
	},
	async 'ours, stampede'(place) {
		const client = got.extend(cacheHooks(memory()));
		return closing(client, {run: async index => Promise.all(Array.from({length: 50}, async () => ask(client, `${place.origin}/${place.bytes}/stampede-${index}`, place.read)))});
	},
};
