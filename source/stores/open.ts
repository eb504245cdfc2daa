import {SettingError} from '../errors.ts';
import {
	allowedStores,
	createStore,
	withoutUserInfo,
	type StoreName,
	type StoreUrl,
} from './create-store.ts';
import {shapeOf, type KeyvLike} from './keyv-shapes.ts';
import {KeyvStore} from './keyv.ts';
import type {Store} from './types.ts';

/**
Where responses are kept: the name or the URL of a store (see `createStore`), a `Store`, or any Keyv 5 or 6 instance, Keyv storage adapter or `Map`.
*/
export type StoreSetting = StoreName | StoreUrl | Store | KeyvLike;

export type OpenStoreOptions = {
	/**
	The file of `'sqlite'`, with or without `.sqlite` or `.db`, the folder of `'filesystem'`, and the namespace elsewhere.
	*/
	readonly cacheName: string;

	/**
	The current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

export type OpenedStore = {
	readonly store: Store;

	/** Whether it was made here, and so is ours to close. */
	readonly owned: boolean;
};

const storeMethods = ['get', 'set', 'delete', 'deleteMany', 'clear', 'iterate', 'close'] as const;
const holdings: readonly string[] = ['objects', 'documents', 'bytes', 'text'] satisfies ReadonlyArray<Store['holds']>;
const allowed = `${allowedStores}, a Keyv 5 or 6 instance, a Keyv storage adapter, a Map or a store of your own`
	+ ` with \`holds\`, \`${storeMethods.join('`, `')}\``;

/**
Makes a `Store` of the setting. Nothing is connected or opened on disk before the first call.

@throws {TypeError} For everything else, naming what is allowed.
@throws {CacheHooksError} `ERR_STORE_DRIVER` where a store is named whose package is missing.
*/
export function openStore(setting: StoreSetting, {cacheName, now = Date.now}: OpenStoreOptions): OpenedStore {
	if (typeof setting === 'string') {
		return {store: named(setting, {cacheName, now}), owned: true};
	}

	if (isStore(setting)) {
		return {store: setting, owned: false};
	}

	if (shapeOf(setting) === undefined) {
		throw new SettingError('cache.store', setting, allowed);
	}

	return {store: new KeyvStore(setting, {namespace: cacheName, now}), owned: false};
}

function named(name: StoreName | StoreUrl, options: Required<OpenStoreOptions>): Store {
	try {
		return createStore(name as StoreName, options);
	} catch (error) {
		throw error instanceof SettingError && error.path === 'store' ? new SettingError('cache.store', withoutUserInfo(name), allowed) : error;
	}
}

/**
What says what it holds means to be a store: one that lacks a method is refused, and not taken for a Keyv adapter.
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
