import {SettingError} from '../../errors.ts';
import {placeOf, type PlaceOptions} from '../folders.ts';

export type SqliteStoreOptions = PlaceOptions & {
	/**
	The file, relative to the working directory or to the place that `useTemp` or `useCacheDir` names; its folder must exist, except in these. Default: `'http_cache.sqlite'`.
	*/
	readonly path?: string;

	/**
	Whether everything is kept in memory, for this store alone, and is gone with it. `path` is not used then. Default: `false`.
	*/
	readonly useMemory?: boolean;

	/**
	Milliseconds that a call waits, blocking, for the lock of another process. Default: 5000.
	*/
	readonly busyTimeout?: number;

	/**
	Whether the file is turned to write-ahead logging: readers and a writer do not wait for each other, and writes are 20 times faster. Not for network drives. Default: `true`.
	*/
	readonly wal?: boolean;

	/**
	Whether nothing waits for the disk (`synchronous = OFF`): a crash of the process loses nothing, one of the machine may damage the file, which is then set aside. Default: `false`.
	*/
	readonly fastSave?: boolean;

	/**
	Bytes of the file that may be in use, from 1,048,576. What makes room is what has expired, then what was not used for longest, and last what was set without `indexed`. An entry that alone is larger is not stored, and an older value under its key is removed. Default: no bound.
	*/
	readonly maxBytes?: number;

	/**
	The current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

export type SqliteSettings = {
	readonly path: string;
	/** Whether the folder is ours to make. */
	readonly makesFolder: boolean;
	readonly busyTimeout: number;
	readonly wal: boolean;
	readonly fastSave: boolean;
	readonly maxBytes: number | undefined;
	readonly now: () => number;
};

export const inMemory = ':memory:';
/** An empty file takes some pages already, and a few entries should fit. */
const leastBytes = 1_048_576;

export function sqliteSettings(options: SqliteStoreOptions): SqliteSettings {
	const {
		path = 'http_cache.sqlite', useMemory = false, useTemp: inTemporary = false, useCacheDir: inCache = false, busyTimeout = 5000, wal = true, fastSave = false, maxBytes, now = Date.now,
	} = options;
	if (!Number.isSafeInteger(busyTimeout) || busyTimeout < 0) {
		throw new SettingError('busyTimeout', busyTimeout, 'a number of milliseconds from 0');
	}

	if (maxBytes !== undefined && (!Number.isSafeInteger(maxBytes) || maxBytes < leastBytes)) {
		throw new SettingError('maxBytes', maxBytes, `a number of bytes from ${leastBytes}`);
	}

	if (useMemory && (inTemporary || inCache)) {
		throw new SettingError('useMemory', useMemory, `\`false\` beside \`${inTemporary ? 'useTemp' : 'useCacheDir'}\`: they name two places`);
	}

	return {
		path: useMemory || path === inMemory ? inMemory : placeOf(path, {useTemp: inTemporary, useCacheDir: inCache}, 'file'),
		makesFolder: inTemporary || inCache,
		busyTimeout,
		wal,
		fastSave,
		maxBytes,
		now,
	};
}
