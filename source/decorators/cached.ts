import {coreOf} from '../cache/http-cache.ts';
import {CacheHooksError} from '../errors.ts';
import type {ExpirationTime} from '../policy/expiration.ts';
import {decorate, type Declaration, type MethodDecorator} from './dialects.ts';
import type {FunctionDecorator, ResultDecorator} from './decorator-types.ts';
import type {AnyFunction} from './function-twin.ts';
import {settingsKey} from './metadata.ts';
import {understand, type Understood} from './method-settings.ts';
import {ResultFunction, resultFunctionOf} from './result-function.ts';
import {classFunction, scopedFunction} from './scoped-function.ts';
import type {AnyResultSettings, MethodSettings, ResultSettings} from './settings-types.ts';

/**
Says how the requests that a method makes are cached, by any client with `cacheHooks()`, for its whole call tree: below what a request says itself, above URL patterns, the class and the client. Of methods that call each other, the inner one counts.

With `result: true` it is what the method gives that is cached, in the store of its class, by the same rules: for what does not go through Got. The method must give a promise.

It stands on methods, static and private ones included, and on accessors and getters that give a function; in TypeScript's `experimentalDecorators` and as a standard decorator.

@param expireAfter - How long a response, or a result, is fresh.
@throws {TypeError | CacheHooksError} At definition, where a setting is wrong or it stands on something else.

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
export function Cached(expireAfter?: ExpirationTime, settings?: MethodSettings | AnyResultSettings): unknown { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	return methodDecorator('@Cached()', understand(expireAfter, settings));
}

/**
The requests that a method makes are not cached: neither read nor written.

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
export function Uncached(): FunctionDecorator { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	return methodDecorator('@Uncached()', understand(undefined, {disabled: true}));
}

/**
What is stored of the requests that a method makes is validated before it is used; results that are kept are made anew.

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
export function Refresh(): FunctionDecorator { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	return methodDecorator('@Refresh()', understand(undefined, {refresh: true}));
}

function methodDecorator(label: string, understood: Understood): FunctionDecorator {
	const decorator: MethodDecorator = {
		label,
		metadata: [settingsKey, understood.given],
		make: (original, declaration) => makeCached(original, understood, declaration.label, declaration),
		see(made, self) {
			resultFunctionOf(made)?.see(self);
		},
	};
	return (...inputs: unknown[]) => decorate(decorator, inputs);
}

function makeCached(original: AnyFunction, understood: Understood, label: string, declaration?: Declaration): AnyFunction {
	const {request, cache, result} = understood;
	if (result === undefined) {
		return scopedFunction(original, {settings: request, cache: cache && coreOf(cache)});
	}

	const kept = new ResultFunction(original, understood, label, declaration);
	const twin = classFunction(original, async function (this: unknown, ...inputs: unknown[]): Promise<unknown> {
		return kept.call(this, inputs);
	});
	kept.answerFor(twin);
	return twin;
}

/**
What `@Cached()` is to a method, for any function: gives one in whose calls the settings hold, or, with `result: true`, whose results are kept.

@throws {TypeError | CacheHooksError} Where a setting is wrong, or results are to be kept of a function that has no name.

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
	if (typeof original !== 'function') {
		throw new TypeError('Expected a function, whose calls are to be cached');
	}

	const understood = understand(expireAfter, settings, 'cached');
	const name = understood.result?.name ?? original.name;
	if (name === '' && understood.result !== undefined) {
		throw new CacheHooksError('ERR_CALL_NAME', 'The results of a function without a name cannot be told from those of others: give it one, or a `name` in the settings');
	}

	return makeCached(original, understood, `\`${name}()\``);
}
