/*
`npm run demo` asks a small web site on loopback; `npm run demo -- URL…` asks these URLs, each twice.
The answers are kept in `demo_cache.sqlite`, in the working directory: the next run is served from there.
`npm run demo -- --reset` empties it first.
*/
import process from 'node:process';
import got, {type Got} from 'got';
import {
	cacheHooks,
	getCache,
	DO_NOT_CACHE,
	EXPIRE_IMMEDIATELY,
	type CacheSettings,
	type HttpCache,
} from '../source/index.ts';
import {ask} from './demo/ask.ts';
import {startOrigin, type Origin} from './demo/origin.ts';
import {siteSteps, urlSteps, type Step} from './demo/steps.ts';
import {Table} from './demo/table.ts';

const cacheName = 'demo_cache';

function createClient(settings: CacheSettings): Got {
	const patient = got.extend({timeout: {request: 20_000}, retry: {limit: 0}, throwHttpErrors: false});
	return patient.extend(cacheHooks({
		cacheName, expireAfter: '1 day', staleIfError: true, ...settings,
	}));
}

function createSiteClient(origin: Origin): Got {
	return createClient({
		urlsExpireAfter: [
			['*/private', DO_NOT_CACHE],
			['*/etag', EXPIRE_IMMEDIATELY],
			['*/flaky', EXPIRE_IMMEDIATELY],
		],
		// The port is another one in each run: in the key, a fixed name stands for it.
		keyFn: (request, createKey) => createKey({...request, url: request.url.replace(origin.url, 'http://demo')}),
	});
}

type Tally = {
	readonly failures: number;
	readonly isAnyStored: boolean;

	/** The requests whose bodies an earlier run had received. */
	readonly fromEarlier: readonly string[];
};

async function askAll(client: Got, steps: readonly Step[]): Promise<Tally> {
	const table = new Table(steps.map(({request}) => request));
	const receivedNow = new Set<string | undefined>();
	const fromEarlier: string[] = [];
	let failures = 0;
	for (const step of steps) {
		const {row, info} = await ask(client, step);
		table.add(row);
		failures += info === undefined ? 1 : 0;
		if (info?.stored === 'stored') {
			receivedNow.add(info.key);
		} else if (info?.fromCache && !receivedNow.has(info.key)) {
			fromEarlier.push(step.request);
		}
	}

	return {failures, isAnyStored: receivedNow.size > 0, fromEarlier};
}

/** Listens to all that the cache keeps from the requests, and says it in one line. */
function hearEvents(cache: HttpCache): () => string {
	const heard: string[] = [];
	for (const event of ['storeError', 'settingError', 'backgroundError', 'internalError'] as const) {
		cache.on(event, ({error}: {readonly error: unknown}) => {
			heard.push(`${event} (${String(error)})`);
		});
	}

	return () => heard.length === 0 ? 'none: no fault of the store, of a setting or of a refresh' : heard.join(', ');
}

function describeEarlier({fromEarlier, isAnyStored}: Tally): string {
	if (fromEarlier.length === 0) {
		return isAnyStored ? 'nothing; run it again, and the first rows are hits' : 'nothing';
	}

	const counts = Map.groupBy(fromEarlier, request => request).entries();
	return counts.map(([request, {length}]) => length === 1 ? request : `${request} (${length} times)`).toArray().join(', ');
}

async function run(client: Got, steps: readonly Step[], {isReset, origin}: {isReset: boolean; origin: Origin | undefined}): Promise<void> {
	await using cache = getCache(client);
	const events = hearEvents(cache);
	if (isReset) {
		await cache.clear();
	}

	const tally = await askAll(client, steps);
	const asked = origin === undefined ? '' : `, of which ${origin.count()} reached ${origin.url}`;
	console.log(`
Requests           ${steps.length}${asked}
From earlier runs  ${describeEarlier(tally)}
Events             ${events()}
Kept in            ${cacheName}.sqlite; \`npm run demo -- --reset\` empties it and begins anew`);
	if (tally.failures === steps.length) {
		process.exitCode = 1;
	}
}

const inputs = process.argv.slice(2);
const urls = inputs.filter(input => input !== '--reset');
const isReset = urls.length < inputs.length;
if (urls.length > 0) {
	await run(createClient({}), urlSteps(urls), {isReset, origin: undefined});
} else {
	const origin = await startOrigin();
	await run(createSiteClient(origin), siteSteps(origin.url), {isReset, origin});
	await origin.stop();
}
