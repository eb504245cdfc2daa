import {SettingError} from '../errors.ts';
import {
	allowedStores,
	createStore,
	storeNameOf,
	type StoreName,
	type StoreUrl,
} from './create-store.ts';
import {shapeOf, type KeyvLike} from './keyv-instances.ts';
import {KeyvStore} from './keyv.ts';
import {readOnlyStore} from './guard.ts';
import type {Store} from './types.ts';

/**
The store of a cache: the name or the URL of a store (see `createStore`), a `Store`, or any Keyv 5 or 6 instance, Keyv storage adapter or `Map`.
*/
export type StoreSetting = StoreName | StoreUrl | Store | KeyvLike;

type Bounds = {
	/** The maximum number of bytes of all that is stored. Default: the store's. */
	readonly maxBytes?: number | undefined;

	/** The maximum number of entries. Default: the store's. */
	readonly maxEntries?: number | undefined;
};

type OpenStoreOptions = Bounds & {
	/**
	The file of `'sqlite'`, with or without `.sqlite` or `.db`, the folder of `'filesystem'`, and the namespace elsewhere.
	*/
	readonly cacheName: string;

	/**
	Returns the current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;

	/** The number of milliseconds for which `'sqlite'` tries a call again that meets the lock of another process, since nobody waits for it any longer. Default: the store's. */
	readonly storeTimeout?: number;

	/** Whether nothing is written, deleted or created: calls that write throw `ERR_STORE_READ_ONLY`. Default: `false`. */
	readonly readOnly?: boolean;
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
const holdings: readonly string[] = ['objects', 'documents', 'bytes', 'text'] satisfies ReadonlyArray<Store['holds']>;
const allowed = `${allowedStores}, a Keyv 5 or 6 instance, a Keyv storage adapter, a Map or a store of your own`
	+ ` with \`holds\`, \`${storeMethods.join('`, `')}\``;

/** The options of the stores that can be bounded. */
const boundOptions: Readonly<Partial<Record<StoreName, {readonly [Bound in keyof Bounds]: string}>>> = {
	memory: {maxBytes: 'maxBytes', maxEntries: 'maxEntries'},
	sqlite: {maxBytes: 'maxBytes'},
	filesystem: {maxBytes: 'maxCacheBytes'},
};

/**
Makes the store of a setting. Nothing is connected or opened before the first call of the store.

@throws {TypeError} If the setting is not a store, or the store cannot be bounded.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the package of a named store is not installed.
*/
export function openStore(setting: StoreSetting, options: OpenStoreOptions): OpenedStore {
	const opened = open(setting, options);
	// Memory begins empty, so the user must be able to fill a cache that replays.
	const isReadOnly = options.readOnly === true && opened.store.isInProcess !== true;
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

	if (isStore(setting)) {
		return {store: setting, owned: false, cacheName: ''};
	}

	if (shapeOf(setting) === undefined) {
		throw new SettingError('cache.store', setting, allowed);
	}

	return {store: new KeyvStore(setting, {cacheName, now}), owned: false, cacheName};
}

function openNamed(setting: StoreName | StoreUrl, {cacheName, now = Date.now, storeTimeout, readOnly, maxBytes, maxEntries}: OpenStoreOptions): Store {
	const name = storeNameOf(setting);
	if (name === undefined) {
		throw new SettingError('cache.store', setting, allowed);
	}

	const isOnDisk = name === 'sqlite' || name === 'filesystem';
	return createStore(setting as StoreName, {
		cacheName,
		now,
		...boundsOf(name, {maxBytes, maxEntries}),
		// Otherwise the file or folder would be created.
		...isOnDisk && readOnly === true && {readOnly},
		...name === 'sqlite' && storeTimeout !== undefined && {busyTimeout: Math.min(storeTimeout, longestBusyTimeout)},
	});
}

function boundsOf(name: StoreName, bounds: Bounds): object {
	const options = boundOptions[name] ?? {};
	const given = Object.entries(bounds).filter(([, bound]) => bound !== undefined);
	return Object.fromEntries(given.map(([setting, bound]) => {
		const option = options[setting as keyof Bounds];
		if (option === undefined) {
			throw new SettingError(`cache.${setting}`, `\`cache.${setting}\` cannot limit the store \`'${name}'\`. ${boundOptions[name] === undefined ? 'Set a limit on its server.' : 'Set `maxBytes`.'}`);
		}

		return [option, bound];
	}));
}

/**
Whether the value is meant to be a `Store`, since it has `holds`. If it lacks a method it is refused, not used as a Keyv adapter.
*/
function isStore(value: unknown): value is Store {
	if (typeof value !== 'object' || value === null || !('holds' in value)) {
		return false;
	}

	const missing = storeMethods.filter(name => typeof (value as Record<string, unknown>)[name] !== 'function');
	if (missing.length > 0) {
		throw new SettingError('cache.store', value, `a store with all its methods (\`${missing.join('`, `')}\` missing)`);
	}

	if (!holdings.includes(value.holds as string)) {
		throw new SettingError('cache.store.holds', value.holds, `\`'${holdings.join('\'`, `\'')}'\``);
	}

	return true;
}
