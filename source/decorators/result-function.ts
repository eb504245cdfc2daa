import {hash} from 'node:crypto';
import type {CacheCore} from '../cache/core.ts';
import type {Client} from '../exchange/client.ts';
import {
	callInScope,
	scopes,
	Layer,
	type Scope,
} from '../exchange/scope.ts';
import {CacheHooksError} from '../errors.ts';
import {argumentsText, structuralText} from './argument-key.ts';
import {Call} from './call.ts';
import {claimName, methodName, type Owner} from './call-names.ts';
import {definitionFor, enterClass, placeOf} from './class-settings.ts';
import {clientOfCache, defaultClient} from './default-client.ts';
import type {Declaration} from './dialects.ts';
import type {AnyFunction} from './function-twin.ts';
import type {Understood} from './method-settings.ts';
import type {AnyResultSettings} from './settings-types.ts';

/** Where the result of one call lies. */
export type ResultPlace = {
	readonly cache: CacheCore;
	readonly name: string;

	/** `undefined` for a call that is not cached. */
	readonly key: string | undefined;
};

const functions = new WeakMap<object, ResultFunction>();
const instances = new WeakMap<object, string>();

/** What keeps the results of a function; `undefined` where nothing does. */
export function resultFunctionOf(twin: unknown): ResultFunction | undefined {
	return typeof twin === 'function' ? functions.get(twin) : undefined;
}

/**
A function whose results are kept.
*/
export class ResultFunction {
	readonly #original: AnyFunction;
	readonly #settings: AnyResultSettings;
	readonly #layer: Layer;
	readonly #label: string;

	/** Of a method; `undefined` for a function that belongs to no class. */
	readonly #declaration: Declaration | undefined;
	readonly #seen = new Set<object>();

	/**
	Calls nothing yet.

	@throws {CacheHooksError} Where it is a generator function, which gives no result.
	*/
	constructor(original: AnyFunction, {request, result}: Understood, label: string, declaration?: Declaration) {
		if (Object.prototype.toString.call(original).includes('Generator')) {
			throw noPromise(label, 'a generator');
		}

		this.#original = original;
		this.#settings = result!;
		this.#layer = new Layer({settings: request});
		this.#label = label;
		this.#declaration = declaration;
	}

	/** The function by which it is called is found again by `resultFunctionOf`. */
	answerFor(twin: object): void {
		functions.set(twin, this);
	}

	/** An instance of a class that has this method, or such a class. */
	see(self: unknown): void {
		const place = placeOf(self);
		if (place !== undefined && this.#declaration !== undefined) {
			this.#seen.add(place);
		}
	}

	/** Calls it, or gives what it gave before. */
	async call(self: unknown, inputs: readonly unknown[]): Promise<unknown> {
		this.see(self);
		const outer = enterClass(self, scopes.getStore());
		return callInScope(this.#layer.within(outer), this.#callHere, this, [self, inputs, outer]);
	}

	/** The name by which its results are kept, for an object. */
	nameFor(self: unknown): string {
		if (this.#settings.name !== undefined) {
			return this.#settings.name;
		}

		return this.#declaration === undefined ? this.#original.name : methodName(placeOf(self), this.#declaration.name, this.#label);
	}

	/** Where its results are kept, and by which name, for an object. */
	placeFor(self: unknown): Omit<ResultPlace, 'key'> {
		return this.#inScopeOf(self, () => ({cache: this.#client().cache, name: this.nameFor(self)}));
	}

	/** Where the result of a call lies; without an object, of the one class that is known to have the method. */
	locate(self: unknown, inputs: readonly unknown[]): ResultPlace {
		return {...this.placeFor(self), key: this.#inScopeOf(self, () => this.#key(self, inputs))};
	}

	/**
	Stand-ins for the objects whose method it may be, where nobody has one at hand.

	@throws {CacheHooksError} Where the object itself counts.
	*/
	standIns(): readonly unknown[] {
		if (this.#declaration === undefined) {
			return [undefined];
		}

		const objects = Array.from(this.#seen, place => typeof place === 'function' ? place : Object.create(place) as object);
		const needsObject = this.#settings.scope === 'instance' || this.#settings.keyFn !== undefined || objects.some(object => definitionFor(object)?.isPerInstance);
		if (needsObject || objects.length === 0) {
			throw new CacheHooksError('ERR_CALL_OBJECT', `Whose ${this.#label} is meant cannot be told of the function alone: give the object and the name of the method`);
		}

		return objects;
	}

	async #callHere(self: unknown, inputs: readonly unknown[], outer: Scope | undefined): Promise<unknown> {
		const client = this.#client();
		const send = async (): Promise<unknown> => {
			const result = callInScope<unknown, readonly unknown[], unknown>(outer, this.#original, self, inputs);
			if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') {
				throw noPromise(this.#label, 'no promise');
			}

			return result;
		};

		// What is not cached needs no key: its arguments may be anything.
		const settings = client.settingsFor(undefined);
		if (settings.disabled || settings.requestExpireAfter?.kind === 'do-not-cache') {
			return send();
		}

		const name = this.nameFor(self);
		claimName(client.cache, name, this.#ownerFor(self));
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
		const scope = this.#layer.within(enterClass(self, scopes.getStore()));
		return callInScope(scope, action, undefined, []);
	}

	/** In the scope of the call. */
	#client(): Client {
		const {cache} = this.#settings;
		return cache === undefined ? defaultClient().inScope : clientOfCache(cache);
	}

	/** A class that inherits a method has results of its own, unless the name is given. */
	#ownerFor(self: unknown): Owner {
		const isOfClass = this.#declaration !== undefined && this.#settings.name === undefined;
		return {declaration: this.#declaration ?? this.#original, place: isOfClass ? placeOf(self) : undefined};
	}

	/** As with requests: a `keyFn` that fails has no say, and the call is not cached. */
	#keyOrNone({cache}: Client, self: unknown, inputs: readonly unknown[]): string | undefined {
		if (this.#settings.keyFn === undefined) {
			return this.#key(self, inputs);
		}

		try {
			return this.#key(self, inputs);
		} catch (error) {
			cache.events.emit('settingError', {setting: 'keyFn', error});
			return undefined;
		}
	}

	#key(self: unknown, inputs: readonly unknown[]): string | undefined {
		const {keyFn, scope} = this.#settings;
		const given: unknown = keyFn === undefined ? undefined : Reflect.apply(keyFn, self, [self, ...inputs]);
		if (keyFn !== undefined && given === undefined) {
			return undefined;
		}

		const text = keyFn === undefined ? `arguments ${argumentsText(inputs, this.#label)}` : `key ${structuralText(given, `the key of ${this.#label}`)}`;
		const owner = scope === 'instance' ? instanceId(self, this.#label) : '';
		return `got-cache:2:${hash('sha256', JSON.stringify(['call', this.nameFor(self), owner, text]), 'hex')}`;
	}
}

/** Of this process: nobody else has the instance. */
function instanceId(self: unknown, label: string): string {
	if (self === null || (typeof self !== 'object' && typeof self !== 'function')) {
		throw new CacheHooksError('ERR_CALL_OBJECT', `${label} keeps results for each instance: call it on its object`);
	}

	const id = instances.get(self) ?? crypto.randomUUID();
	instances.set(self, id);
	return id;
}

function noPromise(label: string, what: string): CacheHooksError {
	return new CacheHooksError('ERR_RESULT_NOT_A_PROMISE', `${label} gives ${what}: with \`result: true\`, expected a function that gives a promise, since a store may answer later`);
}
