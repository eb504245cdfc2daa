import {Buffer} from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import got from 'got';
import {
	cacheHooks,
	createStore,
	getCache,
	type NotRecordedError,
} from '../../source/index.ts';
import {testFolder} from '../helpers/temporary-folder.ts';
import {record, textOf} from './helpers.ts';

test('each response has a file of its own, whose name has the method and the URL, and whose body can be read', async t => {
	const {origin, client, files, folder} = await record(t, (request, response) => {
		const {pathname} = new URL(request.url!, 'http://localhost');
		const bodies: Record<string, [type: string | undefined, body: string | Uint8Array]> = {
			'/users': ['application/json; charset=utf-8', '{"name":"Ada"}'],
			'/page': ['text/html; charset=iso-8859-1', Buffer.from('<p>\n\u{E9}</p>\n', 'latin1')],
			'/untyped': [undefined, '{"a":[1,2]}'],
			'/image': ['image/png', Buffer.from([0x89, 0x50, 0x4E, 0x47, 0, 255])],
			'/empty': ['text/plain', ''],
		};
		const [type, body] = bodies[pathname]!;
		if (type !== undefined) {
			response.setHeader('Content-Type', type);
		}

		response.end(body);
	});
	const {client: recorder, cache} = client('record');
	await recorder(`${origin.url}/users?page=1&api_key=SECRET`);
	await recorder.post(`${origin.url}/users`, {json: {name: 'Bob', password: 'SECRET'}});
	await recorder(`${origin.url}/page`);
	await recorder(`${origin.url}/untyped`);
	await recorder(`${origin.url}/image`);
	await recorder(`${origin.url}/empty`);
	await cache.idle();

	const written = files();
	const {port} = new URL(origin.url);
	t.deepEqual(Object.keys(written).map(name => name.replace(/-[\da-f]{12}\.json$/v, '')).toSorted(), [
		`GET-127.0.0.1-${port}-empty`,
		`GET-127.0.0.1-${port}-image`,
		`GET-127.0.0.1-${port}-page`,
		`GET-127.0.0.1-${port}-untyped`,
		`GET-127.0.0.1-${port}-users-page=1-api_key=REDACTED`,
		`POST-127.0.0.1-${port}-users`,
	]);
	const contents = Object.entries(written).map(([name, text]) => [name, JSON.parse(text) as {request: {json?: unknown}; response: Record<string, unknown>}] as const);
	const responseTo = (name: string): Record<string, unknown> => contents.find(([file]) => file.includes(name))![1].response;
	t.deepEqual(responseTo('GET-127.0.0.1-' + port + '-users').json, {name: 'Ada'});
	t.deepEqual(responseTo('page-').lines, ['<p>', '\u{E9}</p>', '']);
	t.deepEqual(responseTo('untyped').json, {a: [1, 2]});
	t.is(responseTo('image').base64, 'iVBORwD/');
	t.deepEqual(Object.keys(responseTo('empty')), ['statusCode', 'statusMessage', 'headers']);
	t.deepEqual(contents.find(([file]) => file.startsWith('POST'))![1].request.json, {name: 'Bob', password: 'REDACTED'});
	t.notRegex(JSON.stringify(written), /SECRET/v);
	t.true(fs.readdirSync(path.dirname(folder)).length === 1);

	const {client: player} = client('replay');
	t.deepEqual([...await player(`${origin.url}/image`).buffer()], [0x89, 0x50, 0x4E, 0x47, 0, 255]);
	t.deepEqual([...await player(`${origin.url}/page`).buffer()], [...Buffer.from('<p>\n\u{E9}</p>\n', 'latin1')]);
	t.is(await player(`${origin.url}/empty`).text(), '');
	t.deepEqual(await player(`${origin.url}/users?page=1&api_key=SECRET`).json(), {name: 'Ada'});
	t.is(origin.count, 6);
});

/** Headers of well-known origins and proxies that differ each time. */
const passingHeaders = [
	'X-RateLimit-Remaining',
	'X-Ratelimit-Remaining-Tokens',
	'RateLimit',
	'Anthropic-RateLimit-Requests-Remaining',
	'X-Ms-RateLimit-Remaining-Subscription-Reads',
	'X-App-Rate-Limit-Count',
	'X-Envoy-Upstream-Service-Time',
	'Openai-Processing-Ms',
	'X-Kong-Upstream-Latency',
	'X-Kong-Proxy-Latency',
	'X-Response-Time',
	'X-Processing-Time',
	'X-Runtime',
	'X-Request-Id',
	'X-Amzn-RequestId',
	'X-Amz-Apigw-Id',
	'X-Datadog-Parent-Id',
	'X-Fb-Debug',
	'X-Guploader-Uploadid',
	'CF-Ray',
];

for (const settings of [{}, {cacheControl: true}, {storeEncoded: true}, {storeSetCookie: true}]) {
	test(`a response that has not changed leaves its file as it is, with ${JSON.stringify(settings)}`, async t => {
		const {origin, client, files} = await record(t, (request, response, body) => {
			response.setHeader('Set-Cookie', `session=${Math.random()}`);
			for (const name of passingHeaders) {
				response.setHeader(name, String(Math.random()));
			}

			response.setHeader('Age', String(Math.floor(Math.random() * 100)));
			response.setHeader('Vary', 'Accept-Language, Accept-Encoding, Cookie');
			response.setHeader('ETag', '"1"');
			if (request.url === '/gzip') {
				response.setHeader('Content-Encoding', 'gzip');
				response.end(gzipSync('zipped'));
				return;
			}

			response.statusCode = request.url === '/redirect' ? 302 : (request.url === '/error' ? 500 : 200);
			response.setHeader('Location', '/target');
			response.end(`${request.method!} ${request.url!} ${body.length}`);
		});
		const run = async (): Promise<void> => {
			const {client: recorder, cache, faults} = client('record', settings);
			const form = new FormData();
			form.set('file', new File(['content'], 'name.txt'));
			await recorder(`${origin.url}/text`);
			await recorder(`${origin.url}/text`, {headers: {'accept-language': 'de'}});
			await recorder(`${origin.url}/gzip`);
			await recorder.head(`${origin.url}/text`);
			await recorder.post(`${origin.url}/form`, {body: form});
			await recorder(`${origin.url}/redirect`);
			await recorder(`${origin.url}/error`, {throwHttpErrors: false});
			await recorder.stream(`${origin.url}/stream`).toArray();
			await cache.idle();
			t.deepEqual(faults, []);
		};

		await run();
		const first = files();
		t.is(Object.keys(first).length, 9);
		await run();
		t.is(origin.count, 18);
		t.deepEqual(files(), first);
		t.notRegex(JSON.stringify(first), /generation|checksum|boundary|user-agent/iv);
	});
}

test('a response that has changed replaces its file, and no other', async t => {
	let name = 'Ada';
	const {origin, client, files} = await record(t, (_request, response) => {
		response.end(name);
	});
	const run = async (): Promise<Record<string, string>> => {
		const {client: recorder, cache} = client('record');
		await recorder(`${origin.url}/changing`);
		await cache.idle();
		return files();
	};

	const first = await run();
	name = 'Bob';
	const second = await run();
	t.deepEqual(Object.keys(second), Object.keys(first));
	t.regex(Object.values(second)[0]!, /"Bob"/v);
});

test('createdAt of a replay is the time of the recording', async t => {
	const {origin, client} = await record(t);
	const time = Date.UTC(2026, 1, 3);
	const {client: recorder, cache} = client('record', {now: () => time});
	await recorder(`${origin.url}/a`);
	await cache.idle();
	const {client: again, cache: other} = client('record', {now: () => time + 1e9});
	await again(`${origin.url}/a`);
	await other.idle();
	const {cache: replayed} = client('replay', {now: () => time + 1e10});
	t.is((await replayed.get({url: `${origin.url}/a`}))!.createdAt.getTime(), time);
});

test('a body, headers and a status that somebody edited are served, and the file stays as it was edited', async t => {
	const {origin, client, edit, files} = await record(t, (request, response) => {
		response.setHeader('ETag', '"1"');
		if (request.url === '/gzip') {
			response.setHeader('Content-Encoding', 'gzip');
			response.setHeader('Content-Type', 'text/plain');
			response.end(gzipSync('zipped'));
			return;
		}

		if (request.url === '/latin') {
			response.setHeader('Content-Type', 'text/plain; charset=iso-8859-1');
			response.end(Buffer.from('caf\u{E9}', 'latin1'));
			return;
		}

		response.setHeader('Content-Type', 'application/json');
		response.end('{"name":"Ada"}');
	});
	for (const settings of [{}, {storeEncoded: true}]) {
		const {client: recorder, cache} = client('record', settings);
		for (const url of ['/json', '/gzip', '/latin']) {
			await recorder(origin.url + url);
		}

		await cache.idle();
		const change = (name: RegExp, changed: (file: {response: {statusCode: number; headers: Record<string, unknown>; json?: unknown}} & Record<string, unknown>) => unknown): void => {
			edit(name, text => JSON.stringify(changed(JSON.parse(text) as never), undefined, 2));
		};

		change(/-json-/v, file => ({
			...file, response: {
				...file.response, statusCode: 203, headers: {...file.response.headers, 'x-edited': ['one', 'two'], 'content-length': 99}, json: {name: 'Grace Hopper'},
			},
		}));
		change(/-gzip-/v, ({response: {statusCode, headers}, ...file}) => ({...file, response: {statusCode, headers, text: 'edited'}}));
		change(/-latin-/v, file => ({...file, response: {...file.response, text: 'th\u{E9}'}}));
		const edited = files();

		const {client: player, faults} = client('replay', settings);
		const response = await player(`${origin.url}/json`);
		t.deepEqual([response.statusCode, response.headers['x-edited'], response.headers['content-length'], response.body], [203, 'one, two', '23', '{"name":"Grace Hopper"}']);
		t.is(await player(`${origin.url}/gzip`).text(), 'edited');
		t.deepEqual([...await player(`${origin.url}/latin`).buffer()], [...Buffer.from('th\u{E9}', 'latin1')]);
		const chunks = await player.stream(`${origin.url}/json`).toArray();
		t.is(textOf(chunks), '{"name":"Grace Hopper"}');
		t.deepEqual(faults, []);
		t.deepEqual(files(), edited);

		// A recorder that has what it needs leaves edited files alone, too.
		const {client: missing, cache: filled} = client('record-missing', settings);
		t.is(await missing(`${origin.url}/gzip`).text(), 'edited');
		await filled.idle();
		t.deepEqual(files(), edited);
	}
});

const breaks: ReadonlyArray<readonly [name: string, change: (text: string) => string, reason: RegExp]> = [
	['a comma that is missing', text => text.replace('"statusCode": 200,', '"statusCode": 200'), /Expected ',' or '\}' after property value/v],
	['an empty file', () => '', /Unexpected end of JSON input/v],
	['a word that is no JSON', text => text.replace('200', 'two SECRET'), /Unexpected token/v],
	['no response', text => text.replace('"response"', '"answer"'), /`response` is not an object/v],
	['a status that is none', text => text.replace('"statusCode": 200', '"statusCode": "fine"'), /`response\.statusCode` is not a status code/v],
	['a header of two lines', text => text.replace('application/json', String.raw`application/json\r\nx: y`), /the value of `Content-Type` in `response\.headers` is not a string of one line/v],
	['a charset that lacks a character', text => text.replace('application/json', 'application/json; charset=iso-8859-1').replace('"/broken"', '"\u{4E2D}"'), /lacks a character/v],
	['a status message of two lines', text => text.replace('"statusMessage": "OK"', String.raw`"statusMessage": "O\nK"`), /`response\.statusMessage` is not a string of one line/v],
	['a name of a header with a space', text => text.replace('"Content-Type"', '"Content Type"'), /`Content Type` in `response\.headers` is not the name of a header/v],
	['a body under another name', text => text.replace('"json": {', '"body": {'), /`response` has a member `body`, which is none of `json`, `text`, `lines` and `base64`/v],
	['Base64 with other characters', text => text.replace('"json": {', '"base64": "no base64!", "was": {'), /`base64` of `response` has other characters than Base64/v],
	['a time that is none', text => text.replace(/"recordedAt": "[^"]*"/v, '"recordedAt": "noon"'), /`recordedAt` is not a date/v],
	['another key', text => text.replace(/got-cache:2:\w/v, 'got-cache:2:z'), /its `key` or its `vary` is another/v],
	['a list', () => '[]', /the file is not an object/v],
];

for (const [name, change, reason] of breaks) {
	test(`a file with ${name} is an error that names the file, and is neither removed nor replaced`, async t => {
		const {origin, client, edit, files} = await record(t);
		const {client: recorder, cache} = client('record');
		await recorder(`${origin.url}/broken`);
		await recorder(`${origin.url}/whole`);
		await cache.idle();
		const file = edit(/-broken-/v, change);
		const broken = files();

		const {client: player, faults} = client('replay');
		for (const run of [async () => player(`${origin.url}/broken`), async () => player.stream(`${origin.url}/broken`).toArray()]) {
			const error = (await t.throwsAsync<Error & {code: string; cause: NotRecordedError}>(run()));
			t.is(error.code, 'ERR_NOT_RECORDED');
			t.true(error.message.includes(file), error.message);
			t.regex(error.message, reason);
			t.notRegex(error.message, /SECRET/v);
			t.is((error.cause.cause as {code: string}).code, 'ERR_RECORDING_FILE');
		}

		t.is(faults.length, 2);
		for (let round = 0; round < 10; round++) {
			await t.throwsAsync(player(`${origin.url}/broken`), {message: reason});
		}

		t.like(await player(`${origin.url}/whole`).json(), {path: '/whole'});

		for (const mode of ['record', 'record-missing'] as const) {
			const {client: again, cache: other, faults: ofAgain} = client(mode);
			t.like(await again(`${origin.url}/broken`).json(), {path: '/broken'});
			await other.idle();
			t.true(ofAgain.some(error => (error as Error).message.includes(file)));
			await other.delete({invalid: true});
			await other.clear();
		}

		t.is(files()[path.basename(file)], broken[path.basename(file)]);
	});
}

test('a replay writes nothing, and a folder that can only be read will do', async t => {
	const {origin, client, folder} = await record(t, (request, response) => {
		response.setHeader('Vary', 'Accept-Language');
		response.end(request.url);
	});
	const {client: recorder, cache} = client('record');
	await recorder(`${origin.url}/a`, {headers: {authorization: 'Bearer SECRET'}});
	await cache.idle();
	const parent = path.dirname(folder);
	const old = new Date(2020, 0, 1);
	for (const file of [...fs.readdirSync(folder).map(name => path.join(folder, name)), folder, parent]) {
		fs.utimesSync(file, old, old);
	}

	fs.chmodSync(folder, 0o555);
	t.teardown(() => {
		fs.chmodSync(folder, 0o755);
	});
	const state = (): unknown => [parent, folder, ...fs.readdirSync(folder).map(name => path.join(folder, name))].map(file => {
		const {mtimeMs, atimeMs, ctimeMs, size, mode} = fs.statSync(file);
		return [file, mtimeMs, file.endsWith('.json') ? undefined : atimeMs > 0, ctimeMs, size, mode];
	});
	const before = state();
	const {client: player, cache: replayed} = client('replay');
	await player(`${origin.url}/a`, {headers: {authorization: 'Bearer SECRET'}});
	await t.throwsAsync(player(`${origin.url}/b`), {code: 'ERR_NOT_RECORDED'});
	await t.throwsAsync(replayed.clear(), {code: 'ERR_STORE_READ_ONLY'});
	await replayed.close();
	t.deepEqual(state(), before);
});

test('a replay of a folder that does not exist says so, and does not make it', async t => {
	const {origin, client, folder} = await record(t);
	const {client: player} = client('replay');
	const error = (await t.throwsAsync(player(`${origin.url}/a`), {code: 'ERR_NOT_RECORDED'}));
	t.true(error.message.includes(`There is no folder \`${folder}\``), error.message);
	t.false(fs.existsSync(folder));
});

test('files of other programs in the folder stay, and are no recordings', async t => {
	const {origin, client, folder} = await record(t);
	fs.mkdirSync(path.join(folder, 'GET-folder-000000000000.json'), {recursive: true});
	fs.writeFileSync(path.join(folder, 'package.json'), '{}');
	fs.writeFileSync(path.join(folder, 'README.md'), 'read me');
	fs.writeFileSync(path.join(folder, 'GET-other-0123456789ab.json'), '{"other": true}');
	for (const [name, age] of [['.01234567-89ab-cdef-0123-456789abcdef.tmp', 1e6], ['.11234567-89ab-cdef-0123-456789abcdef.tmp', 1000], ['.other.tmp', 1e6]] as const) {
		fs.writeFileSync(path.join(folder, name), '{');
		fs.utimesSync(path.join(folder, name), (Date.now() - age) / 1000, (Date.now() - age) / 1000);
	}

	const {client: recorder, cache} = client('record');
	await recorder(`${origin.url}/a`);
	await cache.idle();
	t.deepEqual((await Array.fromAsync(cache.responses())).map(({url}) => url), [`${origin.url}/a`]);
	await cache.clear();
	t.deepEqual(fs.readdirSync(folder).toSorted(), ['.11234567-89ab-cdef-0123-456789abcdef.tmp', '.other.tmp', 'GET-folder-000000000000.json', 'GET-other-0123456789ab.json', 'README.md', 'package.json'].toSorted());
});

test('a store that is handed in or named by its URL keeps the same files', async t => {
	const {origin, client, files, folder} = await record(t);
	const {client: recorder, cache} = client('record');
	await recorder(`${origin.url}/a`);
	await cache.idle();
	const first = files();
	for (const store of [createStore('filesystem', {path: folder}), `file://${folder}` as const]) {
		const player = got.extend(cacheHooks({store, mode: 'replay'}));
		t.like(await player(`${origin.url}/a`).json(), {path: '/a'});
		const again = got.extend(cacheHooks({store, mode: 'record'}));
		await again(`${origin.url}/a`);
		await getCache(again).idle();
		t.deepEqual(files(), first);
	}

	const yaml = got.extend(cacheHooks({
		store: 'filesystem', cacheName: testFolder(t), serializer: 'yaml', mode: 'record-missing',
	}));
	await yaml(`${origin.url}/a`);
	await getCache(yaml).idle();
	const sent = origin.count;
	t.like(await yaml(`${origin.url}/a`).json(), {path: '/a'});
	t.is(origin.count, sent);
});

test('the methods of the cache find, list, change and delete recordings', async t => {
	const {origin, client, files} = await record(t, (request, response) => {
		response.setHeader('Vary', 'Accept-Language');
		response.setHeader('Cache-Tag', 'users');
		response.end(`${request.url!} ${request.headers['accept-language'] ?? ''}`);
	});
	const {client: recorder, cache} = client('record');
	for (const language of ['de', 'en', 'fr']) {
		await recorder(`${origin.url}/a`, {headers: {'accept-language': language}});
	}

	await recorder(`${origin.url}/b`);
	await cache.idle();
	t.is(Object.keys(files()).length, 4);
	t.is(await cache.count(), 4);
	t.is((await cache.get({request: {url: `${origin.url}/a`, headers: {'accept-language': 'en'}}}))!.text(), '/a en');
	t.deepEqual((await Array.fromAsync(cache.responses())).map(response => response.text()).toSorted(), ['/a de', '/a en', '/a fr', '/b ']);
	t.is((await cache.toHar()).log.entries.length, 4);
	await cache.delete({urls: [`${origin.url}/a`]});
	t.is(Object.keys(files()).length, 1);
	await cache.save({url: `${origin.url}/saved`}, {body: 'saved'});
	const {client: player} = client('replay');
	t.is(await player(`${origin.url}/saved`).text(), 'saved');
	await cache.clear();
	t.deepEqual(files(), {});
});
