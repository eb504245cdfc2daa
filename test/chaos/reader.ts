import {once} from 'node:events';
import process from 'node:process';
import got from 'got';
import {cacheHooks} from '../../source/index.ts';

/** Reads a large body as a stream, with or without a cache, and tells the most memory that it took, and how soon the first byte came. */
const [url, kind] = process.argv.slice(2) as [string, string];
const client = kind === 'plain' ? got : got.extend(cacheHooks({store: 'memory', maxEntryBytes: 10_000_000}));

async function firstByte(): Promise<number> {
	const start = performance.now();
	const stream = client.stream(`${url}/first/${Math.random()}`);
	await once(stream, 'data');
	const time = performance.now() - start;
	stream.destroy();
	return time;
}

const times: number[] = [];
for (let index = 0; index < 15; index++) {
	times.push(await firstByte());
}

let bytes = 0;
for await (const chunk of client.stream(`${url}/large`) as AsyncIterable<Uint8Array>) {
	bytes += chunk.byteLength;
}

process.send!({bytes, mebibytes: process.resourceUsage().maxRSS / 1024, firstByte: times.toSorted((a, b) => a - b)[7]}, () => {
	process.disconnect();
});
