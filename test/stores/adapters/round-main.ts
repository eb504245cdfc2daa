import process from 'node:process';
import got from 'got';
import {cacheHooks, getCache} from '../../../source/index.ts';
import {
	makerOf,
	type AdapterPlace,
	type ShapeName,
	type SubjectName,
} from './subjects.ts';

// Requests a URL in a process of its own, with an adapter on the same place, and prints whether the response came from the cache.
const [name, shape, place, url] = process.argv.slice(2) as [SubjectName, ShapeName, string, string];
const where = JSON.parse(place) as AdapterPlace;
const {setting} = (await makerOf(name, shape))(where);
const client = got.extend({retry: {limit: 0}}, cacheHooks({
	store: setting, cacheName: where.id, expireAfter: '1h', storeTimeout: 20_000, failFast: true,
}));
const {isFromCache} = await client(url);
await getCache(client).idle();
process.stdout.write(String(isFromCache), () => {
	process.exit(0); // eslint-disable-line unicorn/no-process-exit -- A connection of the adapter keeps the process.
});
