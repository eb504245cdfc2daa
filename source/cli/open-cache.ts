import fs from 'node:fs';
import path from 'node:path';
import {HttpCache} from '../cache/http-cache.ts';
import {settingsOfFile} from '../got/global/configuration.ts';
import type {CacheSettings} from '../settings/settings.ts';
import {wrongUsage} from './failure.ts';
import {openNamedStore, type Access, type NamedStore} from './store-argument.ts';

/** In milliseconds: no request waits for a command. */
const longestCall = 30_000;

/** The options of a command that say which store and which settings. */
export type StoreFlags = {
	readonly cacheName?: string;
	readonly option?: readonly string[];

	/** The path of a module or a JSON file. */
	readonly settings?: string;
};

/** Returns the settings of the file that a command names. */
export async function settingsOf({settings}: StoreFlags): Promise<CacheSettings> {
	if (settings === undefined) {
		return {};
	}

	const file = path.resolve(settings);
	if (!fs.existsSync(file)) {
		throw wrongUsage(`There is no file \`${file}\` with settings.`);
	}

	return settingsOfFile(file);
}

/** The settings that say what is stored and how it is found. What a cache does with requests does not concern its store. */
function settingsOfCache({store: _store, cacheName: _cacheName, autoclose: _autoclose, maxBytes: _maxBytes, maxEntries: _maxEntries, mode: _mode, readOnly: _readOnly, ...others}: CacheSettings): CacheSettings {
	return others;
}

/**
Opens a cache on the store that a command names, with the settings of its program as far as they say how entries are found and read. A cache that is only read changes nothing in the store.
*/
export async function openCache(store: string, flags: StoreFlags, settings: CacheSettings, access: Access): Promise<HttpCache> {
	const cache = new HttpCache({
		...settingsOfCache(settings), ...await storeSettings(store, flags, settings, access), readOnly: access === 'read', storeTimeout: longestCall,
	});
	// A fault that is not thrown is an entry that cannot be read. Commands count those, and need no warning of the process for programmers.
	return cache.on('storeError', () => undefined);
}

/** Returns the settings with a store that is closed with its cache. */
export async function storeSettings(text: string, {cacheName, option}: StoreFlags, settings: CacheSettings, access: Access): Promise<Pick<CacheSettings, 'store' | 'autoclose'>> {
	const named: NamedStore = {text, cacheName, options: option};
	return {store: await openNamedStore(named, access, settings.cacheName), autoclose: true};
}

/** Opens a cache, runs an action with it, and closes it whatever comes. */
export async function withCache<Result>(store: string, flags: StoreFlags, access: Access, action: (cache: HttpCache, settings: CacheSettings) => Promise<Result>): Promise<Result> {
	const settings = await settingsOf(flags);
	return closing(await openCache(store, flags, settings, access), async cache => action(cache, settings));
}

/** Runs an action with a cache, and closes it whatever comes. Node.js 22 has no `await using`. */
export async function closing<Result>(cache: HttpCache, action: (cache: HttpCache) => Promise<Result>): Promise<Result> {
	try {
		return await action(cache);
	} finally {
		await cache.close();
	}
}
