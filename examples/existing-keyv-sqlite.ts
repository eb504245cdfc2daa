/*
`node examples/existing-keyv-sqlite.ts [URL]`: an application's own Keyv over a SQLite file holds the responses beside the application's entries, which clearing the cache leaves alone.
*/
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {KeyvSqlite} from '@keyv/sqlite';
import got from 'got';
import {Keyv} from 'keyv';
import {cacheHooks, cacheInfo, getCache} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const folder = await mkdtemp(path.join(os.tmpdir(), 'application-'));

// Without `busyTimeout` a write fails while another process writes.
const keyv = new Keyv({store: new KeyvSqlite({uri: `sqlite://${folder}/application.sqlite`, busyTimeout: 5000}), namespace: 'application'});
await keyv.set('session', 'Ada');

const client = got.extend(cacheHooks({store: keyv, expireAfter: '5m'}));
for (let index = 0; index < 2; index++) {
	const response = await client(url);
	console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);
	await getCache(client).idle();
}

await getCache(client).clear();
console.log(await getCache(client).count(), await keyv.get('session'));
await keyv.disconnect();
await rm(folder, {recursive: true});
