import type {ExecutionContext} from 'ava';
import type {OptionsOfTextResponseBody} from 'got';
import {
	cacheInfo,
	explain,
	getCache,
	type CacheSettings,
} from '../../../source/index.ts';
import {createClient} from '../../helpers/clients.ts';
import {Origin} from '../../helpers/origin.ts';
import {temporaryFolder} from '../../helpers/temporary-folder.ts';
import {
	findDigests,
	findMarkers,
	holds,
	markerOf,
} from './marker.ts';
import {places, placeSettings} from './places.ts';
import type {Keeping} from './stores.ts';
import {Words} from './words.ts';

async function startOrigin(t: ExecutionContext): Promise<Origin> {
	const origin = await Origin.start((request, response) => {
		const isKnown = request.headers['if-none-match'] === '"1"';
		response.writeHead(isKnown ? 304 : 200, {etag: '"1"', vary: 'authorization, cookie, x-api-key, my-own-header, x-plain', 'x-plain': 'a plain value'});
		response.end(isKnown ? undefined : 'answer');
	});
	t.teardown(async () => origin[Symbol.asyncDispose]());
	return origin;
}

/**
Asks by each place three times, so that what comes is stored, found, and found stale; then looks through all that was stored and said.
*/
export async function askAll(t: ExecutionContext, open: Keeping[1], settings: CacheSettings): Promise<void> {
	await using folder = await temporaryFolder();
	const kept = await open(folder.path);
	const origin = await startOrigin(t);
	const {client, clock} = createClient({
		...placeSettings, staleWhileRevalidate: '1s', staleIfError: true, storeTimeout: 20_000, ...kept.settings, ...settings,
	});
	const cache = getCache(client);
	const words = new Words(cache);
	const secrets: string[] = [];
	for (const [index, [title, ask]] of places.entries()) {
		const base = new URL(`/p${index}`, origin.url);
		const reasons: string[] = [];
		for (const step of ['miss', 'hit', 'stale'] as const) {
			clock.advance(step === 'stale' ? 301 : 0);
			const {target = '', userInfo = '', options = {}, secret, isStored = true} = await ask(markerOf(index));
			const url = `${base.protocol}//${userInfo}${base.host}${base.pathname}${target}`;
			const headers = {'x-plain': 'a plain header', ...options.headers};
			words.say(await explain(client, {
				url, headers, method: options.method ?? 'GET', body: typeof options.body === 'string' || options.body instanceof Uint8Array ? options.body : JSON.stringify(options.json ?? {}),
			}));
			const response = await client(url, {...options, headers} as OptionsOfTextResponseBody);
			t.is(response.body, 'answer', title);
			const info = cacheInfo(response);
			words.say(info, response.headers['cache-status']);
			if (isStored) {
				reasons.push(info.reason);
			}

			secrets.push(...secret === undefined ? [] : [secret]);
			await cache.idle();
		}

		const expected = settings.mode === 'record' ? ['miss', 'force-refresh'] : ['miss', 'fresh', 'stale-while-revalidate', 'stale', 'revalidated'];
		t.true(reasons.every(reason => expected.includes(reason)), `${title}: ${reasons.join(', ')}`);
	}

	await words.sayStored();
	const content = await kept.content();
	t.deepEqual(findMarkers(content), [], 'in the store');
	t.deepEqual(findDigests(content, secrets), [], 'digests in the store');
	for (const plain of ['REDACTED', 'a plain header', 'a plain value', 'page=2', 'answer']) {
		t.true(holds(content, plain), `${plain} is in the store`);
	}

	const {kept: unmoved, moved, dropped} = await cache.recreateKeys();
	t.deepEqual({moved, dropped}, {moved: 0, dropped: 0}, 'keys can be made again of what is stored');
	t.true(unmoved >= places.length - 1);
	const said = words.end();
	t.deepEqual(findMarkers(said), [], 'in words');
	t.deepEqual(findDigests(said, secrets), [], 'digests in words');
	t.true(said.includes('page=2') && said.includes('REDACTED'));
	await cache.close();
	t.deepEqual(findMarkers(await kept.content()), [], 'after closing');
	await kept.end?.();
}
