/*
`node examples/existing-keyv-file.ts [URL]`: an application's own Keyv over files holds the responses beside the application's entries, which clearing the cache leaves alone.
*/
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import got from 'got';
import {Keyv} from 'keyv';
import {KeyvFile} from 'keyv-file';
import {cacheHooks, cacheInfo, getCache} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const folder = await mkdtemp(path.join(os.tmpdir(), 'application-'));

// Without `separatedFile` all entries are in one file, which several processes must not share.
const keyv = new Keyv({store: new KeyvFile({filename: folder, separatedFile: true}), namespace: 'application'});
await keyv.set('session', 'Ada');

const client = got.extend(cacheHooks({store: keyv, expireAfter: '5m'}));
for (let index = 0; index < 2; index++) {
	const response = await client(url);
	console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);
	await getCache(client).idle();
}

await getCache(client).clear();
console.log(await getCache(client).count(), await keyv.get('session'));
await rm(folder, {recursive: true});
