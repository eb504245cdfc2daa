import type {CacheCore} from '../cache/core.ts';
import {CacheHooksError} from '../errors.ts';

const named = new WeakMap<CacheCore, Map<string, WeakRef<object>>>();

/**
The name of a method of an object's class: `GitHub.repos`, `GitHub::repos` for a static one.

@throws {CacheHooksError} Where the class has no name.
*/
export function methodName(place: object | undefined, method: string, label: string): string {
	const isStatic = typeof place === 'function';
	const name = isStatic ? place.name : place?.constructor.name;
	if (place === undefined || name === undefined || name === '' || name === 'Object') {
		throw new CacheHooksError('ERR_CALL_NAME', `${label} has no class by whose name its results could be kept: call it on its object, or give a \`name\``);
	}

	return `${name}${isStatic ? '::' : '.'}${method}`;
}

/**
Holds that two functions do not share their results only because they are called the same.

@throws {CacheHooksError} Where another one has the name already.
*/
export function claimName(cache: CacheCore, name: string, owner: object): void {
	const names = named.get(cache) ?? new Map<string, WeakRef<object>>();
	named.set(cache, names);
	const known = names.get(name)?.deref();
	if (known !== undefined && known !== owner) {
		throw new CacheHooksError('ERR_CALL_NAME', `Two functions would keep their results as \`${name}\` in one cache: give each a \`name\``);
	}

	if (known === undefined) {
		names.set(name, new WeakRef(owner));
	}
}

/** What stands for a URL where a call is stored. */
export function callUrl(name: string): string {
	return `call:${encodeURIComponent(name)}`;
}
