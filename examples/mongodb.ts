/*
`node examples/mongodb.ts [URL] [server]`: MongoDB holds the responses as readable documents.
*/
import process from 'node:process';
import got from 'got';
import {
	cacheHooks,
	cacheInfo,
	createStore,
	getCache,
} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const server = process.argv[3] ?? 'mongodb://localhost:27017/http_cache';
const store = createStore('mongodb', {url: server, cacheName: 'responses'});
// The first write makes the collection and its indexes, which may take longer than the usual 500 ms.
const client = got.extend(cacheHooks({
	store, expireAfter: '5m', storeTimeout: 10_000, autoclose: true,
}));

for (let index = 0; index < 2; index++) {
	const response = await client(url);
	console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);
}

await getCache(client).close();
