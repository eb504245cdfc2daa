import type {OutgoingHttpHeaders} from 'node:http';
import test from 'ava';
import {cacheInfo, getCache, type CacheSettings} from '../../source/index.ts';
import {byOrigin} from '../helpers/dated.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {plain} from '../helpers/modes.ts';

type Row = readonly [title: string, status: number, headers: OutgoingHttpHeaders, settings: CacheSettings, reason: string];

const accepted = {filterFn: ({headers}) => headers['x-refused'] === undefined} satisfies CacheSettings;
const tagged = {tags: ({headers}) => headers['x-refused'] === undefined ? [] : ['']} satisfies CacheSettings;

/** A second response that is not stored, while the first one is fresh. */
const outdating: readonly Row[] = [
	['a newer response that could not be used again', 200, {'cache-control': 'max-age=0'}, byOrigin, 'expired-without-validator'],
	['a 404 that could not be used again', 404, {}, byOrigin, 'expired-without-validator'],
	['a newer response that must not be stored', 200, {'cache-control': 'no-store'}, byOrigin, 'no-store'],
	['a newer response that filterFn refuses', 200, {'x-refused': '1'}, accepted, 'filtered'],
	['a newer response whose tags cannot be made', 200, {'x-refused': '1'}, tagged, 'filtered'],
];

/** Errors that say nothing about the response that is stored. */
const failing: readonly Row[] = [
	['a 408 that could not be used again', 408, {'cache-control': 'max-age=0'}, byOrigin, 'expired-without-validator'],
	['a 408 that must not be stored', 408, {'cache-control': 'no-store'}, byOrigin, 'no-store'],
	['a 429 that must not be stored', 429, {'cache-control': 'no-store'}, byOrigin, 'status-code'],
	['a server error that could not be used again', 501, {}, byOrigin, 'expired-without-validator'],
	['a server error that must not be stored', 500, {'cache-control': 'no-store'}, byOrigin, 'no-store'],
	['a server error that filterFn refuses', 500, {'x-refused': '1', 'cache-control': 'max-age=60'}, {...byOrigin, ...accepted}, 'filtered'],
];

const again = {headers: {'cache-control': 'no-cache'}, ...plain};

for (const [name, instance] of majors) {
	for (const [rows, does, expected] of [[outdating, 'deletes', 'answer 3'], [failing, 'does not delete', 'answer 1']] as const) {
		for (const [title, status, headers, settings, reason] of rows) {
			for (const isStream of [false, true]) {
				test(`${name}: RFC 9111 §4 ${title} ${does} the stored one, ${isStream ? 'for a stream' : 'for a promise'}`, async t => {
					await using origin = await Origin.start((_request, response) => {
						const isSecond = origin.count === 2;
						response.writeHead(isSecond ? status : 200, isSecond ? headers : {'cache-control': 'max-age=60'});
						response.end(`answer ${origin.count}`);
					});
					const {client} = createClient(settings, instance);
					const refusals: string[] = [];
					getCache(client).on('refused', event => {
						refusals.push(event.reason);
					});
					await client(origin.url);
					await (isStream ? readStream(client.stream(origin.url, again)) : client(origin.url, again));
					await getCache(client).idle();
					t.deepEqual(refusals, [reason]);
					t.is(await client(origin.url).text(), expected);
				});
			}
		}
	}

	test(`${name}: RFC 5861 §3 a refresh that gets a response which could not be used again ends what is served stale`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(200, {'cache-control': origin.count === 1 ? 'max-age=1, stale-while-revalidate=1000' : 'max-age=0'});
			response.end(`answer ${origin.count}`);
		});
		const {client, clock} = createClient(byOrigin, instance);
		await client(origin.url);
		clock.advance(5);
		t.is(cacheInfo(await client(origin.url)).reason, 'stale-while-revalidate');
		await getCache(client).idle();
		t.is(await client(origin.url).text(), 'answer 3');
	});

	test(`${name}: a refresh that gets a 408 which must not be stored keeps the stored response, and is reported`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(origin.count === 1 ? 200 : 408, {'cache-control': origin.count === 1 ? 'max-age=1, stale-while-revalidate=1000' : 'no-store', 'retry-after': '1'});
			response.end(`answer ${origin.count}`);
		});
		const {client, clock} = createClient(byOrigin, instance);
		const errors: unknown[] = [];
		getCache(client).on('backgroundError', ({error}) => {
			errors.push((error as {readonly code?: string}).code);
		});
		await client(origin.url);
		clock.advance(5);
		await client(origin.url);
		await getCache(client).idle();
		t.deepEqual(errors, ['ERR_REFRESH_FAILED']);
		t.is(await client(origin.url).text(), 'answer 1');
	});

	for (const [mode, settings] of [['cacheControl', byOrigin], ['expireAfter 0', {expireAfter: 0}]] as const) {
		test(`${name}: with ${mode}, staleWhileRevalidate serves a response that expires at once and has no validator`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.end(`answer ${origin.count}`);
			});
			const {client, clock} = createClient({...settings, staleWhileRevalidate: '1m'}, instance);
			await client(origin.url);
			clock.advance(30);
			const second = await client(origin.url);
			t.is(second.body, 'answer 1');
			t.is(cacheInfo(second).reason, 'stale-while-revalidate');
			await getCache(client).idle();
			t.is(await client(origin.url).text(), 'answer 2');
			await getCache(client).idle();
			clock.advance(60);
			t.is(await client(origin.url).text(), 'answer 4');
		});
	}

	test(`${name}: a response to a HEAD that filterFn refuses does not delete the stored response to a GET`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('answer');
		});
		const {client, clock} = createClient({expireAfter: 10, filterFn: ({request}) => request?.method !== 'HEAD'}, instance);
		await client(origin.url);
		clock.advance(20);
		t.is(cacheInfo(await client.head(origin.url)).stored, 'filtered');
		await getCache(client).idle();
		t.is(await getCache(client).count(), 1);
	});
}
