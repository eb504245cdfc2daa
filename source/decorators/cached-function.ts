import {hash} from 'node:crypto';
import type {CacheCore} from '../cache/core.ts';
import {CacheHooksError} from '../errors.ts';
import type {Client} from '../exchange/client.ts';
import {
	callInScope,
	Layer,
	scopes,
	type Scope,
} from '../exchange/scope.ts';
import {isPromise} from '../maybe-promise.ts';
import {Call, clientOfCache, defaultClient} from './call.ts';
import {classOf, configOf, scopeOfClass} from './class-settings.ts';
import type {AnyFunction, DecoratedMethod} from './method-decorator.ts';
import type {AnyResultSettings, ParsedSettings} from './method-settings.ts';
import {argumentsText, structuralText} from './plain-data.ts';

/** The location of the result of a call. */
export type ResultLocation = {
	readonly cache: CacheCore;
	readonly name: string;

	/** `undefined` if the call is not cached. */
	readonly key: string | undefined;
};

const cachedFunctions = new WeakMap<object, CachedFunction>();
const instanceIds = new WeakMap<object, string>();

/** Returns the `CachedFunction` behind a wrapper; `undefined` for any other value. */
export function cachedFunctionOf(wrapper: unknown): CachedFunction | undefined {
	return typeof wrapper === 'function' ? cachedFunctions.get(wrapper) : undefined;
}

export class CachedFunction {
	readonly #original: AnyFunction;
	readonly #settings: AnyResultSettings;
	readonly #layer: Layer;
	readonly #label: string;

	/** The decorated method; `undefined` for a function without a class. */
	readonly #method: DecoratedMethod | undefined;
	readonly #owners = new Set<object>();

	/**
	Wraps a function.

	@throws {CacheHooksError} If it is a generator function, which has no single result.
	*/
	constructor(original: AnyFunction, {request, result}: ParsedSettings, label: string, method?: DecoratedMethod) {
		if (Object.prototype.toString.call(original).includes('Generator')) {
			throw noPromiseError(label, 'a generator');
		}

		this.#original = original;
		this.#settings = result!;
		this.#layer = new Layer({settings: request});
		this.#label = label;
		this.#method = method;
	}

	/** Registers the wrapper by which `cachedFunctionOf` finds this object. */
	registerWrapper(wrapper: object): void {
		cachedFunctions.set(wrapper, this);
	}

	/** Remembers the class of an instance, or a class, that has this method. */
	addOwner(self: unknown): void {
		const owner = classOf(self);
		if (owner !== undefined && this.#method !== undefined) {
			this.#owners.add(owner);
		}
	}

	/** Returns the cached result, or calls the function. */
	async call(self: unknown, inputs: readonly unknown[]): Promise<unknown> {
		this.addOwner(self);
		const outer = scopeOfClass(self, scopes.getStore());
		return callInScope(this.#layer.within(outer), this.#callHere, this, [self, inputs, outer]);
	}

	/** Returns the name of the function in the key, for an instance. */
	nameFor(self: unknown): string {
		if (this.#settings.name !== undefined) {
			return this.#settings.name;
		}

		return this.#method === undefined ? this.#original.name : methodName(classOf(self), this.#method.name, this.#label);
	}

	/** Returns the cache and the name of the results, for an instance. */
	locateResults(self: unknown): Omit<ResultLocation, 'key'> {
		return this.#inScopeOf(self, () => ({cache: this.#client().cache, name: this.nameFor(self)}));
	}

	/** Returns the location of the result of a call. */
	locate(self: unknown, inputs: readonly unknown[]): ResultLocation {
		return {...this.locateResults(self), key: this.#inScopeOf(self, () => this.#key(self, inputs))};
	}

	/**
	Returns a class, or an object with the prototype of a class, for each class that has the method.

	@throws {CacheHooksError} If the results depend on the instance.
	*/
	possibleOwners(): readonly unknown[] {
		if (this.#method === undefined) {
			return [undefined];
		}

		const owners = Array.from(this.#owners, owner => typeof owner === 'function' ? owner : Object.create(owner) as object);
		const needsInstance = this.#settings.scope === 'instance' || this.#settings.keyFn !== undefined || owners.some(owner => configOf(owner)?.isPerInstance);
		if (needsInstance || owners.length === 0) {
			throw new CacheHooksError('ERR_CALL_OBJECT', `Pass the instance and the method name. The results of ${this.#label} cannot be found by the function alone.`);
		}

		return owners;
	}

	async #callHere(self: unknown, inputs: readonly unknown[], outer: Scope | undefined): Promise<unknown> {
		const client = this.#client();
		const send = async (): Promise<unknown> => {
			const result = callInScope<unknown, readonly unknown[], unknown>(outer, this.#original, self, inputs);
			if (!isPromise(result)) {
				throw noPromiseError(this.#label, 'no promise');
			}

			return result;
		};

		// A call that is not cached needs no key, so that its arguments may be anything.
		const settings = client.settingsFor(undefined);
		if (settings.disabled || settings.requestExpireAfter?.kind === 'do-not-cache') {
			return send();
		}

		const name = this.nameFor(self);
		// A class that inherits a method has results of its own, unless a `name` is set.
		registerName(client.cache, name, this.#method ?? this.#original, this.#method !== undefined && this.#settings.name === undefined ? classOf(self) : undefined);
		const key = this.#keyOrNone(client, self, inputs);
		if (key === undefined) {
			return send();
		}

		const {filterFn} = this.#settings;
		return new Call({
			client,
			settings,
			name,
			key,
			label: this.#label,
			revival: this.#settings,
			send,
			filter: filterFn && (value => filterFn.call(self, value, self, ...inputs)),
		}).run();
	}

	#inScopeOf<Value>(self: unknown, action: () => Value): Value {
		const scope = this.#layer.within(scopeOfClass(self, scopes.getStore()));
		return callInScope(scope, action, undefined, []);
	}

	/** Returns the client for the results; called in the scope of the call. */
	#client(): Client {
		const {cache} = this.#settings;
		return cache === undefined ? defaultClient().inScope : clientOfCache(cache);
	}

	/** Returns the key; `undefined` if a `keyFn` throws, so that the call is not cached, like a request. */
	#keyOrNone({cache}: Client, self: unknown, inputs: readonly unknown[]): string | undefined {
		try {
			return this.#key(self, inputs);
		} catch (error) {
			if (this.#settings.keyFn === undefined) {
				throw error;
			}

			cache.events.emit('settingError', {setting: 'keyFn', error});
			return undefined;
		}
	}

	#key(self: unknown, inputs: readonly unknown[]): string | undefined {
		const {keyFn, scope} = this.#settings;
		let text;
		if (keyFn === undefined) {
			text = `arguments ${argumentsText(inputs, this.#label)}`;
		} else {
			const key: unknown = Reflect.apply(keyFn, self, [self, ...inputs]);
			if (key === undefined) {
				return undefined;
			}

			text = `key ${structuralText(key, `the key of ${this.#label}`)}`;
		}

		const owner = scope === 'instance' ? instanceId(self, this.#label) : '';
		return `got-cache:2:${hash('sha256', JSON.stringify(['call', this.nameFor(self), owner, text]), 'hex')}`;
	}
}

/** Returns the id of an instance, which is unique to this process. */
function instanceId(self: unknown, label: string): string {
	if (self === null || (typeof self !== 'object' && typeof self !== 'function')) {
		throw new CacheHooksError('ERR_CALL_OBJECT', `${label} has results for each instance. Call it on an instance.`);
	}

	const id = instanceIds.get(self) ?? crypto.randomUUID();
	instanceIds.set(self, id);
	return id;
}

function noPromiseError(label: string, what: string): CacheHooksError {
	return new CacheHooksError('ERR_RESULT_NOT_A_PROMISE', `${label} returns ${what}. A function with \`result: true\` has to return a promise.`);
}

/**
Returns the name of a method: `GitHub.repos`, or `GitHub::repos` for a static method.

@throws {CacheHooksError} If the class has no name.
*/
export function methodName(owner: object | undefined, method: string, label: string): string {
	const isStatic = typeof owner === 'function';
	const name: unknown = isStatic ? owner.name : owner?.constructor.name;
	if (typeof name !== 'string' || name === '' || name === 'Object') {
		throw new CacheHooksError('ERR_CALL_NAME', `${label} has no class whose name can be included in the key. Call it on its instance, or set a \`name\`.`);
	}

	return `${name}${isStatic ? '::' : '.'}${method}`;
}

type Registration = {readonly identity: WeakRef<object>; readonly owner: WeakRef<object> | undefined};

const registrations = new WeakMap<CacheCore, Map<string, Registration>>();

/**
Registers the name of a function in a cache, so that two functions with the same name do not share their results.

@param identity - The function, whatever instance it is called on: its decorated method, or the function itself.
@param owner - The class whose name is part of the name; `undefined` if the `name` was set.
@throws {CacheHooksError} If another function has the name already.
*/
function registerName(cache: CacheCore, name: string, identity: object, owner: object | undefined): void {
	const ofCache = registrations.get(cache) ?? new Map<string, Registration>();
	registrations.set(cache, ofCache);
	const registration = ofCache.get(name);
	if (registration?.identity.deref() === undefined || (registration.owner !== undefined && registration.owner.deref() === undefined)) {
		ofCache.set(name, {identity: new WeakRef(identity), owner: owner && new WeakRef(owner)});
	} else if (registration.identity.deref() !== identity || registration.owner?.deref() !== owner) {
		throw new CacheHooksError('ERR_CALL_NAME', `Two functions have the name \`${name}\` in one cache. Set a different \`name\` for one of them.`);
	}
}
