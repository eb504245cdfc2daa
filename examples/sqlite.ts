/*
`node examples/sqlite.ts [URL]`: one file for all responses, bounded in bytes; the second run is answered from it.
*/
import process from 'node:process';
import got from 'got';
import {cacheHooks, cacheInfo, createStore} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const store = createStore('sqlite', {path: 'got-cache-example.sqlite', useTemp: true, maxBytes: 100_000_000});
const client = got.extend(cacheHooks({store, expireAfter: '5m'}));

const response = await client(url);
console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);

for await (const key of store.find({orderBy: 'createdAt', descending: true})) {
	console.log(key);
}

console.log(`${await store.count()} responses, ${await store.size()} bytes`);
await store.deleteFound({staleAt: Date.now()});
await store.vacuum();
await store.close();
