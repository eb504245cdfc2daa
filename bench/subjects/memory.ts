import {Buffer} from 'node:buffer';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import process from 'node:process';
import got from 'got';
import {cacheStores, request} from 'undici';
import {cacheHooks, getCache} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {jsonBody} from '../body.ts';
import type {Opened, Place, Subject} from '../types.ts';
import {timeToLastByte} from './got.ts';
import {undiciAgent} from './peers.ts';

const atOnce = 50;

/** What is alive, in bytes, buffers included. */
async function aliveBytes(): Promise<number> {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	for (let count = 0; count < 5; count++) {
		// What a collection lets go of ends in the turns of the event loop after it.
		await nextTurn();
		collect();
	}

	const {heapUsed, external} = process.memoryUsage();
	return heapUsed + external;
}

function peakBytes(): number {
	return process.resourceUsage().maxRSS * 1024;
}

type Filled = {
	put(url: string): Promise<unknown>;
	end(): Promise<unknown>;
};

/** How much more is alive, by the entry, when a cache that was empty has been filled. */
function weighing(place: Place, open: () => Filled): Opened {
	// They stay: one that went while the next is filled would be taken off its weight.
	const all = [open()];
	const urlOf = (index: number): string => `${place.origin}/${place.bytes}/${index}`;
	return {
		run: index => all[0]!.put(urlOf(index)),
		async weigh() {
			// One is there before: what comes with the first is not the entries'.
			const filled = open();
			all.push(filled);
			await filled.put(urlOf(-1));
			const before = await aliveBytes();
			for (let start = 0; start < place.entries; start += atOnce) {
				await Promise.all(Array.from({length: Math.min(atOnce, place.entries - start)}, (_, offset) => filled.put(urlOf(start + offset))));
			}

			return {heap: (await aliveBytes() - before) / place.entries};
		},
		async close() {
			await Promise.all(all.map(({end}) => end()));
		},
	};
}

export const memorySubjects: Readonly<Record<string, Subject>> = {
	async 'the body itself'({bytes}) {
		return {run: () => bytes, weigh: async () => ({heap: bytes})};
	},
	async 'the body itself, in memory'({bytes}) {
		return {run: () => bytes, weigh: async () => ({peak: bytes})};
	},
	async 'ours, stream that is kept, over plain Got'(place) {
		const {origin, bytes} = place;
		const client = got.extend(cacheHooks({expireAfter: '1h', store: new MemoryStore({maxBytes: 3 * bytes}), maxEntryBytes: 2 * bytes}));
		const url = `${origin}/stream/${bytes}/peak`;
		let peak: number | undefined;
		return {
			run: () => timeToLastByte(client, url, place),
			async weigh() {
				// A process has one peak, which only the first time shows.
				if (peak === undefined) {
					await timeToLastByte(got, url, place);
					const before = peakBytes();
					await timeToLastByte(client, url, place);
					await getCache(client).idle();
					peak = peakBytes() - before;
				}

				return {peak};
			},
			close: () => getCache(client).close(),
		};
	},
	async 'bodies in a Map'(place) {
		return weighing(place, () => {
			const map = new Map<string, Uint8Array>();
			return {
				async put(url) {
					map.set(url, Buffer.from(jsonBody(place.bytes)));
				},
				async end() {
					map.clear();
				},
			};
		});
	},
	async 'entries of ours, memory'(place) {
		return weighing(place, () => {
			const client = got.extend(cacheHooks({expireAfter: '1h', store: new MemoryStore({maxEntries: 200_000, maxBytes: 2 ** 31})}));
			const cache = getCache(client);
			return {
				async put(url) {
					await client(url);
					await cache.idle();
				},
				end: () => cache.close(),
			};
		});
	},
	async 'entries of undici, memory'(place) {
		return weighing(place, () => {
			const dispatcher = undiciAgent(new cacheStores.MemoryCacheStore({maxCount: 200_000, maxSize: 2 ** 31}));
			return {
				put: async url => (await request(url, {dispatcher})).body.text(),
				end: () => dispatcher.close(),
			};
		});
	},
};
