import {EventEmitter} from 'node:events';
import {CacheHooksError, describe, SettingError} from '../errors.ts';
import {identify} from '../identity/identify.ts';
import {describedRequest, type DescribedRequest} from '../identity/sent-request.ts';
import {CachedResponse, InvalidEntry} from '../entry/cached-response.ts';
import {storedSize, textSize, isCall} from '../entry/stored-response.ts';
import type {ExpireAfter} from '../policy/expiration.ts';
import {areTagsBounded, maxTagLength, maxTags} from '../policy/fields.ts';
import {
	resolveSettings,
	type CacheSettings,
	type LiveSettings,
	type RequestSettings,
} from '../settings/settings.ts';
import type {CircuitState} from '../stores/circuits.ts';
import {aliasKeys} from './aliases.ts';
import {copyEntries, type UpdatedCache} from './copying.ts';
import {CacheCore} from './core.ts';
import {
	asChanged,
	asListed,
	checkedRequest,
	checkNames,
	understand,
	type Criteria,
	type Selection,
} from './criteria.ts';
import type {CacheEvents, CacheStats} from './events.ts';
import type {Explanation} from './explanation.ts';
import {importHar, type ImportedHar} from './from-har.ts';
import type {Har} from './har-types.ts';
import {required, type CacheHost} from './host.ts';
import {
	checkSorting,
	listAll,
	listMeant,
	listSorted,
	readVisible,
	type Listed,
	type Sorting,
} from './listing.ts';
import {KeyMigration, type LongTask, type RecreatedKeys} from './recreate-keys.ts';
import {deleteMeant, expireMeant, resetExpirations} from './removal.ts';
import {recreateKey, redactAgain} from './request-keys.ts';
import {
	checkedExpiration,
	checkedResponse,
	saveAgain,
	saveResponse,
	type DescribedResponse,
	type SaveOptions,
} from './saving.ts';
import {exportHar} from './to-har.ts';

/** One entry: by its key, or by what it answers. */
export type Target =
	| {readonly key: string}
	| {readonly url: string | URL}
	| {readonly request: DescribedRequest};

type Insides = {readonly core: CacheCore; readonly settings: CacheSettings; host?: CacheHost};

const taskNames: ReadonlySet<string> = new Set<keyof LongTask>(['signal', 'onProgress']);
const saveNames: ReadonlySet<string> = new Set<keyof SaveOptions>(['expireAfter', 'tags']);

const insides = new WeakMap<HttpCache, Insides>();

/** What the engine works with. */
export function coreOf(cache: HttpCache): CacheCore {
	return insides.get(cache)!.core;
}

/** What the user sees of what the engine works with. */
export function faceOf(core: CacheCore): HttpCache {
	return core.emitter as HttpCache;
}

/** The settings that a cache was made with, as the user wrote them. */
export function givenSettings(cache: HttpCache): CacheSettings {
	return insides.get(cache)!.settings;
}

/** Lets a cache ask the client that it serves. */
export function attach(cache: HttpCache, host: CacheHost): void {
	insides.get(cache)!.host = host;
}

/**
Stored responses, and everything to see, change and measure them. What a request does meets no faults of the store; what is asked here throws them. In a cache that is read only (`readOnly`, `mode: 'replay'`), all that would change what is stored rejects with `ERR_STORE_READ_ONLY`.

`getCache(client)` gives that of a client; one that was made here is given to `cacheHooks({cache})`.

@example
```
const cache = new HttpCache({store: 'sqlite', cacheName: 'weather'});
const client = got.extend(cacheHooks({cache, expireAfter: '5m'}));
await cache.delete({expired: true});
```
*/
export class HttpCache extends EventEmitter<CacheEvents> implements AsyncDisposable {
	/**
	Opens nothing yet: a store is opened at its first use.

	@throws {TypeError} Where a setting is wrong: it names the setting, what came, and what is allowed.
	*/
	constructor(settings: CacheSettings = {}) {
		super();
		insides.set(this, {core: new CacheCore(resolveSettings(settings), this), settings: {...settings}});
	}

	/**
	Whether something is stored, fresh or not. A request has the headers that are included in its key or that `Vary` names; a URL stands for a GET without credentials.

	@throws {TypeError} Where the target is none. And with the faults of the store, as every method.

	@example
	```
	await cache.contains({url: 'https://example.com'});
	//=> true
	```
	*/
	async contains(target: Target): Promise<boolean> {
		return await this.get(target) !== undefined;
	}

	/**
	What is stored, fresh or not. It does not count as a hit.

	@example
	```
	const response = await cache.get({request: {url: 'https://example.com', headers: {'accept-language': 'de'}}});
	response?.isExpired;
	//=> false
	```
	*/
	async get(target: Target): Promise<CachedResponse | undefined> {
		const core = coreOf(this);
		await core.settle();
		const {key, request, isByUrl} = checkedTarget(target);
		if (key !== undefined) {
			return this.#given(key, await readVisible(core, key));
		}

		const asked = describedRequest(request);
		const primary = await identify(asked, core.settings).key(core.secret);
		const find = async (keys: readonly string[]): Promise<CachedResponse | undefined> => {
			for (const candidate of keys) {
				const match = await core.managedVariants.match(candidate, asked.fields); // eslint-disable-line no-await-in-loop -- The first that is there.
				if (match.stored !== undefined) {
					return this.#given(match.key, await core.judge(match.stored)); // eslint-disable-line no-await-in-loop
				}
			}

			return undefined;
		};

		return await find(primary === undefined ? [] : [primary]) ?? find(await aliasKeys(core, [{request: asked, isByUrl}]));
	}

	/**
	Stores a response for a request, as if the origin had given it now; or writes one that the cache gave, with the expiration that it has by now.

	@throws {TypeError} Where a part of it is wrong.
	@throws {CacheHooksError} `ERR_NOT_STORABLE` where it may not be stored: its `Location` leads to a secret, it varies by everything, it has too many tags, or `keyFn` gives no key.

	@example
	```
	await cache.save({url: 'https://example.com/users/1'}, {headers: {'content-type': 'application/json'}, body: '{}'}, {expireAfter: '1h'});
	```
	*/
	async save(request: DescribedRequest, response: DescribedResponse, options?: SaveOptions): Promise<CachedResponse>;
	async save(response: CachedResponse, options?: SaveOptions): Promise<CachedResponse>;
	async save(subject: DescribedRequest | CachedResponse, ...rest: readonly unknown[]): Promise<CachedResponse> {
		const core = coreOf(this);
		core.checkWritable('save');
		const saved = subject instanceof CachedResponse
			? await saveAgain(core, subject, checkedOptions(rest[0]))
			: await saveResponse(core, describedRequest(checkedRequest(subject)), checkedResponse(rest[0] as DescribedResponse), checkedOptions(rest[1]));
		if (typeof saved === 'string') {
			throw new CacheHooksError('ERR_NOT_STORABLE', `The response may not be stored: ${saved}`);
		}

		return new CachedResponse(saved.key, saved.stored, core.settings.now);
	}

	/**
	Deletes everything for which any of the criteria holds. `tags` take effect at once, for all processes, whatever they hold; nothing is searched for them.

	Of a resource that varies, to delete what lies under its key deletes all variants.

	@returns How many entries were deleted; those of tags are not counted, nor are variants.
	@throws {TypeError} Where no criterion is given (`clear()` deletes everything), or one is wrong.

	@example
	```
	await cache.delete({expired: true, urls: ['https://example.com/users/1'], tags: ['users']});
	//=> 17
	```
	*/
	async delete(criteria: Criteria, task: LongTask = {}): Promise<number> {
		coreOf(this).checkWritable('delete');
		return deleteMeant(coreOf(this), await this.#required(criteria, task, '`clear()` deletes everything'), task);
	}

	/**
	Marks as expired everything for which any of the criteria holds. It stays, to be validated, and to stand in for an error. `tags` take effect at once, as in `delete`.

	@returns How many entries were marked; those of tags are not counted, nor are variants.
	@throws {TypeError} As `delete`.

	@example
	```
	await cache.expire({patterns: ['*.example.com/live']});
	//=> 3
	```
	*/
	async expire(criteria: Criteria, task: LongTask = {}): Promise<number> {
		coreOf(this).checkWritable('expire');
		return expireMeant(coreOf(this), await this.#required(criteria, task, '`{valid: true}` expires everything'), task);
	}

	/**
	Everything for which any of the criteria holds, one at a time; without any, all that is fresh or expired. What is `invalid` comes as an `InvalidEntry`.

	@throws {TypeError} Where a criterion is wrong.

	@example
	```
	for await (const response of cache.filter({olderThan: '7d'})) {
		console.log(response);
	}
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
	All responses, fresh or not, one at a time.

	@example
	```
	for await (const response of cache.responses()) {
		console.log(response);
		//=> GET https://example.com/ 200 (308 B) fresh, expires in 4 m
	}
	```
	*/
	async * responses(task: LongTask = {}): AsyncGenerator<CachedResponse, void> {
		yield * this.filter({}, task);
	}

	/**
	The URLs of what is stored, each once: they are remembered while they are listed.

	@example
	```
	await Array.fromAsync(cache.urls());
	//=> ['https://example.com/', …]
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
	How many entries there are, or for how many any of the criteria holds.

	@example
	```
	await cache.count({expired: true});
	//=> 3
	```
	*/
	async count(criteria: Criteria = {}, task: LongTask = {}): Promise<number> {
		const core = coreOf(this);
		await core.settle();
		checkNames(task, 'task', taskNames);
		const selection = await this.#understood(criteria);
		if (selection.isEmpty && !selection.withoutValid && !selection.withoutExpired && core.store.count !== undefined && !await core.hidden.isThere()) {
			return core.store.count();
		}

		let count = 0;
		for await (const _entry of this.#list(criteria, task)) {
			count++;
		}

		return count;
	}

	/** Bytes that everything stored takes, as the bounds of the store count them; where the store cannot tell, those of the responses and their keys. */
	async size(task: LongTask = {}): Promise<number> {
		checkNames(task, 'task', taskNames);
		const core = coreOf(this);
		await core.settle();
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
	Responses in order, one at a time. Without an index in the store, what they are sorted by is held in memory.

	@throws {TypeError} Where an option is unknown or wrong.

	@example
	```
	for await (const {url, size} of cache.sorted({by: 'size', descending: true, limit: 10, expired: false})) {
		console.log(url, size);
	}
	```
	*/
	async * sorted(sorting: Sorting = {}, task: LongTask = {}): AsyncGenerator<CachedResponse, void> {
		checkSorting(sorting);
		checkNames(task, 'task', taskNames);
		const core = coreOf(this);
		await core.settle();
		for await (const {key, stored} of listSorted(core, sorting, task)) {
			yield new CachedResponse(key, stored, core.settings.now);
		}
	}

	/** Deletes everything stored. */
	async clear(): Promise<void> {
		coreOf(this).checkWritable('clear');
		await coreOf(this).clear();
	}

	/**
	Moves what is stored to the keys that the settings of this cache give, after settings that part keys have changed (`matchHeaders`, `ignoredParameters`, `contentRootKey`, `partitionBy`, `cacheControl`, `keyFn`), or when the format of our keys has.

	Nobody gets what was not theirs: an entry is dropped where what parts it now was redacted when it was stored, as with a credential that only now counts, or where a `keyFn` would have to see that. Where two entries meet under one key, the newer one stays. What the settings ignore now is redacted in what was stored before, too.

	@throws Where the store cannot list what it holds, or `signal` ends it; with what the settings' functions throw.

	@example
	```
	const client = got.extend(cacheHooks({ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'utm_source']}));
	await getCache(client).recreateKeys();
	//=> {kept: 120, moved: 14, dropped: 3}
	```
	*/
	async recreateKeys(task: LongTask = {}): Promise<RecreatedKeys> {
		coreOf(this).checkWritable('recreateKeys');
		checkNames(task, 'task', taskNames);
		const core = coreOf(this);
		await core.idle();
		const secret = await core.secret();
		const migration = new KeyMigration({
			...task,
			entries: core.managedEntries,
			remove: key => core.managed.delete(key),
			async keyFor(stored, key) {
				// What a tag has deleted must not take a key from what is still there.
				if (await core.judge(stored) === undefined) {
					return undefined;
				}

				return stored.request === undefined || isCall(stored) ? key : recreateKey(stored.request, key, core.settings, () => secret);
			},
			redact: stored => redactAgain(stored, core.settings, secret),
		});
		return migration.run();
	}

	/**
	Gives what is stored another expiration, counted from now: everything, or that for which any of the criteria holds.

	@returns How many entries there were.
	@throws {TypeError} Where it is no expiration, or `DO_NOT_CACHE`.

	@example
	```
	await cache.resetExpiration('1h');
	//=> 120
	```
	*/
	async resetExpiration(expireAfter: ExpireAfter, criteria: Criteria = {}, task: LongTask = {}): Promise<number> {
		coreOf(this).checkWritable('resetExpiration');
		checkNames(task, 'task', taskNames);
		return resetExpirations(coreOf(this), checkedExpiration(expireAfter), asListed(await this.#understood(criteria)), task);
	}

	/**
	Copies what another cache holds, whatever its store, with its expirations; what lies under the same key is overwritten. Both make their keys by the same settings, or `recreateKeys` is called afterwards.

	What was stored for credentials, or varies, is found by the secret of its cache alone: a cache that has none yet takes it over, one that has its own skips such entries.

	@throws {TypeError} Where it is no other cache.

	@example
	```
	await new HttpCache({store: 'sqlite'}).update(getCache(client));
	//=> {copied: 120, skipped: 0}
	```
	*/
	async update(other: HttpCache, task: LongTask = {}): Promise<UpdatedCache> {
		coreOf(this).checkWritable('update');
		checkNames(task, 'task', taskNames);
		if (!(other instanceof HttpCache) || other === this) {
			throw new TypeError(`Expected another HttpCache, got ${other === this ? 'the same one' : describe(other)}`);
		}

		return copyEntries(coreOf(this), coreOf(other), task);
	}

	/**
	The key of a request, by the settings of this cache; `undefined` where `keyFn` wants it not cached.

	@throws {TypeError} Where it is no request. And what the settings' functions throw.
	*/
	async createKey(request: DescribedRequest): Promise<string | undefined> {
		const {settings, secret} = coreOf(this);
		return identify(describedRequest(checkedRequest(request)), settings).key(secret);
	}

	/**
	What would be done with a request, and why, without doing it; see `explain(client, request)`, which adds the client's own headers.

	@param settings - The request's own settings, as in `context.cache`.
	@throws {TypeError} Where it is no request, or no client uses this cache.

	@example
	```
	const {decision, reason} = await cache.explain({url: 'https://example.com'});
	//=> 'serve', 'fresh'
	```
	*/
	async explain(request: DescribedRequest, settings?: RequestSettings): Promise<Explanation> {
		return required(insides.get(this)!.host).explain(checkedRequest(request), settings);
	}

	/** The settings of the client: they may be changed while it runs. */
	get settings(): LiveSettings {
		return required(insides.get(this)!.host).settings;
	}

	/**
	Runs a function in whose call tree, and only there, requests of this cache have these settings: below their own, above the client's. Inner settings stand above outer ones.

	There is no `using` form: it would hold for whatever the caller does next, beyond the block as well.

	@returns What the function returns.
	@throws {SettingError} Where a setting is wrong, before the function is called.

	@example
	```
	await cache.with({expireAfter: '1m'}, async () => client('https://example.com'));
	```
	*/
	with<Result>(settings: RequestSettings, action: () => Result): Result {
		return required(insides.get(this)!.host).run(settings, action);
	}

	/**
	Runs a function in whose call tree, and only there, requests go out as if there were no cache. Others at the same time are not touched.

	@returns What the function returns.

	@example
	```
	await cache.disabled(async () => client('https://example.com'));
	```
	*/
	disabled<Result>(action: () => Result): Result {
		return this.with({disabled: true}, action);
	}

	/** What this cache has done in this process, since it was made or since `resetStats()`. */
	stats(): CacheStats {
		const {figures, circuit} = coreOf(this);
		return {...figures.all, circuit};
	}

	resetStats(): void {
		const {figures, settings} = coreOf(this);
		figures.reset(settings.now());
	}

	/**
	What is stored as an HTTP archive (HAR 1.2), for which any of the criteria holds, or all. It is built in memory.

	@example
	```
	await writeFile('api.har', JSON.stringify(await cache.toHar()));
	```
	*/
	async toHar(criteria: Criteria = {}, task: LongTask = {}): Promise<Har> {
		return exportHar(this.#list(criteria, task));
	}

	/**
	Stores what an HTTP archive (HAR 1.2) holds, from this library or a browser, as if the origin had given it now.

	@returns How many responses were stored, and which entries were not, and why: `'unusable'` (no response, or a body that is not in the archive), `'redacted'` (whom it was for, or what it was asked by, cannot be known), `'secret-in-header'`, `'vary-star'`, `'too-many-tags'`, `'key-refused'`.
	@throws {TypeError} Where it is no such archive: it names the member that is wrong. Nothing is stored then.

	@example
	```
	await cache.fromHar(JSON.parse(await readFile('api.har', 'utf8')));
	//=> {saved: 12, skipped: []}
	```
	*/
	async fromHar(har: unknown, options: SaveOptions & LongTask = {}): Promise<ImportedHar> {
		coreOf(this).checkWritable('fromHar');
		return importHar(coreOf(this), har, checkedOptions(options, [...saveNames, ...taskNames]));
	}

	/** Whether the store is used (`closed`), left alone after faults (`open`), or tried again by one call (`half-open`). Faults of reads and of writes are counted apart: this is the worse of the two, and the `circuit` event says of which it is. A store that cannot be read is not written either. */
	get circuit(): CircuitState {
		return coreOf(this).circuit;
	}

	/**
	Opens the store and reads from it, for those who want to know at the start whether it can be used. Requests need not wait for that.

	@throws What the store throws; a `StoreTimeoutError` where it takes longer than `storeTimeout`.

	@example
	```
	await getCache(client).ready();
	```
	*/
	async ready(): Promise<void> {
		await coreOf(this).ready();
	}

	/** Resolves when all refreshes in the background have ended and everything is written. */
	async idle(): Promise<void> {
		await coreOf(this).idle();
	}

	/**
	Waits for refreshes and pending writes, then closes the store if this library opened it or `autoclose` is set.
	*/
	async close(): Promise<void> {
		await coreOf(this).close();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	async * #list(criteria: Criteria, task: LongTask): AsyncGenerator<Listed, void> {
		const core = coreOf(this);
		await core.settle();
		checkNames(task, 'task', taskNames);
		yield * listMeant(core, asListed(await this.#understood(criteria)), task);
	}

	async #required(criteria: Criteria, task: LongTask, hint: string): Promise<Selection> {
		checkNames(task, 'task', taskNames);
		const selection = await this.#understood(criteria);
		if (selection.isEmpty) {
			throw new SettingError('criteria', criteria, `an object with at least one criterion (${hint})`);
		}

		return asChanged(selection);
	}

	async #understood(criteria: Criteria): Promise<Selection> {
		const core = coreOf(this);
		const {settings, secret} = core;
		return understand(criteria, async asked => {
			const requests = asked.map(({request, isByUrl}) => ({request: describedRequest(request), isByUrl}));
			const keys = await Promise.all(requests.map(async ({request}) => identify(request, settings).key(secret)));
			return [...keys.filter(key => key !== undefined), ...await aliasKeys(core, requests)];
		}, settings.now());
	}

	#given(key: string, stored: ConstructorParameters<typeof CachedResponse>[1] | undefined): CachedResponse | undefined {
		return stored && new CachedResponse(key, stored, coreOf(this).settings.now);
	}
}

function checkedTarget(target: Target): {readonly key: string; readonly request?: never; readonly isByUrl?: never} | {readonly key?: never; readonly request: DescribedRequest; readonly isByUrl: boolean} {
	const {key, url, request} = new Object(target) as {key?: unknown; url?: unknown; request?: unknown};
	const given = [key, url, request].filter(value => value !== undefined);
	if (given.length !== 1) {
		throw new SettingError('target', target, 'an object of one of `key`, `url` and `request`');
	}

	if (key === undefined) {
		return {request: checkedRequest(url === undefined ? request : {url}), isByUrl: url !== undefined};
	}

	if (typeof key !== 'string') {
		throw new SettingError('target.key', key, 'a string');
	}

	return {key};
}

function checkedOptions(options: unknown = {}, known: Iterable<string> = saveNames): SaveOptions {
	checkNames(options, 'options', new Set(known));
	const {expireAfter, tags} = new Object(options) as {expireAfter?: ExpireAfter; tags?: unknown};
	if (expireAfter !== undefined) {
		checkedExpiration(expireAfter);
	}

	if (tags !== undefined && !(Array.isArray(tags) && areTagsBounded(tags))) {
		throw new SettingError('tags', tags, `an array of at most ${maxTags} strings of 1 to ${maxTagLength} characters`);
	}

	return new Object(options);
}
