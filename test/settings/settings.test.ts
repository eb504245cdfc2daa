/* eslint-disable @typescript-eslint/naming-convention -- Names of requests-cache, and of constants. */
import {readFileSync} from 'node:fs';
import {inspect} from 'node:util';
import {runInNewContext} from 'node:vm';
import test from 'ava';
import {expectTypeOf} from 'expect-type';
import {fc} from '../helpers/fast-check.ts';
import {SettingError} from '../../source/errors.ts';
import {DEFAULT_IGNORED_PARAMETERS} from '../../source/identity/credentials.ts';
import {DO_NOT_CACHE, NEVER_EXPIRE} from '../../source/policy/expiration.ts';
import {clientTable} from '../../source/settings/table.ts';
import {
	fixedSettings,
	getExpirationDatetime,
	getUrlExpiration,
	resolveRequestSettings,
	resolveSettings,
	type CacheSettings,
	type RequestSettings,
	type ResolvedRequestSettings,
} from '../../source/settings/settings.ts';
import {noRecording} from '../../source/policy/modes.ts';

const filterFn = (): boolean => true;
const keyFn = (): undefined => undefined;
const now = (): number => 0;

test('settings have these defaults', t => {
	const {now: clock, recording, ...settings} = resolveSettings();
	t.is(recording, noRecording);
	t.deepEqual(settings, {
		store: 'sqlite',
		cacheName: 'http_cache',
		expireAfter: {kind: 'never'},
		urlsExpireAfter: [],
		allowableCodes: new Set([200]),
		allowableMethods: new Set(['GET', 'HEAD']),
		readOnly: false,
		cacheControl: false,
		cacheControlTargets: [],
		cacheStatus: {name: 'got-cache-hooks', key: false},
		gatewayTimeout: 'error',
		staleIfErrorAfter: 'failure',
		disabled: false,
		onlyIfCached: false,
		alwaysRevalidate: false,
		staleIfError: 0,
		staleWhileRevalidate: 0,
		ttlOffset: 3_600_000,
		storeEncoded: false,
		storeSetCookie: false,
		storeTimeout: 500,
		failFast: false,
		singleFlight: {maxWait: 30_000},
		lock: 'local',
		maxEntryBytes: 67_108_864,
		jitter: 0,
		autoclose: false,
		matchHeaders: false,
		partitionBy: 'credentials',
		ignoredParameters: {
			names: new Set(DEFAULT_IGNORED_PARAMETERS), patterns: [], headerPatterns: [], paths: [],
		},
	} as unknown as typeof settings);
	t.true(Math.abs(clock() - Date.now()) < 1000);
	t.deepEqual(resolveRequestSettings({}), {});
});

const source = readFileSync(new URL('../../source/settings/types.ts', import.meta.url), 'utf8');
const documented = source
	.matchAll(/@default (?<stated>.+)\n(?:(?!\*\/)[\s\S])*\*\/\n\treadonly (?<key>\w+)\?:/gv)
	.map(({groups}) => [groups!.key!, groups!.stated!] as const)
	.toArray();
const keys = documented.map(([key]) => key);

test('each setting states its default', t => {
	const settings = source.matchAll(/^\treadonly (?<key>\w+)\?: .*\| undefined;$/gmv).map(({groups}) => groups!.key!);
	t.deepEqual(keys, settings.toArray());
	t.true(['expireAfter', 'store', 'refresh'].every(key => keys.includes(key)));
});

test('each setting says when to use it', t => {
	const comments = source.matchAll(/\/\*\*(?<text>(?:(?!\*\/)[\s\S])*@default(?:(?!\*\/)[\s\S])*)\*\/\n\treadonly (?<key>\w+)\?:/gv).map(({groups}) => [groups!.key!, groups!.text!] as const).toArray();
	t.deepEqual(comments.map(([key]) => key), keys);
	t.deepEqual(comments.filter(([, text]) => !/^.*\bUse (?:it|`.+`) when /mv.test(text)).map(([key]) => key), []);
});

test('a client has at most 42 settings', t => {
	t.true(Object.keys(clientTable).length <= 42);
});

test('some settings cannot be changed after a client is created', t => {
	t.deepEqual(fixedSettings.keys().toArray().toSorted(), ['autoclose', 'cacheName', 'decodeContent', 'failFast', 'lock', 'maxBytes', 'maxEntries', 'maxEntryBytes', 'mode', 'now', 'partitionSecret', 'serializer', 'store', 'storeTimeout']);
});

for (const [index, [key, stated]] of documented.entries()) {
	// The request's own come last.
	const isOfRequestOnly = index >= keys.indexOf('refresh');
	test(`the stated default of \`${key}\`${isOfRequestOnly ? ' of a request' : ''} is its default`, t => {
		const settings = {[key]: runInNewContext(`(${stated})`, {NEVER_EXPIRE, DEFAULT_IGNORED_PARAMETERS}) as unknown};
		const given = isOfRequestOnly ? resolveRequestSettings(settings) : resolveSettings(settings);
		const byDefault = isOfRequestOnly ? {[key]: key === 'tags' ? [] : false} : resolveSettings();
		t.is(inspect(given, {depth: 5}), inspect(byDefault, {depth: 5}));
		t.is(key === 'now' ? String(resolveSettings().now) : stated, stated);
	});
}

const understood: ReadonlyArray<readonly [settings: CacheSettings, resolved: Readonly<Record<string, unknown>>]> = [
	[{expireAfter: '5m'}, {expireAfter: {kind: 'after', milliseconds: 300_000}}],
	[{expireAfter: 60}, {expireAfter: {kind: 'after', milliseconds: 60_000}}],
	[{expireAfter: new Date(5)}, {expireAfter: {kind: 'at', time: 5}}],
	[{expireAfter: {hours: 1}}, {expireAfter: {kind: 'after', milliseconds: 3_600_000}}],
	[{expireAfter: DO_NOT_CACHE}, {expireAfter: {kind: 'do-not-cache'}}],
	[{expireAfter: undefined, cacheName: undefined, now: undefined}, {expireAfter: {kind: 'never'}, cacheName: 'http_cache'}],
	[{allowableCodes: [200, 404, 200]}, {allowableCodes: new Set([200, 404])}],
	[{allowableCodes: new Set([599, 100])}, {allowableCodes: new Set([599, 100])}],
	[{allowableCodes: []}, {allowableCodes: new Set()}],
	[{allowableMethods: ['get', 'Post']}, {allowableMethods: new Set(['GET', 'POST'])}],
	[{staleIfError: true}, {staleIfError: Infinity}],
	[{staleIfError: false}, {staleIfError: 0}],
	[{staleIfError: '1 day'}, {staleIfError: 86_400_000}],
	[{staleIfError: 0}, {staleIfError: 0}],
	[{staleWhileRevalidate: NEVER_EXPIRE}, {staleWhileRevalidate: Infinity}],
	[{staleWhileRevalidate: {minutes: 5}}, {staleWhileRevalidate: 300_000}],
	[{matchHeaders: true}, {matchHeaders: true}],
	[{matchHeaders: ['Accept', 'X-A', 'accept']}, {matchHeaders: ['accept', 'x-a']}],
	[{partitionBy: false}, {partitionBy: false}],
	[{partitionBy: keyFn as unknown as () => string}, {partitionBy: keyFn}],
	[{partitionSecret: 'a'}, {partitionSecret: 'a'}],
	[{partitionSecret: new Uint8Array([1])}, {partitionSecret: new Uint8Array([1])}],
	[{contentRootKey: 'data'}, {contentRootKey: 'data'}],
	[{ignoredParameters: ['A', /b/gv]}, {
		ignoredParameters: {
			names: new Set(['a']), patterns: [/b/v], headerPatterns: [/b/iv], paths: [],
		},
	}],
	[{ignoredParameters: new Set(['$.a[0][*][\'b c\']', '$["d"].*'])}, {ignoredParameters: {names: new Set()}}],
	[{maxEntryBytes: Infinity}, {maxEntryBytes: Infinity}],
	[{maxEntryBytes: 1}, {maxEntryBytes: 1}],
	[{lock: true}, {lock: true}],
	[{lock: false}, {lock: false}],
	[{lock: 'local'}, {lock: 'local'}],
	[{singleFlight: true}, {singleFlight: {maxWait: 30_000}}],
	[{singleFlight: false}, {singleFlight: false}],
	[{singleFlight: {maxWait: '500ms'}}, {singleFlight: {maxWait: 500}}],
	[{singleFlight: {maxWait: 2}}, {singleFlight: {maxWait: 2000}}],
	[{singleFlight: {maxWait: {milliseconds: 5}}}, {singleFlight: {maxWait: 5}}],
	[{storeTimeout: 0.5}, {storeTimeout: 0.5}],
	[{filterFn, keyFn, now}, {filterFn, keyFn, now}],
	[{
		store: 'memory', cacheName: 'a', readOnly: true, disabled: true,
	}, {
		store: 'memory', cacheName: 'a', readOnly: true, disabled: true,
	}],
	[{onlyIfCached: true, alwaysRevalidate: true}, {onlyIfCached: true, alwaysRevalidate: true}],
	[{storeEncoded: true, failFast: true, autoclose: true}, {storeEncoded: true, failFast: true, autoclose: true}],
];

for (const [settings, resolved] of understood) {
	test(`${inspect(settings)} is accepted`, t => {
		t.like(resolveSettings(settings), resolved);
	});
}

const durations = 'a number of seconds from 0, a valid Date, a duration with units (`\'5m\'`, `\'1h 30m\'`, `\'PT5M\'`, `{minutes: 5}`), an HTTP date (`\'Tue, 01 Jan 2030 00:00:00 GMT\'`), `NEVER_EXPIRE`, `EXPIRE_IMMEDIATELY` or `DO_NOT_CACHE`';

const refused: ReadonlyArray<readonly [settings: unknown, path: string, message: string]> = [
	[{expireAfter: '5 parsecs'}, 'cache.expireAfter', `to be ${durations}, got string "5 parsecs"`],
	[{expireAfter: /5m/v}, 'cache.expireAfter', 'got RegExp /5m/v'],
	[{expireAfter: null}, 'cache.expireAfter', 'got null'],
	[{expireAfter: '300'}, 'cache.expireAfter', 'a duration with units'],
	[{cacheName: ''}, 'cache.cacheName', 'a string that is not empty'],
	[{cacheName: 5}, 'cache.cacheName', 'got number 5'],
	[{allowableCodes: 200}, 'cache.allowableCodes', 'an array or a Set of status codes, got number 200'],
	[{allowableCodes: [200, '404']}, 'cache.allowableCodes[1]', 'a whole number from 100 to 599, got string "404"'],
	[{allowableCodes: [99]}, 'cache.allowableCodes[0]', 'got number 99'],
	[{allowableCodes: [600]}, 'cache.allowableCodes[0]', 'got number 600'],
	[{allowableCodes: new Set([200.5])}, 'cache.allowableCodes[0]', 'got number 200.5'],
	// eslint-disable-next-line no-sparse-arrays
	[{allowableCodes: [, 200]}, 'cache.allowableCodes[0]', 'got undefined'],
	[{allowableMethods: 'GET'}, 'cache.allowableMethods', 'an array or a Set of methods'],
	[{allowableMethods: ['GET', 'P T']}, 'cache.allowableMethods[1]', 'got string "P T"'],
	[{filterFn: true}, 'cache.filterFn', 'a function `(response) => boolean`, got boolean true'],
	[{keyFn: 'a'}, 'cache.keyFn', 'a function `(request, createKey) => string | undefined`'],
	[{readOnly: 1}, 'cache.readOnly', 'a boolean, got number 1'],
	[{disabled: null}, 'cache.disabled', 'a boolean, got null'],
	[{staleIfError: -5}, 'cache.staleIfError', 'got number -5'],
	[{staleIfError: new Date(0)}, 'cache.staleIfError', 'an instance of Date'],
	[{staleWhileRevalidate: DO_NOT_CACHE}, 'cache.staleWhileRevalidate', 'a boolean, a number of seconds from 0, a duration'],
	[{matchHeaders: 'accept'}, 'cache.matchHeaders', 'a boolean or an array of header names'],
	[{matchHeaders: ['accept', 'a b']}, 'cache.matchHeaders[1]', 'a header name, got string "a b"'],
	[{partitionBy: true}, 'cache.partitionBy', '`\'credentials\'`, `false` or a function `(request) => string`'],
	[{partitionSecret: ''}, 'cache.partitionSecret', 'a string or bytes that are not empty'],
	[{partitionSecret: new Uint8Array()}, 'cache.partitionSecret', 'an instance of Uint8Array'],
	[{singleFlight: 'yes'}, 'cache.singleFlight', 'a boolean, or an object with `maxWait`'],
	[{singleFlight: {}}, 'cache.singleFlight', 'an object with `maxWait`'],
	[{singleFlight: {maxWait: 0}}, 'cache.singleFlight.maxWait', 'a duration above 0'],
	[{singleFlight: {maxWait: '1s', wait: 1}}, 'cache.singleFlight.wait', 'The only option is `maxWait`.'],
	[{cacheStatus: {name: ''}}, 'cache.cacheStatus.name', 'a string that is not empty'],
	[{contentRootKey: ''}, 'cache.contentRootKey', 'a string that is not empty'],
	[{ignoredParameters: 'token'}, 'cache.ignoredParameters', 'an array or a Set of parameters, got string "token"'],
	[{ignoredParameters: ['token', '']}, 'cache.ignoredParameters[1]', 'a name, a RegExp or a JSON path'],
	[{ignoredParameters: ['$.a', '$.a..b']}, 'cache.ignoredParameters[1]', 'got string "$.a..b"'],
	[{ignoredParameters: ['$[a]']}, 'cache.ignoredParameters[0]', 'got string "$[a]"'],
	[{ignoredParameters: new Set([5])}, 'cache.ignoredParameters[0]', 'got number 5'],
	[{storeTimeout: 0}, 'cache.storeTimeout', 'a number of milliseconds above 0'],
	[{storeTimeout: Infinity}, 'cache.storeTimeout', 'got number Infinity'],
	[{maxEntryBytes: 0}, 'cache.maxEntryBytes', 'a whole number of bytes from 1, or `Infinity`'],
	[{maxEntryBytes: 1.5}, 'cache.maxEntryBytes', 'got number 1.5'],
	[{now: 5}, 'cache.now', 'a function that returns the milliseconds since the epoch'],
	[{urlsExpireAfter: 'a'}, 'cache.urlsExpireAfter', 'an array of pairs'],
	[{urlsExpireAfter: new Set(['a'])}, 'cache.urlsExpireAfter', 'an array of pairs'],
	[{urlsExpireAfter: [['a', 1], 'b']}, 'cache.urlsExpireAfter[1]', 'a pair of a pattern and an expiration, got string "b"'],
	[{urlsExpireAfter: [['a', 1, 2]]}, 'cache.urlsExpireAfter[0]', 'a pair'],
	[{urlsExpireAfter: [['a', 1], [5, 1]]}, 'cache.urlsExpireAfter[1][0]', 'a glob, a RegExp or a URLPattern, got number 5'],
	[{urlsExpireAfter: [['a', '5 parsecs']]}, 'cache.urlsExpireAfter[0][1]', 'got string "5 parsecs"'],
	[{urlsExpireAfter: new Map([['a', 'b']])}, 'cache.urlsExpireAfter[0][1]', 'got string "b"'],
	[{urlsExpireAfter: {'*.test': 'b'}}, 'cache.urlsExpireAfter["*.test"]', 'got string "b"'],
	[{urlsExpireAfter: {test: 'b'}}, 'cache.urlsExpireAfter.test', 'got string "b"'],
	[{expire_after: 300}, 'cache.expire_after', 'Did you mean `expireAfter`?'],
	[{stale_if_error: true}, 'cache.stale_if_error', 'Did you mean `staleIfError`?'],
	[{expireafter: 300}, 'cache.expireafter', 'Did you mean `expireAfter`?'],
	[{'expire-after': 300}, 'cache["expire-after"]', 'Did you mean `expireAfter`?'],
	[{expiresAfter: 300}, 'cache.expiresAfter', 'Did you mean `expireAfter`?'],
	[{allowedCodes: [200]}, 'cache.allowedCodes', 'Did you mean `allowableCodes`?'],
	[{backend: 'memory'}, 'cache.backend', 'Did you mean `store`?'],
	[{undefinedToo: undefined}, 'cache.undefinedToo', 'Unknown setting `cache.undefinedToo`. The settings are `expireAfter`, '],
	[{foo: 1}, 'cache.foo', 'The settings are'],
	[{a: 1}, 'cache.a', 'The settings are'],
	[{'': 1}, 'cache[""]', 'The settings are'],
	[JSON.parse('{"__proto__": 1}'), 'cache.__proto__', 'Unknown setting'],
	[{constructor: 1}, 'cache.constructor', 'Unknown setting'],
	[{refresh: true}, 'cache.refresh', '`cache.refresh` is not a setting of a client. Set `refresh` for a request.'],
	[null, 'cache', 'an object with settings, got null'],
	['a', 'cache', 'an object with settings, got string "a"'],
	[[], 'cache', 'an object with settings, got an array'],
	[/a/v, 'cache', 'an object with settings, got RegExp /a/v'],
	[() => ({}), 'cache', 'an object with settings'],
];

for (const [settings, path, message] of refused) {
	test(`${inspect(settings)} is refused`, t => {
		const error = t.throws(() => resolveSettings(settings as CacheSettings), {instanceOf: SettingError});
		t.true(error instanceof TypeError);
		t.is(error.path, path);
		t.true(error.message.includes(`\`${path}\``) && error.message.includes(message), error.message);
	});
}

const refusedForRequest: ReadonlyArray<readonly [settings: unknown, path: string, message: string]> = [
	[{refresh: 'yes'}, 'context.cache.refresh', 'a boolean, got string "yes"'],
	[{expireAfter: '5 parsecs'}, 'context.cache.expireAfter', 'got string "5 parsecs"'],
	[{store: 'memory'}, 'context.cache.store', '`context.cache.store` is not a setting of a request. Set `store` for the client.'],
	[{force_refresh: true}, 'context.cache.force_refresh', 'Did you mean `forceRefresh`?'],
	[true, 'context.cache', 'an object with settings, got boolean true'],
];

for (const [settings, path, message] of refusedForRequest) {
	test(`${inspect(settings)} is refused for a request`, t => {
		const error = t.throws(() => resolveRequestSettings(settings as RequestSettings), {instanceOf: SettingError});
		t.is(error.path, path);
		t.true(error.message.includes(message), error.message);
	});
}

test('an error names the path that is given', t => {
	const error = t.throws(() => resolveRequestSettings({refresh: 1} as unknown as RequestSettings, 'options'), {instanceOf: SettingError});
	t.is(error.path, 'options.refresh');
});

test('settings of a request are parsed, and missing ones stay absent', t => {
	t.deepEqual(resolveRequestSettings({
		expireAfter: '1m',
		refresh: true,
		readOnly: undefined,
		staleIfError: true,
		allowableMethods: ['post'],
	}), {
		expireAfter: {kind: 'after', milliseconds: 60_000},
		refresh: true,
		staleIfError: Infinity,
		allowableMethods: new Set(['POST']),
	});
});

const spelledUrls: ReadonlyArray<NonNullable<CacheSettings['urlsExpireAfter']>> = [
	[['example.com/live', '30s'], ['example.com', NEVER_EXPIRE]],
	new Map<string, string | number>([['example.com/live', '30s'], ['example.com', NEVER_EXPIRE]]),
	{'example.com/live': '30s', 'example.com': NEVER_EXPIRE},
	[[/\/live/v, {seconds: 30}], [new URLPattern({hostname: 'example.com'}), NEVER_EXPIRE]],
];

for (const urlsExpireAfter of spelledUrls) {
	test(`${inspect(urlsExpireAfter, {depth: 1}).slice(0, 80)} keeps its order`, t => {
		const resolved = resolveSettings({urlsExpireAfter}).urlsExpireAfter;
		t.deepEqual(resolved.map(({expiration}) => expiration), [{kind: 'after', milliseconds: 30_000}, {kind: 'never'}]);
		t.deepEqual(resolved.map(({matches}) => matches('https://example.com/live/1')), [true, true]);
		t.deepEqual(resolved.map(({matches}) => matches('https://example.com/')), [false, true]);
	});
}

test('parsed settings are frozen, and do not change with the object that was given', t => {
	const pair: [string, string] = ['a', '1s'];
	const settings = {
		urlsExpireAfter: [pair], allowableCodes: [200], matchHeaders: ['A'], expireAfter: new Date(5),
	};
	const copy = structuredClone(settings);
	const resolved = resolveSettings(settings);
	t.deepEqual(settings, copy);

	pair[1] = '2s';
	settings.urlsExpireAfter.push(['b', '1s']);
	settings.allowableCodes.push(404);
	settings.matchHeaders.push('B');
	settings.expireAfter.setTime(6);
	t.deepEqual(resolved.urlsExpireAfter.map(({expiration}) => expiration), [{kind: 'after', milliseconds: 1000}]);
	t.deepEqual(resolved.allowableCodes, new Set([200]));
	t.deepEqual(resolved.matchHeaders, ['a']);
	t.deepEqual(resolved.expireAfter, {kind: 'at', time: 5});

	const [first] = resolved.urlsExpireAfter;
	for (const part of [resolved, resolved.expireAfter, resolved.urlsExpireAfter, first, first?.expiration, resolved.matchHeaders, resolveRequestSettings({})]) {
		t.true(Object.isFrozen(part));
	}

	t.not(resolveSettings().allowableCodes, resolveSettings().allowableCodes);
});

test('settings may have no prototype', t => {
	const settings: CacheSettings = Object.assign(Object.create(null) as CacheSettings, {readOnly: true});
	t.true(resolveSettings(settings).readOnly);
});

const anything = fc.anything({
	withBigInt: true,
	withBoxedValues: true,
	withDate: true,
	withMap: true,
	withSet: true,
	withNullPrototype: true,
	withSparseArray: true,
	withTypedArray: true,
});

test('any value is accepted or refused with a `SettingError`', t => {
	const each = fc.record(Object.fromEntries(keys.map(key => [key, anything])), {requiredKeys: []});
	const one = fc.tuple(fc.constantFrom(...keys), anything).map(([key, value]) => ({[key]: value}));
	const isUnderstoodOrRefused = fc.property(fc.oneof(anything, each, one), settings => {
		t.true(isFrozenOrSettingError(() => resolveSettings(settings as CacheSettings)));
		t.true(isFrozenOrSettingError(() => resolveRequestSettings(settings as RequestSettings)));
	});
	fc.assert(isUnderstoodOrRefused, {numRuns: 1000});
});

function isFrozenOrSettingError(resolve: () => unknown): boolean {
	try {
		return Object.isFrozen(resolve());
	} catch (error) {
		return error instanceof SettingError;
	}
}

expectTypeOf<{expireAfter: undefined}>().toExtend<CacheSettings>();
expectTypeOf<{staleIfError: Date}>().not.toExtend<CacheSettings>();
expectTypeOf<{refresh: true}>().toExtend<RequestSettings>();
expectTypeOf<ResolvedRequestSettings['refresh']>().toEqualTypeOf<boolean | undefined>();

test('getExpirationDatetime counts from a moment, or from now', t => {
	t.deepEqual(getExpirationDatetime('1h', new Date(0)), new Date(3_600_000));
	t.deepEqual(getExpirationDatetime('Thu, 01 Jan 1970 00:00:01 GMT', new Date(0)), new Date(1000));
	t.is(getExpirationDatetime(NEVER_EXPIRE), undefined);
	const before = Date.now();
	const soon = getExpirationDatetime(60)!.getTime() - 60_000;
	t.true(soon >= before && soon <= Date.now());
	t.throws(() => getExpirationDatetime('soon'), {instanceOf: TypeError});
});

test('getUrlExpiration returns the expiration of the first pattern that matches, as it was written', t => {
	const pairs = [['example.com/live', '30s'], [/static/v, NEVER_EXPIRE], ['example.com', {days: 1}]] as const;
	for (const patterns of [pairs, new Map<string | RegExp, string | number | {readonly days: number}>(pairs)]) {
		t.is(getUrlExpiration('https://example.com/live/1', patterns), '30s');
		t.is(getUrlExpiration('https://example.com/static/1', patterns), NEVER_EXPIRE);
		t.deepEqual(getUrlExpiration('https://example.com/x', patterns), {days: 1});
		t.is(getUrlExpiration('https://other.example/', patterns), undefined);
	}

	t.is(getUrlExpiration('https://example.com/x', {'example.com': '1d'}), '1d');
	t.throws(() => getUrlExpiration('https://example.com/x', [['*', 'soon']]), {instanceOf: TypeError});
});
