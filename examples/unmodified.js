/*
Knows nothing of a cache. From the root of this repository, this command line gives it one:

	node --import ./source/register.ts examples/unmodified.js https://example.com/

with `GOT_CACHE_STORE=memory` in the environment; in a project that has installed this library, `--import got-cache-hooks/register`.
*/
import process from 'node:process';
import got from 'got';

const url = process.argv[2];

for (let round = 1; round <= 2; round++) {
	const {statusCode, isFromCache} = await got(url);
	console.log(statusCode, isFromCache);
}
