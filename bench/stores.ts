/**
What each store and each Keyv adapter does under load: 64 callers, 20,000 responses of 10 KB, through Got; first all misses, until everything is written, then all hits. Every body is compared. `npm run bench:stores` prints the table of docs/stores.md.

Each runs in a process of its own, one after the other; servers are started here and lie on loopback. A part: `npm run bench:stores -- --only=sqlite`. What is not installed is named.
*/
import assert from 'node:assert/strict';
import {fork} from 'node:child_process';
import {once} from 'node:events';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {parseArgs} from 'node:util';
import got, {type Got} from 'got';
import {
	cacheHooks,
	createStore,
	getCache,
	HttpCache,
	type StoreSetting,
} from '../source/index.ts';
import {redisServer, type FoundServer} from '../test/helpers/adapter-servers.ts';
import {ServerProcess} from '../test/helpers/server-process.ts';
import {temporaryFolder} from '../test/helpers/temporary-folder.ts';
import {findPackage} from '../test/stores/adapters/packages.ts';
import {
	makerOf,
	subjects,
	type Subject,
	type SubjectName,
} from '../test/stores/adapters/subjects.ts';
import {jsonBody} from './body.ts';

const callers = 64;
const responses = 20_000;

type Place = {readonly folder: string; readonly port: number};
type Rates = {readonly misses: number; readonly hits: number; readonly served: number};
type Row = {readonly name: string; readonly server?: () => Promise<FoundServer>; readonly open: (place: Place) => Promise<Got>};

const withStore = (store: StoreSetting): Got => got.extend(cacheHooks({cache: new HttpCache({store}), expireAfter: '1h'}));

const rows: readonly Row[] = [
	{name: 'no cache', open: async () => got},
	{name: '`\'memory\'`', open: async () => withStore(createStore('memory', {maxBytes: 1e9, maxEntries: 100_000}))},
	{name: '`\'sqlite\'`', open: async ({folder}) => withStore(createStore('sqlite', {path: path.join(folder, 'cache.sqlite')}))},
	{name: '`\'filesystem\'`', open: async ({folder}) => withStore(createStore('filesystem', {path: path.join(folder, 'cache')}))},
	{name: '`\'redis\'`', server: redisServer, open: async ({port}) => withStore(createStore('redis', {url: `redis://127.0.0.1:${port}`}))},
	...(Object.entries(subjects) as Array<[SubjectName, Subject]>).filter(([, subject]) => findPackage(subject.package, subject.installed) !== undefined).map(([name, {server}]): Row => ({
		name: `${name}, raw`,
		...server !== undefined && {server},
		async open(place) {
			const make = await makerOf(name, 'handed in raw');
			return withStore(make({...place, id: 'bench'}).setting);
		},
	})),
];

async function load(client: Got, origin: string, hits: boolean): Promise<number> {
	let next = 0;
	let served = 0;
	await Promise.all(Array.from({length: callers}, async () => {
		for (let index = next++; index < responses; index = next++) {
			const size = 9000 + (index % 2000);
			const response = await client(`${origin}/${size}/${index}`);
			assert.equal(response.body, jsonBody(size));
			served += response.isFromCache ? 1 : 0;
		}
	}));
	return hits ? served : 0;
}

async function measure(row: Row, origin: string, place: Place): Promise<Rates> {
	const client = (await row.open(place)).extend({agent: {http: new http.Agent({keepAlive: true, maxSockets: callers})}, retry: {limit: 0}});
	const rates: number[] = [];
	let served = 0;
	for (const hits of [false, true]) {
		const start = performance.now();
		served = await load(client, origin, hits);
		if (row.name !== 'no cache') {
			await getCache(client).idle();
		}

		rates.push(Math.round(responses / (performance.now() - start) * 1000));
	}

	return {misses: rates[0]!, hits: rates[1]!, served};
}

async function runInProcess(row: Row, origin: string, place: Place): Promise<Rates | string> {
	const child = fork(import.meta.filename, [`--row=${row.name}`, `--origin=${origin}`, `--folder=${place.folder}`, `--port=${place.port}`], {stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
	let complaint = '';
	child.stderr!.on('data', chunk => {
		complaint += String(chunk);
	});
	const answer = await Promise.race([once(child, 'message'), once(child, 'exit')]);
	const [rates] = answer as [Rates | number | null];
	child.kill();
	return typeof rates === 'object' && rates !== null ? rates : `failed: ${complaint.slice(0, 300)}`;
}

const {values: options} = parseArgs({
	options: {
		only: {type: 'string', default: ''}, row: {type: 'string'}, origin: {type: 'string'}, folder: {type: 'string'}, port: {type: 'string'},
	},
});

if (options.row === undefined) {
	const origin = fork(path.join(import.meta.dirname, 'origin.ts'));
	const [port] = await once(origin, 'message') as [number];
	console.log(`Node ${process.versions.node}, ${os.cpus()[0]!.model} × ${os.cpus().length}; ${callers} callers, ${responses} responses of 10 KB.\n`);
	console.log('| store | misses/s | hits/s | of these from the cache |\n|---|---|---|---|');
	for (const row of rows) {
		if (!row.name.includes(options.only)) {
			continue;
		}

		await using folder = await temporaryFolder();
		const found = await row.server?.();
		if (found !== undefined && 'missing' in found) {
			console.log(`| ${row.name} | not measured: ${found.missing} | | |`);
			continue;
		}

		await using server = found === undefined ? undefined : await ServerProcess.start(found.command);
		const rates = await runInProcess(row, `http://127.0.0.1:${port}`, {folder: folder.path, port: server?.port ?? 0});
		console.log(typeof rates === 'string' ? `| ${row.name} | ${rates} | | |` : `| ${row.name} | ${rates.misses} | ${rates.hits} | ${rates.served} |`);
	}

	origin.kill();
} else {
	const rates = await measure(rows.find(({name}) => name === options.row)!, options.origin!, {folder: options.folder!, port: Number(options.port)});
	process.send!(rates);
	process.disconnect();
}
