import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {setTimeout as delay} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import type {Got, OptionsInit, RequestError} from 'got';
import {
	cacheInfo,
	explain,
	getCache,
	type CacheSettings,
} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {until} from '../helpers/until.ts';
import {listen} from '../helpers/listen.ts';

type Upload = {readonly url: string; readonly headers: IncomingMessage['headers']; readonly bytes: Uint8Array};
/** Whether it has answered. */
type Answer = (upload: Upload, response: ServerResponse, count: number) => boolean;

/** An origin that keeps what it is sent, to the byte. */
async function startOrigin(t: ExecutionContext, answer: Answer = () => false): Promise<{readonly url: string; readonly uploads: Upload[]; readonly started: () => number}> {
	const uploads: Upload[] = [];
	let started = 0;
	const server = createServer({keepAliveTimeout: 600_000}, (request, response) => {
		started++;
		void (async () => {
			const bytes = await buffer(request).catch(() => undefined);
			if (bytes === undefined) {
				return;
			}

			const upload = {url: request.url!, headers: request.headers, bytes};
			uploads.push(upload);
			response.setHeader('cache-control', 'max-age=600');
			if (!answer(upload, response, uploads.length)) {
				response.end(`answer ${uploads.length}`);
			}
		})();
	});
	await listen(server);
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, uploads, started: () => started};
}

/** Form data as its receiver reads it. */
async function received({bytes, headers}: Upload): Promise<unknown[]> {
	const form = await new Response(bytes as never, {headers: {'content-type': headers['content-type']!}}).formData();
	return Array.fromAsync(form, async ([name, value]) => typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()]);
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const allowing = {allowableMethods: ['GET', 'POST', 'PUT']};

/** A POST makes invalid what the origin has said of its URL. */
const modes: ReadonlyArray<readonly [mode: string, method: 'POST' | 'QUERY', settings: CacheSettings]> = [
	['default settings', 'POST', allowing],
	['matchHeaders: true', 'POST', {...allowing, matchHeaders: true}],
	['cacheControl: true', 'QUERY', {allowableMethods: ['QUERY'], ...byOrigin}],
];

const text = (type: string, body: string | Uint8Array, headers: Record<string, string> = {}): OptionsInit => ({headers: {'content-type': type, ...headers}, body: body as string});
const form = 'application/x-www-form-urlencoded';

/** Bodies that all differ. */
const others: ReadonlyArray<readonly [title: string, options: OptionsInit]> = [
	['none', {}],
	['an empty text', {body: ''}],
	['a text', {body: 'a'}],
	['a text without a content type', {body: 'unknown'}],
	['the same word as a form', text(form, 'unknown')],
	['bytes', {body: Buffer.from([0x61, 0])}],
	['a form', {form: {a: 1, b: 2}}],
	['JSON', {json: {a: 1, b: 2}}],
	['JSON as another type', text('application/problem+json', '{"a":1,"b":2}')],
	['a text with a charset', text('text/plain; charset=utf-8', 'a')],
	['a text with another charset', text('text/plain; charset=iso-8859-1', 'a')],
	['a text in a language', text('text/plain', 'a', {'content-language': 'de'})],
	['a text in another language', text('text/plain', 'a', {'content-language': 'en'})],
	['a form in one charset', text(`${form}; charset=iso-8859-1`, 'a=%E9')],
	['a form in another charset', text(`${form}; charset=windows-1251`, 'a=%E9')],
	['a text in a charset', text(`${form}; charset=iso-8859-1`, 'a=é')],
	['bytes in that charset', text(`${form}; charset=iso-8859-1`, Buffer.from('a=é', 'latin1'))],
	['compressed JSON', text('application/json', gzipSync('{"a":1}'), {'content-encoding': 'gzip'})],
	['what says that it is compressed otherwise', text('application/json', gzipSync('{"a":1}'), {'content-encoding': 'deflate'})],
	['a range', text('text/plain', 'a', {'content-range': 'bytes 0-0/2'})],
	['another range', text('text/plain', 'a', {'content-range': 'bytes 1-1/2'})],
	['parts as a text', text('multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n')],
	['a credential', {form: {password: 'one'}}],
	['another credential', {form: {password: 'two'}}],
	['a credential in parts', text('multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="password"\r\n\r\none\r\n--x--\r\n')],
	['another credential in parts', text('multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="password"\r\n\r\ntwo\r\n--x--\r\n')],
];

/** Bodies that are equal to another one. */
const alike: ReadonlyArray<readonly [title: string, as: string, options: OptionsInit]> = [
	['the order of a form', 'a form', {form: {b: 2, a: 1}}],
	['the order and the white space of JSON', 'JSON', text('application/json', ' {"b":2, "a":1}')],
	['bytes of a text', 'a text', {body: Buffer.from('a')}],
	['the letter case of a charset', 'a text with a charset', text('Text/Plain; Charset="UTF-8"', 'a')],
	['the letter case of a language', 'a text in a language', text('text/plain', 'a', {'content-language': 'DE'})],
	['the boundary', 'parts as a text', text('multipart/form-data; boundary=other', '--other\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--other--\r\n')],
	['bytes of parts', 'parts as a text', text('multipart/form-data; boundary=x', Buffer.from('--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'))],
];

/** Form data that all differ, created again for each request. */
const formData: ReadonlyArray<readonly [title: string, entries: ReadonlyArray<readonly [name: string, value: string | Blob, file?: string]>]> = [
	['nothing', []],
	['a text', [['a', '1']]],
	['another text', [['a', '2']]],
	['another name', [['b', '1']]],
	['two texts', [['a', '1'], ['b', '2']]],
	['their order', [['b', '2'], ['a', '1']]],
	['a repeated name', [['a', '1'], ['a', '1']]],
	['a repeated name in order', [['a', '1'], ['a', '2']]],
	['a repeated name in another order', [['a', '2'], ['a', '1']]],
	['a file', [['a', new Blob(['1'], {type: 'text/plain'}), 'a.txt']]],
	['another file', [['a', new Blob(['2'], {type: 'text/plain'}), 'a.txt']]],
	['a file of another name', [['a', new Blob(['1'], {type: 'text/plain'}), 'b.txt']]],
	['a file of another type', [['a', new Blob(['1'], {type: 'text/html'}), 'a.txt']]],
	['a file without a name', [['a', new Blob(['1'], {type: 'text/plain'})]]],
	['bytes', [['a', new Blob([Buffer.from([0, 13, 10, 255])]), 'a.bin']]],
	['a name with signs', [['a"\r\nb', '1']]],
	['a credential', [['password', 'one'], ['a', '1']]],
	['another credential', [['password', 'two'], ['a', '1']]],
];

function made(entries: (typeof formData)[number][1]): OptionsInit {
	const data = new FormData();
	for (const [name, value, file] of entries) {
		if (typeof value === 'string') {
			data.append(name, value);
		} else {
			data.append(name, value, ...(file === undefined ? [] : [file]));
		}
	}

	return {body: data as never};
}

for (const [name, instance] of majors) {
	for (const [mode, method, settings] of modes) {
		test(`${name}, ${mode}: no request gets the response to another body`, async t => {
			const {url, uploads} = await startOrigin(t);
			const client = createClient(settings, instance).client.extend({method: method as 'POST'});
			const answers = new Map<string, string>();
			for (const [title, options] of others) {
				const response = await client(url, options as object);
				t.deepEqual([title, response.isFromCache], [title, false]);
				answers.set(title, response.body);
			}

			const same = settings.matchHeaders === true ? alike.filter(([title]) => title !== 'the letter case of a language') : alike;
			for (const [title, as, options] of [...others.map(([other, given]) => [other, other, given] as const), ...same]) {
				const response = await client(url, options as object);
				t.deepEqual([title, response.body, response.isFromCache], [title, answers.get(as)!, true]);
			}

			// With a body; without one, a stream may be written to.
			for (const [title, options] of others.slice(1)) {
				t.deepEqual([title, await readStream(client.stream(url, options as object))], [title, answers.get(title)!]);
			}

			t.is(uploads.length, others.length);
		});

		test(`${name}, ${mode}: the parts of form data are part of the key, through both APIs`, async t => {
			const {url, uploads} = await startOrigin(t);
			const client = createClient(settings, instance).client.extend({method: method as 'POST'});
			const answers: string[] = [];
			for (const [title, entries] of formData) {
				const response = await client(url, made(entries) as object);
				t.deepEqual([title, cacheInfo(response).reason, cacheInfo(response).stored], [title, 'miss', 'stored']);
				answers.push(response.body);
			}

			for (const [index, [title, entries]] of formData.entries()) {
				const response = await client(url, made(entries) as object);
				t.deepEqual([title, response.body, cacheInfo(response).reason], [title, answers[index]!, 'fresh']);
				t.deepEqual([title, await readStream(client.stream(url, made(entries) as object))], [title, answers[index]!]);
				t.is(new Set(uploads.map(({headers}) => headers['content-type'])).size, formData.length);
			}

			t.is(uploads.length, formData.length);
			const plain = await startOrigin(t);
			for (const [, entries] of formData) {
				await instance.post(plain.url, made(entries) as object);
			}

			for (const [index, [title]] of formData.entries()) {
				t.deepEqual([title, await received(uploads[index]!)], [title, await received(plain.uploads[index]!)]);
				t.deepEqual([title, uploads[index]!.headers['transfer-encoding'], uploads[index]!.headers['content-length']], [title, plain.uploads[index]!.headers['transfer-encoding'], plain.uploads[index]!.headers['content-length']]);
			}
		});
	}

	test(`${name}: form data of up to 10 MB is part of the key, and longer form data is sent as a stream`, async t => {
		const {url, uploads} = await startOrigin(t);
		const {client} = createClient({...allowing, maxEntryBytes: 1000}, instance);
		const bound = 10 * 1024 * 1024;
		const random = Buffer.alloc(bound + 1);
		for (let index = 0; index < random.length; index++) {
			random[index] = (index * 7919) % 251;
		}

		// What stands around the only file.
		const measured = await startOrigin(t);
		await instance.post(measured.url, made([['a', new Blob(['']), 'a']]) as object);
		const around = measured.uploads[0]!.bytes.length;
		for (const [size, stored] of [[bound - around, 'stored'], [bound - around + 1, 'body-not-keyable'], [bound + 1, 'body-not-keyable']] as const) {
			const content = random.subarray(0, size);
			for (let round = 0; round < 2; round++) {
				const count = uploads.length;
				const response = await client.post(url, made([['a', new Blob([content]), 'a']]) as object);
				t.deepEqual([size, cacheInfo(response).reason], [size, stored === 'stored' ? (round === 0 ? 'miss' : 'fresh') : stored]);
				t.is(uploads.length, count + (stored === 'stored' && round === 1 ? 0 : 1));
				const {bytes} = uploads.at(-1)!;
				const start = bytes.findIndex((_byte, index) => Buffer.from(bytes.buffer, bytes.byteOffset + index, 4).toString() === '\r\n\r\n') + 4;
				t.is(digest(bytes.subarray(start, start + size)), digest(content));
				t.is(bytes.length, size + around);
			}

			await readStream(client.stream.post(url, made([['a', new Blob([content]), 'a']]) as object));
			t.is(uploads.at(-1)!.bytes.length, size + around);
		}
	});

	// Got 14 may wait for the end of what is not kept for ever.
	const sizes = name === 'Got 14' ? [['short', 10]] as const : [['short', 10], ['too long to be buffered', 11 * 1024 * 1024]] as const;
	for (const [title, size] of sizes) {
		const upload = (): object => made([['a', new Blob([Buffer.alloc(size, 'x')]), 'a'], ['b', '1']]);

		test(`${name}: form data that is ${title} is sent again after a failure, and to the target of a redirect`, async t => {
			const failed = new Set<string>();
			const origin = await startOrigin(t, (sent, response) => {
				if (sent.url.startsWith('/fails') && !failed.has(sent.url)) {
					failed.add(sent.url);
					response.writeHead(503, {'retry-after': '0'});
				} else if (/^\/30[78]$/v.test(sent.url)) {
					response.writeHead(Number(sent.url.slice(1)), {location: '/end'});
				}

				return false;
			});
			const {client} = createClient(allowing, instance);
			const options: OptionsInit = {retry: {limit: 2, methods: ['POST', 'PUT'], calculateDelay: ({computedValue}) => computedValue === 0 ? 0 : 1}};
			const retried = async (asked: Got, where: string): Promise<unknown> => {
				try {
					return (await asked.post(origin.url + where, {...options, ...upload()} as object)).retryCount;
				} catch (error) {
					return (error as Error).message;
				}
			};

			// Got 15 cannot send form data again unless it is buffered.
			t.is(await retried(client, '/fails'), size < 1000 ? 1 : await retried(instance as Got, '/fails/plainly'));
			t.deepEqual(await received(origin.uploads[0]!), await received(origin.uploads[1]!));
			t.is(origin.uploads[0]!.bytes.length, origin.uploads[1]!.bytes.length);
			// Got 14 by itself cannot send a body of several chunks to where a redirect leads.
			const redirects = name === 'Got 14' ? [] : [['/307', 'post'], ['/308', 'put']] as const;
			for (const [where, method] of redirects) {
				const {url, redirectUrls, body} = await client[method](origin.url + where, upload());
				t.is(url, `${origin.url}/end`);
				t.is(redirectUrls.length, 1);
				const [one, other] = origin.uploads.slice(-2) as [Upload, Upload];
				t.deepEqual(await received(one), await received(other));
				const count = origin.uploads.length;
				t.is((await client[method](origin.url + where, upload())).body === body, size < 1000);
				t.is(origin.uploads.length, size < 1000 ? count : count + 2);
			}
		});
	}

	test(`${name}: form data that cannot be read fails as without a cache`, async t => {
		const {url} = await startOrigin(t);
		const {client} = createClient(allowing, instance);
		const fails = async function * (): AsyncGenerator<Uint8Array> {
			yield Buffer.from('--x\r\n');
			throw new Error('It cannot be read');
		};

		const typed = {headers: {'content-type': 'multipart/form-data; boundary=x'}};
		const cases: ReadonlyArray<readonly [title: string, options: () => object]> = [
			['a generator', () => ({body: fails(), ...typed})],
			['a Node stream', () => ({body: Readable.from(fails()), ...typed})],
		];
		const errorOf = async (asked: Got, options: object): Promise<unknown> => {
			const error = await t.throwsAsync<RequestError>(asked.post(url, {...options, retry: {limit: 0}}));
			return [error.name, error.code, error.message];
		};

		for (const [title, options] of cases) {
			t.deepEqual([title, await errorOf(client, options())], [title, await errorOf(instance as Got, options())]);
			const stream = client.stream.post(url, {...options(), retry: {limit: 0}} as object);
			const error = await t.throwsAsync<RequestError>(readStream(stream));
			t.deepEqual([title, [error.name, error.code, error.message]], [title, await errorOf(instance as Got, options())]);
		}

		t.is(await getCache(client).count(), 0);
	});

	test(`${name}: a request that is aborted or times out while its form data is read ends as without a cache`, async t => {
		const {url} = await startOrigin(t);
		const {client} = createClient(allowing, instance);
		let ended = 0;
		const stalls = async function * (signal: AbortSignal): AsyncGenerator<Uint8Array> {
			try {
				yield Buffer.from('--x\r\n');
				await delay(60_000, undefined, {signal, ref: false});
			} finally {
				ended++;
			}
		};

		const sources = new AbortController();
		const stalling = (): object => ({body: stalls(sources.signal), headers: {'content-type': 'multipart/form-data; boundary=x'}});
		const controller = new AbortController();
		const aborted = client.post(url, {...stalling(), signal: controller.signal});
		setTimeout(() => {
			controller.abort();
		}, 50);
		await t.throwsAsync(aborted, {name: 'AbortError'});
		const error = await t.throwsAsync<RequestError>(client.post(url, {...stalling(), timeout: {request: 100}}));
		t.like(error, {name: 'TimeoutError', code: 'ETIMEDOUT', message: 'Timeout awaiting \'request\' for 100ms'});
		await t.throwsAsync(client.post(url, {...stalling(), signal: AbortSignal.abort()}), {name: 'AbortError'});
		sources.abort();
		await until(() => ended >= 2);
	});

	test.serial(`${name}: the time to read form data counts towards the timeout of the request`, async t => {
		const {url} = await startOrigin(t, (_upload, response) => {
			response.write('a');
			return true;
		});
		const {client} = createClient(allowing, instance);
		const slow = async function * (): AsyncGenerator<Uint8Array> {
			await delay(700);
			yield Buffer.from('--x--');
		};

		const ended = (async () => {
			await t.throwsAsync(client.post(url, {body: slow(), headers: {'content-type': 'multipart/form-data; boundary=x'}, timeout: {request: 1400}}), {name: 'TimeoutError'});
			return 'the request';
		})();
		// With all of its time after the body is read, it would end after this one.
		t.is(await Promise.race([ended, delay(2000, 'a later timer')]), 'the request');
	});

	test(`${name}: a stream with multipart form data is read, and one with another type or method is not`, async t => {
		const {url, uploads, started} = await startOrigin(t);
		const {client} = createClient({allowableMethods: ['POST']}, instance);
		const content = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n';
		const typed = {headers: {'content-type': 'multipart/form-data; boundary=x'}};
		const streams: ReadonlyArray<readonly [title: string, make: () => unknown]> = [
			['a Node stream of bytes', () => Readable.from([Buffer.from(content)])],
			['a Node stream of texts', () => Readable.from([content.slice(0, 5), content.slice(5)])],
			['a web stream', () => new Blob([content]).stream()],
			['a generator', async function * () {
				yield Buffer.from(content);
			}],
		];
		for (const [title, make] of streams) {
			const given: unknown = make();
			const body = typeof given === 'function' ? (given as () => unknown)() : given;
			t.deepEqual([title, await client.post(url, {body, ...typed} as object).text()], [title, 'answer 1']);
		}

		t.is(uploads.length, 1);
		t.is(Buffer.from(uploads[0]!.bytes).toString(), content);

		// The origin has the first of it before the rest is there.
		for (const [method, type] of [['put', 'multipart/form-data; boundary=x'], ['post', 'text/plain']] as const) {
			const gate = Promise.withResolvers<void>();
			const waits = async function * (): AsyncGenerator<Uint8Array> {
				yield Buffer.from('first');
				await gate.promise;
				yield Buffer.from('last');
			};

			const before = started();
			const pending = client[method](url, {body: waits(), headers: {'content-type': type}} as object);
			while (started() === before) {
				await delay(5);
			}

			gate.resolve();
			t.is(cacheInfo(await pending).reason, method === 'put' ? 'method' : 'body-not-keyable');
			t.is(Buffer.from(uploads.at(-1)!.bytes).toString(), 'firstlast');
		}

		const disabled = await client.post(url, {...made([['a', '1']]), context: {cache: {disabled: true}}} as object);
		t.is(cacheInfo(disabled).reason, 'disabled');
		t.deepEqual(await received(uploads.at(-1)!), [['a', '1']]);
	});

	test(`${name}: form data is not read if POST is not in allowableMethods`, async t => {
		const {url, uploads} = await startOrigin(t);
		const {client} = createClient({}, instance);
		for (const _round of [1, 2]) {
			t.is(cacheInfo(await client.post(url, made([['a', '1']]) as object)).reason, 'method');
		}

		t.is(uploads.length, 2);
	});

	test(`${name}: a cached upload is found in the file of another process, and by explain`, async t => {
		await using folder = await temporaryFolder();
		const {url, uploads} = await startOrigin(t);
		const settings = {
			...allowing, store: 'sqlite', cacheName: path.join(folder.path, 'cache'), partitionSecret: 'a',
		} as const;
		for (const [round, reason] of (['miss', 'fresh'] as const).entries()) {
			const {client} = createClient(settings, instance);
			t.is(cacheInfo(await client.post(url, made([['a', new Blob(['1']), 'a.txt']]) as object)).reason, reason);
			t.is(cacheInfo(await client.post(url, made([['password', 'one']]) as object)).reason, reason);
			const {body, headers} = {body: Buffer.from(uploads[0]!.bytes), headers: {'content-type': uploads[0]!.headers['content-type']!}};
			t.is((await explain(client, {
				method: 'POST', url, body, headers,
			})).reason, 'fresh', String(round));
			await getCache(client).close();
		}

		t.is(uploads.length, 2);
	});
}
