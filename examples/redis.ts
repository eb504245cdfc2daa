/*
`node examples/redis.ts [URL] [server]`: a Redis server holds the responses, and forgets them when their time has come.
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
const server = process.argv[3] ?? 'redis://localhost:6379';
const store = createStore('redis', {url: server, cacheName: 'responses'});
const client = got.extend(cacheHooks({store, expireAfter: '5m', autoclose: true}));

// It connects to the server before the first request does, which waits for half a second at most.
await getCache(client).ready();

for (let index = 0; index < 2; index++) {
	const response = await client(url);
	console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);
}

await getCache(client).close();
