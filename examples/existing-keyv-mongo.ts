/*
`node examples/existing-keyv-mongo.ts [URL] [server]`: an application's own Keyv over MongoDB holds the responses beside the application's entries, which clearing the cache leaves alone.
*/
import process from 'node:process';
import {KeyvMongo} from '@keyv/mongo';
import got from 'got';
import {Keyv} from 'keyv';
import {cacheHooks, cacheInfo, getCache} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const server = process.argv[3] ?? 'mongodb://localhost:27017/application';

// The adapter connects once: with a server that is not there now, it will not answer later.
const keyv = new Keyv({store: new KeyvMongo(server, {collection: 'application'}), namespace: 'application'});
await keyv.set('session', 'Ada');

const client = got.extend(cacheHooks({store: keyv, expireAfter: '5m'}));
for (let index = 0; index < 2; index++) {
	const response = await client(url);
	console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);
	await getCache(client).idle();
}

await getCache(client).clear();
console.log(await getCache(client).count(), await keyv.get('session'));
await keyv.delete('session');
await keyv.disconnect();
