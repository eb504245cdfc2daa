import path from 'node:path';
import test from 'ava';
import {
	cacheInfo,
	createKey,
	explain,
	getCache,
	type CacheSettings,
	type KeyCallback,
} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {LaterStore} from '../helpers/later-store.ts';
import {modes} from '../helpers/modes.ts';

/** Answers with the request. */
class AskedStore extends LaterStore {
	readonly asked: string[] = [];

	override async get(key: string): Promise<object | string | undefined> {
		this.asked.push(key);
		return super.get(key);
	}
}

const answerWithRequest: Handler = (request, response) => {
	response.writeHead(200, {'cache-control': 'max-age=600'});
	response.end(`${request.method} ${request.url} ${String(request.headers.authorization)}`);
};

const user = (name: string): {headers: {authorization: string}} => ({headers: {authorization: name}});

const wrong: ReadonlyArray<readonly [title: string, give: () => unknown]> = [
	...[false, true, 0, 5, NaN, 5n, '', null, Symbol('key'), {}, [], ['key'], () => 'key', new Date(0), new Object('key')].map((value, index) => [`${typeof value} ${index}`, () => value] as const),
	['a promise of null', async () => null],
	['a promise of an empty string', async () => ''],
	['a promise that rejects', async () => {
		throw new Error('fault');
	}],
	['what is only like a promise', () => ({
		then(resolve: (key: string) => void) {
			resolve('key');
		},
	})],
	['what it throws', () => {
		throw new Error('fault');
	}],
	['a throw of nothing', () => {
		throw undefined; // eslint-disable-line @typescript-eslint/only-throw-error -- A function may.
	}],
	['the key of a record of the cache', () => 'got-cache:1:secret'],
	['the key of another record', () => 'got-cache:1:lease:a'],
];

for (const [name, instance] of majors) {
	for (const [mode, settings] of modes) {
		test(`${name}, ${mode}: an invalid key from keyFn is a \`settingError\` event, and the request is sent without the cache`, async t => {
			await using origin = await Origin.start(answerWithRequest);
			for (const [title, give] of wrong) {
				const {client} = createClient({...settings, keyFn: give as KeyCallback}, instance);
				const faults: unknown[] = [];
				getCache(client).on('settingError', fault => {
					faults.push(fault.setting);
				});
				for (const who of ['one', 'two', 'one']) {
					const response = await client(origin.url, user(who));
					t.deepEqual([title, response.body, response.isFromCache], [title, `GET / ${who}`, false]);
					t.is(await readStream(client.stream(origin.url, user(who))), `GET / ${who}`);
					t.is((await client.head(origin.url, user(who))).statusCode, 200);
					t.is(cacheInfo(response).key, undefined);
				}

				await client.post(origin.url, user('one'));
				await getCache(client).idle();
				t.true(faults.length >= 9 && faults.every(setting => setting === 'keyFn'), title);
				t.is(await getCache(client).count(), 0, title);
			}
		});

		test(`${name}, ${mode}: a keyFn that returns undefined excludes the request from the cache without an error`, async t => {
			await using origin = await Origin.start(answerWithRequest);
			for (const keyFn of [() => undefined, async () => undefined]) {
				const {client} = createClient({...settings, keyFn}, instance);
				getCache(client).on('settingError', fault => {
					t.fail(fault.setting);
				});
				for (const _round of [1, 2]) {
					const response = await client(origin.url);
					t.deepEqual([cacheInfo(response).reason, cacheInfo(response).stored], ['key-refused', 'key-refused']);
				}
			}
		});

		test(`${name}, ${mode}: createKey includes the partition, with any store and in any use by the keyFn`, async t => {
			await using origin = await Origin.start(answerWithRequest);
			const functions: Record<string, KeyCallback> = {
				plainly: (request, create) => create(request),
				async later(request, create) {
					await Promise.resolve();
					return create(request);
				},
				caught(request, create) {
					try {
						return create(request);
					} catch {
						return request.url;
					}
				},
				async caughtLater(request, create) {
					try {
						await Promise.resolve();
						return create(request);
					} catch {
						return request.url;
					}
				},
				refused(request, create) {
					try {
						return create(request);
					} catch {
						return undefined;
					}
				},
				changed: (request, create) => create({...request, url: `${request.url}?changed`}),
			};
			for (const [title, keyFn] of Object.entries(functions)) {
				for (const [kind, store] of [['at once', new MemoryStore()], ['later', new AskedStore()]] as const) {
					const {client} = createClient({
						...settings, keyFn, store, now: Date.now,
					}, instance);
					for (const reason of ['miss', 'fresh']) {
						for (const who of ['one', 'two']) {
							const response = await client(origin.url, user(who));
							t.deepEqual([title, kind, response.body, cacheInfo(response).reason], [title, kind, `GET / ${who}`, reason]);
						}
					}

					t.false(cacheInfo(await client(origin.url)).fromCache);
				}
			}
		});
	}

	test(`${name}: a hit with a keyFn reads only its entry from the store`, async t => {
		await using origin = await Origin.start(answerWithRequest);
		for (const keyFn of [({url, headers}) => `${url} ${String(headers.authorization)}`, async ({url}) => url] as readonly KeyCallback[]) {
			const store = new AskedStore();
			const {client} = createClient({keyFn, store, now: Date.now}, instance);
			await client(origin.url, user('one'));
			await getCache(client).idle();
			for (const ask of [async () => (await client(origin.url, user('one'))).body, async () => readStream(client.stream(origin.url, user('one')))]) {
				store.asked.length = 0;
				t.is(await ask(), 'GET / one');
				t.is(store.asked.length, 1);
				t.true(store.asked[0]!.startsWith(origin.url));
			}
		}
	});

	test(`${name}: a key that the store cannot hold is refused with an event`, async t => {
		await using folder = await temporaryFolder();
		await using origin = await Origin.start(answerWithRequest);
		const {client} = createClient({store: 'filesystem', cacheName: path.join(folder.path, 'cache'), keyFn: ({url}) => url.repeat(1000)}, instance);
		const faults: string[] = [];
		getCache(client).on('settingError', ({error}) => {
			faults.push((error as {code: string}).code);
		});
		for (const _round of [1, 2]) {
			t.false((await client(origin.url)).isFromCache);
		}

		t.deepEqual(faults, ['ERR_KEY_TOO_LONG', 'ERR_KEY_TOO_LONG']);
		await t.throwsAsync(getCache(client).save({url: origin.url}, {body: 'a'}), {code: 'ERR_KEY_TOO_LONG'});
		await getCache(client).close();
	});

	test(`${name}: a GET does not wait for a HEAD with the same key from keyFn`, async t => {
		await using origin = await Origin.start((request, response) => {
			setTimeout(() => {
				response.end(request.method === 'HEAD' ? undefined : 'body');
			}, 50);
		});
		const {client} = createClient({keyFn: ({url}) => new URL(url).pathname}, instance);
		const [, get, other] = await Promise.all([client.head(origin.url), client(origin.url), client(origin.url)]);
		t.deepEqual([get.body, other.body], ['body', 'body']);
	});

	test(`${name}: the response to a HEAD never replaces that to a GET with the same key from keyFn`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.writeHead(200, {'content-length': '4'});
			response.end(request.method === 'HEAD' ? undefined : 'body');
		});
		for (const settings of [{}, byOrigin]) {
			for (const store of ['memory', new Map()] as const) {
				const {client} = createClient({...settings, store, keyFn: ({url}) => new URL(url).pathname}, instance);
				for (const _round of [1, 2]) {
					const head = await client.head(origin.url);
					t.is(head.headers['content-length'], '4');
					const get = await client(origin.url);
					t.is(get.body, 'body');
				}
			}
		}
	});
}

const stores: ReadonlyArray<readonly [name: string, open: (folder: string) => CacheSettings]> = [
	['memory', () => ({store: 'memory'})],
	['a Map', () => ({store: new Map()})],
	['SQLite', folder => ({store: 'sqlite', cacheName: path.join(folder, 'cache')})],
	['files', folder => ({store: 'filesystem', cacheName: path.join(folder, 'cache')})],
];

for (const [name, open] of stores) {
	test(`${name}: keys that a store may confuse never lead to another request's response`, async t => {
		await using folder = await temporaryFolder();
		await using origin = await Origin.start(answerWithRequest);
		const keys = ['a', 'A', 'a ', ' a', 'a\0', 'a\u{D800}', 'a\u{D801}', 'a\u{FFFD}', 'ä', 'a\u{308}', 'a/b', 'a%2Fb', '../a', 'a'.repeat(1000), `${'a'.repeat(999)}b`, '__proto__', 'toString', 'got-cache:2:a'];
		const {client} = createClient({...open(folder.path), keyFn: ({url}) => keys[Number(new URL(url).pathname.slice(1))]});
		await using cache = getCache(client);
		for (const _round of [1, 2]) {
			for (const index of keys.keys()) {
				t.is((await client(`${origin.url}/${index}`)).body, `GET /${index} undefined`, keys[index]);
			}
		}

		await cache.idle();
	});
}

test('explain throws the error of a keyFn, and a TypeError for an invalid key', async t => {
	for (const [, give] of wrong.slice(0, 5)) {
		const {client} = createClient({keyFn: give as KeyCallback});
		await t.throwsAsync(explain(client, {url: 'https://example.com'}), {instanceOf: TypeError, message: /keyFn/v});
		await t.throwsAsync(getCache(client).createKey({url: 'https://example.com'}), {instanceOf: TypeError, message: /keyFn/v});
		await t.throwsAsync(getCache(client).contains({url: 'https://example.com'}), {instanceOf: TypeError, message: /keyFn/v});
		await t.throwsAsync(getCache(client).save({url: 'https://example.com'}, {body: 'a'}), {instanceOf: TypeError, message: /keyFn/v});
	}
});

test('a keyFn sees the request as it is sent: its connection, its Host, its trust', async t => {
	await using origin = await Origin.start(answerWithRequest);
	const seen: unknown[] = [];
	const {client} = createClient({
		keyFn(request, create) {
			const {method, url, headers, body} = request;
			seen.push([method, url, headers.host, body]);
			return create(request);
		},
		allowableMethods: ['GET', 'POST'],
	});
	await client(origin.url, {headers: {host: 'a.example'}});
	await client.post(origin.url, {body: 'a', headers: {'x-http-method-override': 'get'}});
	t.deepEqual(seen, [['GET', `${origin.url}/`, 'a.example', undefined], ['POST:GET', `${origin.url}/`, undefined, 'a']]);
	t.is(await getCache(client).createKey({url: origin.url, headers: {host: 'a.example'}}), createKey({method: 'GET', url: `${origin.url}/`, headers: {Host: 'A.example'}})); // eslint-disable-line @typescript-eslint/naming-convention -- As it is written.
});
