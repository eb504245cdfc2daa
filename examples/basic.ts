/*
`node examples/basic.ts [URL]`: the second answer comes from memory.
*/
import process from 'node:process';
import got from 'got';
import {cacheHooks, cacheInfo} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const client = got.extend(cacheHooks({store: 'memory', expireAfter: '5m'}));

for (let round = 1; round <= 2; round++) {
	const response = await client(url);
	console.log(response.statusCode, response.isFromCache, cacheInfo(response).reason);
}
