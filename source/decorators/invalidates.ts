import type {CacheCore} from '../cache/core.ts';
import {httpCacheOf} from '../cache/http-cache.ts';
import type {Invalidation} from '../cache/journal-records.ts';
import {deleteWhere} from '../cache/removal.ts';
import {
	callInScope,
	Layer,
	scopes,
	type Scope,
} from '../exchange/scope.ts';
import type {Ignored} from '../identity/credentials.ts';
import {resourceOfRequest} from '../identity/identify.ts';
import {describedRequest, parseRequest} from '../identity/sent-request.ts';
import {
	listOf,
	parseOptions,
	text,
	type Parsers,
} from '../parse.ts';
import {
	compileUrlPattern,
	isUrlPattern,
	type UrlMatcher,
	type UrlPattern,
} from '../policy/url-patterns.ts';
import {callRequest, defaultClient, isCallUrl} from './call.ts';
import {cachedFunctionOf, methodName, type ResultLocation} from './cached-function.ts';
import {classOf, scopeOfClass} from './class-settings.ts';
import {
	checkParentheses,
	decorate,
	invalidatesKey,
	type AnyFunction,
	type CallDecorator,
} from './method-decorator.ts';
import {bindToScope, wrapMethod} from './scoped-function.ts';

/** What a method invalidates. Each member may be left out. */
export type Invalidated = {
	/** Deletes entries with any of these tags. */
	readonly tags?: readonly string[];

	/** Deletes responses whose URL matches any of these patterns, which are like those of `urlsExpireAfter`. */
	readonly urls?: readonly UrlPattern[];

	/** Deletes the responses to these requests, of all users. */
	readonly requests?: ReadonlyArray<{
		/** The method. Default: `'GET'`. */
		readonly method?: string;

		/** The absolute URL. */
		readonly url: string | URL;
	}>;

	/** Deletes all results of these methods of the same class (with `result: true`). */
	readonly methods?: readonly string[];
};

type GivenInvalidated = Invalidated | ((self: unknown, ...inputs: readonly unknown[]) => Invalidated);

/**
Deletes what a method invalidates (`invalidated`, or what it returns for the instance and the arguments), once it has succeeded and before its promise resolves: from the cache of its class, and from the caches of the clients that it used. This reads every entry of those caches. A method that does not return a promise does not wait for it.

@throws {TypeError | CacheHooksError} At definition, if it is invalid, or the decorator is not applied to a method.

@example
```ts
import got from 'got';
import {CacheConfig, cacheHooks, cacheInfo, cacheOf, Invalidates} from 'got-cache-hooks';

@CacheConfig({store: 'memory'})
class GitHub {
	readonly #http = got.extend(cacheHooks());

	async user(name: string) {
		return this.#http(`https://api.example.com/users/${name}`);
	}

	@Invalidates((self, name) => ({urls: [new RegExp(`/users/${name}$`)]}))
	async rename(name: string) {
		await this.#http.put(`https://api.example.com/users/${name}`);
	}
}

const github = new GitHub();
await github.user('ada');
await github.rename('ada');
console.log(cacheInfo(await github.user('ada')).reason);
//=> miss

await cacheOf(github).close();
```
*/
export function Invalidates<This, Arguments extends any[]>(...options: [invalidated: Invalidated | ((self: This, ...inputs: Arguments) => Invalidated)]): CallDecorator<This, Arguments> { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	checkParentheses('Invalidates', options);
	const [given] = options as readonly [GivenInvalidated];
	if (typeof given !== 'function') {
		checkInvalidated(given);
	}

	return (...inputs: unknown[]) => decorate({
		label: '@Invalidates()',
		metadata: [invalidatesKey, typeof given === 'function' ? {invalidated: given} : given],
		wrap: original => wrapInvalidating(original, given),
	}, inputs);
}

function wrapInvalidating(original: AnyFunction, given: GivenInvalidated): AnyFunction {
	return wrapMethod(original, function (this: unknown, ...inputs: unknown[]): unknown {
		const usedCaches = new Set<CacheCore>();
		const outer = scopeOfClass(this, scopes.getStore());
		const scope = new Layer({
			settings: {},
			onCache(cache) {
				usedCaches.add(cache);
			},
		}).within(outer);
		const invalidate = async (): Promise<void> => {
			const client = callInScope(outer, () => defaultClient().inScope, undefined, []);
			try {
				await invalidateFor(this, typeof given === 'function' ? given(this, ...inputs) : given, client.cache, {usedCaches, scope: outer});
			} catch (error) {
				// The method has succeeded all the same.
				client.cache.events.emit('settingError', {setting: 'Invalidates', error});
			}
		};

		const result: unknown = bindToScope(callInScope<unknown, unknown[], unknown>(scope, original, this, inputs), scope);
		if (result instanceof Promise) {
			return afterSuccess(result, invalidate);
		}

		defaultClient().cache.writes.track(invalidate());
		return result;
	});
}

/** Returns a promise that resolves after an action. It has the methods of the original promise, such as `json()` of Got. */
function afterSuccess(promise: Promise<unknown>, action: () => Promise<void>): Promise<unknown> {
	const later = (async () => {
		const value = await promise;
		await action();
		return value;
	})();
	const methods = Object.getOwnPropertyDescriptors(promise);
	if (Object.keys(methods).length === 0) {
		return later;
	}

	// A caller may only await the promise of `json()`, which rejects as well.
	later.catch(() => {}); // eslint-disable-line @typescript-eslint/no-empty-function
	return Object.defineProperties(later, methods);
}

type UsedCaches = {readonly usedCaches: Set<CacheCore>; readonly scope: Scope | undefined};

async function invalidateFor(self: unknown, invalidated: Invalidated, cache: CacheCore, {usedCaches, scope}: UsedCaches): Promise<void> {
	const {tags = [], urls = [], requests = [], methods = []} = invalidated;
	checkInvalidated({
		tags, urls, requests, methods,
	});
	const results = methods.map(name => locateResults(self, name, cache));
	const hasClassCache = scope?.clients.some(client => client.cache !== undefined) ?? false;
	const caches = new Set([...usedCaches, ...results.map(result => result.cache), ...(hasClassCache ? [cache] : [])]);
	await Promise.all(Array.from(caches, async each => deleteFrom(each, {
		tags, urls, requests, calls: results.filter(result => result.cache === each).map(({name}) => name),
	})));
}

/** Returns the cache and the name of the results of a method. A decorator above `@Cached()` hides the method, which then has the name by its class. */
function locateResults(self: unknown, name: string, cache: CacheCore): Omit<ResultLocation, 'key'> {
	const cachedFunction = cachedFunctionOf((self as Record<string, unknown> | undefined)?.[name]);
	return cachedFunction?.locateResults(self) ?? {cache, name: methodName(classOf(self), name, `\`${name}\``)};
}

/** What to delete from one cache. `calls` are names of functions with results, such as `GitHub.repos`. */
type InvalidatedEntries = Required<Omit<Invalidated, 'methods'>> & {readonly calls: readonly string[]};

/** Deletes entries that match any of the criteria. Requests sent before are neither stored nor joined. A read-only cache keeps its entries, as with unsafe methods. */
async function deleteFrom(cache: CacheCore, entries: InvalidatedEntries): Promise<void> {
	if (cache.isReadOnly || cache.settings.readOnly) {
		return;
	}

	const {urls, requests, calls, tags} = entries;
	const {ignoredParameters} = cache.settings;
	const patterns = urls.map(pattern => compileUrlPattern(pattern));
	const matchesUrl: UrlMatcher = url => !isCallUrl(url) && patterns.some(matches => matches(url));
	const named = [
		...requests.map(({method = 'GET', url}) => namedResource(describedRequest({method, url}), ignoredParameters)),
		...calls.map(name => namedResource(callRequest(name, ''), ignoredParameters)),
	];
	const names = new Set(named.map(([, name]) => name));
	// `delete()` adds the tags.
	await cache.journal.invalidateQuietly([
		...named.map(([resource]) => ({kind: 'resource', resource}) as const),
		...(urls.length === 0 ? [] : [{kind: 'matching', concerns: ({url}) => matchesUrl(url)} satisfies Invalidation]),
	]);
	if (tags.length > 0) {
		await httpCacheOf(cache).delete({tags});
	}

	await deleteWhere(cache, ({method, url}) => matchesUrl(url) || (names.size > 0 && names.has(namedResource({
		method, override: undefined, url, targetUrl: url,
	}, ignoredParameters)[1])), 'invalidated');
}

/** Returns the resource of a request, and its name with the method: a GET and a HEAD have one resource. */
function namedResource(request: Parameters<typeof resourceOfRequest>[0], ignored: Ignored): readonly [resource: string, name: string] {
	const resource = resourceOfRequest(request, ignored);
	return [resource, `${request.method} ${resource}`];
}

/** Deletes the result of one call. A call in progress is neither stored nor joined. */
export async function deleteResult({cache, key}: ResultLocation): Promise<void> {
	if (key === undefined) {
		return;
	}

	cache.checkWritable('invalidate');

	const invalidated = cache.journal.invalidateQuietly([{kind: 'key', key}]);
	cache.writes.delete(key, 'invalidated');
	await invalidated;
	await cache.writes.settle();
}

const invalidatedParsers: Parsers<Invalidated> = {
	tags: listOf('a tag, which is a string that is not empty', text.parse),
	urls: listOf('a glob, a RegExp or a URLPattern', pattern => isUrlPattern(pattern) ? pattern : undefined),
	requests: listOf('an object with a `url`', (request, path) => parseRequest(request, path)),
	methods: listOf('the name of a method', text.parse),
};

function checkInvalidated(given: unknown): void {
	parseOptions(invalidatedParsers, given, 'Invalidates');
}
