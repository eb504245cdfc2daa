import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import got from 'got';
import {cacheHooks, cacheInfo, getCache} from '../../source/index.ts';

/** One of several processes of a test that send a request with a credential at the same moment, on a file that does not exist yet. It reports the key of the response. */
const [cacheName, url, startTime] = process.argv.slice(2) as [string, string, string];
const client = got.extend(cacheHooks({cacheName, storeTimeout: 20_000}));
// Not in a loop all the time, which would keep the others from starting.
await delay(Math.max(0, Number(startTime) - Date.now() - 10));
while (Date.now() < Number(startTime)) {
	// All processes begin in the same millisecond.
}

const request = async (): Promise<string> => cacheInfo(await client(url, {headers: {authorization: 'a'}})).key!;
await request();
await getCache(client).idle();
await delay(500);
process.stdout.write(await request());
await getCache(client).close();
