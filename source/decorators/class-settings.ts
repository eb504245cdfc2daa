import type {CacheCore} from '../cache/core.ts';
import {coreOf, HttpCache} from '../cache/http-cache.ts';
import {Layer, type Scope, type ScopedClient} from '../exchange/scope.ts';
import {SettingError} from '../errors.ts';
import {
	requestSettingNames,
	resolveRequestSettings,
	resolveSettings,
	storeSettingNames,
	type CacheSettings,
	type RequestSettings,
} from '../settings/settings.ts';
import type {AnyFunction} from './function-twin.ts';

/**
What a class says of the requests in its methods: any settings of a client or of a request. `store` may be a function of the instance (of the class, in static methods), which is asked at its first call.
*/
export type CacheConfigOptions = Omit<CacheSettings, 'store'> & RequestSettings & {

	readonly store?: CacheSettings['store'] | ((self: any) => CacheSettings['store']) | undefined;
};

type Given = Readonly<Record<string, unknown>>;

/** Only a class that names a store of its own can have other settings of a store. */
const naming: readonly string[] = ['store', 'cacheName'];

const definitions = new WeakMap<object, ClassDefinition>();

/** What holds for objects with this prototype, or for this class; `null` where nothing does. */
let known = new WeakMap<object, ClassDefinition | null>();

/**
The settings of a class, with those that it inherits below them.
*/
export class ClassDefinition {
	readonly #given: Given;
	readonly #storage: Storage | undefined;
	readonly #request: RequestSettings;
	readonly #client: CacheSettings;
	readonly #layers = new WeakMap<CacheCore, Layer>();
	#layer: Layer | undefined;

	/**
	Opens no store yet.

	@throws {TypeError} Where a setting is wrong.
	*/
	constructor(own: CacheConfigOptions, outer: ClassDefinition | undefined, label: string) {
		if (typeof own !== 'object' || own === null) {
			throw new SettingError(label, own, 'an object of settings');
		}

		const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
		const inherited = outer === undefined ? undefined : outer.#storage;
		checkSettings(given, label, inherited !== undefined);
		this.#given = {...outer?.settings, ...given};
		const hasPatterns = 'urlsExpireAfter' in this.#given;
		const isOfRequest = (name: string): boolean => requestSettingNames.has(name) && !(hasPatterns && name === 'expireAfter');
		const [request, client] = part(this.#given, isOfRequest);
		this.#request = Object.freeze(request);
		this.#client = Object.freeze(client);
		const isOwnStorage = Object.keys(given).some(name => storeSettingNames.has(name));
		this.#storage = isOwnStorage ? new Storage(this.#client) : inherited;
	}

	get settings(): Given {
		return this.#given;
	}

	/** Whether each instance names its store. */
	get isPerInstance(): boolean {
		return this.#storage?.isPerInstance ?? false;
	}

	/** What is entered with each call. */
	layerFor(self: object): Layer {
		const cache = this.#storage?.cacheFor(self);
		if (cache === undefined) {
			this.#layer ??= this.#createLayer(undefined);
			return this.#layer;
		}

		const layer = this.#layers.get(cache) ?? this.#createLayer(cache);
		this.#layers.set(cache, layer);
		return layer;
	}

	#createLayer(cache: CacheCore | undefined): Layer {
		const {store: _store, ...settings} = this.#client;

		// The store's clock says what is still kept there: no client's may differ.
		const client: ScopedClient | undefined = Object.keys(this.#client).length === 0 ? undefined : {settings: cache === undefined ? settings : {now: Date.now, ...settings}, cache};
		return new Layer({settings: this.#request, client, endsExpireAfter: 'urlsExpireAfter' in settings}, true);
	}
}

/** Where a class keeps what its methods receive: one cache, or one for each instance. */
class Storage {
	readonly #settings: CacheSettings;
	readonly #bySelf = new WeakMap<object, CacheCore>();
	readonly #byStore = new WeakMap<object, CacheCore>();
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

		const cache = this.#bySelf.get(self) ?? this.#of(Reflect.apply(this.#settings.store as unknown as AnyFunction, self, [self]));
		this.#bySelf.set(self, cache);
		return cache;
	}

	/** Instances that name the same store share one cache of it. */
	#of(store: unknown): CacheCore {
		if (typeof store !== 'object' || store === null) {
			return this.#open(store);
		}

		const cache = this.#byStore.get(store) ?? this.#open(store);
		this.#byStore.set(store, cache);
		return cache;
	}

	#open(store: unknown): CacheCore {
		return coreOf(new HttpCache({...this.#settings, store: store as CacheSettings['store']}));
	}
}

/** Notes the settings of a class, for its instances and for itself. */
export function defineClass(target: ClassTarget, settings: CacheConfigOptions, label: string): ClassDefinition {
	const definition = new ClassDefinition(settings, findDefinition(target), label);
	definitions.set(target, definition);
	definitions.set(target.prototype, definition);
	known = new WeakMap();
	return definition;
}

export type ClassTarget = {readonly name: string; readonly prototype: object};

/** The class of an object, as its settings and its name are found by: the nearest prototype that is a class's, however many objects are between; or the class that it is itself. */
export function placeOf(self: unknown): object | undefined {
	if (typeof self === 'function') {
		return self;
	}

	let place: unknown = typeof self === 'object' && self !== null ? Object.getPrototypeOf(self) : undefined;
	while (typeof place === 'object' && place !== null && !isClassPrototype(place)) {
		place = Object.getPrototypeOf(place);
	}

	return typeof place === 'object' || typeof place === 'function' ? place ?? undefined : undefined;
}

function isClassPrototype(place: object): boolean {
	return Object.hasOwn(place, 'constructor') && (place.constructor as {prototype?: unknown} | undefined)?.prototype === place;
}

/** What the class of an object says of it; `undefined` where there is no class, or it says nothing. */
export function definitionFor(self: unknown): ClassDefinition | undefined {
	const place = placeOf(self);
	return place === undefined ? undefined : definitionOf(place);
}

/** The scope in which the methods of an object run. Where one of its class's has called another, what holds there holds here. */
export function enterClass(self: unknown, scope: Scope | undefined): Scope | undefined {
	const definition = definitionFor(self);
	return definition === undefined ? scope : enterDefinition(definition, self as object, scope);
}

export function enterDefinition(definition: ClassDefinition, self: object, scope: Scope | undefined): Scope {
	const layer = definition.layerFor(self);
	return scope?.classLayer === layer ? scope : layer.within(scope);
}

function definitionOf(place: object): ClassDefinition | undefined {
	let definition = known.get(place);
	if (definition === undefined) {
		definition = findDefinition(place) ?? null;
		known.set(place, definition);
	}

	return definition ?? undefined;
}

function findDefinition(from: object): ClassDefinition | undefined {
	for (let place: object | null = from; place !== null; place = Object.getPrototypeOf(place) as object | null) {
		const definition = definitions.get(place);
		if (definition !== undefined) {
			return definition;
		}
	}

	return undefined;
}

function checkSettings(given: Given, label: string, hasStorage: boolean): void {
	const isAsked = typeof given.store === 'function';
	const [request, client] = part(given, name => requestSettingNames.has(name));
	resolveRequestSettings(request, label);
	// What is no setting of a request is told as one of a client's.
	resolveSettings(isAsked ? {...client, store: undefined} : client);
	const idle = Object.keys(given).find(name => storeSettingNames.has(name));
	if (idle !== undefined && !hasStorage && naming.every(name => !Object.hasOwn(given, name))) {
		throw new SettingError(`${label}.${idle}`, `\`${label}.${idle}\` has no effect without \`store\` or \`cacheName\`, because each client then uses its own store. Set one of them as well.`);
	}
}

function part(given: Given, isFirst: (name: string) => boolean): [Record<string, unknown>, Record<string, unknown>] {
	const entries = Object.entries(given);
	return [Object.fromEntries(entries.filter(([name]) => isFirst(name))), Object.fromEntries(entries.filter(([name]) => !isFirst(name)))];
}
