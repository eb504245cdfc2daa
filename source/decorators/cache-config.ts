import {
	ClassDefinition,
	defineClass,
	type CacheConfigOptions,
	type ClassTarget,
} from './class-settings.ts';
import type {ClassDecorator} from './decorator-types.ts';
import {isContext, misplaced} from './dialects.ts';
import type {AnyFunction} from './function-twin.ts';
import {noteMetadata, settingsKey} from './metadata.ts';
import {entersClass, scopedFunction, settledFunction} from './scoped-function.ts';

/**
Says how the requests are cached that the methods of a class make, static ones, getters and setters included: below what a method or a request says itself, above URL patterns and settings of the client. Settings of a client (`store`, `urlsExpireAfter`, `cacheControl`, …) stand above the client's own, too; with `store` or `cacheName`, what is requested inside the class is kept there, and so are results.

A subclass inherits the settings for its decorated methods and those that it inherits; with a `@CacheConfig()` of its own, even an empty one, for all of them, and its settings stand above.

@throws {TypeError | CacheHooksError} At definition, where a setting is wrong or it does not stand on a class.

@example
```
@CacheConfig({store: 'memory', staleIfError: true})
class GitHub {
	user(name: string) {
		return client(`https://api.example.com/users/${name}`).json();
	}
}
```
*/
export function CacheConfig(settings: CacheConfigOptions = {}): ClassDecorator { // eslint-disable-line @typescript-eslint/naming-convention -- Decorators have names like classes.
	const label = '@CacheConfig()';
	return (...inputs: unknown[]) => {
		const [target, context] = inputs;
		const isClass = isContext(context) ? context.kind === 'class' : inputs.length === 1;
		if (!isClass || typeof target !== 'function') {
			throw misplaced(label, 'something that is no class', 'a class');
		}

		applySettings(target, settings);
	};
}

/**
What `@CacheConfig()` is to a class, for any function: gives one in whose calls the settings hold. A class gets them as by the decorator.

@throws {TypeError} Where a setting is wrong.

@example
```
const report = withCacheSettings({store: 'memory', expireAfter: '5m'}, async () => {
	const response = await client('https://example.com');
	return response.body;
});
```
*/
export function withCacheSettings<Original extends AnyFunction | (abstract new (...inputs: any[]) => unknown)>(settings: CacheConfigOptions, original: Original): Original {
	if (typeof original !== 'function') {
		throw new TypeError('Expected a function or a class, in whose calls the settings are to hold');
	}

	if (/^class\b/v.test(Function.prototype.toString.call(original))) {
		applySettings(original, settings);
		return original;
	}

	return settledFunction(original as AnyFunction, new ClassDefinition(settings, undefined, 'withCacheSettings')) as Original;
}

function applySettings(target: ClassTarget, settings: CacheConfigOptions): void {
	const definition = defineClass(target, settings, 'CacheConfig');
	noteMetadata(settingsKey, definition.settings, target);
	wrapMembers(target.prototype);
	wrapMembers(target);
}

/** Methods are not enumerable; what is, is a field. */
function wrapMembers(place: object): void {
	for (const key of Reflect.ownKeys(place)) {
		const descriptor = Object.getOwnPropertyDescriptor(place, key)!;
		if (key === 'constructor' || key === 'prototype' || descriptor.configurable !== true || descriptor.enumerable === true) {
			continue;
		}

		const {value, get, set} = descriptor as {value?: unknown; get?: AnyFunction; set?: AnyFunction};
		if (typeof value === 'function') {
			Object.defineProperty(place, key, {...descriptor, value: inClass(value as AnyFunction)});
		} else if (get !== undefined || set !== undefined) {
			Object.defineProperty(place, key, {...descriptor, ...(get && {get: inClass(get)}), ...(set && {set: inClass(set) as (value: unknown) => void})});
		}
	}
}

function inClass(member: AnyFunction): AnyFunction {
	return entersClass(member) ? member : scopedFunction(member);
}
