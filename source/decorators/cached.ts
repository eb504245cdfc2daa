import {coreOf} from '../cache/http-cache.ts';
import {CacheHooksError, SettingError} from '../errors.ts';
import {anyFunction, parseInput} from '../parse.ts';
import type {ExpirationTime} from '../policy/expiration.ts';
import {CachedFunction, cachedFunctionOf} from './cached-function.ts';
import {
	checkParentheses,
	decorate,
	settingsKey,
	type AnyFunction,
	type DecoratedMethod,
	type FunctionDecorator,
	type MethodDecorator,
	type ResultDecorator,
} from './method-decorator.ts';
import {
	parseMethodSettings,
	type AnyResultSettings,
	type MethodSettings,
	type ParsedSettings,
	type ResultSettings,
} from './method-settings.ts';
import {scopedFunction, wrapMethod} from './scoped-function.ts';

/**
Sets how the requests of a method are cached, in its whole call tree and by any client with `cacheHooks()`. Settings of a request take precedence over them, and they take precedence over URL patterns, the class and the client. If decorated methods call each other, the settings of the innermost apply.

With `result: true`, the result of the method is cached by the same rules, in the store of its class. Use it for methods that do not use Got. The method has to return a promise.

The decorator can be applied to methods, including static and private ones, and to accessors and getters that return a function. It supports standard and legacy (`experimentalDecorators`) decorators.

@param expireAfter - How long a response, or a result, is fresh.
@throws {TypeError | CacheHooksError} At definition, if a setting is invalid, or the decorator is applied to something else.

@example
```ts
import got from 'got';
import {Cached, CacheConfig, cacheHooks, cacheInfo, cacheOf} from 'got-cache-hooks';

@CacheConfig({store: 'memory'})
class GitHub {
	readonly #http = got.extend(cacheHooks());

	@Cached('5m')
	async user(name: string) {
		return this.#http(`https://api.example.com/users/${name}`);
	}

	@Cached('1h', {result: true, staleIfError: true})
	async repos(name: string) {
		return [`${name}/got`];
	}
}

const github = new GitHub();
await github.user('ada');
console.log(cacheInfo(await github.user('ada')).reason, await github.repos('ada'));
//=> fresh [ 'ada/got' ]

await cacheOf(github).close();
```
*/
export function Cached<This, Inputs extends any[], Value>(expireAfter: ExpirationTime | undefined, settings: ResultSettings<This, Inputs, Value>): ResultDecorator<This, Inputs, Value>; // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
export function Cached(expireAfter?: ExpirationTime, settings?: MethodSettings): FunctionDecorator; // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
export function Cached(...given: [expireAfter?: ExpirationTime, settings?: MethodSettings | AnyResultSettings]): unknown { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	checkParentheses('Cached', given);
	return methodDecorator('@Cached()', parseMethodSettings(...given));
}

/**
Disables the cache for the requests of a method: responses are neither read nor written.

@throws {SettingError} At definition, if it decorates anything but a method.

@example
```ts
import got from 'got';
import {CacheConfig, cacheHooks, cacheInfo, cacheOf, Uncached} from 'got-cache-hooks';

@CacheConfig({store: 'memory'})
class GitHub {
	readonly #http = got.extend(cacheHooks());

	@Uncached()
	async rate() {
		return cacheInfo(await this.#http('https://api.example.com/rate')).reason;
	}
}

const github = new GitHub();
await github.rate();
console.log(await github.rate());
//=> disabled

await cacheOf(github).close();
```
*/
export function Uncached(...none: readonly never[]): FunctionDecorator { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	return fixedDecorator('Uncached', none, {disabled: true});
}

/**
Validates stored responses to the requests of a method before they are used. Cached results are replaced.

@throws {SettingError} At definition, if it decorates anything but a method.

@example
```ts
import got from 'got';
import {CacheConfig, cacheHooks, cacheInfo, cacheOf, Refresh} from 'got-cache-hooks';

@CacheConfig({store: 'memory'})
class GitHub {
	readonly #http = got.extend(cacheHooks());

	@Refresh()
	async latest() {
		return cacheInfo(await this.#http('https://api.example.com/news')).reason;
	}
}

const github = new GitHub();
await github.latest();
console.log(await github.latest());
//=> revalidated

await cacheOf(github).close();
```
*/
export function Refresh(...none: readonly never[]): FunctionDecorator { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	return fixedDecorator('Refresh', none, {refresh: true});
}

function fixedDecorator(name: string, none: readonly unknown[], settings: MethodSettings): FunctionDecorator {
	checkParentheses(name, none);
	if (none.length > 0) {
		throw new SettingError(name, `\`@${name}()\` takes no arguments. Remove them.`);
	}

	return methodDecorator(`@${name}()`, parseMethodSettings(undefined, settings));
}

function methodDecorator(label: string, settings: ParsedSettings): FunctionDecorator {
	const decorator: MethodDecorator = {
		label,
		metadata: [settingsKey, settings.given],
		wrap: (original, method) => wrapCached(original, settings, method.label, method),
		onOwner(wrapper, owner) {
			cachedFunctionOf(wrapper)?.addOwner(owner);
		},
	};
	return (...inputs: unknown[]) => decorate(decorator, inputs);
}

function wrapCached(original: AnyFunction, settings: ParsedSettings, label: string, method?: DecoratedMethod): AnyFunction {
	const {request, cache, result} = settings;
	if (result === undefined) {
		return scopedFunction(original, {settings: request, cache: cache && coreOf(cache)});
	}

	const cachedFunction = new CachedFunction(original, settings, label, method);
	const wrapper = wrapMethod(original, async function (this: unknown, ...inputs: unknown[]): Promise<unknown> {
		return cachedFunction.call(this, inputs);
	});
	cachedFunction.registerWrapper(wrapper);
	return wrapper;
}

/**
Returns a function whose requests are cached with certain settings, like a method with `@Cached()`; with `result: true`, a function whose results are cached.

@throws {TypeError | CacheHooksError} If a setting is invalid, or a function with `result: true` has no name.

@example
```ts
import {cached, HttpCache} from 'got-cache-hooks';

const cache = new HttpCache({store: 'memory'});
let calls = 0;
const repos = cached(async (owner: string) => {
	calls++;
	return [`${owner}/got`];
}, '1h', {result: true, name: 'repos', cache});

await Promise.all([repos('sindresorhus'), repos('sindresorhus')]);
console.log(await repos('sindresorhus'), calls);
//=> [ 'sindresorhus/got' ] 1
```
*/
export function cached<This, Inputs extends any[], Value>(original: (this: This, ...inputs: Inputs) => PromiseLike<Value>, expireAfter: ExpirationTime | undefined, settings: ResultSettings<This, Inputs, Value>): (this: This, ...inputs: Inputs) => Promise<Value>;
export function cached<Original extends AnyFunction>(original: Original, expireAfter?: ExpirationTime, settings?: MethodSettings): Original;
export function cached(original: AnyFunction, expireAfter?: ExpirationTime, settings?: MethodSettings | AnyResultSettings): unknown {
	parseInput(anyFunction, original, 'original');
	const parsed = parseMethodSettings(expireAfter, settings, 'cached');
	const name = parsed.result?.name ?? original.name;
	if (name === '' && parsed.result !== undefined) {
		throw new CacheHooksError('ERR_CALL_NAME', 'The key of results includes the name of the function, which has none. Use a named function, or set a `name`.');
	}

	return wrapCached(original, parsed, `\`${name}()\``);
}
