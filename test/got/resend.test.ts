import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import http, {type ServerResponse} from 'node:http';
import {PassThrough} from 'node:stream';
import test from 'ava';
import type {ExtendOptions, Progress, Response} from 'got';
import {CookieJar} from 'tough-cookie';
import {
	compare,
	type Scenario,
	type Setup,
	type Start,
} from '../helpers/behavior.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {secure, SecureOrigin} from '../helpers/secure-origin.ts';
import {testUnhandledRejections} from '../helpers/unhandled-rejections.ts';

testUnhandledRejections(test);

/** A path of the site, what is asked of it, and the fields in which a second request is allowed to differ. */
type Row = readonly [title: string, where: string, options?: ((stage: Setup) => ExtendOptions) | undefined, except?: readonly string[]];

const retry: ExtendOptions['retry'] = {limit: 2, calculateDelay: ({computedValue}) => Math.min(computedValue, 1)};

// Got reads on in the response until it has ended, since the socket of the first request is still open.
const late = ['aborted', 'abort'];

const rows: readonly Row[] = [
	['a text', '/text'],
	['JSON', '/json', () => ({responseType: 'json'})],
	['a compressed body', '/coded/gzip'],
	['trailers', '/trailers'],
	['no body', '/empty'],
	['a HEAD', '/text', () => ({method: 'HEAD'})],
	['early hints', '/early'],
	['an error status', '/status/404'],
	['headers and credentials', '/echo', () => ({username: 'user', password: 'pass', headers: {'x-list': ['1', '2']}})],
	['a redirect', '/redirect/302?to=/echo'],
	['a redirect that is not followed', '/redirect/302?to=/text', () => ({followRedirect: false})],
	['a cookie', '/cookie/a', () => ({cookieJar: new CookieJar()})],
	['an invalid cookie', '/bad-cookie', () => ({cookieJar: new CookieJar()})],
	['a truncated body', '/short'],
	['a truncated body whose length is ignored', '/short', () => ({strictContentLength: false})],
	['a truncated chunked body', '/cut'],
	['a body without the coding of its Content-Encoding', '/bad-gzip'],
	['a truncated compressed body', '/short-gzip'],
	['a response that is not HTTP', '/rubbish'],
	// Only Got 16 reports that it aborts a request; here, it has ended.
	['a connection reset', '/reset/9', undefined, ['isAborted']],
	['a connection reset that is retried', '/reset/2', () => ({retry}), ['isAborted']],
	['a 503 that is retried', '/flaky/2', () => ({retry})],
	['a truncated body that is retried', '/cut-once', () => ({retry})],
	['nothing before `timeout.response`', '/hang', () => ({timeout: {response: 600}})],
	['nothing before `timeout.response`, which is retried', '/hang', () => ({retry: {...retry, limit: 1}, timeout: {response: 600}})],
	['nothing before `timeout.socket`', '/hang', () => ({timeout: {socket: 600}})],
	['nothing before `timeout.request`', '/hang', () => ({timeout: {request: 600}}), ['error', 'total', 'isAborted']],
	['nothing before a signal', '/hang', ({site}) => ({signal: site.timeoutSignal()})],
	['half a body before `timeout.request`', '/hang-body', () => ({timeout: {request: 600}}), late],
	['half a body before `timeout.read`', '/hang-body', () => ({timeout: {read: 600}}), late],
	['half a body before `timeout.socket`', '/hang-body', () => ({timeout: {socket: 600}}), late],
	['a response within all timeouts', '/text', () => ({
		timeout: {
			request: 60_000, response: 60_000, read: 60_000, socket: 60_000,
		},
	})],
];

function scenarioOf([title, where, options, except]: Row, common: ExtendOptions = {}): Scenario {
	return {
		title,
		except,
		async run(stage) {
			const {client, url, recorder} = stage;
			const mark = where.includes('?') ? '&' : '?';
			await recorder.promise(client(`${url}${where}${mark}promise`, {...common, ...options?.(stage)}));
			await recorder.stream(client.stream(`${url}${where}${mark}stream`, {...common, ...options?.(stage)}));
		},
	};
}

// In Got 14 and 15, the socket of the first request is no longer to be seen.
const encryptedRows: readonly Row[] = [
	['a text', '/text', undefined, ['ip']],
	['a compressed body', '/coded/gzip', undefined, ['ip']],
	['a truncated body', '/reset-stream', undefined, ['ip']],
	['half a body before `timeout.request`', '/hang-body', () => ({timeout: {request: 600}}), ['ip', ...late]],
	['nothing before a signal', '/hang', ({site}) => ({signal: site.timeoutSignal()}), ['ip']],
];

const scenarios: readonly Scenario[] = [
	...rows.map(row => scenarioOf(row)),
	{
		title: 'a body in several chunks',
		async run({client, url, recorder, site}) {
			const promise = client(`${url}/steps`);
			void site.answerInSteps(seen => {
				void promise.on('downloadProgress', ({transferred}: Progress) => {
					seen(transferred);
				});
				seen(0);
			});
			await recorder.promise(promise);
		},
	},
	{
		title: 'nothing before an abort',
		async run({client, url, recorder, site}) {
			for (const api of ['promise', 'stream'] as const) {
				const controller = new AbortController();
				const {signal} = controller;
				const pending = api === 'promise' ? recorder.promise(client(`${url}/hang?${api}`, {signal})) : recorder.stream(client.stream(`${url}/hang?${api}`, {signal}));
				const response = await site.held();
				controller.abort();
				await pending;
				await closed(response);
			}
		},
	},
	{
		title: 'half a body before the stream is destroyed',
		async run({client, url, recorder, site}) {
			for (const error of [undefined, new Error('Enough')]) {
				const stream = client.stream(`${url}/hang-body?${error}`);
				recorder.watch(stream);
				stream.once('data', (chunk: Uint8Array) => {
					recorder.note('data', Buffer.from(chunk).toString());
					stream.destroy(error);
				});
				await closed(await site.held());
				recorder.note('destroyed', {isAborted: stream.isAborted, destroyed: stream.destroyed});
			}
		},
	},
];

async function closed(response: ServerResponse): Promise<void> {
	if (!response.closed) {
		await once(response, 'close');
	}
}

/** An origin that answers each request of a cached client with an unexpected 304 first, and then as usual. */
function refusingOnce(start: Start): Start {
	let isPlain = true;
	return async handler => {
		const answers = isPlain ? handler : afterNotModified(handler, () => origin);
		isPlain = false;
		const origin = await start(answers);
		return origin;
	};
}

function afterNotModified(handler: Handler, origin: () => Pick<Origin, 'requests'>): Handler {
	const refused = new Set<string>();
	return (request, response, body) => {
		if (refused.delete(request.url!)) {
			handler(request, response, body);
			return;
		}

		refused.add(request.url!);
		origin().requests.pop();
		response.writeHead(304).end();
	};
}

const canned = (statusCode: number, body: string): Response => {
	const response = new PassThrough();
	response.end(body);
	return Object.assign(response, {statusCode, headers: {}}) as unknown as Response;
};

for (const [name, instance] of majors) {
	for (const scenario of scenarios) {
		test.serial(`${name}: after an unexpected 304, the caller sees of the second request what it would see of the first: ${scenario.title}`, async t => {
			await compare(t, scenario, instance, refusingOnce(Origin.start));
		});
	}

	for (const row of encryptedRows) {
		const scenario = scenarioOf(row, secure);
		test.serial(`${name}: after an unexpected 304 over HTTP/2, the caller sees of the second request what it would see of the first: ${scenario.title}`, async t => {
			await compare(t, scenario, instance, refusingOnce(SecureOrigin.start));
		});
	}

	test(`${name}: if the second request after an unexpected 304 fails, the stored response is served`, async t => {
		let count = 0;
		await using origin = await Origin.start((_request, response) => {
			count++;
			if (count === 1) {
				response.writeHead(200, {'cache-control': 'max-age=1'}).end('body');
			} else if (count === 2) {
				response.writeHead(304).end();
			} else {
				response.socket!.destroy();
			}
		});
		const {client, clock} = createClient({cacheControl: true, staleIfError: true}, instance);
		await client(origin.url);
		clock.advance(10);
		t.is((await client(origin.url)).body, 'body');
		t.is(count, 3);
	});

	for (const [title, first, second] of [
		['a response and then another', canned, canned],
		['a response and then a request', canned, undefined],
		['a request and then a response', undefined, canned],
	] as const) {
		test(`${name}: a request function may return ${title}`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.writeHead(first === undefined ? 304 : 200).end('origin');
			});
			const {client} = createClient({}, instance);
			let count = 0;
			const response = await client(origin.url, {
				request(url, options) {
					count++;
					return (count === 1 ? first?.(304, '') : second?.(200, 'canned')) ?? http.request(url, options as never);
				},
			});
			t.is(response.body, second === undefined ? 'origin' : 'canned');
			t.is(count, 2);
		});
	}

	test(`${name}: an abort before the second request is created ends it`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(304).end();
		});
		const {client} = createClient({}, instance);
		const controller = new AbortController();
		const {promise: made, resolve} = Promise.withResolvers<http.ClientRequest>();
		let count = 0;
		await t.throwsAsync(async () => client(origin.url, {
			signal: controller.signal,
			async request(url, options) {
				count++;
				if (count === 2) {
					controller.abort();
					await Promise.resolve();
				}

				const request = http.request(url, {...options, signal: undefined} as never);
				if (count === 2) {
					resolve(request);
				}

				return request;
			},
		}), {name: 'AbortError'});
		const second = await made;
		await new Promise<void>(close => {
			second.once('close', close);
		});
		t.true(second.destroyed);
		t.is(origin.count, 1);
	});
}
