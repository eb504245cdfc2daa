import {closestMatch} from 'leven';
import {hidden, SettingError} from '../errors.ts';
import {DEFAULT_IGNORED_PARAMETERS, compileIgnored, type Ignored} from '../identity/credentials.ts';
import {
	getExpirationDatetime as expirationFrom,
	NEVER_EXPIRE,
	parseExpiration,
	parsePeriod,
	type Expiration,
	type ExpirationTime,
} from '../policy/expiration.ts';
import {settingsOfMode, type Mode} from '../policy/types.ts';
import {
	areTagsBounded,
	isTag,
	maxTagLength,
	maxTags,
} from '../policy/fields.ts';
import {
	compileUrlPattern,
	isUrlPattern,
	type UrlExpiration,
	type ExpirationPatterns,
} from '../policy/url-patterns.ts';
import type {
	CacheSettings,
	RequestSettings,
	ResolvedRequestSettings,
	ResolvedSettings,
} from './types.ts';

export type * from './types.ts';

type Parse<Value> = (value: unknown, path: string) => Value | undefined;

type Row<Value> = {
	/** As a user would write it. */
	readonly default: unknown;

	/** What a message says is allowed. */
	readonly allowed: string;

	/** Gives `undefined` for what is not allowed, or throws where a part of it is wrong. */
	readonly parse: Parse<Value>;

	/** Whether messages keep what came to themselves. Default: `false`. */
	readonly isSecret?: true;
};

type Table<Resolved> = {readonly [Key in keyof Resolved]-?: Row<NonNullable<Resolved[Key]>>};

const boolean: Row<boolean> = {
	default: false,
	allowed: 'a boolean',
	parse: value => typeof value === 'boolean' ? value : undefined,
};

const period: Row<number> = {
	default: false,
	allowed: 'a boolean, a number of seconds from 0, a duration (`\'5m\'`, `\'PT5M\'`, `{minutes: 5}`) or `NEVER_EXPIRE`',
	parse(value) {
		const longest = value === true ? Infinity : 0;
		return typeof value === 'boolean' ? longest : parsePeriod(value);
	},
};

const expirations = 'a number of seconds from 0, a valid Date, a duration with units (`\'5m\'`, `\'1h 30m\'`, `\'PT5M\'`, `{minutes: 5}`), `NEVER_EXPIRE`, `EXPIRE_IMMEDIATELY` or `DO_NOT_CACHE`';
const urlPatterns = 'a glob, a RegExp or a URLPattern';

const modes: readonly Mode[] = ['record', 'replay', 'record-missing'];

const sharedTable: Table<Omit<ResolvedRequestSettings, 'refresh' | 'forceRefresh' | 'tags'>> = {
	expireAfter: {
		default: NEVER_EXPIRE,
		allowed: expirations,
		parse: expiration,
	},
	allowableCodes: {
		default: [200],
		allowed: 'an array or a Set of status codes',
		parse: setOf('a whole number from 100 to 599', code => isWhole(code) && code >= 100 && code <= 599 ? code : undefined),
	},
	allowableMethods: {
		default: ['GET', 'HEAD'],
		allowed: 'an array or a Set of methods',
		parse: setOf('a method such as `\'GET\'`', method => isToken(method) ? method.toUpperCase() : undefined),
	},
	alwaysRevalidate: boolean,
	disabled: boolean,
	filterFn: functionRow('a function `(response) => boolean`'),
	keyFn: functionRow('a function `(request, createKey) => string | undefined`'),
	onlyIfCached: boolean,
	readOnly: boolean,
	staleIfError: period,
	staleWhileRevalidate: period,
	trust: {
		default: undefined,
		allowed: 'a string that is not empty',
		parse: notEmpty,
	},
};

const clientTable: Table<ResolvedSettings> = {
	...sharedTable,
	store: {
		default: 'sqlite',
		allowed: 'a store',
		parse: value => value as ResolvedSettings['store'],
	},
	cacheName: {
		default: 'http_cache',
		allowed: 'a string that is not empty',
		parse: notEmpty,
	},
	serializer: {
		default: undefined,
		allowed: 'a serializer',
		parse: value => value as NonNullable<ResolvedSettings['serializer']>,
	},
	decodeContent: {...boolean, default: undefined},
	urlsExpireAfter: {
		default: [],
		allowed: 'an array of pairs of a pattern and an expiration, a Map of them, or an object of globs',
		parse: urlExpirations,
	},
	cacheControl: boolean,
	heuristicShare: {
		default: 0.1,
		allowed: 'a number from 0 to 1',
		parse: share,
	},
	cacheControlTargets: {
		default: [],
		allowed: 'an array of header names',
		parse: (value, path) => Array.isArray(value) ? [...headerNameSet(value, path)!] : undefined,
	},
	staleIfErrorAfter: {
		default: 'failure',
		allowed: '`\'failure\'` or `\'retries\'`',
		parse: value => value === 'failure' || value === 'retries' ? value : undefined,
	},
	gatewayTimeout: {
		default: 'error',
		allowed: '`\'error\'` or `\'respond\'`',
		parse: value => value === 'error' || value === 'respond' ? value : undefined,
	},
	cacheStatus: {
		default: true,
		allowed: 'a boolean, a name that is not empty, or an object of `name` and `key`',
		parse: cacheStatus,
	},
	matchHeaders: {
		default: false,
		allowed: 'a boolean or an array of header names',
		parse: headerNames,
	},
	partitionBy: {
		default: 'credentials',
		allowed: '`\'credentials\'`, `false` or a function `(request) => string`',
		parse: value => value === 'credentials' || value === false || typeof value === 'function' ? value as ResolvedSettings['partitionBy'] : undefined,
	},
	partitionSecret: {
		default: undefined,
		isSecret: true,
		allowed: 'a string or bytes that are not empty',
		parse: secret,
	},
	ignoredParameters: {
		default: DEFAULT_IGNORED_PARAMETERS,
		allowed: 'an array or a Set of parameters',
		parse: ignoredParameters,
	},
	contentRootKey: {
		default: undefined,
		allowed: 'a string that is not empty',
		parse: notEmpty,
	},
	ttlOffset: {...period, default: '1h'},
	storeEncoded: boolean,
	storeSetCookie: boolean,
	storeTimeout: {
		default: 500,
		// More makes `setTimeout` fire at once.
		allowed: 'a number of milliseconds above 0 and below 2 ** 31',
		parse: value => typeof value === 'number' && value > 0 && value < 2 ** 31 ? value : undefined,
	},
	failFast: boolean,
	singleFlight: {
		default: true,
		allowed: 'a boolean, or an object of `maxWait`, a duration above 0 (seconds, `\'500ms\'`, `{milliseconds: 500}`)',
		parse: singleFlight,
	},
	lock: {
		default: 'local',
		allowed: '`\'local\'` or a boolean',
		parse: value => typeof value === 'boolean' || value === 'local' ? value : undefined,
	},
	maxBytes: {
		default: undefined,
		allowed: 'a whole number of bytes from 1',
		parse: positive,
	},
	maxEntries: {
		default: undefined,
		allowed: 'a whole number from 1',
		parse: positive,
	},
	jitter: {
		default: 0,
		allowed: 'a number from 0 to 1',
		parse: share,
	},
	tags: functionRow('a function `(response) => string[]`'),
	mode: {
		default: undefined,
		allowed: '`\'record\'`, `\'replay\'` or `\'record-missing\'`',
		parse: value => modes.find(mode => mode === value),
	},
	refreshAhead: {
		default: false,
		allowed: '`false` or a number above 0 and below 1',
		parse(value) {
			const never = value === false ? 0 : undefined;
			return typeof value === 'number' && value > 0 && value < 1 ? value : never;
		},
	},
	maxRefreshes: bound('a whole number from 1, or `Infinity`', 32),
	waitUntil: functionRow('a function `(work: Promise<void>) => void`'),
	maxPendingWrites: bound('a whole number from 1, or `Infinity`', 1000),
	maxPendingBytes: bound('a whole number of bytes from 1, or `Infinity`', 64 * 1024 * 1024),
	maxEntryBytes: bound('a whole number of bytes from 1, or `Infinity`', 64 * 1024 * 1024),
	autoclose: boolean,
	now: functionRow('a function that gives the milliseconds since the epoch', () => Date.now()),
};

const requestTable: Table<ResolvedRequestSettings> = {
	...sharedTable,
	refresh: boolean,
	forceRefresh: boolean,
	tags: {
		default: [],
		allowed: `an array of at most ${maxTags} tags`,
		parse: tagList,
	},
};

/** The names of the settings that a request may have of its own. */
export const requestSettingNames: readonly string[] = Object.keys(requestTable);

/** With `cacheControl`, these have no default: RFC 9111 decides where the user does not. */
const leftToOrigin: ReadonlySet<string> = new Set(['expireAfter', 'allowableCodes']);

/**
The settings of a client, checked, understood and completed with the defaults.

@throws {SettingError} A `TypeError` that names the path of an unknown key or a wrong value (`cache.urlsExpireAfter[1][0]`), what came and what is allowed.

@example
```
resolveSettings({expireAfter: '5m'}).expireAfter;
//=> {kind: 'after', milliseconds: 300_000}
```
*/
export function resolveSettings(settings: CacheSettings = {}): ResolvedSettings {
	const required = Object.keys(clientTable).filter(key => !(leftToOrigin.has(key) && settings?.cacheControl === true));
	const resolved = resolve(clientTable, required, settings, 'cache');
	return resolved.mode === undefined ? resolved : Object.freeze({...resolved, ...settingsOfMode(resolved.mode)});
}

/**
The settings of one request, checked and understood. What was not given is absent, since the client's stands there.

@param path - How messages name `settings`.
@throws {SettingError} As `resolveSettings`.
*/
export function resolveRequestSettings(settings: RequestSettings, path = 'context.cache'): ResolvedRequestSettings {
	return resolve(requestTable, [], settings, path);
}

/** The settings of a client as a user would write them, completed with the defaults. */
export function statedSettings(settings: CacheSettings): Record<string, unknown> {
	const rows = Object.entries<Row<unknown>>(clientTable);
	const given = new Map<string, unknown>(Object.entries(settings));
	return Object.fromEntries(rows.map(([key, row]) => [key, given.get(key) ?? (leftToOrigin.has(key) && settings.cacheControl === true ? undefined : row.default)]));
}

function resolve<Resolved>(table: Table<Resolved>, required: readonly string[], settings: unknown, path: string): Resolved {
	if (!isPlainObject(settings)) {
		throw new SettingError(path, settings, 'an object of settings');
	}

	const rows = table as Readonly<Record<string, Row<unknown>>>;
	const values = new Map(required.map(key => [key, rows[key]!.default]));
	for (const [key, value] of Object.entries(settings)) {
		if (!Object.hasOwn(rows, key)) {
			// What a mistaken name holds may be a secret.
			throw new SettingError(member(path, key), hidden(value), `absent (${whyUnknown(key, Object.keys(rows))})`);
		}

		if (value !== undefined) {
			values.set(key, value);
		}
	}

	const given = [...values].filter(([, value]) => value !== undefined);
	return Object.freeze(Object.fromEntries(given.map(([key, value]) => [key, parse(rows[key]!, value, member(path, key))]))) as Resolved;
}

function parse<Value>(row: Pick<Row<Value>, 'allowed' | 'isSecret' | 'parse'>, value: unknown, path: string): Value {
	const parsed = row.parse(value, path);
	if (parsed === undefined) {
		throw new SettingError(path, row.isSecret === true ? hidden(value) : value, row.allowed);
	}

	return parsed;
}

function functionRow<Value>(allowed: string, byDefault?: Value): Row<Value> {
	return {
		default: byDefault,
		allowed,
		parse: value => typeof value === 'function' ? value as Value : undefined,
	};
}

function setOf<Item>(allowed: string, parseItem: (item: unknown) => Item | undefined): Parse<ReadonlySet<Item>> {
	return (value, path) => Array.isArray(value) || value instanceof Set
		? new Set(Array.from<unknown, Item>(value, (item, index) => parse({allowed, parse: parseItem}, item, `${path}[${index}]`)))
		: undefined;
}

function bound(allowed: string, byDefault: number): Row<number> {
	return {
		default: byDefault,
		allowed,
		parse: value => value === Infinity || (isWhole(value) && value >= 1) ? value : undefined,
	};
}

// As long as a request may be held back in all, where the setting does not say.
const usualMaxWait = 30_000;

function singleFlight(value: unknown): ResolvedSettings['singleFlight'] | undefined {
	if (typeof value === 'boolean') {
		return value && {maxWait: usualMaxWait};
	}

	const {maxWait, ...others} = isPlainObject(value) ? value : {};
	const milliseconds = parsePeriod(maxWait);
	return milliseconds !== undefined && milliseconds > 0 && Number.isFinite(milliseconds) && Object.keys(others).length === 0 ? {maxWait: milliseconds} : undefined;
}

const tagSet = setOf(`a string of 1 to ${maxTagLength} characters`, tag => isTag(tag) ? tag : undefined);

function tagList(value: unknown, path: string): readonly string[] | undefined {
	const tags = Array.isArray(value) ? [...tagSet(value, path)!] : undefined;
	return tags === undefined || areTagsBounded(tags) ? tags : undefined;
}

const headerNameSet = setOf('a header name', name => isToken(name) ? name.toLowerCase() : undefined);

const defaultCacheName = 'got-cache-hooks';

function cacheStatus(value: unknown): ResolvedSettings['cacheStatus'] | undefined {
	if (typeof value === 'boolean') {
		return value && {name: defaultCacheName, key: false};
	}

	if (typeof value === 'string') {
		return value === '' ? undefined : {name: value, key: false};
	}

	const {name = defaultCacheName, key = false, ...others} = isPlainObject(value) ? value : {name: ''};
	return typeof name === 'string' && name !== '' && typeof key === 'boolean' && Object.keys(others).length === 0 ? {name, key} : undefined;
}

function headerNames(value: unknown, path: string): boolean | readonly string[] | undefined {
	if (typeof value === 'boolean') {
		return value;
	}

	const names = headerNameSet(value, path);
	return names === undefined ? undefined : Object.freeze([...names]);
}

function ignoredParameters(value: unknown, path: string): Ignored | undefined {
	if (!Array.isArray(value) && !(value instanceof Set)) {
		return undefined;
	}

	const items = [...value as Iterable<unknown>];
	const ignored = compileIgnored(items);
	if (typeof ignored === 'number') {
		throw new SettingError(`${path}[${ignored}]`, items[ignored], 'a name, a RegExp or a JSON path such as `\'$.user.token\'`');
	}

	return ignored;
}

function secret(value: unknown): string | Uint8Array | undefined {
	if (value instanceof Uint8Array) {
		return value.byteLength === 0 ? undefined : Uint8Array.from(value);
	}

	return notEmpty(value);
}

function positive(value: unknown): number | undefined {
	return isWhole(value) && value >= 1 ? value : undefined;
}

function share(value: unknown): number | undefined {
	return typeof value === 'number' && value >= 0 && value <= 1 ? value : undefined;
}

function notEmpty(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined;
}

function expiration(value: unknown): Expiration | undefined {
	return Object.freeze(parseExpiration(value));
}

/**
The moment at which something that is received at `start` expires, as requests-cache's `get_expiration_datetime`.

@param start - The moment to count from; now by default.
@returns `undefined` for what never expires, and for `DO_NOT_CACHE`.
@throws {TypeError} Where the value means nothing.

@example
```
getExpirationDatetime('1h 30m', new Date('2026-01-01T00:00:00Z'));
//=> 2026-01-01T01:30:00.000Z
```
*/
export function getExpirationDatetime(expireAfter: ExpirationTime | undefined, start: Date = new Date()): Date | undefined {
	return expirationFrom(expireAfter, start);
}

/**
The expiration that URL patterns give to a URL, as it was written: that of the first pattern that matches.

@throws {TypeError} Where a pattern or an expiration is wrong.

@example
```
getUrlExpiration('https://example.com/live/1', [['example.com/live', '30s'], ['example.com', '1d']]);
//=> '30s'
```
*/
export function getUrlExpiration(url: string, urlsExpireAfter: ExpirationPatterns): ExpirationTime | undefined {
	const {urlsExpireAfter: compiled} = resolveSettings({urlsExpireAfter});
	const written = isPlainObject(urlsExpireAfter) ? Object.values(urlsExpireAfter as Record<string, ExpirationTime>) : Array.from(urlsExpireAfter as Iterable<readonly [unknown, ExpirationTime]>, ([, expireAfter]) => expireAfter);
	return written[compiled.findIndex(({matches}) => matches(url))];
}

function urlExpirations(value: unknown, path: string): readonly UrlExpiration[] | undefined {
	if (Array.isArray(value) || value instanceof Map) {
		return Object.freeze(Array.from<unknown, UrlExpiration>(value, (pair, index) => urlExpiration(pair, `${path}[${index}]`)));
	}

	if (!isPlainObject(value)) {
		return undefined;
	}

	return Object.freeze(Object.entries(value).map(([glob, expireAfter]) => Object.freeze({
		matches: compileUrlPattern(glob),
		expiration: parse({allowed: expirations, parse: expiration}, expireAfter, member(path, glob)),
	})));
}

function urlExpiration(pair: unknown, path: string): UrlExpiration {
	if (!Array.isArray(pair) || pair.length !== 2) {
		throw new SettingError(path, pair, 'a pair of a pattern and an expiration');
	}

	const [pattern, expireAfter] = pair as readonly unknown[];
	if (!isUrlPattern(pattern)) {
		throw new SettingError(`${path}[0]`, pattern, urlPatterns);
	}

	return Object.freeze({
		matches: compileUrlPattern(pattern),
		expiration: parse({allowed: expirations, parse: expiration}, expireAfter, `${path}[1]`),
	});
}

function whyUnknown(key: string, known: readonly string[]): string {
	if (Object.hasOwn(clientTable, key)) {
		return `\`${key}\` is a setting of the client, not of a request`;
	}

	if (Object.hasOwn(requestTable, key)) {
		return `\`${key}\` is a setting of a request, not of the client`;
	}

	const similar = similarKey(key, known);
	return similar === undefined
		? `there is no such setting; there are \`${known.join('`, `')}\``
		: `there is no such setting; did you mean \`${similar}\`?`;
}

/** The one setting that requests-cache knows by another word. */
const renamed: Readonly<Record<string, string>> = {backend: 'store'};

function similarKey(key: string, known: readonly string[]): string | undefined {
	// The snake_case names of requests-cache, too.
	const plain = key.replaceAll(/[\s\-_]/gv, '').toLowerCase();
	const plainKnown = new Map(known.map(name => [name.toLowerCase(), name]));
	const closest = closestMatch(plain, plainKnown.keys().toArray(), {maxDistance: Math.min(4, Math.floor(plain.length / 3))});
	return closest === undefined ? known.find(name => name === renamed[plain]) : plainKnown.get(closest);
}

function member(path: string, key: string): string {
	return /^[$a-z_][\w$]*$/iv.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function isWhole(value: unknown): value is number {
	return Number.isSafeInteger(value);
}

// RFC 9110 §5.6.2: what methods and header names are made of.
function isToken(value: unknown): value is string {
	return typeof value === 'string' && /^[\w!#$%\u{26}'*+\-.^`\|~]+$/v.test(value);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
	if (typeof value !== 'object' || value === null) {
		return false;
	}

	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}
