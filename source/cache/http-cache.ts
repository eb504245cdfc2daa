import {EventEmitter} from 'node:events';
import {CacheHooksError, SettingError} from '../errors.ts';
import {identify} from '../identity/identify.ts';
import {describedRequest, type DescribedRequest} from '../identity/sent-request.ts';
import {parseInput, parseOptions} from '../parse.ts';
import {CachedResponse, inspectAs, InvalidEntry} from '../entry/cached-response.ts';
import {isCall, storedSize, textSize} from '../entry/stored-response.ts';
import type {ExpirationTime} from '../policy/expiration.ts';
import {
	resolveSettings,
	type CacheSettings,
	type LiveSettings,
	type RequestSettings,
} from '../settings/settings.ts';
import type {CircuitState} from '../stores/circuits.ts';
import type {
	AttachedClient,
	Explanation,
	CacheEvents,
	CacheStats,
} from './types.ts';
import {CacheCore} from './core.ts';
import {
	checkTask,
	forChanges,
	forListing,
	isByKey,
	parseCriteria,
	sortingParsers,
	type Criteria,
	type LongTask,
	type Selection,
	type Sorting,
	type Target,
} from './criteria.ts';
import type {Listed} from './entries.ts';
import type {Har, ImportedHar} from './har.ts';
import {inspectedCache, inspectedStats} from './inspected.ts';
import {
	findTarget,
	keysOf,
	listAll,
	listSelected,
	listSorted,
} from './listing.ts';
import type {RecreatedKeys} from './recreate-keys.ts';
import {deleteSelected, expireSelected, resetExpirations} from './removal.ts';
import {
	checkedImportOptions,
	checkedOptions,
	checkedResponse,
	copyEntries,
	expirationParser,
	saveAgain,
	saveResponse,
	type DescribedResponse,
	type SaveOptions,
	type UpdatedCache,
} from './saving.ts';

type Internals = {readonly core: CacheCore; readonly settings: CacheSettings; client?: AttachedClient};

const internals = new WeakMap<HttpCache, Internals>();

/** Returns the core of a cache, which the rest of the library works with. */
export function coreOf(cache: HttpCache): CacheCore {
	return internals.get(cache)!.core;
}

/** Returns the public API of a core. */
export function httpCacheOf(core: CacheCore): HttpCache {
	return core.emitter as HttpCache;
}

/** Returns the settings that a cache was made with, as the user wrote them. */
export function givenSettings(cache: HttpCache): CacheSettings {
	return internals.get(cache)!.settings;
}

/** Attaches the client that uses a cache, for `explain`, `settings`, `with` and `disabled`. */
export function attachClient(cache: HttpCache, client: AttachedClient): void {
	internals.get(cache)!.client = client;
}

/**
The stored responses of a client, with methods to find, change and measure them. The methods throw the faults of the store, which requests do not. In a read-only cache (`readOnly`, `mode: 'replay'`), methods that would change what is stored reject with `ERR_STORE_READ_ONLY`.

`getCache(client)` returns the cache of a client. To share one between clients, make it here and pass it to `cacheHooks({cache})`.

@throws {SettingError} If a setting is wrong.

@example
```ts
import got from 'got';
import {cacheHooks, HttpCache} from 'got-cache-hooks';

const cache = new HttpCache({store: 'memory', expireAfter: '5m'});
const client = got.extend(cacheHooks({cache}));
await client('https://api.example.com/users/1');
console.log(await cache.count(), await cache.delete({expired: true}));
//=> 1 0

await cache.close();
```
*/
export class HttpCache extends EventEmitter<CacheEvents> implements AsyncDisposable {
	static {
		inspectAs<HttpCache>(this.prototype, (cache, options) => {
			// The prototype is no cache itself.
			const found = internals.get(cache);
			return found === undefined ? 'HttpCache {}' : inspectedCache(found.core.store, found.client?.settings as CacheSettings | undefined ?? found.settings, options);
		});
	}

	/**
	Opens nothing yet: a store is opened at its first use.

	@throws {TypeError} If a setting is invalid: the message names the setting, the value, and what is allowed.
	*/
	constructor(settings: CacheSettings = {}) {
		super();
		internals.set(this, {core: new CacheCore(resolveSettings(settings), this), settings: {...settings}});
	}

	/**
	Whether a response is stored, fresh or not. A request includes the headers that are part of its key or that `Vary` names; a URL means a GET without credentials.

	@throws {TypeError} If the target is invalid.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	console.log(await cache.contains({url: 'https://api.example.com/users/1'}));
	//=> true
	```
	*/
	async contains(target: Target): Promise<boolean> {
		return await this.get(target) !== undefined;
	}

	/**
	Returns a stored response, fresh or not. It does not count as a hit.

	@throws {TypeError} If the target is invalid.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	const response = await cache.get({request: {url: 'https://api.example.com/users/1'}});
	console.log(response?.json(), response?.isExpired);
	//=> { name: 'Ada' } false
	```
	*/
	async get(target: Target): Promise<CachedResponse | undefined> {
		const core = coreOf(this);
		await core.writes.settle();
		const found = await findTarget(core, target);
		return found && new CachedResponse(found.key, found.stored, core.settings.now);
	}

	/**
	Stores a response for a request, as if the origin had sent it now; or stores a response of the cache again, with its current expiration.

	@throws {TypeError} If a part of it is invalid.
	@throws {CacheHooksError} `ERR_NOT_STORABLE` if it may not be stored: it is partial (206), its `Location` contains a credential, it varies by everything, it has too many tags, it is larger than the bound of the store, or `keyFn` returns no key.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	const request = {url: 'https://api.example.com/users/1'};
	const response = await cache.save(request, {headers: {'content-type': 'application/json'}, body: '{"name": "Ada"}'}, {expireAfter: '1m'});
	console.log(response.statusCode, response.json());
	//=> 200 { name: 'Ada' }
	```
	*/
	async save(request: DescribedRequest, response: DescribedResponse, options?: SaveOptions): Promise<CachedResponse>;
	async save(response: CachedResponse, options?: SaveOptions): Promise<CachedResponse>;
	async save(subject: DescribedRequest | CachedResponse, ...rest: readonly unknown[]): Promise<CachedResponse> {
		const core = this.#writable('save');
		const now = core.settings.now();
		const saved = subject instanceof CachedResponse
			? await saveAgain(core, subject, checkedOptions(now, rest[0]))
			: await saveResponse(core, describedRequest(subject), checkedResponse(rest[0]), checkedOptions(now, rest[1]));
		if (typeof saved === 'string') {
			throw new CacheHooksError('ERR_NOT_STORABLE', `The response cannot be stored, for the reason \`${saved}\`.`);
		}

		return new CachedResponse(saved.key, saved.stored, core.settings.now);
	}

	/**
	Deletes the entries that match any criterion. `tags` take effect at once and in all processes, without a search. Deleting a resource that varies by its key deletes all its variants.

	@returns The number of deleted entries, without variants and without entries that `tags` delete.
	@throws {TypeError} If no criterion is given (`clear()` deletes everything), or one is invalid.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	console.log(await cache.delete({expired: true, urls: ['https://api.example.com/users/1'], tags: ['users']}));
	//=> 1
	```
	*/
	async delete(criteria: Criteria, task: LongTask = {}): Promise<number> {
		const core = this.#writable('delete');
		return deleteSelected(core, await this.#selectForChange(criteria, task, '`clear()` deletes everything'), task);
	}

	/**
	Expires the entries that match any criterion. They stay, to be validated or to be served in place of an error. `tags` take effect at once, as in `delete`.

	@returns The number of expired entries, without variants and without entries that `tags` expire.
	@throws {TypeError} As `delete`.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	console.log(await cache.expire({patterns: [/users/]}), await cache.count({expired: true}));
	//=> 1 1
	```
	*/
	async expire(criteria: Criteria, task: LongTask = {}): Promise<number> {
		const core = this.#writable('expire');
		return expireSelected(core, await this.#selectForChange(criteria, task, '`{valid: true}` expires everything'), task);
	}

	/**
	Lists the responses that match any criterion, one at a time; without criteria, all of them, fresh or expired. Entries that `invalid` selects are instances of `InvalidEntry`.

	@throws {TypeError} If a criterion is invalid.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	for await (const response of cache.filter({patterns: [/users/], olderThan: '7d'})) {
		console.log(response.url, response.json());
	}
	//=> https://api.example.com/users/1 { name: 'Ada' }
	```
	*/
	filter(criteria?: Criteria & {readonly invalid?: false | undefined}, task?: LongTask): AsyncGenerator<CachedResponse, void>;
	filter(criteria: Criteria, task?: LongTask): AsyncGenerator<CachedResponse | InvalidEntry, void>;
	async * filter(criteria: Criteria = {}, task: LongTask = {}): AsyncGenerator<CachedResponse | InvalidEntry, void> {
		const {now} = coreOf(this).settings;
		for await (const {key, stored, error} of this.#list(criteria, task)) {
			yield stored === undefined ? new InvalidEntry(key, error) : new CachedResponse(key, stored, now);
		}
	}

	/**
	Lists all responses, fresh or not, one at a time.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	for await (const {url, statusCode} of cache.responses()) {
		console.log(url, statusCode);
	}
	//=> https://api.example.com/users/1 200
	```
	*/
	async * responses(task: LongTask = {}): AsyncGenerator<CachedResponse, void> {
		yield * this.filter({}, task);
	}

	/**
	Lists the URLs of the stored responses, each once, which takes memory for all of them.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	for await (const url of cache.urls()) {
		console.log(url);
	}
	//=> https://api.example.com/users/1
	```
	*/
	async * urls(criteria: Criteria = {}, task: LongTask = {}): AsyncGenerator<string, void> {
		const seen = new Set<string>();
		for await (const {stored} of this.#list(criteria, task)) {
			if (stored === undefined || isCall(stored) || seen.has(stored.url)) {
				continue;
			}

			seen.add(stored.url);
			yield stored.url;
		}
	}

	/**
	Returns the number of entries, or of those that match any criterion.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	console.log(await cache.count(), await cache.count({expired: true}));
	//=> 1 0
	```
	*/
	async count(criteria: Criteria = {}, task: LongTask = {}): Promise<number> {
		const core = coreOf(this);
		await core.writes.settle();
		checkTask(task);
		const selection = await this.#select(criteria);
		if (selection.given.length === 0 && selection.valid === undefined && selection.expired === undefined && core.store.count !== undefined && !await core.unreachable.isSet()) {
			return core.store.count();
		}

		let count = 0;
		for await (const _entry of listSelected(core, forListing(selection), task)) {
			count++;
		}

		return count;
	}

	/**
	Returns the number of stored bytes, as the bounds of the store count them; if the store does not measure them, that of the responses and their keys.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	console.log(await cache.size() > 15);
	//=> true
	```
	*/
	async size(task: LongTask = {}): Promise<number> {
		checkTask(task);
		const core = coreOf(this);
		await core.writes.settle();
		if (core.store.size !== undefined) {
			return core.store.size();
		}

		let bytes = 0;
		for await (const {key, stored} of listAll(core, task)) {
			bytes += stored === undefined ? 0 : textSize(key) + storedSize(stored);
		}

		return bytes;
	}

	/**
	Lists responses in order, one at a time. If the store has no index for it, the values to sort by are held in memory.

	@throws {TypeError} If an option is unknown or invalid.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	for await (const {url, size} of cache.sorted({by: 'size', descending: true, limit: 10, expired: false})) {
		console.log(url, size);
	}
	//=> https://api.example.com/users/1 15
	```
	*/
	async * sorted(sorting: Sorting = {}, task: LongTask = {}): AsyncGenerator<CachedResponse, void> {
		parseOptions(sortingParsers, sorting, 'sorting');
		checkTask(task);
		const core = coreOf(this);
		await core.writes.settle();
		for await (const {key, stored} of listSorted(core, sorting, task)) {
			yield new CachedResponse(key, stored, core.settings.now);
		}
	}

	/**
	Deletes everything stored.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	await cache.clear();
	console.log(await cache.count());
	//=> 0
	```
	*/
	async clear(): Promise<void> {
		await this.#writable('clear').clear();
	}

	/**
	Moves the entries to the keys that the settings of this cache give, after a change of a setting that affects keys (`matchHeaders`, `ignoredParameters`, `contentRootKey`, `partitionBy`, `cacheControl`, `keyFn`) or of the format of keys. Parameters that the settings ignore now are redacted in the entries.

	No response becomes available to another user: an entry is deleted if a part of its new key was redacted when it was stored, or if a `keyFn` would need that part. If two entries have the same new key, the newer one stays.

	@throws If the store cannot list its entries, or `signal` ends the task; also what the functions in the settings throw.

	@example
	```ts
	import {DEFAULT_IGNORED_PARAMETERS, HttpCache} from 'got-cache-hooks';

	const store = new Map();
	const before = new HttpCache({store});
	await before.save({url: 'https://api.example.com/users/1?utm_source=mail'}, {body: '{}'});

	const cache = new HttpCache({store, ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'utm_source']});
	console.log(await cache.recreateKeys());
	//=> { kept: 0, moved: 1, dropped: 0 }
	```
	*/
	async recreateKeys(task: LongTask = {}): Promise<RecreatedKeys> {
		const core = this.#writable('recreateKeys');
		checkTask(task);
		const {recreateKeys} = await import('./recreate-keys.ts');
		return recreateKeys(core, task);
	}

	/**
	Gives all entries, or those that match any criterion, another expiration, counted from now.

	@returns The number of entries.
	@throws {TypeError} If it is not an expiration, or is `DO_NOT_CACHE`.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	console.log(await cache.resetExpiration('1 day', {patterns: [/users/]}));
	//=> 1
	```
	*/
	async resetExpiration(expireAfter: ExpirationTime, criteria: Criteria = {}, task: LongTask = {}): Promise<number> {
		const core = this.#writable('resetExpiration');
		checkTask(task);
		const parser = expirationParser(core.settings.now());
		return resetExpirations(core, parseInput(parser, expireAfter, 'expireAfter'), forListing(await this.#select(criteria)), task);
	}

	/**
	Copies the entries of another cache, whatever its store, with their expirations. Entries with the same key are overwritten. Both caches must make keys by the same settings; otherwise call `recreateKeys` afterwards.

	Entries that were stored for credentials, or that vary, are found only with the secret of their cache: a cache that has no secret yet takes it over, one that has its own skips such entries.

	@throws {TypeError} If it is not another cache.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	console.log(await new HttpCache({store: 'sqlite'}).update(cache));
	//=> { copied: 1, skipped: 0 }
	```
	*/
	async update(other: HttpCache, task: LongTask = {}): Promise<UpdatedCache> {
		const core = this.#writable('update');
		checkTask(task);
		if (!(other instanceof HttpCache) || other === this) {
			throw new SettingError('other', other, other === this ? 'another cache than this one' : 'an `HttpCache`');
		}

		return copyEntries(core, coreOf(other), task);
	}

	/**
	Returns the key of a request by the settings of this cache; `undefined` if `keyFn` excludes it from the cache.

	@throws {TypeError} If it is not a request. Also what the functions in the settings throw.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	const key = await cache.createKey({url: 'https://api.example.com/users/1'});
	console.log(key?.slice(0, 12));
	//=> got-cache:2:
	```
	*/
	async createKey(request: DescribedRequest): Promise<string | undefined> {
		const {settings, secret} = coreOf(this);
		return identify(describedRequest(request), settings).key(secret);
	}

	/**
	Explains what would be done with a request, and why, without doing it. `explain(client, request)` also adds the headers of the client.

	@param settings - The settings of the request, as in `context.cache`.
	@throws {TypeError} If it is not a request, or no client uses this cache.

	@example
	```ts
	import got from 'got';
	import {cacheHooks, getCache} from 'got-cache-hooks';

	const client = got.extend(cacheHooks({store: 'memory', expireAfter: '1h'}));
	const cache = getCache(client);
	const {decision, reason} = await cache.explain({url: 'https://api.example.com/users/1'});
	console.log(decision, reason);
	//=> send miss
	```
	*/
	async explain(request: DescribedRequest, settings?: RequestSettings): Promise<Explanation> {
		return this.#client.explain(request, settings);
	}

	/**
	The settings of the client, which may be changed while it runs.

	@example
	```ts
	import got from 'got';
	import {cacheHooks, getCache} from 'got-cache-hooks';

	const client = got.extend(cacheHooks({store: 'memory', expireAfter: '1h'}));
	const cache = getCache(client);
	console.log(cache.settings.expireAfter, cache.settings.storeTimeout);
	//=> 1h 500

	cache.settings.expireAfter = '1m';
	```
	*/
	get settings(): LiveSettings {
		return this.#client.settings;
	}

	/**
	Runs a function in whose call tree, and only there, requests of this cache have these settings. They take precedence over the settings of the client and of outer calls; the settings of a request take precedence over them.

	There is no `using` form: it would also affect what the caller does after the block.

	@returns What the function returns.
	@throws {SettingError} If a setting is invalid, before the function is called.

	@example
	```ts
	import got from 'got';
	import {cacheHooks, cacheInfo, getCache} from 'got-cache-hooks';

	const client = got.extend(cacheHooks({store: 'memory', expireAfter: '1h'}));
	const cache = getCache(client);
	await client('https://api.example.com/users/1');
	const response = await cache.with({refresh: true}, async () => client('https://api.example.com/users/1'));
	console.log(cacheInfo(response).reason);
	//=> revalidated
	```
	*/
	with<Result>(settings: RequestSettings, action: () => Result): Result {
		return this.#client.run(settings, action);
	}

	/**
	Runs a function in whose call tree, and only there, requests are sent as if there were no cache. Other requests at the same time are not affected.

	@returns What the function returns.
	@throws What the function throws.

	@example
	```ts
	import got from 'got';
	import {cacheHooks, cacheInfo, getCache} from 'got-cache-hooks';

	const client = got.extend(cacheHooks({store: 'memory', expireAfter: '1h'}));
	const cache = getCache(client);
	const response = await cache.disabled(async () => client('https://api.example.com/users/1'));
	console.log(cacheInfo(response).reason);
	//=> disabled
	```
	*/
	disabled<Result>(action: () => Result): Result {
		return this.with({disabled: true}, action);
	}

	/**
	Returns what this cache has done in this process, since it was made or since `resetStats()`. `console.log` shows it in a few lines.

	@example
	```ts
	import got from 'got';
	import {cacheHooks, getCache} from 'got-cache-hooks';

	const client = got.extend(cacheHooks({store: 'memory', expireAfter: '1h'}));
	const cache = getCache(client);
	await client('https://api.example.com/users/1');
	await client('https://api.example.com/users/1');
	const {hits, misses} = cache.stats();
	console.log(hits, misses);
	//=> 1 1
	```
	*/
	stats(): CacheStats {
		const stats = {...coreOf(this).events.stats, circuit: this.circuit};
		inspectAs<CacheStats>(stats, inspectedStats);
		return stats;
	}

	/** Sets all figures of `stats()` to 0, from now on. */
	resetStats(): void {
		coreOf(this).events.resetStats();
	}

	/**
	Returns the stored responses that match any criterion, or all of them, as an HTTP archive (HAR 1.2). It is built in memory. If entries that were met cannot be read, `log._unreadable` is their number.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	const {log} = await cache.toHar();
	console.log(log.version, log.entries.length);
	//=> 1.2 1
	```
	*/
	async toHar(criteria: Criteria = {}, task: LongTask = {}): Promise<Har> {
		const listed = this.#list(criteria, task, true);
		const {exportHar} = await import('./har.ts');
		return exportHar(listed);
	}

	/**
	Stores the responses of an HTTP archive (HAR 1.2), from this library or a browser, as if the origin had sent them now.

	@returns The number of stored responses, and the skipped entries with their reasons: `'unusable'` (no response, or a request body that is not in the archive), `'redacted'` (the user or a part of the key cannot be known), `'secret-in-header'`, `'partial'`, `'vary-star'`, `'too-many-tags'`, `'too-large'`, `'key-refused'`.
	@throws {TypeError} If it is not such an archive: the message names the wrong member. Nothing is stored then.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'memory', expireAfter: '1h'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{"name": "Ada"}'});
	const har = JSON.stringify(await cache.toHar());

	console.log(await new HttpCache({store: 'memory'}).fromHar(JSON.parse(har)));
	//=> { saved: 1, skipped: [] }
	```
	*/
	async fromHar(har: unknown, options: SaveOptions & LongTask = {}): Promise<ImportedHar> {
		const core = this.#writable('fromHar');
		const checked = checkedImportOptions(core.settings.now(), options);
		const {importHar} = await import('./har.ts');
		return importHar(core, har, checked);
	}

	/** Whether the store is used (`closed`), is not called after faults (`open`), or is tried by one call (`half-open`). Reads and writes have a circuit each, and this is the worse state of the two; a `circuit` event says which one has changed. A store that is not read is not written either. */
	get circuit(): CircuitState {
		return coreOf(this).circuits.writes;
	}

	/**
	Opens the store and reads from it, to find out at the start whether it can be used. Requests need not wait for that.

	@throws What the store throws; a `StoreTimeoutError` if it takes longer than 30 seconds, or a longer `storeTimeout`.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'sqlite', cacheName: '/dev/null/cache'});
	try {
		await cache.ready();
	} catch (error) {
		console.log(error.code);
	}
	//=> ERR_STORE_OPEN
	```
	*/
	async ready(): Promise<void> {
		await coreOf(this).ready();
	}

	/**
	Resolves when all refreshes in the background have ended and everything is written.

	@example
	```ts
	import got from 'got';
	import {cacheHooks, getCache} from 'got-cache-hooks';

	const client = got.extend(cacheHooks({store: 'memory', expireAfter: '1h'}));
	const cache = getCache(client);
	await client('https://api.example.com/users/1');
	await cache.idle();
	console.log(await cache.count());
	//=> 1
	```
	*/
	async idle(): Promise<void> {
		await coreOf(this).writes.idle();
	}

	/**
	Waits for refreshes and pending writes, then closes the store if this library opened it or `autoclose` is set.

	@example
	```ts
	import {HttpCache} from 'got-cache-hooks';

	const cache = new HttpCache({store: 'sqlite'});
	await cache.save({url: 'https://api.example.com/users/1'}, {body: '{}'});
	await cache.close();
	```
	*/
	async close(): Promise<void> {
		await coreOf(this).close();
	}

	/** Does what `close()` does, for `await using`. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	get #client(): AttachedClient {
		const {client} = internals.get(this)!;
		if (client === undefined) {
			throw new SettingError('cache', 'No client uses this cache. Pass it to `cacheHooks({cache})`, or get the cache of a client by `getCache(client)`.');
		}

		return client;
	}

	#writable(method: string): CacheCore {
		const core = coreOf(this);
		core.checkWritable(method);
		return core;
	}

	/** Lists the entries that match; if the store is searched for them and `withInvalid` is set, also those that cannot be read. */
	async * #list(criteria: Criteria, task: LongTask, withInvalid = false): AsyncGenerator<Listed, void> {
		const core = coreOf(this);
		await core.writes.settle();
		checkTask(task);
		const selection = forListing(await this.#select(criteria));
		yield * listSelected(core, withInvalid && !isByKey(selection) ? {...selection, invalid: true} : selection, task);
	}

	async #selectForChange(criteria: Criteria, task: LongTask, hint: string): Promise<Selection> {
		checkTask(task);
		const selection = await this.#select(criteria);
		if (selection.given.length === 0) {
			throw new SettingError('criteria', `\`criteria\` has no criterion. Add one; ${hint}.`);
		}

		return forChanges(selection);
	}

	async #select(criteria: Criteria): Promise<Selection> {
		const core = coreOf(this);
		return parseCriteria(criteria, async requests => keysOf(core, requests), core.settings.now());
	}
}
