import {once} from 'node:events';
import process from 'node:process';
import got from 'got';
import {cacheHooks} from '../../source/index.ts';

/** Reads a large body as a stream, with or without a cache, and reports the peak of its memory. The first byte of another body arrives before the rest of it is sent. */
const [url, kind] = process.argv.slice(2) as [string, string];
const client = kind === 'plain' ? got : got.extend(cacheHooks({store: 'memory', maxEntryBytes: 10_000_000}));

const stream = client.stream(`${url}/first`);
await once(stream, 'data');
const ended = once(stream, 'end');
// The origin sends the rest after that.
await got(`${url}/seen`);
await ended;
let bytes = 0;
for await (const chunk of client.stream(`${url}/large`) as AsyncIterable<Uint8Array>) {
	bytes += chunk.byteLength;
}

process.send!({bytes, mebibytes: process.resourceUsage().maxRSS / 1024}, () => {
	process.disconnect();
});
