import type {Ignored, IgnoredParameter} from '../identity/credentials.ts';
import type {KeyCallback, PartitionCallback} from '../identity/key-parts.ts';
import type {CachedResponse} from '../entry/cached-response.ts';
import type {DurationLike, ExpirationTime, Expiration} from '../policy/expiration.ts';
import type {Mode} from '../policy/types.ts';
import type {UrlExpiration, ExpirationPatterns} from '../policy/url-patterns.ts';
import type {PipelineStage, SerializerPipeline} from '../entry/serializers/pipeline.ts';
import type {StoreSetting} from '../stores/open.ts';

/**
A length of time: seconds, a duration string, a duration object, or `NEVER_EXPIRE` for no end. `true` is no end, too; `false` is off.
*/
type Period = boolean | number | string | DurationLike;

type SingleFlight = {
	/** How long a request may be held back in all, by the store and by other requests: seconds, a duration string or object. Default: 30 seconds. */
	readonly maxWait: number | string | DurationLike;
};

/** Decides whether a response may be stored and used. */
export type FilterCallback = (response: CachedResponse) => boolean | Promise<boolean>;

/** Returns the tags of a response, in addition to those that its headers name. */
export type TagCallback = (response: CachedResponse) => readonly string[];

/**
Settings that a client has and that a single request may change. A wrong value is a `SettingError`, which is a `TypeError`.
*/
type SharedSettings = {
	/**
	How long a response is fresh: seconds, a `Date`, a duration, or one of `NEVER_EXPIRE`, `EXPIRE_IMMEDIATELY`, `DO_NOT_CACHE`. A number in a string, such as `'300'`, is refused for want of a unit.

	@default NEVER_EXPIRE
	@example
	```
	{expireAfter: '6h'}
	```
	*/
	readonly expireAfter?: ExpirationTime | undefined;

	/**
	The status codes, of 100 to 599, that are stored. Redirects are stored whatever it says.

	@default [200]
	@example
	```
	{allowableCodes: [200, 404]}
	```
	*/
	readonly allowableCodes?: readonly number[] | ReadonlySet<number> | undefined;

	/**
	The methods whose responses are stored, in any case of letters.

	@default ['GET', 'HEAD']
	@example
	```
	{allowableMethods: ['GET', 'HEAD', 'POST']}
	```
	*/
	readonly allowableMethods?: readonly string[] | ReadonlySet<string> | undefined;

	/**
	Validate each stored response with the origin before it is used, if it can be validated at all.

	@default false
	@example
	```
	{alwaysRevalidate: true}
	```
	*/
	readonly alwaysRevalidate?: boolean | undefined;

	/**
	Do nothing at all: requests go out as without a cache, no stored response is read, written or invalidated, and nothing is told of them. A replay (`mode`) and `withoutNetwork` send nothing all the same.

	@default false
	@example
	```
	{disabled: process.env.NODE_ENV === 'test'}
	```
	*/
	readonly disabled?: boolean | undefined;

	/**
	Whether a response may be stored and used; it sees all of it, its body included. It is asked before a response is written and when one is read; a stored response that it refuses is deleted. Without one, every response may.

	@default undefined
	@example
	```
	{filterFn: response => response.size > 0}
	```
	*/
	readonly filterFn?: FilterCallback | undefined;

	/**
	Makes the key under which a response is stored; `undefined` is for a request that is not to be cached. Without one, the key is made of method, target URL, TLS settings, body and credentials.

	It takes the place of the partition as well: two users whose requests get the same key share a response, unless the key is made by `createKey`, the second argument, which has all of it. Anything but a string that is not empty or `undefined` is a `settingError`, and the request is sent as without a cache; so is a key that is longer than the store can hold.

	@default undefined
	@example
	```
	{keyFn: (request, createKey) => createKey({...request, url: request.url.toLowerCase()})}
	```
	*/
	readonly keyFn?: KeyCallback | undefined;

	/**
	Send nothing: what is not stored is answered with a 504 (RFC 9111 §5.2.1.7).

	@default false
	@example
	```
	{onlyIfCached: true}
	```
	*/
	readonly onlyIfCached?: boolean | undefined;

	/**
	Use what is stored, and write, delete, invalidate and refresh nothing. A cache that is made with it stays so: the store is opened for reading, a file or folder that is missing is an error and not made, and calls of the cache that would change what is stored reject with `ERR_STORE_READ_ONLY`.

	@default false
	@example
	```
	{readOnly: true}
	```
	*/
	readonly readOnly?: boolean | undefined;

	/**
	How long after its expiry a stored response may stand in for an error: a failed connection, or a status of 400 and above that `allowableCodes` lacks (RFC 5861 §4).

	@default false
	@example
	```
	{staleIfError: '1 day'}
	```
	*/
	readonly staleIfError?: Period | undefined;

	/**
	How long after its expiry a stored response is still used at once, while it is refreshed in the background (RFC 5861 §3). While the origin answers with a 401 or 407, it is validated in the foreground instead.

	@default false
	@example
	```
	{staleWhileRevalidate: {minutes: 5}}
	```
	*/
	readonly staleWhileRevalidate?: Period | undefined;

	/**
	Names what decides whom a request believes where that cannot be looked into: a `checkServerIdentity` function, a secure context, `createConnection`, `h2session`, or a `request` function. Responses that came by the same name are shared, across processes as well. All other TLS settings are part of the key by themselves.

	Use it when requests go out through a tunnel of your own, or are checked by a function, and processes share a store.

	@default undefined
	@example
	```
	{trust: 'pinned-2026'}
	```
	*/
	readonly trust?: string | undefined;
};

/**
Settings of a client. `undefined` is the default; a wrong value is a `SettingError`, which is a `TypeError`.
*/
export type CacheSettings = SharedSettings & {
	/**
	Where responses are kept: the name or the URL of a store, one made by `createStore`, any Keyv instance, Keyv storage adapter or `Map`, or a store of your own.

	@default 'sqlite'
	@example
	```
	{store: 'memory'}
	```
	*/
	readonly store?: StoreSetting | undefined;

	/**
	The file of `'sqlite'`, with or without `.sqlite` or `.db`, the folder of `'filesystem'`, and the namespace in other stores.

	@default 'http_cache'
	@example
	```
	{cacheName: 'weather'}
	```
	*/
	readonly cacheName?: string | undefined;

	/**
	How stored responses are written: the name of a format (`'binary'`, `'v8'`, `'json'`, `'yaml'`, `'bson'`, `'document'`), a stage, or a `SerializerPipeline`. Without one, as is best for the store.

	@default undefined
	@example
	```
	{serializer: new SerializerPipeline(['json', compressed('zstd')])}
	```
	*/
	readonly serializer?: PipelineStage | SerializerPipeline | undefined;

	/**
	Store JSON and text bodies as values that a person can read, where the same bytes come of them again. Without it, as is best for the store: `true` for files and document databases. It counts for nothing where nothing is serialized, or by `'binary'`.

	@default undefined
	@example
	```
	{serializer: 'yaml', decodeContent: true}
	```
	*/
	readonly decodeContent?: boolean | undefined;

	/**
	Expirations by URL: pairs of a pattern (glob, `RegExp`, `URLPattern`) and an `expireAfter`, or a `Map` or an object of globs. The first pattern that matches counts, before `expireAfter`.

	@default []
	@example
	```
	{urlsExpireAfter: [['*.example.com/live', '30s'], [/\/static\//, NEVER_EXPIRE]]}
	```
	*/
	readonly urlsExpireAfter?: ExpirationPatterns | undefined;

	/**
	Let response headers decide, by RFC 9111 for a private cache: `Cache-Control`, `Expires`, `Age`, `Vary` and the rest come before the settings of expiration. Then `expireAfter` and `allowableCodes` are unset unless given: what says nothing of its freshness gets a heuristic one.

	@default false
	@example
	```
	{cacheControl: true}
	```
	*/
	readonly cacheControl?: boolean | undefined;

	/**
	The share of the time since `Last-Modified` for which a response is fresh where nothing else says, from 0 to 1 (RFC 9111 §4.2.2). With `cacheControl` only.

	@default 0.1
	@example
	```
	{heuristicShare: 0}
	```
	*/
	readonly heuristicShare?: number | undefined;

	/**
	Targeted fields that come before `Cache-Control` and `Expires`, the most specific first (RFC 9213). With `cacheControl` only.

	@default []
	@example
	```
	{cacheControlTargets: ['Example-Cache-Control']}
	```
	*/
	readonly cacheControlTargets?: readonly string[] | undefined;

	/**
	When a stale response stands in for an error: at the first failure, or when Got's own `retries` are used up (of the promise API: a stream has none of its own).

	@default 'failure'
	@example
	```
	{staleIfError: true, staleIfErrorAfter: 'retries'}
	```
	*/
	readonly staleIfErrorAfter?: 'failure' | 'retries' | undefined;

	/**
	What answers where the origin cannot be reached and nothing stored may be used: Got's `error`, or `respond` with the 504 of RFC 9111 §5.2.2.2.

	@default 'error'
	@example
	```
	{gatewayTimeout: 'respond'}
	```
	*/
	readonly gatewayTimeout?: 'error' | 'respond' | undefined;

	/**
	The `Cache-Status` field that is added to each response (RFC 9211): `false` for none, `true`, a name for this cache, or `{name, key}`, where `key: true` tells the key too.

	@default true
	@example
	```
	{cacheStatus: 'api-client'}
	```
	*/
	readonly cacheStatus?: boolean | string | {readonly name?: string; readonly key?: boolean} | undefined;

	/**
	The request headers whose values are included in the key: none, those listed, or all (`true`) but those of the connection and those ignored. What a response names in `Vary` counts beside them.

	The order of a list's members counts, white space around them does not. `Accept-Encoding` is a set, and `Accept-Language` a list, both in any letter case.

	@default false
	@example
	```
	{matchHeaders: ['Accept', 'Accept-Language']}
	```
	*/
	readonly matchHeaders?: boolean | readonly string[] | undefined;

	/**
	Parameters that are not included in the key, and whose values are `REDACTED` in what is stored and told: of the query, headers, form bodies, multipart bodies and JSON bodies at any depth. Each is a name in any letter case, a `RegExp` (where it ignores no case, it does so for headers), or a JSON path such as `$.user.token` or `$.items[*].id` for one field. The list takes the place of the default one.

	What is called like a secret (`access_token`, `X-API-Key`) is included in the key all the same, by a keyed digest, while `partitionBy` is `'credentials'`. It is redacted whether it is listed or not. What may be a credential or not (`key`, `code`, `session`) is left out of the key where the list has it.

	@default DEFAULT_IGNORED_PARAMETERS
	@example
	```
	{ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'utm_source', /^x-trace-/, '$.request.id']}
	```
	*/
	readonly ignoredParameters?: readonly IgnoredParameter[] | ReadonlySet<IgnoredParameter> | undefined;

	/**
	The member of a JSON body below which parameters are ignored by name; without one, they are everywhere. JSON paths begin at the root all the same.

	@default undefined
	@example
	```
	{contentRootKey: 'data'}
	```
	*/
	readonly contentRootKey?: string | undefined;

	/**
	Whom a response is for. `'credentials'`: requests with different credentials do not share responses, whether they stand in headers, the URL or the body; `docs/security.md` has the table of their names. A function names the tenant: then neither the headers that hold credentials, nor user info in the URL, nor ignored parameters count. `false` shares among all in the same way. A credential in a parameter that is not ignored counts whatever is said here, and so do the TLS settings, the client's certificate among them.

	@default 'credentials'
	@example
	```
	{partitionBy: request => String(request.headers['x-tenant'])}
	```
	*/
	readonly partitionBy?: 'credentials' | false | PartitionCallback | undefined;

	/**
	What credentials are digested with before they are included in a key, so that nobody who reads the store can try guesses: for several caches that share what they store, in different stores or after a restore. Without one, each cache makes its own, and keeps it in its store.

	@default undefined
	@example
	```
	{partitionSecret: process.env.CACHE_SECRET}
	```
	*/
	readonly partitionSecret?: string | Uint8Array | undefined;

	/**
	How long the store keeps a response at least after it has expired, so that it can still be validated. Where `staleIfError` or `staleWhileRevalidate` last longer, of the settings or of the response, it is kept as long as they do.

	@default '1h'
	@example
	```
	{ttlOffset: '7d'}
	```
	*/
	readonly ttlOffset?: Period | undefined;

	/**
	Store bodies as they came over the wire, compressed, instead of decoded: smaller, and slower on each hit.

	@default false
	@example
	```
	{storeEncoded: true}
	```
	*/
	readonly storeEncoded?: boolean | undefined;

	/**
	Keep `Set-Cookie` with a response, and give it back on each hit, as browsers and requests-cache do. By default a cookie is for the caller who got it from the origin, and is not stored.

	Use it when one user alone uses the cache, and its cookie jar is to be filled from the cache as well.

	@default false
	@example
	```
	{storeSetCookie: true}
	```
	*/
	readonly storeSetCookie?: boolean | undefined;

	/**
	How many milliseconds a call of the store may take before the request goes on without it.

	@default 500
	@example
	```
	{storeTimeout: 2000}
	```
	*/
	readonly storeTimeout?: number | undefined;

	/**
	Let a fault of the store fail the request, for tests. It covers writes as well: a response, or the end of its body, waits until everything is written. Nobody waits for a refresh in the background, so that its faults stay events.

	@default false
	@example
	```
	{failFast: true}
	```
	*/
	readonly failFast?: boolean | undefined;

	/**
	Let requests for one key that are made at the same time share one request to the origin: a request that comes while another one is under way waits for its response, unless it asks for an answer of the origin's own.

	A request waits for the head of the response for 30 seconds at most, and for its body while that will be whole within 30 seconds at the rate seen; where the length of the body is not known, for 2 seconds. Then it is sent by itself. The limits of the request that was sent end the wait before: where its caller aborts it, exactly one takes its place. A stream of events and a body that is too large to be stored hold nobody back.

	A request that waits for another one that stalls and fails has lost that time. `maxWait` bounds it: so long after it came, a request that is still held back, by the store or by another request, is sent alone. Use it when a late response is worth less than one more request; with `maxWait` up to `storeTimeout` the cache makes no request slower by more than that.

	@default true
	@example
	```
	{singleFlight: {maxWait: '500ms'}}
	```
	*/
	readonly singleFlight?: boolean | SingleFlight | undefined;

	/**
	Let several processes with one store share requests as well, by a lock in the store: the process that has the lock asks the origin, and the others wait for what it stores. A lock ends by itself after 10 seconds, so that a process that was killed holds nobody up for longer. It costs two more writes for each request that goes to the origin; `'local'` pays them for SQLite and files, not for a store across a network. A store without `add` has no locks.

	Use `true` when several processes share a Redis, MongoDB or DynamoDB store and the origin is slow or limits its callers.

	@default 'local'
	@example
	```
	{store: 'redis', lock: true}
	```
	*/
	readonly lock?: 'local' | boolean | undefined;

	/**
	The share of its freshness after which a stored response is refreshed in the background when it is used, so that it need not expire; `false` for never.

	@default false
	@example
	```
	{refreshAhead: 0.8}
	```
	*/
	readonly refreshAhead?: number | false | undefined;

	/**
	How many refreshes of a cache run in the background at a time, whichever of its clients asks for them; beyond that they are left to the next who asks.

	@default 32
	@example
	```
	{maxRefreshes: 4}
	```
	*/
	readonly maxRefreshes?: number | undefined;

	/**
	Gets each refresh and each write that nobody waits for, so that a runtime that stops after the answer does not stop them. What it gets never rejects.

	@default undefined
	@example
	```
	{waitUntil: work => context.waitUntil(work)}
	```
	*/
	readonly waitUntil?: ((work: Promise<void>) => void) | undefined;

	/**
	How many responses may wait to be written, where the store is slow. The latest is dropped beyond that, and told as `refused` (`queue-full`) and as a `storeError`.

	@default 1000
	@example
	```
	{maxPendingWrites: 100}
	```
	*/
	readonly maxPendingWrites?: number | undefined;

	/**
	How many bytes may wait to be written: decoded bodies and all that is stored beside them. As `maxPendingWrites`. One alone may be larger.

	@default 67_108_864
	@example
	```
	{maxPendingBytes: 8 * 1024 * 1024}
	```
	*/
	readonly maxPendingBytes?: number | undefined;

	/**
	The greatest body in bytes that is stored; `Infinity` is no limit.

	@default 67_108_864
	@example
	```
	{maxEntryBytes: 1024 * 1024}
	```
	*/
	readonly maxEntryBytes?: number | undefined;

	/**
	Bytes that everything stored may take: bodies, and what is stored beside them (headers, tags, bodies of requests). What was not used lately makes room. For `'memory'`, whose default is 134,217,728 (128 MiB), `'sqlite'` and `'filesystem'`, which have no bound by default.

	@default undefined
	@example
	```
	{store: 'memory', maxBytes: 16 * 1024 * 1024}
	```
	*/
	readonly maxBytes?: number | undefined;

	/**
	How many entries are kept; what was not used lately makes room. For `'memory'`, whose default is 10,000.

	@default undefined
	@example
	```
	{store: 'memory', maxEntries: 500}
	```
	*/
	readonly maxEntries?: number | undefined;

	/**
	The share of its freshness lifetime, from 0 to 1, by which a response may expire earlier, at random: so that what was stored together is not asked for again together.

	@default 0
	@example
	```
	{expireAfter: '1h', jitter: 0.1}
	```
	*/
	readonly jitter?: number | undefined;

	/**
	The tags of a response, beside those of its `Cache-Tag` and `Surrogate-Key` headers and of its request: `cache.delete({tags})` and `cache.expire({tags})` name them. Where it throws, the response is not stored; nor is it with more than 128 tags in all, or one of more than 256 characters (`too-many-tags`).

	@default undefined
	@example
	```
	{tags: response => [new URL(response.url).hostname]}
	```
	*/
	readonly tags?: TagCallback | undefined;

	/**
	The cache as a test fixture. `'record'` sends each request and stores what comes, whatever its method, status or headers, for good; `'record-missing'` sends what has no recording; `'replay'` sends nothing, and fails with `ERR_NOT_RECORDED` where there is none. The umask says who may read the files of `'sqlite'` and `'filesystem'`, unless their `fileMode` does.

	@default undefined
	@example
	```
	{store: 'sqlite', cacheName: 'test/fixtures/api', mode: 'replay'}
	```
	*/
	readonly mode?: Mode | undefined;

	/**
	Close a store that was handed in with the cache, as one that the cache opened itself is.

	@default false
	@example
	```
	{autoclose: true}
	```
	*/
	readonly autoclose?: boolean | undefined;

	/**
	The clock: milliseconds since the epoch. For tests.

	@default () => Date.now()
	@example
	```
	{now: () => 1_767_225_600_000}
	```
	*/
	readonly now?: (() => number) | undefined;
};

/**
Settings of a single request, above its client's. `undefined` is the client's.
*/
export type RequestSettings = SharedSettings & {
	/**
	Validate the stored response with the origin before it is used.

	@default false
	@example
	```
	{refresh: true}
	```
	*/
	readonly refresh?: boolean | undefined;

	/**
	Send the request as if nothing were stored, and store what comes.

	@default false
	@example
	```
	{forceRefresh: true}
	```
	*/
	readonly forceRefresh?: boolean | undefined;

	/**
	Tags of the response, beside the client's and those of its headers: at most 128 in all, of at most 256 characters each.

	@default []
	@example
	```
	{tags: ['user:1']}
	```
	*/
	readonly tags?: readonly string[] | undefined;
};

/** Settings with which a store was opened: they stay what they are. */
export type FixedSetting = 'autoclose' | 'cacheName' | 'decodeContent' | 'failFast' | 'lock' | 'maxBytes' | 'maxEntries' | 'maxEntryBytes' | 'maxPendingBytes' | 'maxPendingWrites' | 'maxRefreshes' | 'mode' | 'now' | 'partitionSecret' | 'serializer' | 'store' | 'storeTimeout';

/**
The settings of a client while it runs, completed with the defaults. An assignment holds for the requests that begin after it; one that is wrong throws a `SettingError` and changes nothing. `undefined` is the default again.

Arrays are frozen copies: assign a new one. A secret is not shown.

@example
```
cache.settings.expireAfter = '1m';
```
*/
export type LiveSettings = {-readonly [Key in Exclude<keyof CacheSettings, FixedSetting>]: CacheSettings[Key]} & {readonly [Key in FixedSetting]: CacheSettings[Key]};

type ResolvedSharedSettings = {
	readonly expireAfter: Expiration;
	readonly allowableCodes: ReadonlySet<number>;

	/** In upper case. */
	readonly allowableMethods: ReadonlySet<string>;
	readonly alwaysRevalidate: boolean;
	readonly disabled: boolean;
	readonly filterFn: FilterCallback | undefined;
	readonly keyFn: KeyCallback | undefined;
	readonly onlyIfCached: boolean;
	readonly readOnly: boolean;

	/** Milliseconds; 0 is off, `Infinity` without end. */
	readonly staleIfError: number;

	/** Milliseconds; 0 is off, `Infinity` without end. */
	readonly staleWhileRevalidate: number;
	readonly trust: string | undefined;
};

/**
Settings understood. Frozen, and nothing in it is shared with what the user gave but the store and functions.
*/
export type ResolvedSettings = Omit<ResolvedSharedSettings, 'allowableCodes' | 'expireAfter'> & {
	/** `undefined` leaves it to RFC 9111. */
	readonly expireAfter: Expiration | undefined;

	/** `undefined` leaves it to RFC 9111. */
	readonly allowableCodes: ReadonlySet<number> | undefined;
	readonly cacheControl: boolean;
	readonly heuristicShare: number;

	/** In lower case. */
	readonly cacheControlTargets: readonly string[];
	readonly staleIfErrorAfter: 'failure' | 'retries';
	readonly gatewayTimeout: 'error' | 'respond';
	readonly cacheStatus: false | {readonly name: string; readonly key: boolean};
	/** As given: whoever opens it checks it. */
	readonly store: StoreSetting;
	readonly cacheName: string;

	/** As given: whoever makes a pipeline of it checks it. */
	readonly serializer: PipelineStage | SerializerPipeline | undefined;
	readonly decodeContent: boolean | undefined;
	readonly urlsExpireAfter: readonly UrlExpiration[];

	/** In lower case. */
	readonly matchHeaders: boolean | readonly string[];
	readonly ignoredParameters: Ignored;
	readonly contentRootKey: string | undefined;
	readonly partitionBy: 'credentials' | false | PartitionCallback;
	readonly partitionSecret: string | Uint8Array | undefined;

	/** Milliseconds; 0 is off, `Infinity` without end. */
	readonly ttlOffset: number;
	readonly storeEncoded: boolean;
	readonly storeSetCookie: boolean;

	/** Milliseconds. */
	readonly storeTimeout: number;
	readonly failFast: boolean;
	readonly singleFlight: false | {
		/** Milliseconds. */
		readonly maxWait: number;
	};
	readonly lock: boolean | 'local';

	/** 0 is never. */
	readonly refreshAhead: number;
	readonly maxRefreshes: number;
	readonly waitUntil: ((work: Promise<void>) => void) | undefined;
	readonly maxPendingWrites: number;
	readonly maxPendingBytes: number;
	readonly maxEntryBytes: number;

	/** `undefined` leaves it to the store. */
	readonly maxBytes: number | undefined;

	/** `undefined` leaves it to the store. */
	readonly maxEntries: number | undefined;
	readonly jitter: number;
	readonly tags: TagCallback | undefined;
	readonly mode: Mode | undefined;
	readonly autoclose: boolean;
	readonly now: () => number;
};

/**
What was given for a request, understood. What was not given is absent.
*/
export type ResolvedRequestSettings = {
	readonly [Key in keyof ResolvedSharedSettings]?: Exclude<ResolvedSharedSettings[Key], undefined>;
} & {
	readonly refresh?: boolean;
	readonly forceRefresh?: boolean;
	readonly tags?: readonly string[];
};
