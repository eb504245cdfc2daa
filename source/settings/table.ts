import {allowedSerializers, isSerializer} from '../entry/serializers/pipeline.ts';
import {DEFAULT_IGNORED_PARAMETERS} from '../identity/credentials.ts';
import {NEVER_EXPIRE} from '../policy/expiration.ts';
import {maxTags} from '../policy/fields.ts';
import {headerNameSet, keyParsers} from '../identity/key-settings.ts';
import {
	boolean as booleanInput,
	functionOf,
	isToken,
	oneOf,
	setOf,
	text,
	wholeNumber,
	type Parser,
} from '../parse.ts';
import {
	cacheStatus,
	expiration,
	mode,
	period,
	singleFlight,
	tagList,
	urlExpirations,
} from './parsers.ts';
import type {FixedSetting, ResolvedRequestSettings, ResolvedSettings} from './types.ts';

/** How an environment variable spells the value. */
export type VariableKind = 'text' | 'flag' | 'number' | 'duration' | 'period' | 'list' | 'numbers' | 'flagOrList';

/**
Everything about a setting that is not its documentation.
*/
export type Row<Value> = Parser<Value> & {
	/** As a user would write it. */
	readonly default: unknown;

	/** Whether RFC 9111 takes the place of the default when `cacheControl` is on. */
	readonly isLeftToOrigin?: true;

	/** Where the setting belongs: to the store of a cache, to the cache, or to each of its clients. Default: `'client'`. */
	readonly scope?: 'store' | 'cache';

	/** Whether a single request may have its own. */
	readonly isOfRequest?: true;

	/** The kind of its `GOT_CACHE_…` variable. Without one, there is no variable. */
	readonly variable?: VariableKind;
};

/** Why a setting cannot change while the client is in use. */
type Fixed<Key> = Key extends FixedSetting ? {readonly fixed: string} : {readonly fixed?: undefined};

type ClientTable = {readonly [Key in Exclude<keyof ResolvedSettings, 'recording'>]-?: Row<NonNullable<ResolvedSettings[Key]>> & Fixed<Key>};

type RequestTable = {readonly [Key in 'refresh' | 'forceRefresh' | 'tags']-?: Row<NonNullable<ResolvedRequestSettings[Key]>>};

const boolean = {...booleanInput, default: false};

const positive = wholeNumber('a whole number from 1', 1);

// The function has no name, like one that a user writes.
const [now] = [() => Date.now()] as const;

/**
The settings of a client, some of which a request may have as well.
*/
export const clientTable: ClientTable = {
	expireAfter: {
		...expiration,
		default: NEVER_EXPIRE,
		isLeftToOrigin: true,
		isOfRequest: true,
		variable: 'duration',
	},
	allowableCodes: {
		default: [200],
		isLeftToOrigin: true,
		isOfRequest: true,
		variable: 'numbers',
		allowed: 'an array or a Set of status codes',
		parse: setOf('a whole number from 100 to 599', wholeNumber('', 100, 599).parse),
	},
	allowableMethods: {
		default: ['GET', 'HEAD'],
		isOfRequest: true,
		variable: 'list',
		allowed: 'an array or a Set of methods',
		parse: setOf('a method such as `\'GET\'`', method => isToken(method) ? method.toUpperCase() : undefined),
	},
	alwaysRevalidate: {...boolean, isOfRequest: true, variable: 'flag'},
	disabled: {...boolean, isOfRequest: true, variable: 'flag'},
	filterFn: {...functionOf('a function `(response) => boolean`'), default: undefined, isOfRequest: true},
	keyFn: {
		...functionOf('a function `(request, createKey) => string | undefined`'), default: undefined, scope: 'cache', isOfRequest: true,
	},
	onlyIfCached: {...boolean, isOfRequest: true, variable: 'flag'},
	readOnly: {...boolean, isOfRequest: true, variable: 'flag'},
	staleIfError: {...period, isOfRequest: true, variable: 'period'},
	staleWhileRevalidate: {...period, isOfRequest: true, variable: 'period'},
	trust: {...text, default: undefined, isOfRequest: true},
	store: {
		default: 'sqlite',
		scope: 'store',
		fixed: 'it names where responses are stored',
		variable: 'text',
		allowed: 'a store',
		parse: value => value as ResolvedSettings['store'],
	},
	cacheName: {
		...text,
		default: 'http_cache',
		scope: 'store',
		fixed: 'the store is opened with it',
		variable: 'text',
	},
	serializer: {
		default: undefined,
		scope: 'store',
		fixed: 'stored responses were written with it',
		allowed: `a \`SerializerPipeline\`, ${allowedSerializers}`,
		parse: value => isSerializer(value) ? value : undefined,
	},
	decodeContent: {
		...boolean,
		default: undefined,
		scope: 'store',
		fixed: 'stored responses were written with it',
	},
	partitionSecret: {
		...keyParsers.partitionSecret,
		default: undefined,
		scope: 'store',
		fixed: 'stored keys were made with it',
		variable: 'text',
	},
	storeTimeout: {
		default: 500,
		scope: 'store',
		fixed: 'the store is opened with it',
		variable: 'number',
		// With more, `setTimeout` fires at once.
		allowed: 'a number of milliseconds above 0 and below 2 ** 31',
		parse: value => typeof value === 'number' && value > 0 && value < 2 ** 31 ? value : undefined,
	},
	failFast: {...boolean, scope: 'store', fixed: 'the store is opened with it'},
	lock: {
		default: 'local',
		scope: 'store',
		fixed: 'other processes rely on it',
		allowed: '`\'local\'` or a boolean',
		parse: value => typeof value === 'boolean' || value === 'local' ? value : undefined,
	},
	autoclose: {...boolean, scope: 'store', fixed: 'it says who closes the store'},
	mode: {
		default: undefined,
		scope: 'cache',
		fixed: 'stored responses were recorded with it',
		allowed: '`\'record\'`, `\'replay\'`, `\'record-missing\'`, or an object with one of them as its `name`',
		parse: mode,
	},
	now: {
		...functionOf('a function that returns the milliseconds since the epoch'),
		default: now,
		scope: 'cache',
		fixed: 'stored responses were dated with it',
	},
	cacheControl: {
		...keyParsers.cacheControl, default: false, scope: 'cache', variable: 'flag',
	},
	matchHeaders: {
		...keyParsers.matchHeaders,
		default: false,
		scope: 'cache',
		variable: 'flagOrList',
	},
	ignoredParameters: {
		...keyParsers.ignoredParameters,
		default: DEFAULT_IGNORED_PARAMETERS,
		scope: 'cache',
		variable: 'list',
	},
	contentRootKey: {...keyParsers.contentRootKey, default: undefined, scope: 'cache'},
	partitionBy: {...keyParsers.partitionBy, default: 'credentials', scope: 'cache'},
	urlsExpireAfter: {
		default: [],
		allowed: 'an array of pairs of a pattern and an expiration, a Map of them, or an object with globs',
		parse: urlExpirations,
	},
	cacheControlTargets: {
		default: [],
		allowed: 'an array of header names',
		parse: (value, path) => Array.isArray(value) ? [...headerNameSet(value, path)!] : undefined,
	},
	staleIfErrorAfter: {...oneOf('failure', 'retries'), default: 'failure'},
	gatewayTimeout: {...oneOf('error', 'respond'), default: 'error'},
	cacheStatus: {
		default: true,
		variable: 'flag',
		allowed: 'a boolean, a name that is not empty, or an object with `name` and `key`',
		parse: cacheStatus,
	},
	ttlOffset: {...period, default: '1h', variable: 'period'},
	storeEncoded: boolean,
	storeSetCookie: boolean,
	singleFlight: {
		default: true,
		allowed: 'a boolean, or an object with `maxWait`',
		parse: singleFlight,
	},
	maxEntryBytes: {
		default: 64 * 1024 * 1024,
		fixed: 'stored responses are read within its limit',
		allowed: 'a whole number of bytes from 1, or `Infinity`',
		parse: value => value === Infinity ? value : positive.parse(value, ''),
	},
	maxBytes: {
		default: undefined,
		scope: 'store',
		fixed: 'the store is opened with it',
		...wholeNumber('a whole number of bytes from 1', 1),
	},
	maxEntries: {
		default: undefined,
		scope: 'store',
		fixed: 'the store is opened with it',
		...positive,
	},
	jitter: {
		default: 0,
		allowed: 'a number from 0 to 1',
		parse: value => typeof value === 'number' && value >= 0 && value <= 1 ? value : undefined,
	},
	tags: {...functionOf('a function `(response) => string[]`'), default: undefined},
};

/**
The settings that only a request has. `tags` of a client is a function, and of a request a list.
*/
export const requestOnlyTable: RequestTable = {
	refresh: boolean,
	forceRefresh: boolean,
	tags: {
		default: [],
		allowed: `an array of at most ${maxTags} tags`,
		parse: tagList,
	},
};
