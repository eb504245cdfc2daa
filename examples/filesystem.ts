/*
`node examples/filesystem.ts [URL]`: each response is a file that any editor opens; the second run is answered from it.
*/
import process from 'node:process';
import got from 'got';
import {cacheHooks, cacheInfo, createStore} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const store = createStore('filesystem', {path: 'got-cache-example', useTemp: true, maxCacheBytes: 100_000_000});
const client = got.extend(cacheHooks({store, expireAfter: '5m'}));

const response = await client(url);
console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);

for await (const path of store.paths()) {
	console.log(path);
}

console.log(`${await store.count()} responses, ${await store.size()} bytes`);
await store.close();
