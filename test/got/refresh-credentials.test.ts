import test from 'ava';
import type {Got} from 'got';
import {CookieJar} from 'tough-cookie';
import {majors} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {reasonOf, refreshingClient} from '../helpers/refreshing.ts';

/** An origin that takes one token, which a test may replace. */
function guarded(state: {token: string; status?: number}): Handler {
	let count = 0;
	return (request, response) => {
		count++;
		response.statusCode = request.headers['x-token'] === state.token ? 200 : state.status ?? 401;
		response.end(`answer ${count}`);
	};
}

for (const [name, instance] of majors) {
	test(`${name}: the cookies of each attempt of a refresh are in the jar of its caller before the refresh has ended`, async t => {
		await using origin = await Origin.start((_request, response) => {
			if (origin.count > 1) {
				response.setHeader('set-cookie', [`a=${origin.count}; Path=/`, 'b=2; Path=/elsewhere']);
			}

			response.statusCode = origin.count === 2 ? 503 : 200;
			if (origin.count === 2) {
				response.setHeader('set-cookie', 'first=yes');
			}

			response.end('answer');
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		const cookieJar = new CookieJar();
		await client(origin.url, {cookieJar});
		expire();
		await client(origin.url, {cookieJar});
		await idle();
		t.deepEqual(errors, []);
		t.is(await cookieJar.getCookieString(origin.url), 'first=yes; a=3');
		t.is(await cookieJar.getCookieString(`${origin.url}/elsewhere`), 'b=2; first=yes; a=3');
	});

	test(`${name}: the cookies of a 304 are in the jar as well`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.writeHead(request.headers['if-none-match'] === undefined ? 200 : 304, {etag: '"1"', 'set-cookie': `a=${origin.count}`});
			response.end();
		});
		const {client, expire, idle, errors} = refreshingClient(instance, {ignoredParameters: ['cookie'], partitionBy: () => ''});
		const cookieJar = new CookieJar();
		await client(origin.url, {cookieJar});
		expire();
		t.is(reasonOf(await client(origin.url, {cookieJar})), 'stale-while-revalidate');
		await idle();
		t.deepEqual(errors, []);
		t.is(origin.count, 2);
		t.is(await cookieJar.getCookieString(origin.url), 'a=2');
	});

	for (const ignoreInvalidCookies of [true, false]) {
		test(`${name}: with \`ignoreInvalidCookies: ${ignoreInvalidCookies}\`, a cookie that the jar refuses ${ignoreInvalidCookies ? 'is ignored' : 'is an error of the refresh, whose body is stored'}`, async t => {
			await using origin = await Origin.start((_request, response) => {
				if (origin.count > 1) {
					response.setHeader('set-cookie', ['bad=1; Domain=elsewhere.example', 'good=1']);
				}

				response.end(`answer ${origin.count}`);
			});
			const {client, expire, idle, errors} = refreshingClient(instance);
			const cookieJar = new CookieJar();
			await client(origin.url, {cookieJar, ignoreInvalidCookies});
			expire();
			await client(origin.url, {cookieJar, ignoreInvalidCookies});
			await idle();
			t.is(errors.length, ignoreInvalidCookies ? 0 : 1);
			t.is(await cookieJar.getCookieString(origin.url), ignoreInvalidCookies ? 'good=1' : '');
			const last = await client(origin.url);
			t.deepEqual([last.body, reasonOf(last)], ['answer 2', 'fresh']);
		});
	}

	test(`${name}: a jar that throws is an error of the refresh after its body is read, and of nothing else`, async t => {
		await using origin = await Origin.start((_request, response) => {
			if (origin.count === 1) {
				response.end('answer 1');
				return;
			}

			response.setHeader('set-cookie', 'a=1');
			response.write('answer ');
			setTimeout(() => {
				response.end('2');
			}, 50);
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		const cookieJar = {
			getCookieString: async () => '',
			async setCookie() {
				throw new Error('jar');
			},
		};
		await client(origin.url, {cookieJar});
		expire();
		await client(origin.url, {cookieJar});
		await idle();
		t.deepEqual(errors.map(({message}) => message), ['jar']);
		const last = await client(origin.url);
		t.deepEqual([last.body, reasonOf(last)], ['answer 2', 'fresh']);
	});

	test(`${name}: a refresh whose jar never answers ends at its time limit`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.setHeader('set-cookie', origin.count === 1 ? [] : ['a=1']);
			response.end(`answer ${origin.count}`);
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		const cookieJar = {getCookieString: async () => '', setCookie: async () => new Promise(() => {})};
		await client(origin.url, {cookieJar});
		expire();
		await client(origin.url, {cookieJar, timeout: {request: 300}});
		await idle();
		t.deepEqual(errors.map(({code}) => code), ['ERR_REFRESH_TIMEOUT']);
	});

	for (const [status, isApart] of [[401, true], [401, false], [407, true], [407, false]] as const) {
		test(`${name}: a ${status} ends a refresh, and the next request, with its hooks, replaces the stored response; then refreshes continue (tokens are ${isApart ? '' : 'not '}part of the key)`, async t => {
			const state = {token: 'first', status};
			await using origin = await Origin.start(guarded(state));
			const {client: plain, expire, idle, errors} = refreshingClient(instance, isApart ? {} : {partitionBy: () => '', ignoredParameters: ['x-token']});
			let token = 'first';
			const client = plain.extend({
				retry: {limit: 1},
				hooks: {
					beforeRequest: [options => {
						options.headers['x-token'] = token;
					}],
					afterResponse: [(response, retryWithMergedOptions) => {
						if (response.statusCode !== status) {
							return response;
						}

						token = state.token;
						return retryWithMergedOptions({});
					}],
				},
			}) as Got;
			await client(origin.url);
			state.token = 'second';
			expire();

			// A stale answer; the refresh has the old token, and no hook gets it a new one.
			t.is((await client(origin.url)).body, 'answer 1');
			await idle();
			t.deepEqual(errors.map(({code}) => code), ['ERR_REFRESH_REJECTED']);
			t.regex(errors[0]!.message, new RegExp(String.raw`^The origin answered the refresh of http://127\.0\.0\.1:\d+/ with ${status}\. `, 'v'));
			t.is(origin.count, 2);

			// The hook renews the token.
			const renewed = await client(origin.url);
			t.deepEqual([renewed.body, reasonOf(renewed)], ['answer 4', isApart ? 'miss' : 'stale']);
			t.is(origin.count, 4);
			await idle();

			// Refreshes continue.
			expire();
			t.is(reasonOf(await client(origin.url)), 'stale-while-revalidate');
			await idle();
			t.is(errors.length, 1);
			const last = await client(origin.url);
			t.deepEqual([last.body, reasonOf(last)], ['answer 5', 'fresh']);
		});
	}

	test(`${name}: while credentials are rejected, \`staleWhileRevalidate\` serves no stale response`, async t => {
		const state = {token: 'first'};
		await using origin = await Origin.start(guarded(state));
		const {client, expire, idle, errors} = refreshingClient(instance);
		const ask = async () => client(origin.url, {headers: {'x-token': 'first'}, throwHttpErrors: false});
		await ask();
		state.token = 'second';
		expire();
		await ask();
		await idle();
		for (let round = 0; round < 3; round++) {
			const rejected = await ask();
			t.deepEqual([rejected.statusCode, reasonOf(rejected)], [401, 'stale']);
		}

		t.is(errors.length, 1);
		state.token = 'first';
		t.is((await ask()).statusCode, 200);
		expire();
		t.is(reasonOf(await ask()), 'stale-while-revalidate');
		await idle();
		t.is(errors.length, 1);
	});

	test(`${name}: a rejected refresh does not affect responses to other credentials`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.statusCode = request.headers.authorization === 'Bearer bad' && origin.count > 2 ? 401 : 200;
			response.end(`answer ${origin.count}`);
		});
		const {client, expire, idle, errors} = refreshingClient(instance);
		const ask = async (user: string) => client(origin.url, {headers: {authorization: `Bearer ${user}`}, throwHttpErrors: false});
		await ask('bad');
		await ask('good');
		expire();
		await ask('bad');
		await idle();
		t.is(errors.length, 1);
		t.is(reasonOf(await ask('good')), 'stale-while-revalidate');
		await idle();
		t.is(errors.length, 1);
		t.is(reasonOf(await ask('good')), 'fresh');
		t.is((await ask('bad')).statusCode, 401);
	});

	test(`${name}: the next refresh sends the cookies of the previous one`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.setHeader('set-cookie', `session=${origin.count}`);
			response.end(request.headers.cookie ?? 'none');
		});
		const {client, expire, idle} = refreshingClient(instance, {partitionBy: () => '', ignoredParameters: ['cookie']});
		const cookieJar = new CookieJar();
		await client(origin.url, {cookieJar});
		for (let round = 0; round < 3; round++) {
			expire();
			await client(origin.url, {cookieJar});
			await idle();
		}

		t.deepEqual(origin.requests.map(({headers}) => headers.cookie), [undefined, 'session=1', 'session=2', 'session=3']);
	});
}
