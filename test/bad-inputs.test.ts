import test, {type ExecutionContext} from 'ava';
import * as library from '../source/index.ts';
import {createCachedGot, HttpCache, withCacheSettings} from '../source/index.ts';

const request = {url: 'https://example.com'};
const client = createCachedGot({store: 'memory'});
const {cache} = client;
const archive = {log: {version: '1.2', creator: {name: 'a', version: '1'}, entries: []}};
const unused = (): never => {
	throw new Error('A function was called although another argument is wrong.');
};

type Call = (...inputs: never[]) => unknown;

/** Values that few parameters allow, `absent` for a call without the argument. */
const absent = Symbol('absent');
const values: ReadonlyMap<string, unknown> = new Map<string, unknown>([
	['absent', absent],
	['null', null],
	['5', 5],
	['text', 'x'],
	['{}', {}],
	['[]', []],
	['function', () => 5],
]);

/** A parameter of a public function: the path that messages begin with, the call, and the values that are allowed. */
type Row = readonly [path: string, call: Call, allowed?: readonly string[]];

const object = ['{}'];
const optional = ['absent', '{}'];
const action = ['function'];

/* eslint-disable @typescript-eslint/naming-convention -- The names of the exports, each of which must be here. */
const functions: Readonly<Record<string, readonly Row[]>> = {
	CacheConfig: [['CacheConfig', library.CacheConfig, optional]],
	Cached: [
		['Cached', library.Cached, ['absent', '5']],
		['Cached', (settings: never) => Reflect.apply(library.Cached, undefined, ['5m', settings]), optional],
	],
	HttpCache: [['cache', (settings: never) => new HttpCache(settings), optional]],
	Invalidates: [['Invalidates', library.Invalidates, ['{}', 'function']]],
	Refresh: [['Refresh', library.Refresh, ['absent']]],
	SerializerPipeline: [
		['stages', (stages: never) => new library.SerializerPipeline(stages), ['[]']],
		['options', (options: never) => new library.SerializerPipeline([], options), optional],
	],
	Uncached: [['Uncached', library.Uncached, ['absent']]],
	cacheContext: [['context.cache', library.cacheContext, object]],
	cacheHooks: [
		['cache', library.cacheHooks, optional],
		['cache.cache', (given: never) => library.cacheHooks({cache: given}), ['absent']],
		['cache.serializer', (serializer: never) => library.cacheHooks({serializer}), ['absent']],
		['cache.store', (store: never) => library.cacheHooks({store}), ['absent']],
	],
	cacheInfo: [['response', library.cacheInfo]],
	cacheKeyOf: [
		['method', library.cacheKeyOf],
		['method', (name: never): unknown => Reflect.apply(library.cacheKeyOf as (...inputs: unknown[]) => unknown, undefined, [{}, name])],
	],
	cacheOf: [['target', library.cacheOf, action]],
	cached: [
		['original', library.cached, action],
		['cached.expireAfter', (expireAfter: never) => library.cached(unused, expireAfter), ['absent', '5']],
		['cached', (settings: never) => library.cached(unused, '5m', settings), optional],
	],
	clear: [],
	compressed: [
		['compressed.algorithm', library.compressed],
		['compressed', (options: never) => library.compressed('zstd', options), optional],
	],
	createCachedGot: [
		['cache', library.createCachedGot, optional],
		['instance', (instance: never) => createCachedGot({store: 'memory'}, instance), ['absent']],
	],
	createKey: [
		['request', library.createKey],
		['settings', (settings: never) => library.createKey({method: 'GET', url: 'https://example.com', headers: {}}, settings), optional],
	],
	createStore: [['store', library.createStore]],
	deleteResponses: [
		['criteria', library.deleteResponses],
		['task', (task: never) => library.deleteResponses({expired: true}, task), optional],
	],
	disabled: [['action', library.disabled, action]],
	// The process is not registered.
	enabled: [['action', (given: unknown) => typeof given === 'function' || library.enabled({store: 'memory'}, given as never), action]],
	encrypted: [['encrypted', library.encrypted]],
	explain: [
		['client', (given: never) => library.explain(given, request)],
		['request', (given: never) => library.explain(client, given)],
		['settings', (settings: never) => library.explain(client, request, settings), optional],
	],
	getCache: [['instance', library.getCache, ['absent']]],
	getExpirationDatetime: [
		['expireAfter', library.getExpirationDatetime, ['absent', '5']],
		['start', (start: never) => library.getExpirationDatetime(5, start), ['absent']],
	],
	getUrlExpiration: [
		['url', (url: never) => library.getUrlExpiration(url, []), ['text']],
		['urlsExpireAfter', (patterns: never) => library.getUrlExpiration('https://example.com', patterns), ['{}', '[]']],
	],
	initSerializer: [
		['serializer', library.initSerializer],
		['options', (options: never) => library.initSerializer('json', options), optional],
	],
	installCache: [['instance', (instance: unknown) => instance === undefined ? library.isInstalled(5 as never) : library.installCache({store: 'memory'}, instance as never)]],
	invalidate: [
		['method', library.invalidate],
		['method', (name: never): unknown => Reflect.apply(library.invalidate as (...inputs: unknown[]) => unknown, undefined, [{}, name])],
	],
	isInstalled: [['instance', library.isInstalled, ['absent']]],
	normalizeBody: [
		['request', library.normalizeBody],
		['settings', (settings: never) => library.normalizeBody({url: 'https://example.com'}, settings), optional],
	],
	normalizeHeaders: [
		['headers', library.normalizeHeaders, object],
		['settings', (settings: never) => library.normalizeHeaders({}, settings), optional],
	],
	normalizeParams: [
		['parameters', library.normalizeParams, ['text']],
		['settings', (settings: never) => library.normalizeParams('', settings), optional],
	],
	normalizeRequest: [
		['request', library.normalizeRequest],
		['settings', (settings: never) => library.normalizeRequest({url: 'https://example.com'}, settings), optional],
	],
	normalizeUrl: [
		['url', library.normalizeUrl],
		['settings', (settings: never) => library.normalizeUrl('https://example.com', settings), optional],
	],
	parseCacheControl: [['value', library.parseCacheControl, ['absent', 'text']]],
	redactResponse: [
		['response', library.redactResponse],
		['settings', (settings: never) => library.redactResponse({url: 'https://example.com', headers: {}}, settings), optional],
	],
	signed: [['signed', library.signed]],
	uninstallCache: [['instance', library.uninstallCache, ['absent']]],
	withCacheSettings: [
		['withCacheSettings', (settings: never) => withCacheSettings(settings, unused), object],
		['original', (original: never) => withCacheSettings({}, original), action],
	],
	withoutNetwork: [['action', library.withoutNetwork, action]],
};

/* eslint-enable @typescript-eslint/naming-convention */

/** Exports whose instances only the library creates, and a function of the stores. */
const notCalled = new Set([
	'CacheHooksError', 'CachedRequest', 'CachedResponse', 'InvalidEntry', 'NotRecordedError', 'RedactedError', 'SettingError', 'StoreTimeoutError', 'UnreadableError', 'asKeyvAdapter',
]);

const methods: Readonly<Record<string, readonly Row[]>> = {
	clear: [],
	close: [],
	contains: [['target', (target: never) => cache.contains(target)]],
	count: [
		['criteria', (criteria: never) => cache.count(criteria), optional],
		['task', (task: never) => cache.count({}, task), optional],
	],
	createKey: [['request', (given: never) => cache.createKey(given)]],
	delete: [
		['criteria', (criteria: never) => cache.delete(criteria)],
		['task', (task: never) => cache.delete({expired: true}, task), optional],
	],
	disabled: [['action', (given: never) => cache.disabled(given), action]],
	expire: [
		['criteria', (criteria: never) => cache.expire(criteria)],
		['task', (task: never) => cache.expire({expired: true}, task), optional],
	],
	explain: [
		['request', (given: never) => cache.explain(given)],
		['settings', (settings: never) => cache.explain(request, settings), optional],
	],
	filter: [
		['criteria', (criteria: never) => first(cache.filter(criteria)), optional],
		['task', (task: never) => first(cache.filter({}, task)), optional],
	],
	fromHar: [
		['har', (har: never) => cache.fromHar(har)],
		['options', (options: never) => cache.fromHar(archive, options), optional],
	],
	get: [
		['target', (target: never) => cache.get(target)],
		['target', (key: never) => cache.get({key}), ['text']],
		['target', (url: never) => cache.get({url})],
		['target.request', (given: never) => cache.get({request: given ?? 0})],
	],
	idle: [],
	ready: [],
	recreateKeys: [['task', (task: never) => cache.recreateKeys(task), optional]],
	resetExpiration: [
		['expireAfter', (expireAfter: never) => cache.resetExpiration(expireAfter), ['5']],
		['criteria', (criteria: never) => cache.resetExpiration(5, criteria), optional],
		['task', (task: never) => cache.resetExpiration(5, {}, task), optional],
	],
	resetStats: [],
	responses: [['task', (task: never) => first(cache.responses(task)), optional]],
	save: [
		['request', (given: never) => cache.save(given, {})],
		['request.headers', (headers: never) => cache.save({...request, headers}, {}), optional],
		['request.headers["a"]', (line: never) => cache.save({...request, headers: {a: line}}, {}), ['absent', '5', 'text', '[]']],
		['request.method', (method: never) => cache.save({...request, method}, {}), ['absent', 'text']],
		['request.body', (body: never) => cache.save({...request, body}, {}), ['absent', 'text']],
		['response', (response: never) => cache.save(request, response), object],
		['response.headers', (headers: never) => cache.save(request, {headers}), optional],
		['response.headers["a"]', (line: never) => cache.save(request, {headers: {a: line}}), ['absent', 'text', '[]']],
		['response.statusCode', (statusCode: never) => cache.save(request, {statusCode}), ['absent']],
		['response.body', (body: never) => cache.save(request, {body}), ['absent', 'text']],
		['response.rawBody', (rawBody: never) => cache.save(request, {rawBody}), ['absent']],
		['options', (options: never) => cache.save(request, {}, options), optional],
		['options.expireAfter', (expireAfter: never) => cache.save(request, {}, {expireAfter}), ['absent', '5']],
		['options.tags', (tags: never) => cache.save(request, {}, {tags}), ['absent', '[]']],
	],
	size: [
		['task', (task: never) => cache.size(task), optional],
		['task.signal', (signal: never) => cache.size({signal}), ['absent']],
		['task.onProgress', (onProgress: never) => cache.size({onProgress}), ['absent', 'function']],
	],
	sorted: [
		['sorting', (sorting: never) => first(cache.sorted(sorting)), optional],
		['task', (task: never) => first(cache.sorted({}, task)), optional],
	],
	stats: [],
	toHar: [
		['criteria', (criteria: never) => cache.toHar(criteria), optional],
		['task', (task: never) => cache.toHar({}, task), optional],
	],
	update: [
		['other', (other: never) => cache.update(other)],
		['task', (task: never) => cache.update(new HttpCache({store: 'memory'}), task), optional],
	],
	urls: [
		['criteria', (criteria: never) => first(cache.urls(criteria)), optional],
		['task', (task: never) => first(cache.urls({}, task)), optional],
	],
	with: [
		['settings', (settings: never) => cache.with(settings, () => 5), object],
		['action', (given: never) => cache.with({}, given), action],
	],
};

async function first(entries: AsyncGenerator): Promise<unknown> {
	return entries.next();
}

async function refuses(t: ExecutionContext, [path, call, allowed = []]: Row): Promise<void> {
	for (const [name, value] of values) {
		if (allowed.includes(name)) {
			continue;
		}

		const given = value === absent ? [] : [value];
		const refused = async (): Promise<unknown> => (call as (...inputs: unknown[]) => unknown)(...given);
		const error = await t.throwsAsync<library.SettingError>(refused, {instanceOf: library.SettingError, code: 'ERR_CACHE_SETTING'}, `${path}: ${name}`);
		t.true(error instanceof TypeError);
		t.true(error.path.startsWith(path), `${error.path} is not ${path}`);
		t.true(error.message.includes(`\`${path}`) || error.message.includes(`\`@${path}`), error.message);
		t.regex(error.message, /^[A-Z`].*[.?]$/v);
	}

	for (const name of allowed) {
		const value = values.get(name);
		await t.notThrowsAsync(async () => (call as (...inputs: unknown[]) => unknown)(...(value === absent ? [] : [value])), `${path}: ${name}`);
	}
}

const rowsByName = {...functions, ...Object.fromEntries(Object.entries(methods).map(([name, rows]) => [`cache.${name}`, rows]))};

const withArguments = Object.entries(rowsByName).filter(([, {length}]) => length > 0);

for (const [name, rows] of withArguments) {
	test(`${name} refuses a wrong argument with a TypeError that names it`, async t => {
		for (const row of rows) {
			await refuses(t, row);
		}
	});
}

test('the arguments of every public function and method are checked', t => {
	const exported = Object.entries(library).filter(([name, value]) => typeof value === 'function' && !notCalled.has(name)).map(([name]) => name);
	t.deepEqual(exported.toSorted(), Object.keys(functions).toSorted());
	const descriptors = Object.entries(Object.getOwnPropertyDescriptors(HttpCache.prototype));
	t.deepEqual(descriptors.filter(([name, {value}]) => typeof value === 'function' && name !== 'constructor').map(([name]) => name).toSorted(), Object.keys(methods).toSorted());
});

test('a decorator without parentheses says how to call it', t => {
	for (const name of ['Cached', 'Invalidates', 'Refresh', 'Uncached'] as const) {
		const message = `\`@${name}\` stands without parentheses. Call it: \`@${name}()\`.`;
		const decorator = library[name] as (...inputs: unknown[]) => unknown;
		t.throws(() => decorator(unused, {kind: 'method', name: 'user'}), {code: 'ERR_CACHE_SETTING', message});
		t.throws(() => decorator({}, 'user', {value: unused}), {code: 'ERR_CACHE_SETTING', message});
	}

	t.throws(() => {
		Reflect.apply(library.CacheConfig, undefined, [HttpCache]);
	}, {code: 'ERR_CACHE_SETTING', message: /^`@CacheConfig` stands without parentheses/v});
});

test('a value that may be a secret is not shown', t => {
	const calls = [
		() => library.signed('hunter2' as never),
		() => library.signed({secret: 22 as never}),
		() => library.encrypted('hunter2' as never),
		() => library.encrypted({key: 'hunter2'}),
		() => library.encrypted({keys: ['hunter2']}),
		() => library.cacheHooks({partitionSecret: 22 as never}),
	];
	for (const call of calls) {
		const {message} = t.throws(call, {code: 'ERR_CACHE_SETTING'});
		t.regex(message, /, got (?:a string|a number)\.$/v);
	}
});
