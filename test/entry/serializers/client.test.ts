import {Buffer} from 'node:buffer';
import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import got from 'got';
import {
	cacheHooks,
	cacheInfo,
	compressed,
	createStore,
	encrypted,
	getCache,
	SerializerPipeline,
	signed,
	type CacheSettings,
	type StoreErrorEvent,
} from '../../../source/index.ts';
import {MemoryStore} from '../../../source/stores/memory.ts';
import type {Store} from '../../../source/stores/types.ts';
import {Origin} from '../../helpers/origin.ts';
import {testFolder} from '../../helpers/temporary-folder.ts';

const bytes = Buffer.from('{"name":"Ad\u{E8}le"}');

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		response.setHeader('content-type', 'application/json');
		response.setHeader('x-list', ['a', 'b']);
		if (request.headers['accept-encoding']?.includes('gzip') === true) {
			response.setHeader('content-encoding', 'gzip');
			response.end(gzipSync(bytes));
			return;
		}

		response.setHeader('content-length', bytes.length);
		response.end(bytes);
	});
}

/** Creates a store of bytes in memory, which tests may change. */
function bytesStore(): MemoryStore & Store {
	return Object.assign(new MemoryStore(), {valueType: 'bytes', name: 'bytes'});
}

const key = randomBytes(32);
const serializers = {
	binary: 'binary',
	v8: 'v8',
	json: 'json',
	yaml: 'yaml',
	bson: 'bson',
	'compressed, signed and encrypted JSON': new SerializerPipeline(['json', compressed('zstd'), signed({secret: 'secret'}), encrypted({key})]),
} as const;

for (const [name, serializer] of Object.entries(serializers)) {
	for (const storeEncoded of [false, true]) {
		for (const decodeContent of [false, true]) {
			test(`a hit equals a hit from memory: ${name}${storeEncoded ? ', storeEncoded' : ''}${decodeContent ? ', decodeContent' : ''}`, async t => {
				await using origin = await startOrigin();
				const settings: CacheSettings = {
					serializer, storeEncoded, decodeContent, cacheStatus: false,
				};
				const fromMemory = got.extend(cacheHooks({...settings, store: 'memory', serializer: undefined}), {responseType: 'buffer'});
				const client = got.extend(cacheHooks({...settings, store: bytesStore()}), {responseType: 'buffer'});
				const answers = [];
				for (const instance of [fromMemory, client]) {
					await instance(origin.url);
					const {body, headers, rawHeaders, statusCode, isFromCache} = await instance(origin.url);
					t.true(isFromCache);
					const {date: _date, ...others} = headers;
					answers.push({
						body: Buffer.from(body).toString(), headers: others, lines: rawHeaders.length, statusCode,
					});
				}

				t.deepEqual(answers[1], answers[0]);
				t.is(answers[1]!.body, bytes.toString());
				t.is(origin.count, 2);
			});
		}
	}
}

test('an entry that was changed in the store is reported, requested again and replaced', async t => {
	await using origin = await startOrigin();
	const store = bytesStore();
	const client = got.extend(cacheHooks({store, serializer: signed({secret: 'secret'})}));
	const errors: StoreErrorEvent[] = [];
	getCache(client).on('storeError', event => {
		errors.push(event);
	});

	await client(origin.url);
	await getCache(client).idle();
	for (const [entry, value] of await Array.fromAsync(store.iterate())) {
		const signedBytes = value as Uint8Array;
		store.set(entry, signedBytes.with(signedBytes.length - 1, 255 - signedBytes.at(-1)!), {expires: undefined});
	}

	const again = await client(origin.url);
	t.false(again.isFromCache);
	t.is(again.body, bytes.toString());
	t.deepEqual(errors.map(({operation, error}) => [operation, (error as {reason?: unknown}).reason]), [['decode', 'signature']]);
	t.true((await client(origin.url)).isFromCache);
	t.is(origin.count, 2);
});

test('a response that a stage cannot write is not stored, and the request succeeds', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('x'.repeat(1000));
	});
	const failing = {
		name: 'failing', takes: 'bytes', gives: 'bytes', async dumps() {
			throw new Error('no');
		}, loads: (value: Uint8Array) => value,
	} as const;
	const client = got.extend(cacheHooks({store: bytesStore(), serializer: failing}));
	const errors: StoreErrorEvent[] = [];
	getCache(client).on('storeError', event => {
		errors.push(event);
	});
	t.is((await client(origin.url)).body.length, 1000);
	await getCache(client).idle();
	t.deepEqual(errors.map(({operation, error}) => [operation, (error as Error).message]), [['set', 'no']]);
	t.false((await client(origin.url)).isFromCache);
});

test('the file of a response is JSON with a readable body, and no duplicate member', async t => {
	await using origin = await startOrigin();
	const folder = testFolder(t);
	const store = createStore('filesystem', {path: folder});
	const client = got.extend(cacheHooks({store, autoclose: true}));
	const cache = getCache(client);
	const sent = await client(origin.url);
	await cache.idle();

	const texts = await Promise.all((await Array.fromAsync(store.paths())).map(async file => readFile(file, 'utf8')));
	t.is(texts.length, 1);
	const entry = JSON.parse(texts[0]!) as Record<string, unknown>;
	t.is(entry.key, cacheInfo(sent).key);
	t.deepEqual(entry.body, {json: {name: 'Ad\u{E8}le'}});
	t.true(texts[0]!.includes('"name": "Ad\u{E8}le"'), texts[0]);
	// In indented JSON, each line with one tab begins a member of the top level.
	const members = texts[0]!.matchAll(/^\t(?<name>"[^"]+"):/gmv).map(({groups}) => JSON.parse(groups!.name!) as string).toArray();
	t.deepEqual(members, Object.keys(entry));
	t.is(new Set(members).size, members.length);

	const found = await client(origin.url);
	t.true(found.isFromCache);
	t.deepEqual(Buffer.from(found.rawBody), bytes);
	await cache.close();
});
