import {httpCacheOf, type HttpCache} from '../cache/http-cache.ts';
import {SettingError} from '../errors.ts';
import {
	asObject,
	isPlainObject,
	parseInput,
	type Parser,
} from '../parse.ts';
import {callInScope, scopes} from '../exchange/scope.ts';
import {defaultClient} from './call.ts';
import {cachedFunctionOf, type ResultLocation} from './cached-function.ts';
import {scopeOfClass} from './class-settings.ts';
import {deleteResult} from './invalidates.ts';
import type {AnyFunction} from './method-decorator.ts';

/** The names of the methods of an object. */
type MethodName<Target> = {[Key in keyof Target]: Target[Key] extends (...inputs: any[]) => unknown ? Key : never}[keyof Target];

type InputsOf<Method> = Method extends (...inputs: infer Inputs) => unknown ? Inputs : never;

/**
Deletes the cached result of a call to a method with `result: true`. Pass the method, or the instance and the method name. The instance is required if the result depends on it: with `scope: 'instance'`, a `keyFn`, a store for each instance, or a class that inherits the method.

@throws {TypeError | CacheHooksError} If the results of the function are not cached, or the instance is required.

@example
```ts
import {cached, HttpCache, invalidate} from 'got-cache-hooks';

const cache = new HttpCache({store: 'memory'});
let calls = 0;
const repos = cached(async (owner: string) => {
	calls++;
	return [`${owner}/got`];
}, '1h', {result: true, name: 'repos', cache});

await repos('sindresorhus');
await invalidate(repos, 'sindresorhus');
await repos('sindresorhus');
console.log(calls);
//=> 2
```
*/
export function invalidate<Inputs extends any[]>(method: (...inputs: Inputs) => unknown, ...inputs: Inputs): Promise<void>;
export function invalidate<Target extends object, Name extends MethodName<Target>>(target: Target, name: Name, ...inputs: InputsOf<Target[Name]>): Promise<void>;
export async function invalidate(...call: unknown[]): Promise<void> {
	await Promise.all(locateCall(call).map(async location => deleteResult(location)));
}

/**
Returns the key of the cached result of a call to a method with `result: true`. The parameters are those of `invalidate`.

@returns `undefined` if the `keyFn` of the method excludes the call from caching.
@throws {TypeError | CacheHooksError} If the results of the function are not cached, or the instance is required.

@example
```ts
import {cached, cacheKeyOf, HttpCache} from 'got-cache-hooks';

const cache = new HttpCache({store: 'memory'});
const repos = cached(async (owner: string) => [`${owner}/got`], '1h', {result: true, name: 'repos', cache});
await repos('sindresorhus');
console.log(await cache.contains({key: await cacheKeyOf(repos, 'sindresorhus')}));
//=> true
```
*/
export function cacheKeyOf<Inputs extends any[]>(method: (...inputs: Inputs) => unknown, ...inputs: Inputs): string | undefined;
export function cacheKeyOf<Target extends object, Name extends MethodName<Target>>(target: Target, name: Name, ...inputs: InputsOf<Target[Name]>): string | undefined;
export function cacheKeyOf(...call: unknown[]): string | undefined {
	const locations = locateCall(call);
	if (locations.length > 1) {
		throw new SettingError('method', 'Several classes have this `method`. Pass the instance and the method name.');
	}

	return locations[0]!.key;
}

/**
Returns the cache of the responses and results of a class, or of the class of an object. If the class has no cache of its own, it is the default cache of results.

@throws {SettingError} If no cache belongs to it.

@example
```ts
import got from 'got';
import {CacheConfig, cacheHooks, cacheOf} from 'got-cache-hooks';

@CacheConfig({store: 'memory'})
class GitHub {
	readonly #http = got.extend(cacheHooks());

	async user(name: string) {
		return this.#http(`https://api.example.com/users/${name}`).json();
	}
}

const github = new GitHub();
await github.user('ada');
console.log(await cacheOf(github).count());
//=> 1

await cacheOf(github).close();
```
*/
export function cacheOf(target: object): HttpCache {
	parseInput(cacheOwner, target, 'target');
	const scope = scopeOfClass(target, scopes.getStore());
	return httpCacheOf(callInScope(scope, () => defaultClient().inScope.cache, undefined, []));
}

const cacheOwner: Parser<object> = {
	allowed: 'a class, an instance of a class, or a function',
	parse: value => typeof value === 'function' || (asObject(value) !== undefined && !isPlainObject(value)) ? value as object : undefined,
};

function locateCall(call: readonly unknown[]): readonly ResultLocation[] {
	const [target, name] = call;
	const direct = cachedFunctionOf(target);
	if (direct !== undefined) {
		return direct.possibleOwners().map(self => direct.locate(self, call.slice(1)));
	}

	const isObject = typeof target === 'function' || (typeof target === 'object' && target !== null);
	const member = isObject ? (target as unknown as Record<PropertyKey, AnyFunction | undefined>)[name as PropertyKey] : undefined;
	const named = cachedFunctionOf(member);
	if (named === undefined) {
		throw new SettingError('method', 'Expected `method` to be a method with `result: true` or, after an instance, the name of one. A decorator above `@Cached()` conceals it.');
	}

	return [named.locate(target, call.slice(2))];
}
