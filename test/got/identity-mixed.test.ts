import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {createServer, type RequestListener} from 'node:http';
import {Agent} from 'node:https';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import {buffer} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import type {Got, OptionsInit} from 'got';
import {CookieJar} from 'tough-cookie';
import {getCache} from '../../source/index.ts';
import {Random} from '../chaos/random.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {startTlsOrigin} from '../helpers/tls-origin.ts';
import {cert, key} from '../helpers/certificates.ts';
import {modesWithHeaders} from '../helpers/modes.ts';
import {listen} from '../helpers/listen.ts';

const shownHeaders = ['host', 'x-forwarded-host', 'x-original-url', 'x-http-method-override', 'x-http-method', 'content-language', 'content-range', 'authorization', 'cookie', 'x-otp'];

/** Says all that it was asked, after a while. */
const echo: RequestListener = (request, response) => {
	void (async () => {
		const body = await buffer(request);
		await new Promise(resolve => {
			setTimeout(resolve, body.length % 7);
		});
		const socket = request.socket as {getPeerCertificate?: () => {fingerprint256?: string}};
		const said = JSON.stringify([
			request.method,
			request.url,
			...shownHeaders.map(name => request.headers[name] ?? null),
			(request.headers['content-type'] ?? '').replace(/boundary=[^;]+/v, ''),
			createHash('sha256').update(body.toString('latin1').replaceAll(/(?<!-)-*form-?data-[\w\-]+/gv, '')).digest('hex'),
			socket.getPeerCertificate?.().fingerprint256 ?? null,
		]);
		response.writeHead(200, {'cache-control': 'max-age=600', ...(request.url!.startsWith('/varies') && {vary: 'accept-language'})});
		response.end(request.method === 'HEAD' ? undefined : `${said}${request.url!.startsWith('/varies') ? String(request.headers['accept-language']) : ''}`);
	})();
};

const form = (fields: ReadonlyArray<readonly [string, string | Blob]>): OptionsInit => {
	const body = new FormData();
	for (const [name, value] of fields) {
		body.append(name, value);
	}

	return {method: 'POST', body: body as never};
};

/** Requests that each have their own response, created again each time. */
const requests: ReadonlyArray<(urls: {readonly plain: string; readonly secure: string}) => readonly [url: string, options: OptionsInit]> = [
	...['/', '/?a=1', '/varies'].flatMap(where => [
		{},
		{headers: {host: 'a.example'}},
		{headers: {host: 'b.example'}},
		{headers: {'x-forwarded-host': 'a.example'}},
		{headers: {'x-original-url': '/a'}},
		{headers: {authorization: 'one'}},
		{headers: {authorization: 'two'}},
		{headers: {authorization: 'one', host: 'a.example'}},
		{headers: {'x-otp': '1'}},
		{headers: {cookie: 'a=1'}},
		{headers: {'accept-language': 'de'}},
		{headers: {'accept-language': 'en', host: 'a.example'}},
		{headers: {'x-http-method-override': 'HEAD'}},
		{username: 'one', password: 'secret'},
		{username: 'two', password: 'secret'},
		{username: 'one', password: 'secret', headers: {host: 'a.example'}},
	].map(options => ({plain}: {plain: string}) => [plain + where, options] as const)),
	...[
		{body: ''},
		{body: 'a'},
		{body: 'a', headers: {'content-type': 'text/plain'}},
		{body: 'a', headers: {'content-type': 'text/plain', 'content-language': 'de'}},
		{body: 'a', headers: {'content-range': 'bytes 0-0/2'}},
		{body: 'a', headers: {'x-http-method-override': 'GET'}},
		{body: 'a', headers: {'x-http-method': 'GET'}},
		{json: {a: 1}},
		{json: {a: 2}},
		{json: {password: 'one'}},
		{json: {password: 'two'}},
		{form: {a: 1}},
		{body: 'a=é', headers: {'content-type': 'application/x-www-form-urlencoded; charset=latin1'}},
		{body: Buffer.from('a=é', 'latin1'), headers: {'content-type': 'application/x-www-form-urlencoded; charset=latin1'}},
	].map(options => ({plain}: {plain: string}) => [plain, {method: 'POST', ...options}] as const),
	...[
		[['a', '1']],
		[['a', '2']],
		[['password', 'one']],
		[['a', new Blob(['1'], {type: 'text/plain'})]],
		[['a', new Blob(['1'], {type: 'text/html'})]],
	].map(fields => ({plain}: {plain: string}) => [plain, form(fields as Array<[string, string]>)] as const),
	...[
		{https: {rejectUnauthorized: false}},
		{https: {certificateAuthority: cert}},
		{https: {certificateAuthority: cert, certificate: cert, key}},
		{agent: {https: new Agent({ca: cert, keepAlive: true})}},
		{https: {rejectUnauthorized: false}, headers: {host: 'a.example'}},
	].map(options => ({secure}: {secure: string}) => [secure, options] as const),
];

async function start(t: ExecutionContext): Promise<{plain: string; secure: string}> {
	const server = createServer({keepAliveTimeout: 600_000}, echo);
	await listen(server);
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return {plain: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, secure: await startTlsOrigin(t, {cert, key}, echo)};
}

for (const [name, instance] of majors) {
	for (const [mode, settings] of modesWithHeaders) {
		test.serial(`${name}, ${mode}: each of 400 requests, concurrent and sequential, gets the response that the origin has for it`, async t => {
			const seed = 20_261_601;
			t.log(`seed ${seed}`);
			const random = new Random(seed);
			await using folder = await temporaryFolder();
			const urls = await start(t);
			const allowing = {
				...settings, allowableMethods: ['GET', 'HEAD', 'POST'], store: 'sqlite', cacheName: path.join(folder.path, 'cache'),
			} as const;
			const clients = [createClient(allowing, instance).client, createClient(allowing, instance).client] as Got[];
			const expected = await Array.fromAsync(requests, async make => {
				const [url, options] = make(urls);
				return (instance as Got)(url, options as object).text();
			});
			let hits = 0;
			const ask = async (): Promise<void> => {
				const index = random.below(requests.length);
				const client = clients[random.below(2)]!;
				const [url, given] = requests[index]!(urls);
				const options = random.happens(0.2) ? {...given, cookieJar: new CookieJar()} : given;
				const read = async (): Promise<string> => {
					const response = await client(url, options as object);
					hits += response.isFromCache ? 1 : 0;
					return response.body;
				};

				const isStreamed = random.happens(0.3);
				t.is(await (isStreamed ? readStream(client.stream(url, options as object)) : read()), expected[index]!, String(index));
			};

			for (let round = 0; round < 50; round++) {
				await Promise.all(Array.from({length: 8}, ask));
			}

			t.true(hits > 100, String(hits));
			for (const client of clients) {
				await getCache(client).close();
			}
		});
	}
}
