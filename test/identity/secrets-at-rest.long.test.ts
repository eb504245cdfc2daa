import {Buffer} from 'node:buffer';
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type got from 'got';
import {
	createStore,
	getCache,
	HttpCache,
	type CacheSettings,
} from '../../source/index.ts';
import {classifyName} from '../../source/identity/credentials.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {morePlainNames} from './more-names.ts';
import {plainNames} from './names.ts';
import {askAll} from './secrets/ask-all.ts';
import {findMarkers, markerOf} from './secrets/marker.ts';
import {places, placeSettings} from './secrets/places.ts';
import {keepings} from './secrets/stores.ts';
import {textOf, Words} from './secrets/words.ts';

const modes: ReadonlyArray<readonly [title: string, settings: CacheSettings]> = [
	['', {}],
	[' with cacheControl', {cacheControl: true, expireAfter: 60}],
	[' with matchHeaders and contentRootKey', {matchHeaders: true, contentRootKey: 'data'}],
	[' in mode record', {mode: 'record'}],
];

for (const keeping of keepings) {
	for (const [title, settings] of keeping[0] === 'SQLite' ? modes : modes.slice(0, 1)) {
		test.serial(`${keeping[0]}${title}: no credential of a request is stored or shown`, async t => {
			t.timeout(120_000);
			await askAll(t, keeping[1], settings);
		});
	}
}

test('the search finds a marker in every form', t => {
	const marker = markerOf(7);
	const forms = [
		marker,
		marker.toUpperCase(),
		encodeURIComponent(encodeURIComponent(`"${marker}`)),
		JSON.stringify([...Buffer.from(marker)]),
		[...marker].map(letter => String.raw`\u00${letter.codePointAt(0)!.toString(16)}`).join(''),
		...[`user:${marker}`, marker, `a${marker}`, `ab${marker}`].flatMap(text => ['base64', 'base64url', 'hex', 'utf16le'].map(encoding => Buffer.from(text).toString(encoding as BufferEncoding))),
		...['latin1', 'hex'].map(encoding => Buffer.from(marker, 'utf16le').toString(encoding as BufferEncoding)),
		Buffer.from(Buffer.from(`user:${marker}`).toString('base64')).toString('base64'),
	];
	const unread = forms.filter(form => findMarkers(form).length === 0);
	// Nothing writes UTF-8 bytes that are read as UTF-16.
	t.deepEqual(unread, forms.slice(5, 21).filter((_form, index) => index % 4 === 3));
	t.deepEqual(findMarkers('nothing'), []);
});

test('a newly ignored parameter is redacted in stored requests, and after `vacuum()` and closing in every byte of an SQLite file', async t => {
	await using folder = await temporaryFolder();
	await using origin = await Origin.start((request, response) => {
		response.end('x'.repeat(Number(request.url!.split('/', 2)[1])));
	});
	const inFile = async (use: (client: typeof got, cache: HttpCache) => Promise<void>, own: CacheSettings = {}): Promise<number> => {
		const store = createStore('sqlite', {path: path.join(folder.path, 'cache.sqlite'), now: () => 0});
		const {client} = createClient({store, now: () => 0, ...own});
		await use(client, getCache(client));
		await getCache(client).close();
		await store.vacuum();
		await store.close();
		const files = await fs.readdir(folder.path);
		const contents = await Promise.all(files.map(async file => fs.readFile(path.join(folder.path, file), 'latin1')));
		return findMarkers(contents.join('\n')).length;
	};

	t.is(await inFile(async client => {
		for (let index = 0; index < 30; index++) {
			await client(`${origin.url}/${[10, 3000, 300_000][index % 3]!}/${index}?my_own=${markerOf(index)}`, {headers: {referer: `https://a.example/?my_own=${markerOf(index)}`}});
		}
	}), 30);
	let moved = 0;
	const left = await inFile(async (_client, cache) => {
		({moved} = await cache.recreateKeys());
	}, {ignoredParameters: ['my_own']});
	t.is(moved, 30);
	t.is(left, 0);
});

// They say what a request is, or whether it is cached.
const ofConnections = /^(?:accept|cache|connection|content|expect|host|if|keep|max-forwards|pragma|proxy|range|te|trailer|transfer|upgrade|x-forwarded-host|x-http|x-method|x-original|x-rewrite)/iv;

test('plain values are stored and shown unchanged', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const {client} = createClient({allowableMethods: ['GET', 'POST']});
	const names = [...new Set([...Object.values(plainNames), ...Object.values(morePlainNames)].flat().filter(name => /^[\w\-.]+$/v.test(name)))];
	t.true(names.length > 200);
	const cache = getCache(client);
	for (let start = 0; start < names.length; start += 100) {
		const some = names.slice(start, start + 100);
		const values = Object.fromEntries(some.map((name, index) => [name, `value-${index}`]));
		const query = new URLSearchParams(values).toString();
		const headers = Object.fromEntries(some.map(name => name.toLowerCase()).filter(name => /^[\-a-z]{3,}$/v.test(name) && !ofConnections.test(name) && classifyName(name) === 'plain').map(name => [name, 'a plain value']));
		await client(`${origin.url}/${start}/query?${query}`, {headers});
		await client.post(`${origin.url}/${start}/form`, {form: values});
		await client.post(`${origin.url}/${start}/json`, {json: values});
		await cache.idle();
		const stored = new Map(await Array.fromAsync(cache.filter({patterns: [`*/${start}/*`]}), ({url, request}) => [new URL(url).pathname.split('/', 3)[2]!, request!] as const));
		t.is(stored.get('query')!.url, `${origin.url}/${start}/query?${query}`);
		t.like(stored.get('query')!.headers, headers);
		t.is(stored.get('form')!.body, query);
		t.deepEqual(JSON.parse(stored.get('json')!.body!), values);
	}

	t.false(JSON.stringify(await cache.toHar()).includes('REDACTED'));
});

test('the archive of a browser is imported and exported without its credentials', async t => {
	const store = new Map<string, unknown>();
	const cache = new HttpCache({...placeSettings, store, serializer: 'json'});
	const said = new Words(cache);
	const entries: object[] = [];
	const pairs = (values: object): object[] => Object.entries(values).map(([name, value]) => ({name, value: String(value)}));
	for (const [index, [, ask]] of places.entries()) {
		const {target = '', userInfo = '', options = {}} = await ask(markerOf(index));
		const {headers = {}, json, form, body, method = 'GET'} = options;
		const text = json === undefined ? body : JSON.stringify(json);
		const type = {'content-type': 'application/json'};
		entries.push({
			startedDateTime: '2026-01-01T00:00:00Z',
			time: 5,
			request: {
				method, url: `https://${userInfo}a.example/p${index}${target}`, httpVersion: 'HTTP/2', cookies: [{name: 'a', value: markerOf(index)}], queryString: [],
				headers: pairs({...(json !== undefined && type), ...headers, ':path': `/?token=${markerOf(index)}`}),
				...(typeof text === 'string' && {postData: {mimeType: '', text}}),
				...(form !== undefined && {postData: {mimeType: 'application/x-www-form-urlencoded', params: pairs(form)}}),
			},
			response: {
				status: 200, statusText: 'OK', cookies: [{name: 'a', value: markerOf(index)}],
				headers: pairs({'set-cookie': `a=${markerOf(index)}`, 'content-location': `/?token=${markerOf(index)}`}),
				content: {size: 6, mimeType: 'text/plain', text: 'answer'},
			},
			_initiator: {url: `https://a.example/?token=${markerOf(index)}`},
		});
	}

	const archive = (list: readonly object[]): object => ({log: {version: '1.2', creator: {name: 'a', version: '1'}, entries: list}});
	const {saved, skipped} = await cache.fromHar(archive(entries));
	t.deepEqual(skipped, []);
	t.is(saved, places.length);
	const handing = {
		...entries[0], response: {
			status: 200, statusText: '', headers: pairs({'x-auth-token': markerOf(1)}), content: {size: 0, mimeType: ''},
		},
	};
	t.deepEqual((await cache.fromHar(archive([handing]))).skipped, [{index: 0, reason: 'secret-in-header'}]);
	await said.sayStored();
	t.deepEqual(findMarkers(textOf(store)), []);
	t.deepEqual(findMarkers(said.end()), []);
	t.true(textOf(store).includes('page=2'));
});
