import {Buffer} from 'node:buffer';
import path from 'node:path';
import test from 'ava';
import type {OptionsInit} from 'got';
import {
	cacheInfo,
	getCache,
	type CacheSettings,
	type KeyCallback,
} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';

/** Says that what a POST brings is what a GET would. */
const asContent: Handler = (request, response, body) => {
	response.writeHead(200, {'cache-control': 'max-age=600', 'content-location': request.url!});
	response.end(`${request.method} ${body}`);
};

const typed = (type: string, body: string | Uint8Array, headers: Record<string, string> = {}): OptionsInit => ({headers: {'content-type': type, ...headers}, body: body as string});
const parts = (name: string): OptionsInit => typed('multipart/form-data; boundary=x', `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n1\r\n--x--\r\n`);
const formData = (name: string): OptionsInit => {
	const body = new FormData();
	body.append(name, '1');
	return {body: body as never};
};

/** POST requests, and whether their responses may answer a GET. */
const posts: ReadonlyArray<readonly [title: string, options: () => OptionsInit, isForGet: boolean, settings?: CacheSettings]> = [
	['nothing', () => ({}), true],
	['a text', () => ({body: 'a'}), true],
	['a form', () => ({form: {a: 1}}), true],
	['JSON', () => ({json: {a: 1}}), true],
	['parts', () => parts('a'), true],
	['a form with a credential', () => ({form: {password: 'a'}}), false],
	['a form with a credential that is ignored', () => ({form: {api_key: 'a'}}), false, {partitionBy: false}], // eslint-disable-line @typescript-eslint/naming-convention -- A name in use.
	['a form with a possible credential', () => ({form: {code: 'a'}}), false],
	['a form with a possible credential that is ignored', () => ({form: {code: 'a'}}), false, {ignoredParameters: ['code']}],
	['JSON with a credential', () => ({json: {user: {token: 'a'}}}), false],
	['JSON with a credential in a list', () => ({json: [{password: 'a'}]}), false],
	['JSON with a credential and `partitionBy: false`', () => ({json: {token: 'a'}}), false, {partitionBy: false}],
	['invalid JSON', () => typed('application/json', '{"token":'), false],
	['JSON with a credential and without a content type', () => ({body: '{"token":"a"}'}), false],
	['a form with a credential and another content type', () => typed('text/plain', 'a=1&password=a'), false],
	['a multipart body with a credential', () => parts('client_secret'), false],
	['malformed parts', () => typed('multipart/form-data; boundary=y', 'a'), false],
	['form data', () => formData('a'), false],
	['form data with a credential', () => formData('password'), false],
	['compressed JSON', () => typed('application/json', Buffer.from([1]), {'content-encoding': 'gzip'}), false],
	['a form in another charset', () => typed('application/x-www-form-urlencoded; charset=latin1', 'a=1'), false],
	['a tenant that the body names', () => ({json: {tenant: 'a'}}), false, {partitionBy: ({body}) => typeof body === 'string' ? body : ''}],
	['a tenant that no header names', () => ({json: {a: 1}}), true, {partitionBy: ({headers}) => String(headers['x-tenant'])}],
	['a credential in a header', () => ({json: {a: 1}, headers: {authorization: 'one'}}), true],
];

for (const [name, instance] of majors) {
	for (const [title, options, isForGet, settings] of posts) {
		test(`${name}: a POST of ${title} ${isForGet ? 'answers' : 'never answers'} a GET`, async t => {
			await using origin = await Origin.start(asContent);
			const {client} = createClient({...byOrigin, ...settings}, instance);
			const post = await client.post(origin.url, options() as object);
			await getCache(client).idle();
			t.is(cacheInfo(post).stored, isForGet ? 'stored' : 'method');
			const {headers} = options();
			const own = Object.fromEntries(Object.entries(headers ?? {}).filter(([field]) => !field.startsWith('content-')));
			const get = await client(origin.url, {headers: own});
			t.is(get.body.split(' ', 1)[0], isForGet ? 'POST' : 'GET');
			t.is((await client(origin.url)).body.split(' ', 1)[0], isForGet && own.authorization === undefined ? 'POST' : 'GET');
		});
	}

	test(`${name}: the response to a body written to a stream answers a GET, unless the body has named values`, async t => {
		await using origin = await Origin.start(asContent);
		for (const [type, isForGet] of [[undefined, true], ['text/plain', true], ['application/json', false], ['application/x-www-form-urlencoded', false], ['multipart/form-data; boundary=x', false]] as const) {
			const {client} = createClient(byOrigin, instance);
			const stream = client.stream.post(origin.url, {headers: {'content-type': type}});
			stream.end('a');
			t.is(await readStream(stream), 'POST a');
			await getCache(client).idle();
			t.is((await client(origin.url)).body, isForGet ? 'POST a' : 'GET ', String(type));
		}
	});

	test(`${name}: a partition function that throws for a POST is a \`settingError\` event, and the request is sent`, async t => {
		await using origin = await Origin.start(asContent);
		for (const partitionBy of [() => {
			throw new Error('fault');
		}, () => undefined, ({body}: {body?: unknown}) => body] as ReadonlyArray<(request: object) => unknown>) {
			const {client} = createClient({...byOrigin, partitionBy: partitionBy as never}, instance);
			const settings: string[] = [];
			getCache(client).on('settingError', ({setting}) => {
				settings.push(setting);
			});
			t.is((await client.post(origin.url, {json: {a: 1}})).statusCode, 200);
			t.is((await client(origin.url)).body, 'GET ');
			await getCache(client).idle();
			t.true(settings.length > 0 && settings.every(setting => setting === 'partitionBy'));
			t.is(await getCache(client).count(), 0);
		}
	});
}

test('the key that a keyFn makes for the GET is refused where the store cannot hold it', async t => {
	await using folder = await temporaryFolder();
	await using origin = await Origin.start(asContent);
	const keyFn: KeyCallback = ({method, url}) => method === 'GET' ? url.repeat(1000) : url;
	const {client} = createClient({
		...byOrigin, store: 'filesystem', cacheName: path.join(folder.path, 'cache'), keyFn,
	});
	const codes: unknown[] = [];
	getCache(client).on('settingError', ({error}) => {
		codes.push((error as {code?: unknown}).code);
	});
	getCache(client).on('storeError', () => {
		codes.push('storeError');
	});
	await client.post(origin.url);
	await getCache(client).close();
	t.true(codes.length > 0 && codes.every(code => code === 'ERR_KEY_TOO_LONG'), String(codes));
});
