import {anyFunction, parseInput} from '../parse.ts';
import {settingsObject} from '../settings/parsers.ts';
import {
	ClassConfig,
	configureClass,
	type CacheConfigOptions,
	type ClassTarget,
} from './class-settings.ts';
import {
	checkParentheses,
	defineMetadata,
	isContext,
	placeError,
	settingsKey,
	type AnyFunction,
	type ClassDecorator,
} from './method-decorator.ts';
import {configuredFunction, isWrapper, scopedFunction} from './scoped-function.ts';

/**
Sets how requests in the methods of a class are cached, including static methods, getters and setters. Settings of a method or a request take precedence over them, and they take precedence over URL patterns and settings of the client. Settings of a client (`store`, `urlsExpireAfter`, `cacheControl`, …) take precedence over those of the client itself. With `store` or `cacheName`, the class has a cache of its own for its responses and results.

A subclass inherits the settings for its decorated and inherited methods. With a `@CacheConfig()` of its own, even an empty one, they apply to all its methods, and its own settings take precedence.

@throws {TypeError | CacheHooksError} At definition, if a setting is invalid, or the decorator is not applied to a class.

@example
```ts
import got from 'got';
import {CacheConfig, cacheHooks, cacheInfo, cacheOf} from 'got-cache-hooks';

@CacheConfig({store: 'memory', staleIfError: true})
class GitHub {
	readonly #http = got.extend(cacheHooks());

	async user(name: string) {
		return this.#http(`https://api.example.com/users/${name}`);
	}
}

const github = new GitHub();
await github.user('ada');
console.log(cacheInfo(await github.user('ada')).reason);
//=> fresh

await cacheOf(github).close();
```
*/
export function CacheConfig(...given: [settings?: CacheConfigOptions]): ClassDecorator { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	checkParentheses('CacheConfig', given);
	const [settings = {}] = given;
	parseInput(settingsObject, settings, 'CacheConfig');
	return (...inputs: unknown[]) => {
		const [target, context] = inputs;
		const isClass = isContext(context) ? context.kind === 'class' : inputs.length === 1;
		if (!isClass || typeof target !== 'function') {
			throw placeError('@CacheConfig()', 'something that is not a class', 'a class');
		}

		applySettings(target, settings, 'CacheConfig');
	};
}

/**
Returns a function whose requests are cached with certain settings, like those in a method of a class with `@CacheConfig()`. A class is changed as by the decorator, and returned.

@throws {TypeError} If a setting is invalid.

@example
```ts
import got from 'got';
import {cacheHooks, withCacheSettings} from 'got-cache-hooks';

const client = got.extend(cacheHooks());
const report = withCacheSettings({store: 'memory', expireAfter: '5m'}, async () => {
	const response = await client('https://api.example.com/users/1');
	return response.isFromCache;
});
console.log(await report(), await report());
//=> false true
```
*/
export function withCacheSettings<Original extends AnyFunction | (abstract new (...inputs: any[]) => unknown)>(settings: CacheConfigOptions, original: Original): Original {
	parseInput(settingsObject, settings, 'withCacheSettings');
	parseInput({...anyFunction, allowed: 'a function or a class'}, original, 'original');
	if (/^class\b/v.test(Function.prototype.toString.call(original))) {
		applySettings(original, settings, 'withCacheSettings');
		return original;
	}

	return configuredFunction(original as AnyFunction, new ClassConfig(settings, undefined, 'withCacheSettings')) as Original;
}

function applySettings(target: ClassTarget, settings: CacheConfigOptions, label: string): void {
	const config = configureClass(target, settings, label);
	defineMetadata(settingsKey, config.settings, target);
	wrapMembers(target.prototype);
	wrapMembers(target);
}

/** Wraps methods, getters and setters. They are not enumerable, unlike fields. */
function wrapMembers(owner: object): void {
	for (const key of Reflect.ownKeys(owner)) {
		const descriptor = Object.getOwnPropertyDescriptor(owner, key)!;
		if (key === 'constructor' || key === 'prototype' || descriptor.configurable !== true || descriptor.enumerable === true) {
			continue;
		}

		const {value, get, set} = descriptor as {value?: unknown; get?: AnyFunction; set?: AnyFunction};
		if (typeof value === 'function') {
			Object.defineProperty(owner, key, {...descriptor, value: wrapMember(value as AnyFunction)});
		} else if (get !== undefined || set !== undefined) {
			Object.defineProperty(owner, key, {...descriptor, ...(get && {get: wrapMember(get)}), ...(set && {set: wrapMember(set) as (value: unknown) => void})});
		}
	}
}

function wrapMember(member: AnyFunction): AnyFunction {
	return isWrapper(member) ? member : scopedFunction(member);
}
