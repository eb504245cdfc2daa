import type {Ignored, IgnoredParameter} from '../identity/credentials.ts';
import type {KeyCallback, PartitionCallback} from '../identity/key-parts.ts';
import type {CachedResponse} from '../entry/cached-response.ts';
import type {DurationLike, ExpirationTime, Expiration} from '../policy/expiration.ts';
import type {Mode, ModeOptions, RecordingRules} from '../policy/modes.ts';
import type {ExpirationPatterns, UrlExpiration} from '../policy/url-patterns.ts';
import type {PipelineStage, SerializerPipeline} from '../entry/serializers/pipeline.ts';
import type {StoreSetting} from '../stores/open.ts';

/**
A length of time: seconds, a duration string, a duration object, or `NEVER_EXPIRE` for no end. `true` means no end, too; `false` means off.
*/
type Period = boolean | number | string | DurationLike;

type SingleFlight = {
	/** The longest time that a request waits in all, for the store and for other requests: seconds, a duration string or object. Default: 30 seconds. */
	readonly maxWait: number | string | DurationLike;
};

type StatusField = {
	/** The name of this cache in the field. Default: `'got-cache-hooks'`. */
	readonly name?: string;

	/** Whether the field includes the key. Default: `false`. */
	readonly key?: boolean;
};

/** Decides whether a response may be stored and used. */
export type FilterCallback = (response: CachedResponse) => boolean | Promise<boolean>;

/** Returns the tags of a response, in addition to those that its headers name. */
export type TagCallback = (response: CachedResponse) => readonly string[];

/**
The settings that a client has and that a single request may override. A wrong value is a `SettingError`, which is a `TypeError`.
*/
type SharedSettings = {
	/**
	How long a response is fresh: seconds, a `Date`, a duration, or one of `NEVER_EXPIRE`, `EXPIRE_IMMEDIATELY` and `DO_NOT_CACHE`. A string of digits, such as `'300'`, is refused, because it has no unit.

	Use it when you know how long the data of an API stays valid.

	@default NEVER_EXPIRE
	@example
	```
	{expireAfter: '6h'}
	```
	*/
	readonly expireAfter?: ExpirationTime | undefined;

	/**
	The status codes, from 100 to 599, of responses that are stored. Redirects are always stored.

	Use it when other responses are worth storing as well, such as a 404 that does not change.

	@default [200]
	@example
	```
	{allowableCodes: [200, 404]}
	```
	*/
	readonly allowableCodes?: readonly number[] | ReadonlySet<number> | undefined;

	/**
	The methods whose responses are stored. The body of the request is included in the key.

	Use it when an API takes its queries as `POST`.

	@default ['GET', 'HEAD']
	@example
	```
	{allowableMethods: ['GET', 'HEAD', 'POST']}
	```
	*/
	readonly allowableMethods?: readonly string[] | ReadonlySet<string> | undefined;

	/**
	Whether to validate each stored response that has a validator with the origin before it is used.

	Use it when a response must be current, but need not be transferred again.

	@default false
	@example
	```
	{alwaysRevalidate: true}
	```
	*/
	readonly alwaysRevalidate?: boolean | undefined;

	/**
	Whether to bypass the cache: nothing is read, stored, invalidated or reported. A replay (`mode`) and `withoutNetwork` still send nothing.

	Use it when the cache should be off, for some requests or in some environment.

	@default false
	@example
	```
	{disabled: process.env.NODE_ENV === 'test'}
	```
	*/
	readonly disabled?: boolean | undefined;

	/**
	Decides whether a response may be stored and used. It receives the whole response, including the body, before the response is stored and when it is read. A stored response that it rejects is deleted.

	Use it when the body shows whether a response is worth storing.

	@default undefined
	@example
	```
	{filterFn: response => response.size > 0}
	```
	*/
	readonly filterFn?: FilterCallback | undefined;

	/**
	Creates the key under which a response is stored, or returns `undefined` for a request that must not be cached. By default the key includes the method, the target URL, the TLS settings, the body and the credentials.

	The function replaces the partition as well: two users whose requests get the same key share a response, unless the function calls `createKey`, its second argument. If it returns anything but a string that is not empty or `undefined`, or a key that is too long for the store, a `settingError` is emitted and the request is sent without the cache.

	Use it when `matchHeaders`, `ignoredParameters` and `partitionBy` cannot express which requests have the same response.

	@default undefined
	@example
	```
	{keyFn: (request, createKey) => createKey({...request, url: request.url.toLowerCase()})}
	```
	*/
	readonly keyFn?: KeyCallback | undefined;

	/**
	Whether to send nothing: a request without a stored response gets a 504 (RFC 9111 §5.2.1.7).

	Use it when the program must work offline.

	@default false
	@example
	```
	{onlyIfCached: true}
	```
	*/
	readonly onlyIfCached?: boolean | undefined;

	/**
	Whether to use stored responses without storing, deleting, invalidating or refreshing any. A cache that is created with it stays read-only: a file or folder that is missing is an error, and the methods that would change the store reject with `ERR_STORE_READ_ONLY`.

	Use it when several programs share responses that only one of them may change.

	@default false
	@example
	```
	{readOnly: true}
	```
	*/
	readonly readOnly?: boolean | undefined;

	/**
	How long after its expiration a stored response may replace an error: a failed connection, or a status from 400 that `allowableCodes` does not contain (RFC 5861 §4).

	Use it when an outdated response is better than an error.

	@default false
	@example
	```
	{staleIfError: '1 day'}
	```
	*/
	readonly staleIfError?: Period | undefined;

	/**
	How long after its expiration a stored response is still used at once, while it is refreshed in the background (RFC 5861 §3). While the origin answers with a 401 or 407, it is validated in the foreground instead.

	Use it when a fast response matters more than a current one.

	@default false
	@example
	```
	{staleWhileRevalidate: {minutes: 5}}
	```
	*/
	readonly staleWhileRevalidate?: Period | undefined;

	/**
	Names what decides which servers a request trusts, where the cache cannot compare it: a `checkServerIdentity` function, a secure context, `createConnection`, `h2session` or a `request` function. Requests with the same name share responses, across processes as well. All other TLS settings are included in the key.

	Use it when requests pass through a tunnel of your own or are checked by a function, and processes share a store.

	@default undefined
	@example
	```
	{trust: 'pinned-2026'}
	```
	*/
	readonly trust?: string | undefined;
};

/**
The settings of a client: these, and those of {@link SharedSettings}, which a request may override. `undefined` means the default; a wrong value is a `SettingError`, which is a `TypeError`.
*/
export type CacheSettings = SharedSettings & {
	/**
	Where responses are stored: the name or the URL of a store, a store that `createStore` returns, a Keyv instance, a Keyv storage adapter, a `Map`, or a store of your own.

	Use it when responses should be stored somewhere other than in a SQLite file in the working directory.

	@default 'sqlite'
	@example
	```
	{store: 'memory'}
	```
	*/
	readonly store?: StoreSetting | undefined;

	/**
	The file of `'sqlite'` (with or without `.sqlite` or `.db`), the folder of `'filesystem'`, or the namespace in other stores.

	Use it when several caches use the same folder or the same server.

	@default 'http_cache'
	@example
	```
	{cacheName: 'weather'}
	```
	*/
	readonly cacheName?: string | undefined;

	/**
	How responses are serialized: the name of a format (`'binary'`, `'v8'`, `'json'`, `'yaml'`, `'bson'`, `'document'`), a stage, or a `SerializerPipeline`. By default the store decides.

	Use it when stored responses should be readable, compressed, signed or encrypted.

	@default undefined
	@example
	```
	{serializer: new SerializerPipeline(['json', compressed('zstd')])}
	```
	*/
	readonly serializer?: PipelineStage | SerializerPipeline | undefined;

	/**
	Whether to store JSON and text bodies as values that people can read, where the same bytes can be restored from them. By default the store decides: it is `true` for files and document databases. It has no effect with `'binary'`, or if nothing is serialized.

	Use it when you read or edit stored responses by hand.

	@default undefined
	@example
	```
	{serializer: 'yaml', decodeContent: true}
	```
	*/
	readonly decodeContent?: boolean | undefined;

	/**
	Expirations by URL: pairs of a pattern (glob, `RegExp`, `URLPattern`) and an `expireAfter`, or a `Map` or an object of globs. The first pattern that matches applies, before `expireAfter`.

	Use it when parts of an API change at different rates.

	@default []
	@example
	```
	{urlsExpireAfter: [['*.example.com/live', '30s'], [/[.](?:png|svg)$/, NEVER_EXPIRE]]}
	```
	*/
	readonly urlsExpireAfter?: ExpirationPatterns | undefined;

	/**
	Whether response headers decide, by RFC 9111 for a private cache: `Cache-Control`, `Expires`, `Age`, `Vary` and others take precedence over the settings. `expireAfter` and `allowableCodes` are then unset by default, and a response without explicit freshness gets a heuristic one.

	Use it when the origin sends caching headers that you trust.

	@default false
	@example
	```
	{cacheControl: true}
	```
	*/
	readonly cacheControl?: boolean | undefined;

	/**
	The targeted header fields that take precedence over `Cache-Control` and `Expires`, the most specific first (RFC 9213). It has an effect with `cacheControl` only.

	Use it when the origin sends directives that are meant for your cache alone.

	@default []
	@example
	```
	{cacheControlTargets: ['Example-Cache-Control']}
	```
	*/
	readonly cacheControlTargets?: readonly string[] | undefined;

	/**
	When a stale response replaces an error: at the first failure, or after Got's own `retries`. A stream has no retries of its own.

	Use `'retries'` when a current response is worth the time that retries take.

	@default 'failure'
	@example
	```
	{staleIfError: true, staleIfErrorAfter: 'retries'}
	```
	*/
	readonly staleIfErrorAfter?: 'failure' | 'retries' | undefined;

	/**
	What a request gets when the origin cannot be reached and no stored response may be used: Got's error, or a 504 response (RFC 9111 §5.2.2.2).

	Use `'respond'` when a failed connection should be handled like an error status.

	@default 'error'
	@example
	```
	{gatewayTimeout: 'respond'}
	```
	*/
	readonly gatewayTimeout?: 'error' | 'respond' | undefined;

	/**
	The `Cache-Status` field that is added to each response (RFC 9211): `true`, a name for this cache, or `{name, key}`, where `key: true` includes the key. With `false` no field is added.

	Use it when several caches are in a row, or when a response must have no headers that the origin did not send.

	@default true
	@example
	```
	{cacheStatus: 'api-client'}
	```
	*/
	readonly cacheStatus?: boolean | string | StatusField | undefined;

	/**
	The request headers whose values are included in the key: none, a list, or all (`true`) except those of the connection and the ignored ones. The headers that a response names in `Vary` are matched in addition.

	The order of the members of a list matters, white space around them does not. `Accept-Encoding` is compared as a set and `Accept-Language` as a list, both case-insensitively.

	Use it when a response depends on a request header that it does not name in `Vary`.

	@default false
	@example
	```
	{matchHeaders: ['Accept', 'Accept-Language']}
	```
	*/
	readonly matchHeaders?: boolean | readonly string[] | undefined;

	/**
	The parameters that are not included in the key, and whose values are replaced by `REDACTED` wherever they are stored or reported: parameters of the query, headers, and parameters of form, multipart and JSON bodies at any depth. An item is a name (case-insensitive), a `RegExp` (always case-insensitive for headers), or a JSON path such as `$.user.token` or `$.items[*].id` for a single field. The list replaces the default.

	While `partitionBy` is `'credentials'`, a parameter with the name of a secret (`access_token`, `X-API-Key`) is included in the key all the same, as a keyed digest. It is redacted whether it is listed or not. A name that may or may not be that of a credential (`key`, `code`, `session`) is left out of the key if it is listed.

	Use it when requests differ in a parameter that has no influence on the response.

	@default DEFAULT_IGNORED_PARAMETERS
	@example
	```
	{ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'utm_source', /^x-trace-/, '$.request.id']}
	```
	*/
	readonly ignoredParameters?: readonly IgnoredParameter[] | ReadonlySet<IgnoredParameter> | undefined;

	/**
	The member of a JSON body inside which parameters are ignored by name. By default they are ignored in the whole body. JSON paths always begin at the root.

	Use it when a parameter to ignore has the same name as data outside of that member.

	@default undefined
	@example
	```
	{contentRootKey: 'data'}
	```
	*/
	readonly contentRootKey?: string | undefined;

	/**
	Who may share a response. With `'credentials'`, requests with different credentials never share one, whether the credentials are in headers, in the URL or in the body; `docs/credentials.md` lists their names. A function names the tenant: the headers with credentials, user info in the URL, and ignored parameters then have no influence. With `false`, everybody shares, and the same are ignored. A credential in a parameter that is not ignored always has an influence, and so do the TLS settings, including the client's certificate.

	Use it when users with different credentials get the same responses.

	@default 'credentials'
	@example
	```
	{partitionBy: request => String(request.headers['x-tenant'])}
	```
	*/
	readonly partitionBy?: 'credentials' | false | PartitionCallback | undefined;

	/**
	The secret with which credentials are digested before they are included in a key. By default each cache creates its own secret and keeps it in its store.

	Use it when somebody who reads the store must not be able to guess credentials, or when several stores should have the same keys.

	@default undefined
	@example
	```
	{partitionSecret: process.env.CACHE_SECRET}
	```
	*/
	readonly partitionSecret?: string | Uint8Array | undefined;

	/**
	How long the store keeps a response at least after its expiration (seconds, or a duration), so that it can still be validated. A response is kept as long as `staleIfError` and `staleWhileRevalidate` (of the settings or of the response), if these are longer.

	Use it when expired responses should be validated after a longer time, or deleted earlier.

	@default '1h'
	@example
	```
	{ttlOffset: '7d'}
	```
	*/
	readonly ttlOffset?: Period | undefined;

	/**
	Whether to store bodies as they were transferred, with their content coding, instead of decoded. They take less space, and are decoded on each hit.

	Use it when large responses are read rarely, or must be returned byte by byte as they came.

	@default false
	@example
	```
	{storeEncoded: true}
	```
	*/
	readonly storeEncoded?: boolean | undefined;

	/**
	Whether to store `Set-Cookie` with a response and to return it on each hit, as browsers and requests-cache do. By default a cookie is only for the caller who received it from the origin.

	Use it when a single user uses the cache, and hits should set cookies as well.

	@default false
	@example
	```
	{storeSetCookie: true}
	```
	*/
	readonly storeSetCookie?: boolean | undefined;

	/**
	The maximum number of milliseconds for a call of the store. After that the request continues without the store.

	Use it when the store is slower than the default allows, or when requests cannot wait for it that long.

	@default 500
	@example
	```
	{storeTimeout: 2000}
	```
	*/
	readonly storeTimeout?: number | undefined;

	/**
	Whether an error of the store fails the request. A response, or the end of its body, then waits until everything is stored. An error during a background refresh is still an event, because no caller waits for it.

	Use it when tests should detect a broken store.

	@default false
	@example
	```
	{failFast: true}
	```
	*/
	readonly failFast?: boolean | undefined;

	/**
	Whether requests for the same key that are made at the same time share one request to the origin. A request waits for the response to an earlier one, unless it asks for a new response.

	A request waits at most 30 seconds for the head of the response, and for the body as long as that will be complete within 30 seconds at the current rate; if the length of the body is unknown, it waits 2 seconds. Then it is sent itself. The limits of the request that was sent may end the wait earlier; if its caller aborts it, exactly one waiting request replaces it. No request waits for a stream of events, or for a body that is too large to be stored.

	A request that waits for one that stalls and fails has lost that time. `maxWait` limits it: a request that has waited that long in all, for the store and for other requests, is sent. Use it when a late response is worth less than another request. With a `maxWait` up to `storeTimeout`, the cache delays no request by more than that.

	@default true
	@example
	```
	{singleFlight: {maxWait: '500ms'}}
	```
	*/
	readonly singleFlight?: boolean | SingleFlight | undefined;

	/**
	Whether requests of several processes share one request to the origin as well, by a lock in the store. The process that has the lock sends the request, and the others wait for the response that it stores. A lock ends after 10 seconds, so that a process that was killed delays the others no longer than that. A lock costs two writes for each request to the origin. `'local'` uses locks in SQLite and in files, but not in stores across a network. A store without `add` has no locks.

	Use `true` when several processes share a Redis, MongoDB or DynamoDB store, and the origin is slow or limits its callers.

	@default 'local'
	@example
	```
	{store: 'redis', lock: true}
	```
	*/
	readonly lock?: 'local' | boolean | undefined;

	/**
	The maximum number of bytes of a body that is stored. `Infinity` means no limit.

	Use it when large responses should not be stored, or when larger ones should.

	@default 67_108_864
	@example
	```
	{maxEntryBytes: 1024 * 1024}
	```
	*/
	readonly maxEntryBytes?: number | undefined;

	/**
	The maximum number of bytes that all stored responses take, with their headers, tags and request bodies. Beyond it, the least recently used responses are deleted. For `'memory'`, whose default is 134,217,728 (128 MiB), and for `'sqlite'` and `'filesystem'`, which have no limit by default.

	Use it when a cache must fit into a certain amount of memory or disk space.

	@default undefined
	@example
	```
	{store: 'memory', maxBytes: 16 * 1024 * 1024}
	```
	*/
	readonly maxBytes?: number | undefined;

	/**
	The maximum number of stored responses. Beyond it, the least recently used ones are deleted. For `'memory'`, whose default is 10,000.

	Use it when there are many small responses, and only the latest are worth their memory.

	@default undefined
	@example
	```
	{store: 'memory', maxEntries: 500}
	```
	*/
	readonly maxEntries?: number | undefined;

	/**
	The share of its freshness lifetime, from 0 to 1, by which a response may expire earlier, at random.

	Use it when many responses are stored at the same time and should not all expire at the same time.

	@default 0
	@example
	```
	{expireAfter: '1h', jitter: 0.1}
	```
	*/
	readonly jitter?: number | undefined;

	/**
	Returns the tags of a response, in addition to those of its `Cache-Tag` and `Surrogate-Key` headers and of its request. `cache.delete({tags})` and `cache.expire({tags})` select responses by tag. A response is not stored when the function throws, or when it has more than 128 tags or a tag of more than 256 characters (`too-many-tags`).

	Use it when responses that belong together should be deleted or expired together.

	@default undefined
	@example
	```
	{tags: response => [new URL(response.url).hostname]}
	```
	*/
	readonly tags?: TagCallback | undefined;

	/**
	How to use the cache as a test fixture. `'record'` sends each request and stores the response for good, whatever its method, status or headers; `'record-missing'` sends the requests without a recording; `'replay'` sends and writes nothing, and fails with `ERR_NOT_RECORDED` when there is no recording. `{name: 'replay', allowPlaybackRepeats: false}` replays each recording once, in the recorded order; record with it as well. `'filesystem'` keeps recordings as files that people read and edit. The permissions of the files of `'sqlite'` and `'filesystem'` are those of the umask, unless the store's `fileMode` is set.

	Use it when tests should run without the network.

	@default undefined
	@example
	```
	{store: 'filesystem', cacheName: 'test/fixtures/api', mode: 'replay'}
	```
	*/
	readonly mode?: Mode | ModeOptions | undefined;

	/**
	Whether `cache.close()` closes a store that was handed in. A store that the cache opened itself is always closed.

	Use it when nothing else uses the store.

	@default false
	@example
	```
	{autoclose: true}
	```
	*/
	readonly autoclose?: boolean | undefined;

	/**
	Returns the current time in milliseconds since the epoch.

	Use it when tests should control the time.

	@default () => Date.now()
	@example
	```
	{now: () => 1_767_225_600_000}
	```
	*/
	readonly now?: (() => number) | undefined;
};

/**
The settings of a single request: these, and those of {@link SharedSettings}. They take precedence over the settings of the client. `undefined` means the client's.
*/
export type RequestSettings = SharedSettings & {
	/**
	Whether to validate the stored response with the origin before it is used.

	Use it when a user asks for current data.

	@default false
	@example
	```
	{refresh: true}
	```
	*/
	readonly refresh?: boolean | undefined;

	/**
	Whether to send the request as if nothing were stored, and to store the response.

	Use it when the stored response may be wrong.

	@default false
	@example
	```
	{forceRefresh: true}
	```
	*/
	readonly forceRefresh?: boolean | undefined;

	/**
	The tags of the response, in addition to those of the client and of the headers: at most 128 in all, of at most 256 characters each.

	Use it when the caller knows what a response belongs to.

	@default []
	@example
	```
	{tags: ['user:1']}
	```
	*/
	readonly tags?: readonly string[] | undefined;
};

/** The settings that cannot change while the client is in use. */
export type FixedSetting = 'autoclose' | 'cacheName' | 'decodeContent' | 'failFast' | 'lock' | 'maxBytes' | 'maxEntries' | 'maxEntryBytes' | 'mode' | 'now' | 'partitionSecret' | 'serializer' | 'store' | 'storeTimeout';

/**
The settings of a client in use, completed with the defaults. An assignment takes effect for the requests that begin after it; a wrong one throws a `SettingError` and changes nothing. Assigning `undefined` restores the default.

Arrays are frozen copies: assign a new one. Secrets are concealed.

@example
```ts
import {createCachedGot} from 'got-cache-hooks';

const client = createCachedGot({store: 'memory', expireAfter: '1h'});
client.cacheSettings.expireAfter = '1m';
console.log(client.cacheSettings.expireAfter);
//=> 1m
```
*/
export type LiveSettings = {-readonly [Key in Exclude<keyof CacheSettings, FixedSetting>]: CacheSettings[Key]} & {readonly [Key in FixedSetting]: CacheSettings[Key]};

/** The settings whose parsed form is not what the user gives. Times are in milliseconds: 0 means off, `Infinity` no end. */
type ParsedSettings = {
	/** With `undefined`, RFC 9111 decides. */
	readonly expireAfter: Expiration | undefined;

	/** With `undefined`, RFC 9111 decides. */
	readonly allowableCodes: ReadonlySet<number> | undefined;

	/** In upper case. */
	readonly allowableMethods: ReadonlySet<string>;
	readonly staleIfError: number;
	readonly staleWhileRevalidate: number;
	readonly ttlOffset: number;

	/** In lower case. */
	readonly cacheControlTargets: readonly string[];
	readonly cacheStatus: false | {readonly name: string; readonly key: boolean};
	readonly urlsExpireAfter: readonly UrlExpiration[];

	/** In lower case. */
	readonly matchHeaders: boolean | readonly string[];
	readonly ignoredParameters: Ignored;
	readonly singleFlight: false | {readonly maxWait: number};
	readonly mode: Required<ModeOptions> | undefined;

	/** What the mode changes beside the settings. */
	readonly recording: RecordingRules;
};

type WithoutDefault = 'contentRootKey' | 'decodeContent' | 'filterFn' | 'keyFn' | 'maxBytes' | 'maxEntries' | 'partitionSecret' | 'serializer' | 'tags' | 'trust';

/**
The parsed settings of a client. They are frozen, and share only the store and functions with what the user gave. `store` and `serializer` are checked when the store is opened.
*/
export type ResolvedSettings = ParsedSettings & {
	readonly [Key in Exclude<keyof CacheSettings, keyof ParsedSettings>]-?: Key extends WithoutDefault ? CacheSettings[Key] : NonNullable<CacheSettings[Key]>;
};

/**
The parsed settings of a request. A setting that was not given is absent.
*/
export type ResolvedRequestSettings = {
	readonly [Key in keyof SharedSettings]?: NonNullable<ResolvedSettings[Key]>;
} & {
	readonly refresh?: boolean;
	readonly forceRefresh?: boolean;
	readonly tags?: readonly string[];
};
