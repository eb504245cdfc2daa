import {join} from 'node:path';
import axios from 'axios';
import {buildMemoryStorage, setupCache} from 'axios-cache-interceptor';
import makeFetchHappen from 'make-fetch-happen';
import NodeFetchCache, {MemoryCache} from 'node-fetch-cache';
import {
	Agent,
	cacheStores,
	fetch,
	interceptors,
	request,
	type Dispatcher,
} from 'undici';
import type {Place, Subject} from '../types.ts';
import {reading} from './read.ts';

type Body = {
	json(): Promise<unknown>;
	text(): Promise<string>;
	arrayBuffer(): Promise<ArrayBuffer>;
};

async function readBody(body: Body, {read}: Place): Promise<unknown> {
	switch (read) {
		case 'json': {
			return body.json();
		}

		case 'text': {
			return body.text();
		}

		default: {
			return new Uint8Array(await body.arrayBuffer());
		}
	}
}

export function undiciAgent(store: InstanceType<typeof cacheStores.MemoryCacheStore> | InstanceType<typeof cacheStores.SqliteCacheStore>): Dispatcher {
	return new Agent().compose(interceptors.cache({store}));
}

function axiosCache(cloneData: boolean | 'double'): Subject {
	return async place => {
		// Its fastest: what the origin's headers say is not looked at.
		const client = setupCache(axios.create(), {
			storage: buildMemoryStorage(cloneData), interpretHeader: false, etag: false, modifiedSince: false, ttl: 3_600_000,
		});
		return reading(place, async url => {
			const {data} = await client.get<unknown>(url, {responseType: place.read === 'buffer' ? 'arraybuffer' : place.read});
			return data;
		});
	};
}

export const peerSubjects: Readonly<Record<string, Subject>> = {
	async 'undici fetch, memory'(place) {
		const dispatcher = undiciAgent(new cacheStores.MemoryCacheStore());
		return reading(place, async url => readBody(await fetch(url, {dispatcher}), place));
	},
	async 'undici request, memory'(place) {
		const dispatcher = undiciAgent(new cacheStores.MemoryCacheStore());
		return reading(place, async url => readBody((await request(url, {dispatcher})).body, place));
	},
	async 'undici request, SQLite'(place) {
		const dispatcher = undiciAgent(new cacheStores.SqliteCacheStore({location: join(place.folder, 'undici.sqlite')}));
		return reading(place, async url => readBody((await request(url, {dispatcher})).body, place));
	},
	'axios-cache-interceptor': axiosCache(false),
	'axios-cache-interceptor with copies': axiosCache('double'),
	async 'node-fetch-cache'(place) {
		const cached = NodeFetchCache.create({cache: new MemoryCache()}) as (url: string) => Promise<Body>;
		return reading(place, async url => readBody(await cached(url), place));
	},
	async 'make-fetch-happen'(place) {
		const cached = makeFetchHappen.defaults({cachePath: join(place.folder, 'make-fetch-happen'), memoize: true} as never);
		return reading(place, async url => readBody(await cached(url) as Body, place));
	},
};
