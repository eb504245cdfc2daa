import {Buffer} from 'node:buffer';
import {execFile} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import http from 'node:http';
import test from 'ava';
import {settingsOfVariables} from '../../source/got/global/configuration.ts';
import {
	cached,
	cacheInfo,
	createKey,
	createStore,
	encrypted,
	explain,
	getCache,
	HttpCache,
	Invalidates,
	SerializerPipeline,
	signed,
	withoutNetwork,
	type CacheSettings,
	type KeyRequest,
	type StoreErrorEvent,
} from '../../source/index.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {
	findDigests,
	findMarkers,
	holds,
	markerOf,
} from './secrets/marker.ts';
import {errorTexts, textOf, Words} from './secrets/words.ts';

const marker = markerOf(1);
const target = `/;sid=${marker}?token=${marker}&page=2`;
const headers = {authorization: `Bearer ${marker}`, 'x-api-key': marker};

const leaksIn = (...texts: readonly string[]): string[] => findMarkers(texts.join('\n'));

async function startOrigin(): Promise<Origin> {
	return Origin.start((_request, response) => {
		response.end('answer');
	});
}

/** Ways in which a function fails that has seen a request. */
const failures: ReadonlyArray<readonly [title: string, fail: (request: KeyRequest) => never, kind: RegExp]> = [
	['an error about the URL', ({url}) => {
		throw new Error(`no key for ${url}`);
	}, /Error/v],
	['an error with everything that the function got', request => {
		throw Object.assign(new TypeError(`no key for\n    at ${request.url}`, {cause: new Error(marker, {cause: request})}), {request, code: marker});
	}, /TypeError/v],
	['an error with text that cannot be parsed', request => JSON.parse(String(request.headers.authorization)) as never, /SyntaxError/v],
	['an error of Node.js about a URL', ({url}) => {
		throw new Error(new URL(`http://[${url}`).href);
	}, /TypeError.*ERR_INVALID_URL/v],
	['a value that is not an error', ({headers: {authorization}}) => {
		throw authorization; // eslint-disable-line @typescript-eslint/only-throw-error -- Functions of others do so.
	}, /string/v],
];

type Setting = readonly [setting: 'keyFn' | 'partitionBy', settings: (fail: (request: KeyRequest) => never) => CacheSettings];

const seeing: readonly Setting[] = [
	['keyFn', fail => ({keyFn: request => fail(request)})],
	['keyFn', fail => ({keyFn: async request => fail(request)})],
	['keyFn', fail => ({
		async keyFn(request, createKey_) {
			await Promise.resolve();
			createKey_(request);
			return fail(request);
		},
	})],
	['partitionBy', fail => ({partitionBy: request => fail(request)})],
];

for (const [index, [setting, settingsOf]] of seeing.entries()) {
	for (const [title, fail, kind] of failures) {
		test(`${setting} (${index}) that throws ${title}: the error has its kind and place, and not its message`, async t => {
			await using origin = await startOrigin();
			const settings = settingsOf(fail);
			const {client} = createClient({...settings, cacheStatus: {key: true}});
			const words = new Words(getCache(client));
			const reported: unknown[] = [];
			getCache(client).on('settingError', ({setting: name, error}) => {
				t.is(name, setting);
				reported.push(error);
			});
			const response = await client(origin.url + target, {headers});
			t.is(cacheInfo(response).reason, 'error');
			words.say(response.headers, cacheInfo(response));
			await words.sayStored();
			t.deepEqual(findMarkers(words.end()), []);

			const [error] = reported as Array<Error & {code: string; thrown: () => unknown}>;
			t.is(reported.length, 1);
			t.is(error!.code, 'ERR_SETTING_FUNCTION');
			t.regex(error!.message, kind);
			t.true(error!.message.includes(setting));
			t.true(textOf(error!.thrown()).includes(marker), 'what was thrown can be had');
			t.true(typeof error!.thrown() === 'string' || /\n {4}at /v.test(error!.stack!));
			t.deepEqual(leaksIn(String(error), textOf(error), JSON.stringify(error)), []);

			const strict = createClient({...settings, failFast: true}).client;
			const thrown = await t.throwsAsync<Error>(strict(origin.url + target, {headers}));
			t.deepEqual(leaksIn(errorTexts(thrown)), []);
			await t.throwsAsync(getCache(client).createKey({url: origin.url + target, headers}), {code: 'ERR_SETTING_FUNCTION'});
		});
	}
}

test('the error of a request that a `keyFn` makes invalid does not show that request', async t => {
	await using origin = await startOrigin();
	const {client} = createClient({keyFn: (request, createKey_) => createKey_({...request, url: `http://[${request.url}`})});
	const words = new Words(getCache(client));
	const reported: unknown[] = [];
	getCache(client).on('settingError', ({error}) => {
		reported.push(error);
	});
	await client(origin.url + target, {headers});
	t.regex(String(reported[0]), /`keyFn` threw SettingError/v);
	t.deepEqual(findMarkers(words.end()), []);
});

test('errors of filterFn and of a tag function are shown, since these see only stored data', async t => {
	await using origin = await startOrigin();
	const fail = ({url, request}: {readonly url: string; readonly request?: unknown}): never => {
		throw new Error(`not ${url} ${JSON.stringify(request)}`);
	};

	for (const settings of [{filterFn: fail}, {tags: fail}, {filterFn: async response => fail(response)}] satisfies CacheSettings[]) {
		const {client} = createClient(settings);
		const words = new Words(getCache(client));
		const reported: unknown[] = [];
		getCache(client).on('settingError', ({error}) => {
			reported.push(error);
		});
		await client(origin.url + target, {headers});
		await getCache(client).idle();
		t.regex(String(reported[0]), /not http.*sid=REDACTED\?token=REDACTED&page=2/v);
		t.deepEqual(findMarkers(words.end()), []);
	}
});

class FaultyMap extends Map<string, unknown> {
	override get(key: string): never {
		throw new Error(`cannot get ${key}`);
	}

	override set(key: string, value: unknown): never {
		throw Object.assign(new Error(`cannot set ${key} to ${textOf(value)}`), {command: ['set', key, value]});
	}
}

test('a store that throws its arguments shows no credential, since it gets none', async t => {
	await using origin = await startOrigin();
	for (const serializer of ['json', 'binary', 'v8'] as const) {
		const {client} = createClient({store: new FaultyMap(), serializer, cacheStatus: {key: true}});
		const words = new Words(getCache(client));
		const operations: string[] = [];
		getCache(client).on('storeError', ({operation}: StoreErrorEvent) => {
			operations.push(operation);
		});
		await client.post(origin.url + target, {headers, json: {password: marker}, context: {cache: {allowableMethods: ['POST']}}});
		await getCache(client).idle();
		t.deepEqual(new Set(operations), new Set(['get', 'set']));
		t.deepEqual(findMarkers(words.end()), []);
	}
});

test('the error of a request without an answer shows no credentials', async t => {
	await using origin = await startOrigin();
	const plain = createClient().client;
	const replaying = createClient({mode: 'replay'}).client;
	const url = `http://user:${marker}@${new URL(origin.url).host}${target}`;
	for (const ask of [async () => replaying(url, {headers}), async () => withoutNetwork(async () => plain(url, {headers}))]) {
		const error = await t.throwsAsync<Error & {cause: Error}>(ask());
		t.regex(error.message, /GET http.*sid=REDACTED\?token=REDACTED&page=2/v);
		t.deepEqual(leaksIn(error.message, error.stack!, textOf(error.cause)), []);
	}

	t.is(origin.count, 0);
});

type Failure = 'connection' | 'time' | 'status' | 'rejection' | 'function';

/** Ways in which a refresh in the background fails. */
const refreshes: ReadonlyArray<readonly [title: string, failure: Failure, reported: RegExp]> = [
	['the connection is lost', 'connection', /ECONNRESET|socket hang up/v],
	['it takes too long', 'time', /^The refresh of http.*sid=REDACTED\?token=REDACTED&page=2 took longer than 2000 ms/v],
	['the origin fails', 'status', /refresh of http.*sid=REDACTED\?token=REDACTED&page=2 with 503/v],
	['the origin rejects its credentials', 'rejection', /refresh of http.*sid=REDACTED\?token=REDACTED&page=2 with 401/v],
	['a `request` function fails', 'function', /no token for http.*sid=REDACTED\?token=REDACTED/v],
];

for (const [title, failure, expected] of refreshes) {
	test(`a refresh in the background that fails, since ${title}, is reported without credentials`, async t => {
		await using origin = await Origin.start((_request, response) => {
			if (origin.count === 1) {
				response.end('answer');
			} else if (failure === 'status' || failure === 'rejection') {
				response.writeHead(failure === 'status' ? 503 : 401).end();
			} else if (failure === 'connection') {
				response.socket!.destroy();
			}
		});
		let isFirst = true;
		const {client: plain, clock} = createClient({expireAfter: 60, staleWhileRevalidate: '1d'});
		const client = plain.extend({
			request(url, options, callback) {
				if (failure === 'function' && !isFirst) {
					throw Object.assign(new Error(`no token for ${url.href}`), {options});
				}

				isFirst = false;
				return http.request(url, options as http.RequestOptions, callback as never);
			},
		});
		const words = new Words(getCache(client));
		const reported: unknown[] = [];
		getCache(client).on('backgroundError', ({error}) => {
			reported.push(error);
		});
		await client(origin.url + target, {headers});
		clock.advance(120);
		await client(origin.url + target, {headers, ...(failure === 'time' && {timeout: {request: 2000}})});
		await getCache(client).idle();
		t.is(reported.length, 1);
		const [error] = reported as Error[];
		t.regex(error!.message, expected);
		t.deepEqual(findMarkers(words.end()), []);
		t.deepEqual(leaksIn(String(error), textOf(error), JSON.stringify(error)), []);
	});
}

const badUrl = `elsewhere/?token=${marker}`;

/** Invalid values that hold a secret by mistake or by their name. */
const refusals: ReadonlyArray<readonly [title: string, refuse: () => unknown, path: RegExp]> = [
	['an unknown setting that may be a secret', () => new HttpCache({partitionSecrt: marker} as never), /partitionSecrt/v],
	['a wrong setting of a request', () => createClient().client.extend({context: {cache: {token: marker}}})('http://127.0.0.1:1/'), /token/v],
	['a secret that is a number', () => new HttpCache({partitionSecret: 1_234_567} as never), /partitionSecret/v],
	['a store URL with an unknown protocol', () => new HttpCache({store: `postgres://user:${marker}@db.example/name`} as never), /cache\.store/v],
	['a store URL with special characters in its password', () => new HttpCache({store: `postgres://user:a/b@c#d?${marker}@db.example`} as never), /cache\.store/v],
	['a store URL with a secret in its query', () => new HttpCache({store: `postgres://db.example/name?password=${marker}`} as never), /cache\.store/v],
	['a store URL that has only user info', () => new HttpCache({store: `user:${marker}@db.example`} as never), /cache\.store/v],
	['an invalid Redis URL', () => createStore('redis', {url: `redis://user:${marker}#@db.example:99999999`}), /url/v],
	['an invalid MongoDB URL', async () => createStore('mongodb', {url: `mongodb://user:${marker}@`}).get('a'), /host/v],
	['an unknown option of a store', () => createStore('redis', {password: marker} as never), /password/v],
	['a key of a serializer', () => encrypted({key: marker}), /key/v],
	['an unknown member of a serializer', () => signed({key: marker} as never), /key/v],
	['an environment variable', () => settingsOfVariables({GOT_CACHE_STORE_TIMEOUT: `5#${marker}`}), /GOT_CACHE_STORE_TIMEOUT/v], // eslint-disable-line @typescript-eslint/naming-convention -- A variable.
	['a URL to delete', async () => new HttpCache({store: 'memory'}).delete({urls: [badUrl]}), /urls\[0\]/v],
	['a URL to look for', async () => new HttpCache({store: 'memory'}).get({url: badUrl}), /url/v],
	['a request to look for', async () => new HttpCache({store: 'memory'}).contains({request: {url: badUrl, headers}}), /request/v],
	['a URL of an archive', async () => new HttpCache({store: 'memory'}).fromHar({log: {version: '1.2', creator: {name: 'a', version: '1'}, entries: [{startedDateTime: '2026-01-01T00:00:00Z', request: {url: badUrl}, response: {status: 200}}]}}), /entries\[0\]\.request\.url/v],
	['a header of an archive', async () => new HttpCache({store: 'memory'}).fromHar({log: {version: '1.2', creator: {name: 'a', version: '1'}, entries: [{startedDateTime: '2026-01-01T00:00:00Z', request: {url: 'http://a', headers: [{name: 'x-api-key', value: [marker]}]}, response: {status: 200}}]}}), /headers\[0\]\.value/v],
	['a header of `save`', async () => new HttpCache({store: 'memory'}).save({url: 'http://a'}, {headers: {'x-auth-token': [marker, 5 as never]}}), /x-auth-token/v],
	['a URL to invalidate', () => Invalidates({urls: ['a'], requests: [{url: badUrl}]}), /requests\[0\]/v], // eslint-disable-line new-cap -- Decorators have names like classes.
	['a URL to make a key of', () => createKey({method: 'GET', url: badUrl, headers}), /url/iv],
	['a URL to explain', async () => explain(createClient().client, {url: badUrl, headers}), /url/iv],
	['a setting that cannot be changed', () => Object.assign(getCache(createClient().client).settings, {partitionSecret: marker}), /partitionSecret/v],
	['a store that cannot be changed', () => Object.assign(getCache(createClient().client).settings, {store: `redis://user:${marker}@db.example`}), /store/v],
];

for (const [title, refuse, named] of refusals) {
	test(`${title} is refused by its name, and its value is not shown`, async t => {
		const error = await t.throwsAsync<Error>(async () => refuse(), {message: named});
		t.deepEqual(leaksIn(errorTexts(error), String(error)), []);
		t.false(errorTexts(error).includes('1234567'));
	});
}

test('settings are shown without their secrets at any depth', t => {
	const stages = [encrypted({key: Buffer.alloc(32, marker)}), signed({secret: marker})];
	const store = createStore('redis', {url: `redis://user:${marker}@127.0.0.1:1`});
	const shown = [
		store,
		createStore('mongodb', {url: `mongodb://user:${marker}@127.0.0.1:1`}),
		...stages,
		new SerializerPipeline(['json', ...stages]),
		...[
			{store: `redis://user:${marker}@127.0.0.1:1/0?password=${marker}`, partitionSecret: marker},
			{store, serializer: new SerializerPipeline(['json', ...stages]), partitionSecret: Buffer.from(marker)},
		].flatMap(settings => {
			const {client} = createClient(settings as CacheSettings);
			return [client, getCache(client), getCache(client).settings, JSON.stringify(getCache(client).settings), {...getCache(client).settings}];
		}),
	];
	for (const value of shown) {
		t.deepEqual(leaksIn(textOf(value)), []);
	}

	const {client} = createClient({store: `redis://user:${marker}@127.0.0.1:1/0`});
	t.is(getCache(client).settings.store as string, 'redis://…@127.0.0.1:1/0');
});

test('the arguments of a cached call are not stored, and its result is stored unchanged', async t => {
	const store = new Map<string, unknown>();
	const cache = new HttpCache({store, serializer: 'json'});
	const words = new Words(cache);
	let count = 0;
	const login = cached(async (user: string, {password}: {readonly password: string}) => `session ${++count} of ${user} ${password.length}`, '1h', {result: true, name: 'login', cache});
	const session = `session 1 of ada ${marker.length}`;
	t.is(await login('ada', {password: marker}), session);
	t.is(await login('ada', {password: marker}), session);
	await t.throwsAsync(async () => login('ada', {password: marker, on() {}} as never), {message: /argument 2 of .*function/v});
	await words.sayStored();
	const content = textOf(store);
	t.true(holds(content, 'session 1 of ada'), 'the result is stored as it is');
	t.deepEqual(findMarkers(content), []);
	t.deepEqual(findDigests(content, [marker]), []);
	t.deepEqual(findMarkers(words.end()), []);
});

test('with DEBUG a process writes decisions and faults to stderr, and no credential', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(200, request.url!.includes('given') ? {'x-auth-token': marker} : {});
		response.end(request.url!.includes('stalled') && origin.count > 9 ? undefined : 'answer');
	});
	const script = `
		import got from 'got';
		import {cacheHooks, getCache} from './source/index.ts';
		const [url, marker] = process.argv.slice(1);
		const fail = request => { throw new Error('about ' + request.url + JSON.stringify(request.headers)); };
		class Faulty extends Map { set(key, value) { throw new Error('cannot set ' + JSON.stringify(value)); } }
		let now = 0;
		for (const settings of [{}, {keyFn: fail}, {partitionBy: fail}, {filterFn: fail}, {tags: fail}, {store: new Faulty()}, {mode: 'record'}]) {
			const client = got.extend(cacheHooks({store: 'memory', expireAfter: 60, staleWhileRevalidate: '1d', now: () => now, allowableMethods: ['GET', 'POST'], ...settings}));
			const options = {headers: {authorization: 'Bearer ' + marker, 'x-api-key': marker}};
			const target = url + '/a;sid=' + marker + '?token=' + marker + '&page=2';
			await client(target, options);
			await client(target, options);
			await client.post(target, {...options, json: {password: marker}});
			await client(url + '/given?token=' + marker, options);
			now += 120000;
			await client(target, {...options, retry: {limit: 0}, request: url => { throw new Error('at ' + url); }}).catch(() => {});
			await getCache(client).idle();
			await getCache(client).delete({patterns: ['*']});
			await getCache(client).close();
		}
	`;
	const stderr = await new Promise<string>(resolve => {
		const options = {
			cwd: path.resolve(import.meta.dirname, '../..'), env: {...process.env, DEBUG: 'got-cache-hooks'}, // eslint-disable-line @typescript-eslint/naming-convention -- A variable.
		};
		execFile(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script, origin.url, marker], options, (_error, _stdout, output) => {
			resolve(output);
		});
	});
	for (const word of ['hit fresh GET', 'stored stored POST', 'refused secret-in-header', 'settingError keyFn', 'settingError partitionBy', 'settingError filterFn', 'settingError tags', 'storeError set', 'backgroundError', 'sid=REDACTED?token=REDACTED&page=2']) {
		t.true(stderr.includes(word), `${word} in ${stderr}`);
	}

	t.deepEqual(leaksIn(stderr), []);
});
