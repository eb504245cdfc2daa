import {SettingError} from '../errors.ts';
import {parseInput} from '../parse.ts';
import {
	allowedStores,
	createStore,
	optionsOfSettings,
	storeNameOf,
	type OpeningSettings,
	type StoreName,
	type StoreUrl,
} from './create-store.ts';
import {
	listenToErrors,
	shapeOf,
	type KeyvInstance,
	type KeyvLike,
} from './keyv-instances.ts';
import type {KeyvStore} from './keyv.ts';
import {lazyStore} from './lazy-store.ts';
import {commonOptions} from './options.ts';
import {readOnlyStore} from './read-only.ts';
import type {Store} from './types.ts';

/**
The store of a cache: the name or the URL of a store (see `createStore`), a `Store`, or any Keyv 5 or 6 instance, Keyv storage adapter or `Map`.
*/
export type StoreSetting = StoreName | StoreUrl | Store | KeyvLike;

/** The settings of a cache with which its store is opened. */
type OpenStoreOptions = OpeningSettings & {
	readonly cacheName: string;

	/** Default: `Date.now`. */
	readonly now?: () => number;
};

type OpenedStore = {
	readonly store: Store;

	/** Whether the store was made here, and must be closed with its cache. */
	readonly owned: boolean;

	/** Whether the store refuses all changes. */
	readonly isReadOnly: boolean;

	/** The name that distinguishes caches on the same store. It is `''` if the store holds one cache only. */
	readonly cacheName: string;
};

const longestBusyTimeout = 5000;
const storeMethods = ['get', 'set', 'delete', 'deleteMany', 'clear', 'iterate', 'close'] as const;
const valueTypes: readonly string[] = ['objects', 'documents', 'bytes', 'text'] satisfies ReadonlyArray<Store['valueType']>;
const allowed = `${allowedStores}, a Keyv 5 or 6 instance, a Keyv storage adapter, a Map or a store of your own`
	+ ` with \`valueType\`, \`${storeMethods.join('`, `')}\``;

/**
Makes the store of a setting. Nothing is connected or opened before the first call of the store.

@throws {TypeError} If the setting is not a store, or the store cannot be bounded.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the package of a named store is not installed.
*/
export function openStore(setting: StoreSetting, options: OpenStoreOptions): OpenedStore {
	const opened = open(setting, options);
	// Memory begins empty, so the user must be able to fill a cache that replays.
	const isReadOnly = options.readOnly === true && opened.store.scope !== 'process';
	return {...opened, ...isReadOnly && {store: readOnlyStore(opened.store)}, isReadOnly};
}

function open(setting: StoreSetting, options: OpenStoreOptions): Omit<OpenedStore, 'isReadOnly'> {
	const {cacheName, now = Date.now, maxBytes, maxEntries} = options;
	if (typeof setting === 'string') {
		return {store: openNamed(setting, options), owned: true, cacheName};
	}

	for (const [name, bound] of Object.entries({maxBytes, maxEntries})) {
		if (bound !== undefined) {
			throw new SettingError(`cache.${name}`, `\`cache.${name}\` cannot limit a store that is handed in. Set the limit of the store itself.`);
		}
	}

	return isStore(setting) ? {store: setting, owned: false, cacheName: ''} : {store: openKeyv(setting, cacheName, now), owned: false, cacheName};
}

/** Returns a store on a Keyv instance, a storage adapter or a Map. */
function openKeyv(setting: KeyvLike, cacheName: string, now: () => number): Store {
	const shape = shapeOf(setting);
	if (shape === undefined) {
		throw new SettingError('cache.store', setting, allowed);
	}

	parseInput(commonOptions.cacheName, cacheName, 'cache.cacheName');
	if ('on' in setting) {
		// An adapter may emit an error before the first call, which would end the process.
		listenToErrors(setting as unknown as KeyvInstance);
	}

	// A Keyv instance around a Map may share the Map with others.
	return lazyStore<KeyvStore>({name: 'keyv', valueType: 'text', scope: shape === 'map' ? 'process' : 'network'}, async () => {
		const module = await import('./keyv.ts');
		return new module.KeyvStore(setting, {cacheName, now});
	});
}

function openNamed(setting: StoreName | StoreUrl, {cacheName, now = Date.now, storeTimeout = longestBusyTimeout, ...settings}: OpenStoreOptions): Store {
	const storeName = storeNameOf(setting);
	if (storeName === undefined) {
		throw new SettingError('cache.store', setting, allowed);
	}

	const options: Readonly<Partial<Record<string, string>>> = optionsOfSettings[storeName] ?? {};
	for (const bound of ['maxBytes', 'maxEntries'] as const) {
		if (settings[bound] !== undefined && options[bound] === undefined) {
			throw new SettingError(`cache.${bound}`, `\`cache.${bound}\` cannot limit the store \`'${storeName}'\`. ${options.maxBytes === undefined ? 'Set a limit on its server.' : 'Set `maxBytes`.'}`);
		}
	}

	const given = Object.entries({...settings, storeTimeout: Math.floor(Math.min(storeTimeout, longestBusyTimeout))})
		.filter(([name, value]) => options[name] !== undefined && value !== undefined && value !== false)
		.map(([name, value]) => [options[name]!, value] as const);
	try {
		return createStore(setting as StoreName, {cacheName, now, ...Object.fromEntries(given)});
	} catch (error) {
		throw error instanceof SettingError ? namingSetting(error, {...options, cacheName: 'cacheName'}) : error;
	}
}

/** Returns the error with the setting that the user has written, in place of the option that it has become. An option that comes of none is part of a URL. */
function namingSetting({path, message}: SettingError, options: Readonly<Partial<Record<string, string>>>): SettingError {
	const option = path.split('.').at(-1);
	const setting = Object.keys(options).find(name => options[name] === option) ?? 'store';
	return new SettingError(`cache.${setting}`, message.replaceAll(path, () => `cache.${setting}`));
}

/**
Whether the value is meant to be a `Store`, since it has `valueType`. If it lacks a method it is refused, not used as a Keyv adapter.
*/
function isStore(value: unknown): value is Store {
	if (typeof value !== 'object' || value === null || !('valueType' in value)) {
		return false;
	}

	const missing = storeMethods.filter(name => typeof (value as Record<string, unknown>)[name] !== 'function');
	if (missing.length > 0) {
		throw new SettingError('cache.store', value, `a store with all its methods (\`${missing.join('`, `')}\` missing)`);
	}

	if (!valueTypes.includes(value.valueType as string)) {
		throw new SettingError('cache.store.valueType', value.valueType, `\`'${valueTypes.join('\'`, `\'')}'\``);
	}

	return true;
}
