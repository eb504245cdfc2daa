import test from 'ava';
import type {OptionsOfTextResponseBody, Response} from 'got';
import {credentialResponseHeaders} from '../../source/identity/credential-table.ts';
import {cacheInfo, getCache, type CacheSettings} from '../../source/index.ts';
import {createClient, readStream, type TestClient} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {findMarkers, markerOf} from './secrets/marker.ts';
import {textOf, Words} from './secrets/words.ts';

type Headers = Readonly<Record<string, string | string[]>>;

const marker = markerOf(1);
const url = `https://elsewhere.example/?page=2&X-Amz-Signature=${marker}`;

/** A client whose store is a `Map`, and what it has kept and said. */
function createWatched(settings: CacheSettings = {}): TestClient & {readonly leaks: () => Promise<string[]>} {
	const store = new Map<string, unknown>();
	const watched = createClient({
		store, serializer: 'json', decodeContent: true, cacheStatus: {key: true}, ...settings,
	});
	const words = new Words(getCache(watched.client));
	return {
		...watched,
		async leaks() {
			await words.sayStored();
			return [...findMarkers(textOf(store)), ...findMarkers(words.end())];
		},
	};
}

const answering = (headers: Headers, statusCode = 200): Handler => (_request, response) => {
	response.writeHead(statusCode, {...headers, 'x-plain': 'plain'});
	response.end('answer');
};

/** Responses that may not be stored: a header of them is a credential, or leads to one. */
const refused: ReadonlyArray<readonly [title: string, headers: Headers, statusCode?: number]> = [
	...[...credentialResponseHeaders].map(name => [name, {[name]: marker}] as const),
	['Location with a token in its query', {location: `/b?access_token=${marker}`}, 302],
	['Location with a token in its fragment', {location: `https://elsewhere.example/cb#access_token=${marker}`}, 303],
	['Location with user info', {location: `https://user:${marker}@elsewhere.example/`}, 301],
	['Location with a session in its path', {location: `/b;jsessionid=${marker}`}, 307],
	['Location with a URL with a token in its query', {location: `/login?next=${encodeURIComponent(`/b?token=${marker}`)}`}, 302],
	['Location of a created resource', {location: `/b?sig=${marker}`}, 200],
	['Link with a token', {link: `</1>; rel="prev", </3?page=3&api_key=${marker}>; rel="next"`}],
	['Link in several lines', {link: ['</1>; rel="prev"', `<${url}>; rel="next"`]}],
	['Refresh', {refresh: `5; url=/b?token=${marker}`}],
	['Refresh with quotes', {refresh: `0;URL='${url}'`}],
	['Refresh without its name', {refresh: `0; /b?token=${marker}`}],
	['Refresh with a comma', {refresh: `0,${url}`}],
	['another header whose value is a URL', {'x-download-url': url}],
	['another header whose value is a URL with user info', {'x-clone-url': `https://user:${marker}@elsewhere.example/a.git`}],
	['another header whose value is a path', {'x-next': `/items?page=2&access_token=${marker}`}],
];

for (const [title, headers, statusCode] of refused) {
	test(`a response with ${title} reaches the caller unchanged, and the reason why it is not stored is given`, async t => {
		await using origin = await Origin.start(answering(headers, statusCode));
		const {client, leaks} = createWatched();
		const options = {followRedirect: false};
		for (let count = 1; count <= 2; count++) {
			const response = await client(origin.url, options);
			t.is(cacheInfo(response).reason, 'miss');
			t.is(cacheInfo(response).stored, 'secret-in-header');
			for (const [name, value] of Object.entries(headers)) {
				t.is(response.headers[name], [value].flat().join(', '));
			}

			t.is(await readStream(client.stream(origin.url, options)), 'answer');
			t.is(origin.count, 2 * count);
		}

		t.deepEqual(await leaks(), []);
	});
}

/** Headers that are not stored, although the response is: only the caller of the request needs them. */
const left: ReadonlyArray<readonly [title: string, headers: Headers]> = [
	['Set-Cookie', {'set-cookie': [`a=${marker}; Path=/`, 'b=1']}],
	['Set-Cookie2', {'set-cookie2': `a=${marker}`}],
	['Content-Location with a token', {'content-location': `/b?api_key=${marker}`}],
	...['proxy-authenticate', 'proxy-authentication-info', 'proxy-authorization'].map(name => [name, {[name]: `Negotiate ${marker}`}] as const),
	['a header that the settings ignore', {'x-trace': marker}],
	['a header that the settings ignore, whose value is a URL', {'x-trace': url}],
];

for (const [title, headers] of left) {
	test(`a response with ${title} is stored without it`, async t => {
		await using origin = await Origin.start(answering(headers));
		const {client, leaks} = createWatched({ignoredParameters: ['X-Trace']});
		const first = await client(origin.url);
		const second = await client(origin.url);
		t.is(cacheInfo(second).reason, 'fresh');
		t.is(second.headers['x-plain'], 'plain');
		for (const [name, value] of Object.entries(headers)) {
			t.deepEqual(first.headers[name], value);
			t.is(second.headers[name], undefined);
		}

		t.deepEqual(await leaks(), []);
	});
}

/** Headers that look like a credential, or hold something that looks like one, and are none. */
const kept: Headers = {
	'access-control-allow-credentials': 'true',
	'access-control-allow-headers': 'authorization, x-api-key',
	'access-control-expose-headers': 'x-auth-token',
	'accept-signature': 'sig1=("@method");created;keyid="a"',
	'cache-tag': 'token, session',
	'content-disposition': 'attachment; filename="password.txt"',
	'content-security-policy': 'default-src \'self\'; report-uri https://o1.example/api/1/security/?sentry_key=1',
	'dpop-nonce': 'eyJ7S_zG.eyJH0-Z.HX4w-7v',
	etag: '"token=1"',
	'github-authentication-token-expiration': '2026-02-01 00:00:00 UTC',
	link: '</items?page=3&page_token=abc&sort_key=name>; rel="next"',
	nel: '{"report_to":"a","max_age":604800}',
	'operation-location': 'https://elsewhere.example/operations/1?api-version=2026-01-01',
	'report-to': String.raw`{"endpoints":[{"url":"https:\/\/a.example\/report\/v4?s=abc"}],"group":"a","max_age":604800}`,
	'repr-digest': 'sha-256=:abc=:',
	'sec-websocket-accept': 'abc=',
	signature: 'sig1=:abc=:',
	'x-csrf-protection': 'on',
	'x-ms-continuation-token': 'eyJwYWdlIjoyfQ==',
	'x-ms-session-token': '0:1#2',
	'x-next-page': '/items?page=3&next_token=abc',
	'x-password-policy': 'strong',
	'x-ratelimit-remaining-tokens': '5',
	'x-request-token': 'abc',
	'x-session-count': '3',
	'x-token-type': 'Bearer',
};

for (const [name, value] of Object.entries(kept)) {
	test(`a response with ${name} is stored, and a hit has its value as the origin sent it`, async t => {
		await using origin = await Origin.start(answering({[name]: value}));
		const {client} = createWatched();
		const first = await client(origin.url);
		t.is(cacheInfo(first).stored, 'stored');
		const response = await client(origin.url);
		t.is(cacheInfo(response).reason, 'fresh');
		t.is(response.headers[name], value);
		t.deepEqual(response.rawHeaders.slice(response.rawHeaders.indexOf(name)).slice(0, 2), [name, value]);
	});
}

const redirects: ReadonlyArray<readonly [location: string]> = [['/items?page_token=abc&state=1'], ['/b#section'], ['https://elsewhere.example/a;v=1?design=2']];

for (const [location] of redirects) {
	test(`a redirect to ${location} is stored`, async t => {
		await using origin = await Origin.start(answering({location}, 302));
		const {client} = createWatched();
		await client(origin.url, {followRedirect: false});
		const response = await client(origin.url, {followRedirect: false});
		t.is(cacheInfo(response).reason, 'fresh');
		t.is(response.headers.location, location);
	});
}

/** Headers of a 304 that must not be stored. */
const news: ReadonlyArray<readonly [title: string, headers: Headers, before: Headers]> = [
	['a token', {'x-auth-token': marker}, {}],
	['a session', {'x-session-id': marker}, {}],
	['cookies', {'set-cookie': [`a=${marker}`, 'b=1']}, {}],
	['a Link with a token', {link: `</3?api_key=${marker}>; rel="next"`}, {link: '</2>; rel="next"'}],
	['a Content-Location with a token', {'content-location': `/?token=${marker}`}, {'content-location': '/'}],
	['a download URL', {'x-download-url': url}, {'x-download-url': 'https://elsewhere.example/'}],
	['a header that the settings ignore', {'x-trace': marker}, {}],
];

for (const [title, headers, before] of news) {
	for (const cacheControl of [false, true]) {
		test(`${title} of a 304 ${cacheControl ? 'with cacheControl ' : ''}is passed to the caller, and is not stored`, async t => {
			await using origin = await Origin.start((_request, response) => {
				const isFirst = origin.count === 1;
				response.writeHead(isFirst ? 200 : 304, {
					etag: '"1"', 'cache-control': 'max-age=60', 'x-count': String(origin.count), ...(isFirst ? before : headers),
				});
				response.end();
			});
			const {client, leaks} = createWatched({ignoredParameters: ['x-trace'], cacheControl});
			const ask = async (options: OptionsOfTextResponseBody = {}): Promise<Response<string>> => client(origin.url, options);
			await ask();
			const asked = await ask({context: {cache: {refresh: true}}});
			t.is(cacheInfo(asked).reason, 'revalidated');
			const next = await ask();
			t.is(cacheInfo(next).reason, 'fresh');
			t.is(next.headers['x-count'], '2');
			for (const [name, value] of Object.entries(headers)) {
				t.deepEqual(asked.headers[name], value, 'for the caller who asked');
				t.is(asked.rawHeaders.filter(line => line.toLowerCase() === name).length, [value].flat().length);
				t.deepEqual(next.headers[name], before[name], 'for the next');
			}

			t.deepEqual(await leaks(), []);
		});
	}
}

test('concurrent callers get their own tokens', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(200, {'x-auth-token': `${marker}-${origin.count}`});
		response.end();
	});
	const {client, leaks} = createWatched();
	const responses = await Promise.all(Array.from({length: 20}, async () => client(origin.url)));
	t.is(new Set(responses.map(({headers}) => headers['x-auth-token'])).size, 20);
	t.deepEqual(await leaks(), []);
});

test('a response with a credential is not recorded, and replaying it fails', async t => {
	await using origin = await Origin.start(answering({'x-auth-token': marker}));
	const store = new Map();
	const recorder = createClient({store, mode: 'record'}).client;
	const target = `${origin.url}/;jsessionid=${marker}?token=${marker}`;
	t.is(cacheInfo(await recorder(target)).stored, 'secret-in-header');
	const error = await t.throwsAsync(createClient({store, mode: 'replay'}).client(target), {code: 'ERR_NOT_RECORDED', message: /jsessionid=REDACTED\?token=REDACTED/v});
	t.deepEqual(findMarkers(textOf([...store, error.message, error.stack, error.cause])), []);
});

test('the cookies of a redirect are stored by name, domain and path', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(request.url === '/b' ? 200 : 302, request.url === '/b' ? {} : {location: '/b', 'set-cookie': `named=${marker}`});
		response.end('answer');
	});
	const {client, leaks} = createWatched();
	await client(`${origin.url}/a;jsessionid=${marker}?api_key=${marker}`);
	const [stored] = await Array.fromAsync(getCache(client).filter({patterns: ['*/a*']}));
	t.is(stored?.url, `${origin.url}/a;jsessionid=REDACTED?api_key=REDACTED`);
	t.deepEqual(await leaks(), []);
});

test('with `storeSetCookie` a cookie is stored and served', async t => {
	await using origin = await Origin.start(answering({'set-cookie': `a=${marker}`}));
	const {client, leaks} = createWatched({storeSetCookie: true});
	await client(origin.url);
	t.deepEqual((await client(origin.url)).headers['set-cookie'], [`a=${marker}`]);
	t.not((await leaks()).length, 0);
});
