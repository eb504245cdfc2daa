import {httpCacheOf, type HttpCache} from '../cache/http-cache.ts';
import {callInScope, scopes} from '../exchange/scope.ts';
import {enterClass} from './class-settings.ts';
import {defaultClient} from './default-client.ts';
import {forgetCall} from './forget.ts';
import type {AnyFunction} from './function-twin.ts';
import {resultFunctionOf, type ResultPlace} from './result-function.ts';

/** The names of the methods of an object. */
type MethodName<Target> = {[Key in keyof Target]: Target[Key] extends (...inputs: any[]) => unknown ? Key : never}[keyof Target];

type InputsOf<Method> = Method extends (...inputs: infer Inputs) => unknown ? Inputs : never;

/**
Deletes the result that is kept of a call, of a method with `result: true`: by the method, or by its object and its name. Give the object where the result depends on it: with `scope: 'instance'`, a `keyFn`, a store for each instance, or a class that inherits the method.

@throws {TypeError | CacheHooksError} Where the function keeps no results, or the object is needed.

@example
```
await invalidate(github.repos, 'sindresorhus');
await invalidate(github, 'repos', 'sindresorhus');
```
*/
export function invalidate<Inputs extends any[]>(method: (...inputs: Inputs) => unknown, ...inputs: Inputs): Promise<void>;
export function invalidate<Target extends object, Name extends MethodName<Target>>(target: Target, name: Name, ...inputs: InputsOf<Target[Name]>): Promise<void>;
export async function invalidate(...call: unknown[]): Promise<void> {
	await Promise.all(locate(call).map(async place => forgetCall(place)));
}

/**
The key under which the result of a call is kept, of a method with `result: true`; named as for `invalidate`.

@returns `undefined` where its `keyFn` wants the call not cached.
@throws {TypeError | CacheHooksError} Where the function keeps no results, or the object is needed.

@example
```
cacheKeyOf(github.repos, 'sindresorhus');
//=> 'got-cache:2:…'
```
*/
export function cacheKeyOf<Inputs extends any[]>(method: (...inputs: Inputs) => unknown, ...inputs: Inputs): string | undefined;
export function cacheKeyOf<Target extends object, Name extends MethodName<Target>>(target: Target, name: Name, ...inputs: InputsOf<Target[Name]>): string | undefined;
export function cacheKeyOf(...call: unknown[]): string | undefined {
	const places = locate(call);
	if (places.length > 1) {
		throw new TypeError('Several classes have this method: give the object and the name of the method');
	}

	return places[0]!.key;
}

/**
The cache in which the class of an object, or a class, keeps what its methods receive and give; where it names none, the one in which results are kept by default.

@example
```
await cacheOf(github).clear();
```
*/
export function cacheOf(target: object): HttpCache {
	const scope = enterClass(target, scopes.getStore());
	return httpCacheOf(callInScope(scope, () => defaultClient().inScope.cache, undefined, []));
}

function locate(call: readonly unknown[]): readonly ResultPlace[] {
	const [target, name] = call;
	const direct = resultFunctionOf(target);
	if (direct !== undefined) {
		return direct.standIns().map(self => direct.locate(self, call.slice(1)));
	}

	const isObject = typeof target === 'function' || (typeof target === 'object' && target !== null);
	const member = isObject ? (target as unknown as Record<PropertyKey, AnyFunction | undefined>)[name as PropertyKey] : undefined;
	const named = resultFunctionOf(member);
	if (named === undefined) {
		throw new TypeError('Expected a method that keeps its results (`result: true`), or its object and its name; a decorator above ours may have taken its place');
	}

	return [named.locate(target, call.slice(2))];
}
