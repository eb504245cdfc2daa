import {Buffer} from 'node:buffer';
import {mkdtemp, rm} from 'node:fs/promises';
import {createHash} from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {
	createCachedGot,
	getCache,
	type CacheSettings,
} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

// Such a body is kept in parts: 3.5 MiB of JSON whose bytes are nowhere the same for long.
const text = JSON.stringify({lines: Array.from({length: 90_000}, (_, index) => `the line with the number ${index * 31}`)});
const body = Buffer.from(text);
const digest = digestOf(body);

function digestOf(bytes: Uint8Array): string {
	return createHash('sha256').update(bytes).digest('hex');
}

/** Sends the body in chunks or at once, with its length or without, with or without a coding. */
async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		const {url} = request;
		const bytes = url === '/gzip' ? gzipSync(body) : body;
		response.writeHead(200, {
			'content-type': 'application/json',
			etag: '"1"',
			'cache-control': 'max-age=300',
			...(url === '/gzip' && {'content-encoding': 'gzip'}),
			...(url !== '/chunked' && {'content-length': bytes.byteLength}),
		});
		response.end(bytes);
	});
}

const paths = ['/length', '/chunked', '/gzip'] as const;

for (const [name, instance] of majors) {
	for (const url of paths) {
		test(`${name}: a large body of \`${url}\` is served whole from memory, to every kind of reader, which may change it`, async t => {
			await using origin = await startOrigin();
			const {client} = createClient({cacheControl: true}, instance);
			const target = origin.url + url;
			// Each reader changes what it gets.
			const chunks: Uint8Array[] = [];
			for await (const chunk of client.stream(target) as AsyncIterable<Uint8Array>) {
				chunks.push(Uint8Array.from(chunk));
				chunk.fill(0);
			}

			t.is(digestOf(Buffer.concat(chunks)), digest);
			for (let round = 0; round < 2; round++) {
				const buffer = await client(target).buffer();
				t.is(digestOf(buffer), digest);
				buffer.fill(0);
				t.is(await client(target).text(), text);
				t.deepEqual(await client(target).json(), JSON.parse(text));
				const hit: Uint8Array[] = [];
				for await (const chunk of client.stream(target) as AsyncIterable<Uint8Array>) {
					hit.push(Uint8Array.from(chunk));
					chunk.fill(0);
				}

				t.is(digestOf(Buffer.concat(hit)), digest);
			}

			t.is(origin.count, 1);
			const stored = await getCache(client).get({url: target});
			t.is(digestOf(stored!.body), digest);
			t.is(stored!.size, body.byteLength);
			t.is(stored!.text(), text);
		});
	}

	test(`${name}: ranges of a large body are served from memory, within a part and across parts`, async t => {
		await using origin = await startOrigin();
		const {client} = createClient({cacheControl: true}, instance);
		const target = `${origin.url}/length`;
		await client(target);
		const mebibyte = 1024 * 1024;
		for (const [start, end] of [[0, 1], [10, 20], [mebibyte - 1, mebibyte], [mebibyte - 1, mebibyte + 1], [mebibyte, 2 * mebibyte], [5, (3 * mebibyte) + 5], [body.byteLength - 1, body.byteLength], [0, body.byteLength]] as const) {
			const response = await client(target, {headers: {range: `bytes=${start}-${end - 1}`}, responseType: 'buffer'});
			t.is(response.statusCode, 206);
			t.true(response.isFromCache);
			t.is(digestOf(response.body), digestOf(body.subarray(start, end)), `${start}-${end}`);
		}

		t.is(origin.count, 1);
	});
}

test('`createCachedGot` serves a large body whole, in every form', async t => {
	await using origin = await startOrigin();
	const client = createCachedGot({store: 'memory', expireAfter: '5m', storeTimeout: 20_000});
	const target = `${origin.url}/length`;
	await client(target);
	t.is(digestOf(await client(target).buffer()), digest);
	t.is(await client(target).text(), text);
	t.deepEqual(await client(target).json(), JSON.parse(text));
	const response = await client(target);
	t.is(response.body, text);
	t.is(digestOf(response.rawBody), digest);
	t.is(origin.count, 1);
});

test('requests that wait for a large response get all of it', async t => {
	await using origin = await startOrigin();
	const {client} = createClient();
	const answers = await Promise.all(Array.from({length: 4}, async () => client(`${origin.url}/length`).buffer()));
	t.deepEqual(answers.map(answer => digestOf(answer)), Array.from({length: 4}, () => digest));
	t.is(origin.count, 1);
});

test('a store of bytes, and an archive, get all of a large body', async t => {
	await using origin = await startOrigin();
	const folder = await mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	const kinds: Readonly<Record<string, CacheSettings>> = {
		memory: {},
		sqlite: {store: 'sqlite', cacheName: path.join(folder, 'sqlite')},
		filesystem: {store: 'filesystem', cacheName: path.join(folder, 'files')},
		json: {
			store: 'filesystem', cacheName: path.join(folder, 'json'), serializer: 'json', decodeContent: true,
		},
		map: {store: new Map()},
		recordings: {store: 'filesystem', cacheName: path.join(folder, 'recordings'), mode: 'record-missing'},
	};
	for (const [name, settings] of Object.entries(kinds)) {
		const {client} = createClient(settings);
		const cache = getCache(client);
		const target = `${origin.url}/${name === 'memory' ? 'length' : 'chunked'}`;
		await client(target);
		await cache.idle();
		const response = await client(target).buffer();
		t.is(digestOf(response), digest, name);
		const {log} = await cache.toHar();
		t.is(log.entries[0]!.response.content.text, text, name);
		t.is(log.entries[0]!.response.bodySize, body.byteLength, name);
		await cache.close();
	}
});
