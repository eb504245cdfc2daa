import {Buffer} from 'node:buffer';
import zlib from 'node:zlib';
import test from 'ava';
import got from 'got';
import {
	cacheHooks,
	getCache,
	HttpCache,
	type CachedResponse,
	type CacheSettings,
} from '../../source/index.ts';
import {Origin} from '../helpers/origin.ts';

const text = JSON.stringify({items: Array.from({length: 100}, (_, id) => ({id}))});

const encoders: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
	gzip: zlib.gzipSync,
	'x-gzip': zlib.gzipSync,
	deflate: zlib.deflateSync,
	br: zlib.brotliCompressSync,
	zstd: zlib.zstdCompressSync,
};

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		const codings = request.url!.slice(1).split(',');
		let body: Uint8Array = Buffer.from(text);
		for (const coding of codings) {
			body = encoders[coding]!(body);
		}

		response.setHeader('content-type', 'application/json');
		response.setHeader('content-encoding', codings.join(', '));
		response.end(body);
	});
}

for (const path of [...Object.keys(encoders), 'gzip,br']) {
	test(`a response that is stored with the coding ${path} is decoded for filterFn, tags, users and HAR archives`, async t => {
		await using origin = await startOrigin();
		const seen: unknown[] = [];
		const settings: CacheSettings = {
			store: 'memory',
			storeEncoded: true,
			filterFn(response) {
				seen.push(response.json());
				return true;
			},
			tags(response: CachedResponse) {
				return [`items-${(response.json() as {items: unknown[]}).items.length}`];
			},
		};
		const client = got.extend(cacheHooks(settings), {decompress: false});
		const cache = getCache(client);
		const url = `${origin.url}/${path}`;
		const coded = await client(url).buffer();
		await cache.idle();
		t.deepEqual(seen, [JSON.parse(text)]);

		const [stored] = await Array.fromAsync(cache.responses());
		t.deepEqual(stored!.tags, ['items-100']);
		t.is(stored!.text(), text);
		t.is(Buffer.from(stored!.body).toString(), text);
		t.is(stored!.size, coded.byteLength);

		const har = await cache.toHar();
		t.is(har.log.entries[0]!.response.content.text, text);
		t.is(har.log.entries[0]!.response.content.size, text.length);
		t.is(har.log.entries[0]!.response.bodySize, coded.byteLength);

		const other = new HttpCache({store: 'memory'});
		t.is((await other.fromHar(har)).saved, 1);
		const replay = got.extend(cacheHooks({cache: other}));
		const response = await replay(url, {headers: {'accept-encoding': undefined}});
		t.true(response.isFromCache);
		t.is(response.body, text);
		t.is(origin.count, 1);

		// A response that is saved again is still coded, and its headers say so.
		await cache.save(stored!);
		t.deepEqual(await client(url).buffer(), coded);
		t.is(origin.count, 1);
	});
}

test('a coded body that cannot be decoded is read unchanged', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.setHeader('content-encoding', 'gzip');
		response.end('no gzip');
	});
	const client = got.extend(cacheHooks({store: 'memory', storeEncoded: true}), {decompress: false});
	await client(origin.url);
	const [stored] = await Array.fromAsync(getCache(client).responses());
	t.is(stored!.text(), 'no gzip');
	t.is((await getCache(client).toHar()).log.entries[0]!.response.content.encoding, 'base64');
});
