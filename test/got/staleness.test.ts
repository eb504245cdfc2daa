import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {spawn} from 'node:child_process';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import type {Response} from 'got';
import {cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: a stale response is served instead of an error status, without a retry`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(origin.count === 1 ? 200 : 503);
			response.end(`answer ${origin.count}`);
		});
		const {client, clock} = createClient({expireAfter: 60, staleIfError: true}, instance);
		await client(origin.url);
		clock.advance(3600);
		const second = await client(origin.url, {retry: {limit: 2}});
		t.is(second.body, 'answer 1');
		t.is(second.statusCode, 200);
		t.true(second.isFromCache);
		t.is(cacheInfo(second).reason, 'stale-if-error');
		t.true(cacheInfo(second).isExpired);
		t.is(await readStream(client.stream(origin.url)), 'answer 1');
		t.is(origin.count, 3);
	});

	test(`${name}: a stale response is served instead of a failed connection`, async t => {
		let isDown = false;
		await using origin = await Origin.start((_request, response) => {
			if (isDown) {
				response.socket!.destroy();
				return;
			}

			response.end('answer');
		});
		const {client} = createClient({expireAfter: 0, staleIfError: '1h'}, instance);
		await client(origin.url);
		isDown = true;
		const second = await client(origin.url);
		t.is(second.body, 'answer');
		t.is(cacheInfo(second).reason, 'stale-if-error');
		const stream = client.stream(origin.url);
		t.is(await readStream(stream), 'answer');
		t.true(stream.isFromCache);
		await t.throwsAsync(client(`${origin.url}/other`), {code: 'ECONNRESET'});
	});

	test(`${name}: a stale response is served if the origin refuses the connection, or is too slow`, async t => {
		let url: string;
		const {client} = createClient({expireAfter: 0, staleIfError: true}, instance);
		{
			await using origin = await Origin.start((_request, response) => {
				if (origin.count === 1) {
					response.end('answer');
				}
			});
			url = origin.url;
			await client(url);
			for (const timeout of [{response: 30}, {request: 30}]) {
				const slow = await client(url, {timeout});
				t.is(slow.body, 'answer');
				t.is(cacheInfo(slow).reason, 'stale-if-error');
			}
		}

		const refused = await client(url);
		t.is(refused.body, 'answer');
		t.is(cacheInfo(refused).reason, 'stale-if-error');
	});

	test(`${name}: an aborted request gets no stale response`, async t => {
		await using origin = await Origin.start((_request, response) => {
			if (origin.count === 1) {
				response.end('answer');
			}
		});
		const {client} = createClient({expireAfter: 0, staleIfError: true}, instance);
		await client(origin.url);
		const controller = new AbortController();
		const promise = client(origin.url, {signal: controller.signal});
		void promise.on('request', () => {
			setImmediate(() => {
				controller.abort();
			});
		});
		await t.throwsAsync(promise, {name: 'AbortError'});
		const stream = client.stream(origin.url);
		let responses = 0;
		stream.on('response', () => {
			responses++;
		});
		stream.on('error', () => {});
		stream.once('request', () => {
			setImmediate(() => {
				stream.destroy();
			});
		});
		await once(stream, 'close');
		await delay(20);
		t.is(responses, 0);
	});

	test(`${name}: a stale response is served at once while it is revalidated`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.writeHead(request.headers['if-none-match'] === undefined ? 200 : 304, {etag: '"1"', 'x-count': String(origin.count)});
			response.end(request.headers['if-none-match'] === undefined ? 'answer' : undefined);
		});
		const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: '1h'}, instance);
		await client(origin.url);
		clock.advance(600);
		const [second, alike] = await Promise.all([client(origin.url), client(origin.url)]);
		t.is(cacheInfo(second).reason, 'stale-while-revalidate');
		t.is(second.headers['x-count'], '1');
		t.is(alike.headers['x-count'], '1');
		await getCache(client).idle();
		t.is(origin.count, 2);
		const third = await client(origin.url);
		t.is(cacheInfo(third).reason, 'fresh');
		t.is(third.headers['x-count'], '2');
		t.is(third.body, 'answer');
	});
}

test('staleIfError with a duration serves no response that is stale for longer', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(origin.count === 1 ? 200 : 500);
		response.end('answer');
	});
	const {client, clock} = createClient({expireAfter: 60, staleIfError: 100});
	await client(origin.url);
	clock.advance(159);
	t.true((await client(origin.url)).isFromCache);
	clock.advance(1);
	const error = await t.throwsAsync<Error & {response: Response}>(client(origin.url), {message: /500/v});
	t.false(error.response.isFromCache);
});

test('a failed refresh leaves the stored response, and is an event', async t => {
	await using origin = await Origin.start((_request, response) => {
		if (origin.count === 1) {
			response.end('answer');
		} else {
			response.socket!.destroy();
		}
	});
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true});
	const errors: unknown[] = [];
	getCache(client).on('backgroundError', ({error}) => {
		errors.push(error);
	});
	await client(origin.url);
	clock.advance(600);
	await client(origin.url);
	await getCache(client).idle();
	t.is(errors.length, 1);
	t.is((await client(origin.url)).body, 'answer');
	await getCache(client).idle();
});

test('a process with a refresh pending can still exit', async t => {
	await using origin = await Origin.start((_request, response) => {
		if (origin.count === 1) {
			response.end('answer');
		}
	});
	const script = `
		import got from 'got';
		import {cacheHooks, cacheInfo} from './source/index.ts';
		let now = 0;
		const client = got.extend(cacheHooks({store: 'memory', expireAfter: 1, staleWhileRevalidate: true, now: () => now}));
		await client('${origin.url}');
		now = 5000;
		const response = await client('${origin.url}');
		process.stdout.write(cacheInfo(response).reason);
	`;
	const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000});
	const output = (async () => Buffer.concat(await Array.fromAsync(child.stdout as AsyncIterable<Uint8Array>)).toString())();
	const [code] = await once(child, 'exit') as [number | null];
	t.is(code, 0);
	t.is(await output, 'stale-while-revalidate');
	t.is(origin.count, 2);
});

test('onlyIfCached serves stored responses, and a 504 for a miss', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const {client} = createClient();
	const only = client.extend({context: {cache: {onlyIfCached: true}}, retry: {limit: 2}, throwHttpErrors: false});
	const miss = await only(origin.url);
	t.is(miss.statusCode, 504);
	t.is(miss.statusMessage, 'Not Cached');
	t.false(miss.isFromCache);
	t.is(miss.retryCount, 0);
	t.is(cacheInfo(miss).reason, 'only-if-cached');
	t.is(origin.count, 0);
	await client(origin.url);
	t.is((await only(origin.url)).body, 'answer');
	await t.throwsAsync(client(`${origin.url}/x`, {headers: {'cache-control': 'only-if-cached'}, retry: {limit: 2}}), {message: /504/v});
	t.is(origin.count, 1);
});
