import {SettingError} from '../../errors.ts';
import {Place, type PlaceOptions} from '../place.ts';

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
	/** Where the file lies; `undefined` in memory. */
	readonly place: Place | undefined;
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
		path = 'http_cache.sqlite', useMemory = false, busyTimeout = 5000, wal = true, fastSave = false, maxBytes, now = Date.now, ...placeOptions
	} = options;
	if (!Number.isSafeInteger(busyTimeout) || busyTimeout < 0) {
		throw new SettingError('busyTimeout', busyTimeout, 'a number of milliseconds from 0');
	}

	if (maxBytes !== undefined && (!Number.isSafeInteger(maxBytes) || maxBytes < leastBytes)) {
		throw new SettingError('maxBytes', maxBytes, `a number of bytes from ${leastBytes}`);
	}

	const otherPlace = (['useTemp', 'useCacheDir'] as const).find(name => placeOptions[name]);
	if (useMemory && otherPlace !== undefined) {
		throw new SettingError('useMemory', useMemory, `\`false\` beside \`${otherPlace}\`: they name two places`);
	}

	const isInMemory = useMemory || path === inMemory;
	const place = new Place(isInMemory ? inMemory : path, placeOptions, 'file');

	return {
		path: isInMemory ? inMemory : place.path,
		place: isInMemory ? undefined : place,
		busyTimeout,
		wal,
		fastSave,
		maxBytes,
		now,
	};
}
