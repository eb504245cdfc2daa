/*
`node examples/keyv.ts [URL]`: any Keyv instance holds the responses; here one over a Map.
*/
import process from 'node:process';
import got from 'got';
import {Keyv} from 'keyv';
import {cacheHooks, cacheInfo} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const keyv = new Keyv({store: new Map(), namespace: 'responses'});

// Two clients share what one of them has received.
const first = got.extend(cacheHooks({store: keyv, expireAfter: '5m'}));
const second = got.extend(cacheHooks({store: keyv, expireAfter: '5m'}));

for (const client of [first, second]) {
	const response = await client(url);
	console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);
}

await keyv.disconnect();
