import {SettingError} from '../errors.ts';
import {shapeOf, type KeyvLike} from './keyv-shapes.ts';
import {KeyvStore} from './keyv.ts';
import {MemoryStore} from './memory.ts';
import {SqliteStore} from './sqlite/store.ts';
import type {Store} from './types.ts';

/**
Where responses are kept: the name of a store, a `Store`, or any Keyv 5 or 6 instance, Keyv storage adapter or `Map`.
*/
export type StoreSetting = 'memory' | 'sqlite' | Store | KeyvLike;

export type OpenStoreOptions = {
	/**
	The file of `'sqlite'`, with or without `.sqlite` or `.db`, and the namespace in a Keyv adapter or a `Map`.
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
const allowed = '`\'memory\'`, `\'sqlite\'`, a Keyv 5 or 6 instance, a Keyv storage adapter, a Map or a store of your own'
	+ ` with \`holds\`, \`${storeMethods.join('`, `')}\``;
/** Names that a later version will know. */
const laterStores: ReadonlySet<unknown> = new Set(['redis', 'mongodb', 'gridfs', 'dynamodb', 'filesystem']);

/**
Makes a `Store` of the setting. Nothing is connected or opened on disk before the first call.

Throws a `TypeError` at once for everything else, naming what is allowed.
*/
export function openStore(setting: StoreSetting, {cacheName, now = Date.now}: OpenStoreOptions): OpenedStore {
	if (setting === 'memory') {
		return {store: new MemoryStore({now}), owned: true};
	}

	if (setting === 'sqlite') {
		return {store: new SqliteStore({path: sqlitePath(cacheName), now}), owned: true};
	}

	if (laterStores.has(setting)) {
		throw new SettingError('cache.store', setting, `${allowed} (the store \`'${setting as unknown as string}'\` is not available in this version yet)`);
	}

	if (isStore(setting)) {
		return {store: setting, owned: false};
	}

	if (shapeOf(setting) === undefined) {
		throw new SettingError('cache.store', setting, allowed);
	}

	return {store: new KeyvStore(setting, {namespace: cacheName, now}), owned: false};
}

function sqlitePath(cacheName: string): string {
	return /\.(?:sqlite3?|db)$/iv.test(cacheName) ? cacheName : `${cacheName}.sqlite`;
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

	if (!['objects', 'bytes', 'text'].includes(value.holds as string)) {
		throw new SettingError('cache.store.holds', value.holds, '`\'objects\'`, `\'bytes\'` or `\'text\'`');
	}

	return true;
}
