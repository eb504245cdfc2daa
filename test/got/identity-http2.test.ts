import type {IncomingMessage, RequestListener} from 'node:http';
import test from 'ava';
import type {OptionsInit} from 'got';
import {cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {startHttp2Origin} from '../helpers/tls-origin.ts';
import {cert, key} from '../helpers/certificates.ts';
import {modesWithHeaders} from '../helpers/modes.ts';

const identity = {cert, key};
// A Host names the server as well, which has another name here.
const secure = {http2: true, https: {certificateAuthority: identity.cert, checkServerIdentity: () => undefined}} as const;

/** Says what it was asked. */
function answerWithRequest(): RequestListener & {count: number} {
	const answer = Object.assign((request: IncomingMessage, response: Parameters<RequestListener>[1]) => {
		answer.count++;
		response.setHeader('cache-control', 'max-age=600');
		response.end(JSON.stringify([request.httpVersion, request.method, request.headers[':authority'], request.headers.host, request.url, request.headers['x-forwarded-host'], answer.count]));
	}, {count: 0});
	return answer;
}

const others: ReadonlyArray<readonly [title: string, options: OptionsInit]> = [
	['no header', {}],
	['a host', {headers: {host: 'a.example'}}],
	['another host', {headers: {host: 'b.example'}}],
	['an authority', {headers: {':authority': 'c.example'}}],
	['another authority', {headers: {':authority': 'd.example'}}],
	['a host and an authority', {headers: {host: 'a.example', ':authority': 'd.example'}}],
	['a host and another authority', {headers: {host: 'a.example', ':authority': 'c.example'}}],
	['an authority and a host', {headers: {':authority': 'c.example', host: 'a.example'}}],
	['X-Forwarded-Host', {headers: {'x-forwarded-host': 'a.example'}}],
];

for (const [name, instance] of majors) {
	for (const [mode, settings] of modesWithHeaders) {
		test.serial(`${name}, ${mode}: over HTTP/2, no request gets the response of another host`, async t => {
			const answer = answerWithRequest();
			const url = await startHttp2Origin(t, identity, answer);
			const client = createClient(settings, instance).client.extend(secure);
			const asked: Array<[options: OptionsInit, body: string, isFromCache: boolean]> = [];
			const refused: string[] = [];
			for (const [, options] of others) {
				const response = await client(url, options as object).catch((error: unknown) => error as Error);
				if (response instanceof Error) {
					refused.push(response.message);
				} else {
					asked.push([options, response.body, response.isFromCache]);
				}
			}

			const {count} = answer;
			// Got 14 sends pseudo-headers as they are given.
			t.is(count, {'Got 14': 7, 'Got 15': 2}[name] ?? 4);
			t.is(asked.length, count);
			t.true(asked.every(request => !request[2]));
			// Got sends no pseudo-header, and with a Host of Got 15 the origin sees two authorities.
			t.deepEqual(refused.filter(message => !/pseudo-headers are not supported|server aborted|does not match server/v.test(message)), []);
			for (const [options, body] of asked) {
				const response = await client(url, options as object);
				t.is(response.body, body);
				t.is(cacheInfo(response).reason, 'fresh');
				t.is(await readStream(client.stream(url, options as object)), body);
			}

			t.is(answer.count, count);
			const {host} = new URL(url);
			t.true((await client(url, {headers: {host}})).isFromCache);
		});
	}

	test.serial(`${name}: a response over HTTP/2 answers the same request over HTTP/1.1, and vice versa`, async t => {
		const answer = answerWithRequest();
		const url = await startHttp2Origin(t, identity, answer);
		const client = createClient({}, instance).client.extend({https: {certificateAuthority: identity.cert}});
		const ofTwo = client.extend({http2: true});
		t.regex((await ofTwo(`${url}/a`)).body, /^\["2.0"/v);
		t.true((await client(`${url}/a`)).isFromCache);
		t.regex((await client(`${url}/b`)).body, /^\["1.1"/v);
		t.true((await ofTwo(`${url}/b`)).isFromCache);
		t.is(answer.count, 2);
	});
}

test.serial('over HTTP/2, an unsafe request invalidates only the responses of its own host', async t => {
	const answer = answerWithRequest();
	const url = await startHttp2Origin(t, identity, answer);
	const {client: plain} = createClient(byOrigin);
	const client = plain.extend(secure);
	const hosts = [{}, {headers: {host: 'a.example'}}, {headers: {host: 'b.example'}}];
	for (const options of hosts) {
		await client(url, options);
	}

	await client.post(url, hosts[1]);
	await getCache(plain).idle();
	const fresh = await Array.fromAsync(hosts, async options => (await client(url, options)).isFromCache);
	t.deepEqual(fresh, [true, false, true]);
});
