import {Buffer} from 'node:buffer';
import test from 'ava';
import Ajv from 'ajv';
import harSchema from 'har-schema';
import {fc} from '../helpers/fast-check.ts';
import {
	cacheHooks,
	getCache,
	HttpCache,
	NotRecordedError,
	type Har,
} from '../../source/index.ts';
import {manage, testStores} from './test-stores.ts';

const ajv = new Ajv({schemas: Object.values(harSchema), meta: false, validateSchema: false});
const isHar = (har: unknown): boolean => ajv.validate('har.json', har) as boolean;

for (const [name, open] of testStores) {
	test(`${name}: only recorded responses are replayed`, async t => {
		const {origin, another} = await manage(t, open, {expireAfter: undefined});
		const ask = async (client: ReturnType<typeof another>['client']): Promise<unknown[]> => Array.fromAsync([
			client(`${origin.url}/a?cache-control=no-store`),
			client(`${origin.url}/a?cache-control=no-store`, {headers: {'cache-control': 'no-cache'}}),
			client.post(`${origin.url}/b`, {json: {one: 1}}),
			client.delete(`${origin.url}/c`),
			client(`${origin.url}/missing?status=503`, {throwHttpErrors: false}),
			client(`${origin.url}/from?status=302&location=/to`),
			client(`${origin.url}/mine`, {headers: {authorization: 'SECRET'}, context: {cache: {expireAfter: 0}}}),
		], ({statusCode, body}) => [statusCode, body]);

		const recorder = another({mode: 'record'});
		const recorded = await ask(recorder.client);
		await ask(recorder.client);
		t.is(origin.count, 16);
		await recorder.cache.idle();

		const {client} = another({mode: 'replay'});
		await origin[Symbol.asyncDispose]();
		t.deepEqual(await ask(client), recorded);
		for (const run of [
			client(`${origin.url}/other?api_key=SECRET`),
			client.post(`${origin.url}/b`, {json: {one: 2}}),
			client(`${origin.url}/a?cache-control=no-store`, {context: {cache: {disabled: true}}}),
			client(`${origin.url}/mine`, {headers: {authorization: 'OTHER'}}),
		]) {
			const error = await t.throwsAsync<Error & {code: string; cause: unknown}>(run);
			t.is(error.code, 'ERR_NOT_RECORDED');
			t.regex(error.message, /No response is recorded for `(?:GET|POST) http:/v);
			t.notRegex(error.message, /SECRET/v);
			t.true(error.cause instanceof NotRecordedError);
		}
	});

	test(`${name}: missing responses are recorded, and recorded ones are not requested again`, async t => {
		const {origin, another, clock} = await manage(t, open);
		const {client} = another({mode: 'record-missing'});
		for (const path of ['/a', '/b', '/a', '/b?status=500']) {
			await client(origin.url + path, {throwHttpErrors: false});
		}

		clock.advance(1e6);
		await client(`${origin.url}/a`);
		await client(`${origin.url}/b?status=500`, {throwHttpErrors: false});
		t.is(origin.count, 3);
	});

	test(`${name}: stored responses are exported as a valid HTTP archive, and imported again`, async t => {
		const {client, cache, origin, clock} = await manage(t, open, {allowableCodes: [200, 404], allowableMethods: ['GET', 'POST']});
		await client(`${origin.url}/text?content-type=text/plain&q=1`);
		await client.post(`${origin.url}/json`, {json: {one: 1}});
		await client.post(`${origin.url}/bytes`, {body: Buffer.from([0, 255])});
		await client(`${origin.url}/from?status=302&location=/to`);
		await client(`${origin.url}/mine`, {headers: {authorization: 'SECRET'}});
		await cache.save({url: `${origin.url}/binary`}, {body: new Uint8Array([0, 1, 255])});

		const har = await cache.toHar();
		t.true(isHar(har), JSON.stringify(ajv.errors));
		t.is(har.log.entries.length, 7);
		t.notRegex(JSON.stringify(har), /SECRET/v);
		t.is((await cache.toHar({urls: [`${origin.url}/to`]})).log.entries.length, 1);

		const other = new HttpCache({store: 'memory', now: clock.now, allowableMethods: ['GET', 'POST']});
		const {saved, skipped} = await other.fromHar(structuredClone(har), {expireAfter: '1h', tags: ['har']});
		t.is(saved, 5);
		t.deepEqual(skipped.map(({reason}) => reason).toSorted(), ['redacted', 'unusable']);
		const {default: got} = await import('got');
		const replay = got.extend(cacheHooks({cache: other}));
		const sent = origin.count;
		t.is(await replay(`${origin.url}/text?content-type=text/plain&q=1`).text(), '/text ');
		t.is(await replay.post(`${origin.url}/json`, {json: {one: 1}}).text(), '/json {"one":1}');
		t.deepEqual([...await replay(`${origin.url}/binary`).buffer()], [0, 1, 255]);
		t.is(await replay(`${origin.url}/from?status=302&location=/to`).text(), '/to ');
		t.is(origin.count, sent);
		t.deepEqual((await other.get({url: `${origin.url}/to`}))!.tags, ['har']);
		t.is((await other.get({url: `${origin.url}/to`}))!.expiresDelta, 3600);
	});
}

test('replay opens no socket, even where the store fails', async t => {
	const {client, origin, another} = await manage(t, testStores[0]![1]);
	const store = {
		get() {
			throw new Error('gone');
		}, set() {}, delete() {}, clear() {},
	};
	const replay = another({mode: 'replay', store: store as never}).client;
	await t.throwsAsync(replay(`${origin.url}/a`), {code: 'ERR_NOT_RECORDED'});
	const faulty = another({
		mode: 'replay',
		keyFn() {
			throw new Error('no key');
		},
	}).client;
	await t.throwsAsync(faulty(`${origin.url}/a`), {code: 'ERR_SETTING_FUNCTION'});
	await t.throwsAsync(replay.stream(`${origin.url}/a`).toArray(), {code: 'ERR_NOT_RECORDED'});
	t.is(origin.count, 0);
	t.true((await client(`${origin.url}/a`)).statusCode === 200);
	t.is(getCache(client).stats().misses, 1);
});

const valid: Har = {
	log: {
		version: '1.2',
		creator: {name: 'test', version: '1'},
		entries: [{
			startedDateTime: '2026-01-01T00:00:00.000Z',
			time: 5,
			request: {
				method: 'POST', url: 'https://example.com/', httpVersion: 'HTTP/1.1', cookies: [], headers: [{name: 'a', value: 'b'}], queryString: [], postData: {mimeType: 'text/plain', text: 'x'}, headersSize: -1, bodySize: 1,
			},
			response: {
				status: 200, statusText: 'OK', httpVersion: 'HTTP/1.1', cookies: [], headers: [], content: {size: 1, mimeType: 'text/plain', text: 'y'}, redirectURL: '', // eslint-disable-line @typescript-eslint/naming-convention -- HAR names it so.
				headersSize: -1, bodySize: 1,
			},
			cache: {},
			timings: {send: 0, wait: 5, receive: 0},
		}],
	},
};

// The members that `fromHar` uses; for others it may be more lenient than the schema.
const used = ['log', 'log.version', 'log.creator', 'log.creator.name', 'log.entries', 'log.entries.0.startedDateTime', 'log.entries.0.time', 'log.entries.0.request', 'log.entries.0.request.method', 'log.entries.0.request.url', 'log.entries.0.request.headers', 'log.entries.0.request.headers.0.name', 'log.entries.0.response', 'log.entries.0.response.status', 'log.entries.0.response.statusText', 'log.entries.0.response.headers', 'log.entries.0.response.content'];

test('an archive that violates the schema is refused with the path of the wrong member', async t => {
	t.true(isHar(valid));
	const cache = new HttpCache({store: 'memory'});
	t.deepEqual(await cache.fromHar(valid), {saved: 1, skipped: []});
	await fc.assert(fc.asyncProperty(fc.constantFrom(...used), fc.oneof(fc.constant(undefined), fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.constant([]), fc.constant({})), async (path, value) => {
		const har = structuredClone(valid) as unknown as Record<string, unknown>;
		const names = path.split('.');
		const last = names.pop()!;
		let parent = har;
		for (const name of names) {
			parent = parent[name] as Record<string, unknown>;
		}

		parent[last] = value;
		const refusals: string[] = [];
		try {
			await cache.fromHar(har);
		} catch (error) {
			refusals.push(String(error));
		}

		t.true(refusals.every(refusal => /^TypeError: .*har\.log/v.test(refusal)));
		t.true(isHar(har) || refusals.length === 1, `${path}: ${JSON.stringify(value)}`);
	}), {numRuns: 300});
	await t.throwsAsync(cache.fromHar('text'), {instanceOf: TypeError, message: /`har`/v});
});
