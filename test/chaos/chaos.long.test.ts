import {Buffer} from 'node:buffer';
import {join} from 'node:path';
import process from 'node:process';
import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import got, {RequestError, type Got} from 'got';
import {
	cacheHooks,
	createStore,
	getCache,
	type CacheSettings,
	type Store,
} from '../../source/index.ts';
import {seed} from '../helpers/seed.ts';
import {testFolder} from '../helpers/temporary-folder.ts';
import {
	ChaoticOrigin,
	hotPath,
	type RequestName,
} from './chaotic-origin.ts';
import {ChaoticStore} from './chaotic-store.ts';
import {isLong, Random} from './random.ts';

const requests = isLong ? 20_000 : 1500;
const callers = 64;
const storeTimeout = 200;

/** The longest time after which a caller gives up, in milliseconds. */
const longest = 20;

type Scene = {readonly origin: ChaoticOrigin; readonly random: Random; readonly languages: readonly string[]};

type Tally = {
	answers: number;
	errors: number;
	timeouts: number;
	fromCache: number;
	wrong: string[];
	readonly times: Time[];
};

/** The result of one call, which may be several requests: one for each redirect hop. */
type Time = {readonly milliseconds: number; readonly requests: number};

async function ask(client: Got, {origin, random, languages}: Scene, tally: Tally): Promise<void> {
	const isHot = random.happens(0.4);
	const name: RequestName = {
		path: isHot ? hotPath : `/r/${random.below(30)}`,
		identity: isHot ? '' : ['', 'Bearer a', 'Bearer b'][random.below(3)]!,
		language: languages[random.below(languages.length)]!,
	};
	const isPatient = !random.happens(0.05);
	const options = {
		headers: {'accept-language': name.language, ...(name.identity !== '' && {authorization: name.identity})},
		...(!isPatient && {signal: AbortSignal.timeout(1 + random.below(longest))}),
		throwHttpErrors: false,
	};
	const isStream = random.happens(0.4);
	const isLeft = random.happens(0.05);
	const start = performance.now();
	let sent = 1;
	try {
		const url = origin.url + name.path;
		const {statusCode, body, path, isFromCache, redirects} = isStream ? await readStream(client.stream(url, options), isLeft) : await readPromise(client, url, options);
		sent += redirects;
		tally.answers++;
		tally.fromCache += isFromCache ? 1 : 0;
		if (statusCode === 200 && !origin.gave({...name, path}, body)) {
			tally.wrong.push(`${JSON.stringify({...name, path})} got ${Buffer.from(body.subarray(0, 60)).toString()}`);
		}
	} catch (error) {
		if (!(error instanceof RequestError) && !(error instanceof Left)) {
			throw error;
		}

		sent += (error as RequestError).request?.redirectUrls.length ?? 0;
		tally.errors++;
		tally.timeouts += isPatient && error.code === 'ETIMEDOUT' ? 1 : 0;
	}

	tally.times.push({milliseconds: performance.now() - start, requests: sent});
}

type Read = {readonly statusCode: number; readonly body: Uint8Array; readonly path: string; readonly isFromCache: boolean; readonly redirects: number};

class Left extends Error {
	readonly code = 'LEFT';
}

async function readPromise(client: Got, url: string, options: object): Promise<Read> {
	const response = await client(url, {...options, responseType: 'buffer'});
	return {
		statusCode: response.statusCode, body: response.rawBody, path: new URL(response.url).pathname, isFromCache: response.isFromCache, redirects: response.redirectUrls.length,
	};
}

async function readStream(stream: ReturnType<Got['stream']>, isLeft: boolean): Promise<Read> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of stream as AsyncIterable<Uint8Array>) {
		chunks.push(chunk);
		if (isLeft) {
			throw new Left();
		}
	}

	const {statusCode, url, isFromCache, redirectUrls} = stream.response!;
	return {
		statusCode, body: Buffer.concat(chunks), path: new URL(url).pathname, isFromCache, redirects: redirectUrls.length,
	};
}

async function run(client: Got, count: number, scene: Scene): Promise<Tally> {
	const tally: Tally = {
		answers: 0, errors: 0, timeouts: 0, fromCache: 0, wrong: [], times: [],
	};
	let left = count;
	await Promise.all(Array.from({length: callers}, async () => {
		while (left > 0) {
			left--;
			await turn();
			await ask(client, scene, tally);
		}
	}));
	return tally;
}

/** Milliseconds of one request, in order. */
const sorted = ({times}: Tally): readonly number[] => times.map(time => time.milliseconds / time.requests).toSorted((a, b) => a - b);

type Row = {
	readonly title: string;
	readonly count: number;
	readonly open: (folder: string) => Store;
	readonly settings?: CacheSettings;

	/** The languages of requests, by which responses vary. Default: two. */
	readonly languages?: readonly string[];
};

const rows: readonly Row[] = [
	{title: 'memory', count: requests, open: () => createStore('memory')},
	{
		title: 'memory, without variants', count: Math.ceil(requests / 5), open: () => createStore('memory'), languages: ['de'],
	},
	{title: 'SQLite', count: Math.ceil(requests / 5), open: folder => createStore('sqlite', {path: join(folder, 'cache.sqlite')})},
	{title: 'files', count: Math.ceil(requests / 5), open: folder => createStore('filesystem', {path: join(folder, 'cache')})},
	{
		title: 'memory, with `maxWait`',
		count: Math.ceil(requests / 5),
		open: () => createStore('memory'),
		settings: {singleFlight: {maxWait: {milliseconds: storeTimeout}}},
	},
	{
		title: 'memory, with unreliable locks',
		count: Math.ceil(requests / 10),
		open: () => createStore('memory'),
		settings: {lock: true},
	},
];

for (const {title, count, open, settings, languages = ['de', 'fr']} of rows) {
	test.serial(`each of ${count} requests of ${callers} callers through a chaotic store to a chaotic origin gets its own response: ${title}`, async t => {
		t.timeout(600_000);
		t.log(`SEED=${seed}`);
		const random = new Random(seed);
		const unhandled: unknown[] = [];
		const onUnhandled = (reason: unknown): void => {
			unhandled.push(reason);
		};

		process.on('unhandledRejection', onUnhandled);
		t.teardown(() => {
			process.off('unhandledRejection', onUnhandled);
		});
		await using origin = await ChaoticOrigin.start(random);
		const scene: Scene = {
			origin, random, languages,
		};
		const plain = got.extend({retry: {limit: 0}, timeout: {request: 120_000}});
		const control = await run(plain, Math.max(300, Math.ceil(count / 10)), scene);
		t.deepEqual(control.wrong, []);

		const folder = testFolder(t);
		const store = new ChaoticStore(random, open(folder));
		const client = plain.extend(cacheHooks({
			store, storeTimeout, cacheControl: true, ...settings,
		}));
		const before = origin.count;
		const tally = await run(client, count, scene);
		await getCache(client).idle();
		await store.close();
		t.log(`${tally.answers} answers, ${tally.fromCache} of them from the cache; ${tally.errors} errors; ${origin.count - before} requests reached the origin`);
		// How long requests wait for one another is held by a clock that stands, in the tests of `exchange/` and `got/`.
		t.log(`slowest request: plain ${Math.round(sorted(control).at(-1)!)} ms, cached ${Math.round(sorted(tally).at(-1)!)} ms`);
		t.log(`faults of the store: ${JSON.stringify(store.faults)}`);
		t.deepEqual(tally.wrong, []);
		t.deepEqual(unhandled, []);
		t.is(tally.answers + tally.errors, count);
		t.is(tally.timeouts, 0);
		t.true(tally.fromCache > 0);
		t.true(Object.keys(store.faults).length >= 5);
	});
}
