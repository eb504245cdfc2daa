import {once} from 'node:events';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {cacheInfo, getCache, type CacheSettings} from '../../source/index.ts';
import {
	byOrigin,
	dated,
	httpDate,
	type Answer,
} from '../helpers/dated.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin, type Clock, type Handler} from '../helpers/origin.ts';

const plain = {throwHttpErrors: false};

type Failure = number | 'reset';

/** Answers once with these headers, then fails. */
function failing(headers: Answer['headers'], failure: () => Failure, clock: Clock): Handler {
	let count = 0;
	return (_request, response) => {
		const fails = count++ > 0;
		const how = failure();
		if (fails && how === 'reset') {
			response.socket!.destroy();
			return;
		}

		response.writeHead(fails ? how as number : 200, {date: httpDate(clock), ...(!fails && headers)});
		response.end(fails ? 'failed' : 'answer');
	};
}

type Given = {
	/** Directives, beside `max-age=60`. */
	readonly response?: string;
	readonly request?: string;
	readonly settings?: CacheSettings;

	/** For how many seconds. */
	readonly stale?: number;
	readonly failures?: readonly Failure[];
};

type Row = readonly [title: string, given: Given, isServed: boolean];

const listed: readonly Failure[] = [500, 502, 503, 504, 'reset'];

const table: readonly Row[] = [
	['RFC 9111 §4.2.4 without permission no stale response is served', {}, false],
	['RFC 5861 §4 the response permits it', {response: 'stale-if-error=60'}, true],
	['RFC 5861 §4 the response permits it up to the last second', {response: 'stale-if-error=60', stale: 59}, true],
	['RFC 5861 §4 the response permits it no longer than it says', {response: 'stale-if-error=60', stale: 61}, false],
	['RFC 5861 §4 the request permits it', {request: 'stale-if-error=60'}, true],
	['RFC 5861 §4 the request permits it no longer than it says', {request: 'stale-if-error=60', stale: 61}, false],
	['RFC 5861 §4 the setting permits it', {settings: {staleIfError: 60}}, true],
	['RFC 5861 §4 the setting permits it no longer than it says', {settings: {staleIfError: 60}, stale: 61}, false],
	['RFC 5861 §4 the setting permits it without limit', {settings: {staleIfError: true}, stale: 1_000_000}, true],
	['RFC 5861 §4 the response comes before the setting', {response: 'stale-if-error=5', settings: {staleIfError: true}}, false],
	['RFC 5861 §4 an invalid value permits nothing', {response: 'stale-if-error=a'}, false],
	['RFC 5861 §4 names are case-insensitive', {response: 'Stale-If-Error=60'}, true],
	['RFC 5861 §4 other errors reach the caller', {response: 'stale-if-error=60', failures: [400, 401, 403, 404, 410, 429, 501, 505]}, false],
	['RFC 9111 §5.2.2.2 must-revalidate beats stale-if-error of the response', {response: 'stale-if-error=60, must-revalidate'}, false],
	['RFC 9111 §5.2.2.2 must-revalidate beats the request', {response: 'must-revalidate', request: 'stale-if-error=60'}, false],
	['RFC 9111 §5.2.2.2 must-revalidate beats the setting', {response: 'must-revalidate', settings: {staleIfError: true}}, false],
	['RFC 9111 §5.2.2.4 no-cache beats the setting', {response: 'no-cache', settings: {staleIfError: true}}, false],
	['RFC 9111 §5.2.2.8 proxy-revalidate does not bind a private cache', {response: 'proxy-revalidate', settings: {staleIfError: true}}, true],
	['RFC 9111 §5.2.2.10 s-maxage does not bind a private cache', {response: 's-maxage=10', settings: {staleIfError: true}}, true],
];

async function serves({response, request, settings, stale = 10}: Given, failure: Failure): Promise<boolean> {
	const {client, clock} = createClient({...byOrigin, ...settings});
	await using origin = await Origin.start(failing({'cache-control': `max-age=60${response === undefined ? '' : `, ${response}`}`, etag: '"1"'}, () => failure, clock));
	await client(origin.url);
	clock.advance(60 + stale);
	try {
		const second = await client(origin.url, {...plain, headers: {'cache-control': request}});
		const isServed = second.body === 'answer';
		if (second.isFromCache !== isServed || second.statusCode !== (isServed ? 200 : failure) || origin.count !== 2) {
			throw new TypeError(`The second answer is not what it says: ${second.statusCode}, ${second.body}, from the cache ${second.isFromCache}, ${origin.count} requests`);
		}

		return isServed;
	} catch (error) {
		if (failure !== 'reset' || error instanceof TypeError) {
			throw error;
		}

		return false;
	}
}

for (const [title, given, isServed] of table) {
	test(title, async t => {
		for (const failure of given.failures ?? listed) {
			t.is(await serves(given, failure), isServed, String(failure));
		}
	});
}

for (const [name, instance] of majors) {
	test(`${name}: RFC 5861 §4 a stale response is served instead of refused connections and timeouts, through both APIs`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		let url: string;
		{
			await using origin = await Origin.start((_request, response) => {
				if (origin.count !== 1) {
					return;
				}

				response.writeHead(200, {date: httpDate(clock), 'cache-control': 'max-age=60, stale-if-error=3600'});
				response.end('answer');
			});
			url = origin.url;
			await client(url);
			clock.advance(100);
			for (const timeout of [{response: 30}, {request: 30}, {socket: 30}]) {
				const slow = await client(url, {timeout});
				t.is(slow.body, 'answer');
				t.is(slow.headers.age, '100');
				t.is(cacheInfo(slow).reason, 'stale-if-error');
				t.is(await readStream(client.stream(url, {timeout})), 'answer');
			}
		}

		t.is((await client(url)).body, 'answer');
		clock.advance(3600);
		await t.throwsAsync(client(url), {code: 'ECONNREFUSED'});
		await t.throwsAsync(readStream(client.stream(url)), {code: 'ECONNREFUSED'});
	});

	test(`${name}: RFC 5861 §4 a stream that gets a stale response after a refused connection emits no error`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		let url: string;
		{
			await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60, stale-if-error=3600'}})));
			url = origin.url;
			await client(url);
		}

		clock.advance(100);
		const errors: Error[] = [];
		for (let round = 0; round < 3; round++) {
			const stream = client.stream(url);
			stream.on('error', error => {
				errors.push(error);
			});
			t.is(await readStream(stream), 'answer 1');

			// The socket closes after the answer was read.
			await Promise.race([once(stream, 'close'), delay(50)]);
		}

		t.deepEqual(errors.map(({message}) => message), []);
	});

	test(`${name}: RFC 5861 §3 a response with stale-while-revalidate is served stale, and refreshed once`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60, stale-while-revalidate=30', etag: '"1"'}})));
		await client(origin.url);
		clock.advance(80);
		const stale = await Promise.all([client(origin.url), client(origin.url)]);
		for (const {body, headers} of stale) {
			t.is(body, 'answer 1');
			t.is(headers.age, '80');
		}

		await getCache(client).idle();
		t.is(origin.count, 2);
		t.is(origin.requests[1]!.headers['if-none-match'], '"1"');
		t.is((await client(origin.url)).body, 'answer 2');
		clock.advance(80);
		t.is(await readStream(client.stream(origin.url)), 'answer 2');
		await getCache(client).idle();
		t.is(await readStream(client.stream(origin.url)), 'answer 3');
		t.is(origin.count, 3);
	});
}

test('RFC 5861 §3 a response that is stale for longer is validated first', async t => {
	const cases = [
		['max-age=60, stale-while-revalidate=30', false],
		['max-age=60, stale-while-revalidate=30', true],
		['max-age=60, stale-while-revalidate=x', false],
		['max-age=60', 30],
		['max-age=60', false],
	] as const;
	for (const [cacheControl, setting] of cases) {
		const {client, clock} = createClient({...byOrigin, staleWhileRevalidate: setting});
		await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': cacheControl, etag: '"1"'}})));
		await client(origin.url);
		clock.advance(91);
		t.is((await client(origin.url)).body, 'answer 2', `${cacheControl} ${setting}`);
	}
});

test('RFC 5861 §3 the setting applies if the response has no directive', async t => {
	const {client, clock} = createClient({...byOrigin, staleWhileRevalidate: 30});
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60', etag: '"1"'}})));
	await client(origin.url);
	clock.advance(80);
	t.is(cacheInfo(await client(origin.url)).reason, 'stale-while-revalidate');
	await getCache(client).idle();
	t.is((await client(origin.url)).body, 'answer 2');
});

test('RFC 9111 §5.2.1 a request with max-age or min-fresh gets no stale response while it is revalidated', async t => {
	for (const request of ['max-age=3600', 'min-fresh=1', 'no-cache']) {
		const {client, clock} = createClient(byOrigin);
		await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60, stale-while-revalidate=600', etag: '"1"'}})));
		await client(origin.url);
		clock.advance(80);
		t.is((await client(origin.url, {headers: {'cache-control': request}})).body, 'answer 2', `with ${request}`);
	}
});

test('RFC 5861 in the default mode, directives of the response are ignored, and every error counts', async t => {
	const {client, clock} = createClient({expireAfter: 60, staleIfError: 100});
	let failure: Failure = 500;
	await using origin = await Origin.start(failing({'cache-control': 'no-cache, must-revalidate, stale-if-error=0, stale-while-revalidate=600'}, () => failure, clock));
	await client(origin.url);
	clock.advance(100);
	for (failure of [400, 404, 429, 500, 501, 503, 'reset'] as const) {
		t.is(cacheInfo(await client(origin.url)).reason, 'stale-if-error', String(failure));
	}

	failure = 404;
	clock.advance(60);
	t.is((await client(origin.url, plain)).statusCode, 404);
});

test('RFC 9111 §4.3.3 a stored error does not replace a stale response that may be served', async t => {
	const {client, clock} = createClient({...byOrigin, staleIfError: true});
	await using origin = await Origin.start(dated(clock, (_request, count) => count === 1 ? {headers: {'cache-control': 'max-age=60'}} : {status: 503, headers: {'cache-control': 'max-age=60'}}));
	await client(origin.url);
	clock.advance(100);
	t.is((await client(origin.url)).body, 'answer 1');
	t.is((await client(origin.url)).body, 'answer 1');
	t.is(origin.count, 3);
});

test('RFC 9111 §4.2.4 a stored error is served without a retry', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({status: 503, headers: {'cache-control': 'max-age=60', 'retry-after': '100'}})));
	await client(origin.url, plain);
	const second = await client(origin.url, {...plain, retry: {limit: 5}});
	t.true(second.isFromCache);
	t.is(second.retryCount, 0);
	t.is(origin.count, 1);
});

const quick = {limit: 2, backoffLimit: 1};
const afterRetries = {...byOrigin, staleIfErrorAfter: 'retries', staleIfError: true} as const;

for (const [name, instance] of majors) {
	for (const failure of [503, 'reset'] as const) {
		test(`${name}: with staleIfErrorAfter 'retries', Got retries after ${failure} before a stale response is served`, async t => {
			for (const settings of [afterRetries, {expireAfter: 60, staleIfErrorAfter: 'retries', staleIfError: true} as const]) {
				const {client, clock} = createClient(settings, instance);
				await using origin = await Origin.start(failing({'cache-control': 'max-age=60', etag: '"1"'}, () => failure, clock));
				await client(origin.url);
				clock.advance(100);
				const second = await client(origin.url, {retry: quick});
				t.is(second.body, 'answer');
				t.true(second.isFromCache);
				t.is(cacheInfo(second).reason, 'stale-if-error');
				t.is(origin.count, 4);
				t.deepEqual(origin.requests.map(({headers}) => headers['if-none-match']), [undefined, '"1"', '"1"', '"1"']);
			}
		});

		test(`${name}: with staleIfErrorAfter 'retries', a retry on ${failure} that succeeds is used`, async t => {
			const {client, clock} = createClient(afterRetries, instance);
			await using origin = await Origin.start((_request, response) => {
				if (failure === 'reset' && origin.count === 2) {
					response.socket!.destroy();
					return;
				}

				response.writeHead(origin.count === 2 ? 503 : 200, {date: httpDate(clock), ...(origin.count !== 2 && {'cache-control': 'max-age=60'})});
				response.end(`answer ${origin.count}`);
			});
			await client(origin.url);
			clock.advance(100);
			const second = await client(origin.url, {retry: quick});
			t.is(second.body, 'answer 3');
			t.false(second.isFromCache);
			t.is(second.retryCount, 1);
			t.is((await client(origin.url)).body, 'answer 3');
			t.is(origin.count, 3);
		});
	}

	test(`${name}: with staleIfErrorAfter 'retries', an error that is stored for its own freshness does not answer a retry`, async t => {
		const {client, clock} = createClient(afterRetries, instance);
		await using origin = await Origin.start(dated(clock, (_request, count) => ({status: count === 2 || count > 3 ? 503 : 200, headers: {'cache-control': 'max-age=60'}})));
		await client(origin.url);
		clock.advance(100);
		t.is((await client(origin.url, {retry: quick})).body, 'answer 3');
		clock.advance(100);
		t.is((await client(origin.url, {retry: quick})).body, 'answer 3');
		t.is(origin.count, 6);
	});

	test(`${name}: with staleIfErrorAfter 'retries', the user's calculateDelay decides about retries, and is in the options again afterwards`, async t => {
		const {client, clock} = createClient(afterRetries, instance);
		await using origin = await Origin.start(failing({'cache-control': 'max-age=60'}, () => 503, clock));
		await client(origin.url);
		clock.advance(100);
		const attempts: number[] = [];
		const calculateDelay = ({attemptCount}: {attemptCount: number}) => {
			attempts.push(attemptCount);
			return attemptCount <= 4 ? 1 : 0;
		};

		const second = await client(origin.url, {retry: {limit: 0, enforceRetryRules: false, calculateDelay}});
		t.is(second.body, 'answer');
		t.is(origin.count, 6);
		t.deepEqual(attempts, [1, 2, 3, 4, 5]);
		t.is(second.request.options.retry.calculateDelay, calculateDelay);
		t.false(second.request.options.retry.enforceRetryRules);
		t.is(second.request.options.retry.limit, 0);
	});

	test(`${name}: with staleIfErrorAfter 'retries', a stale response is served at once if Got does not retry`, async t => {
		for (const retry of [{limit: 0}, {limit: 2, statusCodes: []}, {limit: 2, methods: []}, {limit: 2, calculateDelay: () => 0}]) {
			const {client, clock} = createClient(afterRetries, instance);
			await using origin = await Origin.start(failing({'cache-control': 'max-age=60'}, () => 503, clock));
			await client(origin.url);
			clock.advance(100);
			t.is((await client(origin.url, {retry})).body, 'answer');
			t.is(origin.count, 2);
		}
	});

	test(`${name}: with staleIfErrorAfter 'retries', without a usable stale response, the caller gets Got's error after its retries`, async t => {
		for (const response of ['max-age=60, must-revalidate', 'no-store']) {
			const {client, clock} = createClient(afterRetries, instance);
			await using origin = await Origin.start(failing({'cache-control': response}, () => 503, clock));
			await client(origin.url);
			clock.advance(100);
			await t.throwsAsync(client(origin.url, {retry: quick}), {message: /503/v});
			t.is(origin.count, 4);
		}
	});

	test(`${name}: with staleIfErrorAfter 'retries', a stream, which has no retries, gets a stale response at once`, async t => {
		const {client, clock} = createClient(afterRetries, instance);
		await using origin = await Origin.start(failing({'cache-control': 'max-age=60'}, () => 503, clock));
		await client(origin.url);
		clock.advance(100);
		t.is(await readStream(client.stream(origin.url)), 'answer');
		t.is(origin.count, 2);
	});

	test(`${name}: by default, a stale response is served at the first failure, without a retry`, async t => {
		for (const failure of [503, 'reset'] as const) {
			const {client, clock} = createClient({...byOrigin, staleIfError: true}, instance);
			await using origin = await Origin.start(failing({'cache-control': 'max-age=60'}, () => failure, clock));
			await client(origin.url);
			clock.advance(100);
			t.is((await client(origin.url, {retry: quick})).body, 'answer');
			t.is(origin.count, 2);
		}
	});

	for (const path of ['/must-revalidate', '/unknown']) {
		test(`${name}: RFC 9111 §5.2.2.2 if the origin is unreachable and ${path} must not be served stale, the caller gets Got's error`, async t => {
			const {client, clock} = createClient({...byOrigin, staleIfError: true}, instance);
			await using origin = await Origin.start(failing({'cache-control': 'max-age=60, must-revalidate'}, () => 'reset', clock));
			await client(`${origin.url}/must-revalidate`);
			clock.advance(100);
			await t.throwsAsync(client(origin.url + path), {code: 'ECONNRESET'});
			await t.throwsAsync(readStream(client.stream(origin.url + path)), {code: 'ECONNRESET'});
		});

		test(`${name}: RFC 9111 §5.2.2.2 if the origin is unreachable and ${path} must not be served stale, the caller gets a 504 with gatewayTimeout 'respond'`, async t => {
			const {client, clock} = createClient({...byOrigin, staleIfError: true, gatewayTimeout: 'respond'}, instance);
			await using origin = await Origin.start(failing({'cache-control': 'max-age=60, must-revalidate'}, () => 'reset', clock));
			await client(`${origin.url}/must-revalidate`);
			clock.advance(100);
			const response = await client(origin.url + path, plain);
			t.is(response.statusCode, 504);
			t.is(response.body, '');
			t.false(response.isFromCache);
			t.is(cacheInfo(response).reason, 'gateway-timeout');
			const stream = client.stream(origin.url + path, plain);
			await readStream(stream);
			t.is(stream.response!.statusCode, 504);
			await t.throwsAsync(client(origin.url + path), {message: /504/v});
		});
	}
}

test('RFC 9111 §5.2.2.2 with gatewayTimeout \'respond\', a timeout is a 504, responses of the origin are passed on, and usable stale responses are served', async t => {
	const {client, clock} = createClient({...byOrigin, gatewayTimeout: 'respond'});
	await using origin = await Origin.start((request, response) => {
		if (request.url === '/slow') {
			return;
		}

		if (request.url === '/stale' && origin.count > 2) {
			response.socket!.destroy();
			return;
		}

		response.writeHead(request.url === '/stale' ? 200 : 502, {date: httpDate(clock), 'cache-control': 'max-age=60, stale-if-error=60'});
		response.end('answer');
	});
	t.is((await client(`${origin.url}/slow`, {...plain, timeout: {response: 30}})).statusCode, 504);
	await client(`${origin.url}/stale`);
	clock.advance(100);
	t.is((await client(`${origin.url}/stale`)).body, 'answer');
	t.is((await client(`${origin.url}/bad`, plain)).statusCode, 502);
});

test('RFC 9111 §5.2.2.2 with retries, the 504 is returned after the last one', async t => {
	const {client, clock} = createClient({...afterRetries, gatewayTimeout: 'respond'});
	await using origin = await Origin.start(failing({'cache-control': 'max-age=60, must-revalidate'}, () => 'reset', clock));
	await client(origin.url);
	clock.advance(100);
	const second = await client(origin.url, {...plain, retry: quick});
	t.is(second.statusCode, 504);
	t.is(origin.count, 4);
});
