/*
`node examples/existing-keyv-redis.ts [URL] [server]`: an application's own Keyv over Redis holds the responses beside the application's entries, which clearing the cache leaves alone.
*/
import process from 'node:process';
import KeyvRedis from '@keyv/redis';
import got from 'got';
import {Keyv} from 'keyv';
import {cacheHooks, cacheInfo, getCache} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const server = process.argv[3] ?? 'redis://localhost:6379';

// Without `connectionTimeout` the adapter waits for a server that is not there.
const keyv = new Keyv({store: new KeyvRedis(server, {connectionTimeout: 2000}), namespace: 'application'});
await keyv.set('session', 'Ada');

const client = got.extend(cacheHooks({store: keyv, expireAfter: '5m'}));

// It connects to the server before the first request does, which waits for half a second at most.
await getCache(client).ready();

for (let index = 0; index < 2; index++) {
	const response = await client(url);
	console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);
	await getCache(client).idle();
}

await getCache(client).clear();
console.log(await getCache(client).count(), await keyv.get('session'));
await keyv.delete('session');
await keyv.disconnect();
