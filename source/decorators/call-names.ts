import type {CacheCore} from '../cache/core.ts';
import {CacheHooksError} from '../errors.ts';

/** The function whose results have a name. */
export type Owner = {
	/** What stands for the function, whatever object it is called on: its decorator, or the function itself. */
	readonly declaration: object;

	/** The class whose name is part of the name; `undefined` where that was given. */
	readonly place: object | undefined;
};

type Registration = {readonly declaration: WeakRef<object>; readonly place: WeakRef<object> | undefined};

const registrations = new WeakMap<CacheCore, Map<string, Registration>>();

/**
The name of a method of an object's class: `GitHub.repos`, `GitHub::repos` for a static one.

@throws {CacheHooksError} Where the class has no name.
*/
export function methodName(place: object | undefined, method: string, label: string): string {
	const isStatic = typeof place === 'function';
	const name: unknown = isStatic ? place.name : place?.constructor.name;
	if (typeof name !== 'string' || name === '' || name === 'Object') {
		throw new CacheHooksError('ERR_CALL_NAME', `${label} has no class by whose name its results could be kept: call it on its object, or give a \`name\``);
	}

	return `${name}${isStatic ? '::' : '.'}${method}`;
}

/**
Holds that two functions do not share their results only because they have one name, whether that was given or made.

@throws {CacheHooksError} Where another function has the name already.
*/
export function claimName(cache: CacheCore, name: string, owner: Owner): void {
	const ofCache = registrations.get(cache) ?? new Map<string, Registration>();
	registrations.set(cache, ofCache);
	const registration = ofCache.get(name);
	if (registration !== undefined && isAlive(registration)) {
		if (registration.declaration.deref() !== owner.declaration || registration.place?.deref() !== owner.place) {
			throw new CacheHooksError('ERR_CALL_NAME', `Two functions would keep their results as \`${name}\` in one cache: give each a \`name\` of its own`);
		}

		return;
	}

	ofCache.set(name, {declaration: new WeakRef(owner.declaration), place: owner.place && new WeakRef(owner.place)});
}

/** Whether the function that has claimed a name may still be called. */
function isAlive({declaration, place}: Registration): boolean {
	return declaration.deref() !== undefined && (place === undefined || place.deref() !== undefined);
}

const callScheme = 'call:';

/** What stands for a URL where a call is stored. */
export function callUrl(name: string): string {
	return `${callScheme}${encodeURIComponent(name)}`;
}

export function isCallUrl(url: string): boolean {
	return url.startsWith(callScheme);
}
