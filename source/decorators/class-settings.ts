import type {CacheCore} from '../cache/core.ts';
import {coreOf, HttpCache} from '../cache/http-cache.ts';
import {SettingError} from '../errors.ts';
import {Layer, type Scope, type ScopedClient} from '../exchange/scope.ts';
import {
	requestSettingNames,
	resolveRequestSettings,
	resolveSettings,
	storeSettingNames,
	type CacheSettings,
	type RequestSettings,
} from '../settings/settings.ts';
import type {AnyFunction} from './method-decorator.ts';

/**
The settings of a class for the requests in its methods: any settings of a client or of a request. `store` may be a function of the instance (of the class, in static methods), which is called once for each instance.
*/
export type CacheConfigOptions = Omit<CacheSettings, 'store'> & RequestSettings & {
	/** The store of the class, or a function of the instance that returns it. Default: each client keeps its own. */
	readonly store?: CacheSettings['store'] | ((self: any) => CacheSettings['store']) | undefined;
};

type GivenSettings = Readonly<Record<string, unknown>>;

/** Settings that give a class a cache of its own. */
const cacheSettings: readonly string[] = ['store', 'cacheName'];

const configs = new WeakMap<object, ClassConfig>();

/**
The settings of a class, including those that it inherits.
*/
export class ClassConfig {
	readonly settings: GivenSettings;
	readonly #storage: Storage | undefined;
	readonly #request: RequestSettings;
	readonly #client: CacheSettings;
	readonly #layers = new WeakMap<object, Layer>();

	constructor(own: CacheConfigOptions, inherited: ClassConfig | undefined, label: string) {
		const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
		const inheritedStorage = inherited && inherited.#storage;
		checkSettings(given, label, inheritedStorage !== undefined);
		this.settings = {...inherited?.settings, ...given};
		const hasPatterns = 'urlsExpireAfter' in this.settings;
		const [request, client] = partition(this.settings, name => requestSettingNames.has(name) && !(hasPatterns && name === 'expireAfter'));
		this.#request = Object.freeze(request);
		this.#client = Object.freeze(client);
		const hasOwnStorage = Object.keys(given).some(name => storeSettingNames.has(name));
		this.#storage = hasOwnStorage ? new Storage(this.#client) : inheritedStorage;
	}

	/** Whether each instance has a store of its own. */
	get isPerInstance(): boolean {
		return this.#storage?.isPerInstance ?? false;
	}

	/** Returns the settings of the calls of an object's methods. */
	layerFor(self: object): Layer {
		const cache = this.#storage?.cacheFor(self);
		const layer = this.#layers.get(cache ?? this) ?? this.#createLayer(cache);
		this.#layers.set(cache ?? this, layer);
		return layer;
	}

	#createLayer(cache: CacheCore | undefined): Layer {
		const {store: _store, ...settings} = this.#client;

		// The expiration of a cache follows the clock of its settings, and not the clock of a client.
		const client: ScopedClient | undefined = Object.keys(this.#client).length === 0 ? undefined : {settings: cache === undefined ? settings : {now: Date.now, ...settings}, cache};
		return new Layer({settings: this.#request, client, endsExpireAfter: 'urlsExpireAfter' in settings}, true);
	}
}

/** The caches of a class: one cache, or one for each store that its instances name. */
class Storage {
	readonly #settings: CacheSettings;

	/** The caches of instances, and of the stores that they name. */
	readonly #caches = new WeakMap<object, CacheCore>();
	readonly #shared: CacheCore | undefined;

	constructor(settings: CacheSettings) {
		this.#settings = settings;
		this.#shared = typeof settings.store === 'function' ? undefined : this.#open(settings.store);
	}

	get isPerInstance(): boolean {
		return this.#shared === undefined;
	}

	cacheFor(self: object): CacheCore {
		if (this.#shared !== undefined) {
			return this.#shared;
		}

		const known = this.#caches.get(self);
		if (known !== undefined) {
			return known;
		}

		const store: unknown = Reflect.apply(this.#settings.store as unknown as AnyFunction, self, [self]);
		const owner = new Object(store);
		const cache = this.#caches.get(owner) ?? this.#open(store);
		this.#caches.set(owner, cache).set(self, cache);
		return cache;
	}

	#open(store: unknown): CacheCore {
		return coreOf(new HttpCache({...this.#settings, store: store as CacheSettings['store']}));
	}
}

export type ClassTarget = {readonly name: string; readonly prototype: object};

/** Sets the settings of a class, for its instances and its static methods. */
export function configureClass(target: ClassTarget, settings: CacheConfigOptions, label: string): ClassConfig {
	const config = new ClassConfig(settings, findConfig(target), label);
	configs.set(target, config);
	configs.set(target.prototype, config);
	return config;
}

/** Returns the class that determines the settings and names of an object: the nearest prototype of a class, or the object itself if it is a class. */
export function classOf(self: unknown): object | undefined {
	if (typeof self === 'function') {
		return self;
	}

	let prototype: unknown = typeof self === 'object' && self !== null ? Object.getPrototypeOf(self) : undefined;
	while (typeof prototype === 'object' && prototype !== null && !isClassPrototype(prototype)) {
		prototype = Object.getPrototypeOf(prototype);
	}

	return typeof prototype === 'object' || typeof prototype === 'function' ? prototype ?? undefined : undefined;
}

function isClassPrototype(value: object): boolean {
	return Object.hasOwn(value, 'constructor') && (value.constructor as {prototype?: unknown} | undefined)?.prototype === value;
}

/** Returns the settings of the class of an object; `undefined` if there are none. */
export function configOf(self: unknown): ClassConfig | undefined {
	return findConfig(classOf(self));
}

/** Returns the scope of the methods of an object. A method that another method of its class calls keeps the scope of its caller. */
export function scopeOfClass(self: unknown, scope: Scope | undefined): Scope | undefined {
	const config = configOf(self);
	return config === undefined ? scope : scopeOfConfig(config, self as object, scope);
}

export function scopeOfConfig(config: ClassConfig, self: object, scope: Scope | undefined): Scope {
	const layer = config.layerFor(self);
	return scope?.classLayer === layer ? scope : layer.within(scope);
}

function findConfig(from: object | null | undefined): ClassConfig | undefined {
	return from ? configs.get(from) ?? findConfig(Object.getPrototypeOf(from) as object | null) : undefined;
}

function checkSettings(given: GivenSettings, label: string, hasStorage: boolean): void {
	const [request, client] = partition(given, name => requestSettingNames.has(name));
	resolveRequestSettings(request, label);
	// This also reports unknown settings.
	resolveSettings(typeof given.store === 'function' ? {...client, store: undefined} : client, label);
	const unused = Object.keys(given).find(name => storeSettingNames.has(name));
	if (unused !== undefined && !hasStorage && cacheSettings.every(name => !(Object.hasOwn(given, name)))) {
		throw new SettingError(`${label}.${unused}`, `\`${label}.${unused}\` has no effect without \`store\` or \`cacheName\`, because each client then uses its own store. Set one of them as well.`);
	}
}

function partition(given: GivenSettings, isFirst: (name: string) => boolean): [Record<string, unknown>, Record<string, unknown>] {
	const entries = Object.entries(given);
	return [Object.fromEntries(entries.filter(([name]) => isFirst(name))), Object.fromEntries(entries.filter(([name]) => !isFirst(name)))];
}
