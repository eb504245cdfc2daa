import {SettingError} from '../errors.ts';
import {
	allowedStores,
	createStore,
	hasOption,
	withoutUserInfo,
	type StoreName,
	type StoreUrl,
} from './create-store.ts';
import {shapeOf, type KeyvLike} from './keyv-shapes.ts';
import {KeyvStore} from './keyv.ts';
import {readOnlyStore} from './guard.ts';
import type {Store} from './types.ts';

type Bounds = Pick<OpenStoreOptions, 'maxBytes' | 'maxEntries'>;

/**
Where responses are kept: the name or the URL of a store (see `createStore`), a `Store`, or any Keyv 5 or 6 instance, Keyv storage adapter or `Map`.
*/
export type StoreSetting = StoreName | StoreUrl | Store | KeyvLike;

type OpenStoreOptions = {
	/**
	The file of `'sqlite'`, with or without `.sqlite` or `.db`, the folder of `'filesystem'`, and the namespace elsewhere.
	*/
	readonly cacheName: string;

	/**
	The current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;

	/** Bytes that everything stored may take; the store's own default where it is `undefined`. */
	readonly maxBytes?: number | undefined;

	/** How many entries are kept; the store's own default where it is `undefined`. */
	readonly maxEntries?: number | undefined;

	/** Milliseconds for which a call that meets the lock of another process is tried again, by a store that tries again. Nobody waits for it any longer then. Default: the store's. */
	readonly storeTimeout?: number;

	/** Whether nothing is written, deleted or created: calls that write throw `ERR_STORE_READ_ONLY`. Default: `false`. */
	readonly readOnly?: boolean;
};

type OpenedStore = {
	readonly store: Store;

	/** Whether it was made here, and so is ours to close. */
	readonly owned: boolean;

	/** Whether nothing reaches it that would change it. */
	readonly isReadOnly: boolean;

	/** What sets it apart from the caches that are kept in the same: a name; `''` where the store is a container of its own, whatever the caches on it are called. */
	readonly cacheName: string;
};

const longestBusyTimeout = 5000;
const storeMethods = ['get', 'set', 'delete', 'deleteMany', 'clear', 'iterate', 'close'] as const;
const holdings: readonly string[] = ['objects', 'documents', 'bytes', 'text'] satisfies ReadonlyArray<Store['holds']>;
const allowed = `${allowedStores}, a Keyv 5 or 6 instance, a Keyv storage adapter, a Map or a store of your own`
	+ ` with \`holds\`, \`${storeMethods.join('`, `')}\``;

/**
Makes a `Store` of the setting. Nothing is connected or opened on disk before the first call.

@throws {TypeError} For everything else, naming what is allowed.
@throws {CacheHooksError} `ERR_STORE_DRIVER` where a store is named whose package is missing.
*/
export function openStore(setting: StoreSetting, {readOnly = false, ...options}: OpenStoreOptions): OpenedStore {
	const opened = open(setting, options, readOnly);
	// What lies in memory begins empty: a cache that replays is filled by its user.
	return readOnly && opened.store.isLocal !== true ? {...opened, store: readOnlyStore(opened.store), isReadOnly: true} : opened;
}

function open(setting: StoreSetting, {cacheName, now = Date.now, storeTimeout, ...bounds}: Omit<OpenStoreOptions, 'readOnly'>, readOnly: boolean): OpenedStore {
	if (typeof setting === 'string') {
		// A file that is opened for reading alone is not created.
		const own = {
			...readOnly && hasOption(setting, 'readOnly') && {readOnly},
			// A lock that were taken later would be held by nobody.
			...storeTimeout !== undefined && triesAgain(setting) && {busyTimeout: Math.min(storeTimeout, longestBusyTimeout)},
		};
		return {
			store: named(setting, {cacheName, now, ...own}, bounds), owned: true, isReadOnly: false, cacheName,
		};
	}

	refuseBounds(bounds, 'absent for a store that is handed in, which has bounds of its own');
	if (isStore(setting)) {
		return {
			store: setting, owned: false, isReadOnly: false, cacheName: '',
		};
	}

	if (shapeOf(setting) === undefined) {
		throw new SettingError('cache.store', setting, allowed);
	}

	return {
		store: new KeyvStore(setting, {cacheName, now}), owned: false, isReadOnly: false, cacheName,
	};
}

function triesAgain(name: string): boolean {
	return /^sqlite(?::|$)/v.test(name);
}

function named(name: StoreName | StoreUrl, options: object, bounds: Bounds): Store {
	const make = boundedBy[name.replace(/^sqlite:.*/sv, 'sqlite').replace(/^file:.*/sv, 'filesystem')] ?? ((unbounded: Bounds) => {
		refuseBounds(unbounded, `absent for \`'${String(withoutUserInfo(name))}'\`, which the cache cannot bound`);
		return {};
	});
	try {
		return createStore(name as StoreName, {...options, ...make(bounds)});
	} catch (error) {
		throw error instanceof SettingError && error.path === 'store' ? new SettingError('cache.store', withoutUserInfo(name), allowed) : error;
	}
}

/** The options that bound a store. */
const boundedBy: Readonly<Record<string, (bounds: Bounds) => object>> = {
	memory: bounds => withoutUndefined(bounds),
	sqlite({maxBytes, maxEntries}) {
		refuseBounds({maxEntries}, 'absent for `\'sqlite\'`, which is bounded by bytes');
		return withoutUndefined({maxBytes});
	},
	filesystem({maxBytes, maxEntries}) {
		refuseBounds({maxEntries}, 'absent for `\'filesystem\'`, which is bounded by bytes');
		return withoutUndefined({maxCacheBytes: maxBytes});
	},
};

function refuseBounds(bounds: Bounds, allowedInstead: string): void {
	for (const [name, bound] of Object.entries(bounds)) {
		if (bound !== undefined) {
			throw new SettingError(`cache.${name}`, bound, allowedInstead);
		}
	}
}

function withoutUndefined(options: object): object {
	return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
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
