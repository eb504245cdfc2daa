import {SettingError} from '../../errors.ts';
import {Place, type PlaceOptions} from '../place.ts';
import {parseSqliteUri} from './uri.ts';

export type SqliteStoreOptions = PlaceOptions & {
	/**
	The file, relative to the working directory or to the place that `useTemp` or `useCacheDir` names, or in the home folder where it begins with `~/`. Folders that are missing are made. A `file:` URI is taken as SQLite has it: `file:name?mode=memory&cache=shared` is shared by the stores of this process, and `mode=ro` is `readOnly`. Default: `'http_cache.sqlite'`.
	*/
	readonly path?: string;

	/**
	Whether everything is kept in memory, for this store alone, and is gone with it. `path` is not used then. Default: `false`.
	*/
	readonly useMemory?: boolean;

	/**
	Milliseconds for which a call that meets the lock of another process is tried again, without blocking. A cache waits for no longer than its `storeTimeout`. Default: 5000.
	*/
	readonly busyTimeout?: number;

	/**
	Whether the file is only read: nothing is made, changed, deleted, repaired or set aside, a missing file is an error (`ERR_STORE_OPEN`), and so is everything that writes (`ERR_STORE_READ_ONLY`). What another store of this process has not committed yet is not seen. Default: `false`; a file that this process cannot write to is read all the same.
	*/
	readonly readOnly?: boolean;

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
	/** Absolute; the name that was given for what is in memory. */
	readonly path: string;
	/** Where the file lies; `undefined` in memory. */
	readonly place: Place | undefined;
	/** Whether stores of this process that give the same path share what is in memory. */
	readonly isShared: boolean;
	/** Whether the file is made where there is none. */
	readonly makesFile: boolean;
	readonly readOnly: boolean;
	/** Of the URI. */
	readonly parameters: URLSearchParams;
	readonly busyTimeout: number;
	readonly wal: boolean;
	readonly fastSave: boolean;
	readonly maxBytes: number | undefined;
	readonly now: () => number;
};

const inMemory = ':memory:';
/** An empty file takes some pages already, and a few entries should fit. */
const leastBytes = 1_048_576;

export function sqliteSettings(options: SqliteStoreOptions): SqliteSettings {
	const {
		path = 'http_cache.sqlite', useMemory = false, readOnly = false, busyTimeout = 5000, wal = true, fastSave = false, maxBytes, now = Date.now, ...placeOptions
	} = options;
	checkNumbers(busyTimeout, maxBytes);
	const otherPlace = (['useTemp', 'useCacheDir'] as const).find(name => placeOptions[name]);
	if (useMemory && otherPlace !== undefined) {
		throw new SettingError('useMemory', useMemory, `\`false\` beside \`${otherPlace}\`: they name two places`);
	}

	const given = useMemory ? inMemory : path;
	const {name, mode, parameters} = parseSqliteUri(given) ?? {name: given, mode: given === inMemory ? 'memory' : 'rwc', parameters: new URLSearchParams()};
	const isInMemory = mode === 'memory';
	if (readOnly && isInMemory) {
		throw new SettingError('readOnly', readOnly, '`false` for what is in memory, which is empty at first');
	}

	const place = new Place(isInMemory ? inMemory : name, placeOptions, 'file');
	return {
		path: isInMemory ? given : place.path,
		place: isInMemory ? undefined : place,
		isShared: parameters.get('cache') === 'shared',
		makesFile: mode !== 'rw',
		readOnly: readOnly || mode === 'ro',
		parameters,
		busyTimeout,
		wal,
		fastSave,
		maxBytes,
		now,
	};
}

function checkNumbers(busyTimeout: number, maxBytes: number | undefined): void {
	if (!Number.isSafeInteger(busyTimeout) || busyTimeout < 0) {
		throw new SettingError('busyTimeout', busyTimeout, 'a number of milliseconds from 0');
	}

	if (maxBytes !== undefined && (!Number.isSafeInteger(maxBytes) || maxBytes < leastBytes)) {
		throw new SettingError('maxBytes', maxBytes, `a number of bytes from ${leastBytes}`);
	}
}
