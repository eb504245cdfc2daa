import {Buffer} from 'node:buffer';
import process from 'node:process';
import {setImmediate as turn} from 'node:timers/promises';
import {serialize, setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import type {Got, OptionsInit} from 'got';
import {type cacheInfo, getCache} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const maxBytes = 1_000_000;
const large = 'x'.repeat(50_000);
const wide = 'ж'.repeat(30_000);

const answers: ReadonlyArray<readonly [what: string, headers: Readonly<Record<string, string | string[]>>, body: string, request: (index: number) => OptionsInit, statusCode?: number]> = [
	['large bodies', {}, large, () => ({})],
	['bodies of JSON requests', {}, '{}', index => ({method: 'POST', json: {index, large}})],
	['bodies of JSON requests in two bytes a character', {}, '{}', index => ({method: 'POST', json: {index, wide}})],
	['forms', {}, '{}', index => ({method: 'POST', form: {index, large}})],
	['many fields in a multipart body', {}, '{}', index => ({method: 'POST', headers: {'content-type': 'multipart/form-data; boundary=b'}, body: Array.from({length: 500}, (_, part) => `--b\r\nContent-Disposition: form-data; name="${part} ${index}"\r\n\r\n1\r\n`).join('') + '--b--\r\n'})],
	['tags of the settings', {}, '{}', index => ({context: {cache: {tags: Array.from({length: 128}, (_, tag) => `${index} ${tag} `.padEnd(250, 't'))}}})],
	['tags of a header', {'cache-tag': Array.from({length: 100}, (_, tag) => `${tag}`.padEnd(100, 't')).join(',')}, '{}', () => ({})],
	['header fields of responses', Object.fromEntries(Array.from({length: 40}, (_, field) => [`x-${field}`, 'y'.repeat(300)])), '{}', () => ({})],
	['many lines of one field', {'x-lines': Array.from({length: 800}, (_, line) => `${line}`)}, '{}', () => ({})],
	['header fields of requests', {}, '{}', index => ({headers: {'x-large': `${index}`.padEnd(12_000, 'z')}})],
	['values by which a response varies', {vary: 'x-large, x-other'}, '{}', index => ({headers: {'x-large': `${index}`.padEnd(6000, 'z'), 'x-other': 'z'.repeat(6000)}})],
	['long URLs', {}, '{}', index => ({searchParams: {index, q: 'q'.repeat(12_000)}})],
	['redirects to long URLs', {location: `/${'l'.repeat(12_000)}`}, '', () => ({followRedirect: false}), 302],
	['cookies that redirects set', {location: '/', 'set-cookie': Array.from({length: 100}, (_, cookie) => `${cookie}${'c'.repeat(100)}=1`)}, '', () => ({followRedirect: false}), 302],
];

/** Measures everything in a store independently. */
async function measure(store: MemoryStore): Promise<number> {
	let bytes = 0;
	for await (const [key, value] of store.iterate()) {
		const {fields: _fields, ...stored} = value as {fields?: unknown};
		bytes += serialize(key).byteLength + serialize(stored).byteLength;
	}

	return bytes;
}

for (const [what, headers, body, request, statusCode = 200] of answers) {
	test(`the memory store keeps its bound on bytes, and \`size()\` agrees with the heap: ${what}`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(statusCode, headers);
			response.end(body);
		});
		const store = new MemoryStore({maxBytes, now: () => 0});
		const {client} = createClient({store, allowableMethods: ['GET', 'POST']});
		const cache = getCache(client);
		for (let index = 0; index < 120; index++) {
			await client(`${origin.url}/${index}`, {throwHttpErrors: false, ...request(index)} as OptionsInit & {isStream?: false});
		}

		await cache.idle();
		const [measured, size] = [await measure(store), await cache.size()];
		t.true(await cache.count() > 1);
		t.true(measured <= maxBytes, `${measured} bytes are held`);
		t.true(size <= maxBytes);
		t.true(size >= measured * 0.9 && size <= measured * 3, `${size} bytes are counted, ${measured} are held`);
	});
}

test('`size()` of a store that cannot measure itself equals that of the same entries in memory', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.setHeader('cache-tag', 'one,two');
		response.end(large);
	});
	const sizes: number[] = [];
	for (const store of [new MemoryStore({now: () => 0}), new Map()]) {
		const {client} = createClient({store, allowableMethods: ['GET', 'POST'], partitionSecret: 'x'.repeat(32)});
		for (let index = 0; index < 3; index++) {
			await client.post(origin.url, {json: {index, large}});
		}

		sizes.push(await getCache(client).size());
	}

	const [inMemory, listed] = sizes as [number, number];
	t.true(inMemory > 300_000);
	// The records of the cache count in memory, and are no entries elsewhere.
	t.true(Math.abs(inMemory - listed) < 2000, `${inMemory} ${listed}`);
});

test('a small decoded body does not retain the buffer in which it was decoded', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.setHeader('content-encoding', 'gzip');
		response.end(gzipSync('small'));
	});
	const store = new MemoryStore({now: () => 0});
	const {client} = createClient({store});
	await client(origin.url);
	await getCache(client).idle();
	const bodies = (await Array.fromAsync(store.iterate())).map(([, value]) => (value as {body?: Uint8Array}).body).filter(body => body !== undefined);
	t.deepEqual(bodies.map(body => [Buffer.from(body).toString(), body.buffer.byteLength]), [['small', 5]]);
});

test('a secret that was replaced in a body is not retained in memory', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('{}');
	});
	const {client} = createClient({store: 'memory', allowableMethods: ['GET', 'POST']});
	const ask = async (from: number, to: number): Promise<number> => {
		for (let index = from; index < to; index++) {
			await client.post(origin.url, {json: {index, password: `${index}`.padEnd(200_000, 'p'), rest: 'r'.repeat(20)}});
			origin.requests.length = 0;
		}

		collectGarbage();
		return process.memoryUsage().heapUsed;
	};

	const before = await ask(0, 10);
	const after = await ask(10, 110);
	t.true(after - before < 10_000_000, `${after - before} bytes are kept`);
});

test('a pending write counts with its decoded body and its metadata', async t => {
	await using origin = await Origin.start((request, response) => {
		if (request.url!.startsWith('/coded')) {
			response.setHeader('content-encoding', 'gzip');
			response.end(gzipSync(Buffer.alloc(40_000_000)));
		} else {
			response.end('{}');
		}
	});
	const ask = async (count: number, send: (client: Got, index: number) => Promise<Parameters<typeof cacheInfo>[0]>): Promise<unknown[]> => {
		const gate = Promise.withResolvers<void>();
		const store = new MemoryStore({now: () => 0});
		const set = store.set.bind(store);
		const {client} = createClient({
			store: Object.assign(store, {
				async set(...parameters: Parameters<typeof set>) {
					await gate.promise;
					set(...parameters);
				},
			}),
			storeTimeout: 60_000,
			allowableMethods: ['GET', 'POST'],
			now: () => Date.now(),
		});
		const cache = getCache(client);
		const codes: unknown[] = [];
		cache.on('storeError', ({error}) => {
			codes.push((error as {code: unknown}).code);
		});
		for (let index = 0; index < count; index++) {
			await send(client, index);
		}

		// Bodies are decoded beside the responses.
		while (codes.length < 3) {
			await turn();
		}

		gate.resolve();
		await cache.idle();
		codes.push(await cache.count());
		return codes;
	};

	const dropped = ['ERR_STORE_QUEUE', 'ERR_STORE_QUEUE', 'ERR_STORE_QUEUE'];
	t.deepEqual(await ask(4, async (client, index) => client(`${origin.url}/coded/${index}`)), [...dropped, 1]);
	t.deepEqual(await ask(73, async (client, index) => client.post(origin.url, {form: {index, large: 'x'.repeat(950_000)}})), [...dropped, 70]);
});
