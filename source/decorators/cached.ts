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
```
class GitHub {
	@Cached('5m')
	user(name: string) {
		return client(`https://api.example.com/users/${name}`).json();
	}

	@Cached('1h', {result: true, staleIfError: true})
	async repos(name: string) {
		return sdk.listRepos(name);
	}
}
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

@example
```
class GitHub {
	@Uncached()
	async rate() {
		return client('https://api.example.com/rate').json();
	}
}
```
*/
export function Uncached(...none: readonly never[]): FunctionDecorator { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	checkParentheses('Uncached', none);
	checkNoArguments('Uncached', none);
	return methodDecorator('@Uncached()', parseMethodSettings(undefined, {disabled: true}));
}

/**
Validates stored responses to the requests of a method before they are used. Cached results are replaced.

@example
```
class GitHub {
	@Refresh()
	async latest() {
		return client('https://api.example.com/latest').json();
	}
}
```
*/
export function Refresh(...none: readonly never[]): FunctionDecorator { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	checkParentheses('Refresh', none);
	checkNoArguments('Refresh', none);
	return methodDecorator('@Refresh()', parseMethodSettings(undefined, {refresh: true}));
}

function checkNoArguments(name: string, {length}: readonly unknown[]): void {
	if (length > 0) {
		throw new SettingError(name, `\`@${name}()\` takes no arguments. Remove them.`);
	}
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
```
const repos = cached(async function repos(name: string) {
	return sdk.listRepos(name);
}, '1h', {result: true});
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
