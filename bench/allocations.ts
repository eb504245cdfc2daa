/**
How many bytes of the heap a request takes, as a ratio to the same request without the cache: `npm run bench:allocations`. Other than times, these figures hardly depend on the machine, or on what else it does: test/bench/allocations.long.test.ts holds them.

It needs `--expose-gc`, and a young generation so large that no garbage is collected while it counts.
*/
import assert from 'node:assert/strict';
import {fork} from 'node:child_process';
import {once} from 'node:events';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import {PerformanceObserver} from 'node:perf_hooks';
import {setTimeout as delay} from 'node:timers/promises';
import got, {type Got} from 'got';
import {
	cacheHooks,
	createCachedGot,
	getCache,
	type CacheSettings,
} from '../source/index.ts';
import {temporaryFolder} from '../test/helpers/temporary-folder.ts';
import {jsonBody} from './body.ts';
import {cannedGot} from './subjects/got.ts';

const bytes = 1024;
const requests = 256;
const warmUps = 1024;

/** Milliseconds after which a collection has been reported. */
const reportTime = 10;

type Run = (client: Got, url: string) => Promise<unknown>;

type Row = {
	readonly ours: Got;
	readonly against: Got;

	/** Whether each request is for a resource of its own. */
	readonly isMiss?: boolean;
	readonly path?: string;
	readonly run?: Run;
};

const json: Run = async (client, url) => client(url).json();
const stream: Run = async (client, url) => Array.fromAsync(client.stream(url));

let collections = 0;
new PerformanceObserver(list => {
	collections += list.getEntries().length;
}).observe({entryTypes: ['gc']});

await using folder = await temporaryFolder();
const origin = fork(path.join(import.meta.dirname, 'origin.ts'), {execArgv: []});
const [port] = await once(origin, 'message') as [number];
const agent = {http: new http.Agent({keepAlive: true})};
const plain = got.extend({agent});
const canned = cannedGot(bytes);
const cached = (settings: CacheSettings): Got => plain.extend(cacheHooks({store: 'memory', expireAfter: '1h', ...settings}));
const sqlite = cached({store: 'sqlite', cacheName: path.join(folder.path, 'cache')});
const rows: Readonly<Record<string, Row>> = {
	hit: {ours: cached({}), against: canned},
	'hit of createCachedGot': {ours: createCachedGot({store: 'memory', expireAfter: '1h'}, plain), against: canned},
	'hit, SQLite': {ours: sqlite, against: canned},
	'hit, stream': {ours: cached({}), against: canned, run: stream},
	disabled: {ours: cached({disabled: true}), against: plain, isMiss: true},
	miss: {ours: cached({}), against: plain, isMiss: true},
	'miss, SQLite': {ours: sqlite, against: plain, isMiss: true},
	304: {ours: cached({alwaysRevalidate: true}), against: plain, path: 'tagged/'},
};

let index = 0;

/** Returns the bytes that a request allocates; the least of three, since a timer may fire meanwhile. */
async function allocated(client: Got, {isMiss = false, path: prefix = '', run = json}: Row): Promise<number> {
	const send = async (): Promise<void> => {
		await run(client, `http://127.0.0.1:${port}/${prefix}${bytes}${isMiss ? `/${index++}` : ''}`);
	};

	for (let count = 0; count < warmUps; count++) {
		await send();
	}

	const results: number[] = [];
	for (let round = 0; round < 3; round++) {
		globalThis.gc!();
		await delay(reportTime);
		collections = 0;
		const before = process.memoryUsage().heapUsed;
		for (let count = 0; count < requests; count++) {
			await send();
		}

		const after = process.memoryUsage().heapUsed;
		await delay(reportTime);
		assert.equal(collections, 0, 'garbage was collected while allocations were counted');
		results.push((after - before) / requests);
	}

	return Math.min(...results);
}

assert.deepEqual(await json(canned, 'http://127.0.0.1/'), JSON.parse(jsonBody(bytes)));
const ratios: Record<string, number> = {};
for (const [name, row] of Object.entries(rows)) {
	const ours = await allocated(row.ours, row);
	ratios[name] = ours / await allocated(row.against, row);
}

await getCache(sqlite).close();
origin.kill();
agent.http.destroy();
console.log(JSON.stringify(ratios, undefined, '\t'));
