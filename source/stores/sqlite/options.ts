import process from 'node:process';
import {SettingError} from '../../errors.ts';
import {
	boolean,
	checkOptions,
	commonOptions,
	contradiction,
	integer,
	refuseTogether,
	text,
	type CommonOptions,
	type OptionTypes,
} from '../options.ts';
import {StoreLocation, locationOptions, type LocationOptions} from '../location.ts';

export type SqliteStoreOptions = CommonOptions & LocationOptions & {
	/**
	The file, relative to the working directory or to the folder of `useTemp` or `useCacheDir`, or in the home folder if it begins with `~/`. Missing folders are created. A `file:` URI means what it means to SQLite: `file:name?mode=memory&cache=shared` is shared by the stores of this process, and `mode=ro` is `readOnly`. Default: `cacheName`, with `.sqlite` unless it has an extension of SQLite.
	*/
	readonly path?: string;

	/**
	Whether to keep everything in memory, for this store alone. Default: `false`.
	*/
	readonly useMemory?: boolean;

	/**
	The maximum time for which a call that meets the lock of another process is tried again, in milliseconds, without blocking. A cache uses its `storeTimeout` if that is shorter. Default: 5000.
	*/
	readonly busyTimeout?: number;

	/**
	Whether to only read the file: nothing is created, changed, deleted, repaired or set aside, a missing file is an error (`ERR_STORE_OPEN`), and so is every write (`ERR_STORE_READ_ONLY`). Writes that another store of this process has not committed are not visible. Default: `false`; a file that this process cannot write to can be read nevertheless.
	*/
	readonly readOnly?: boolean;

	/**
	Whether to use write-ahead logging: readers and a writer do not wait for each other, and writes are 20 times faster. Set it to `false` for network drives. Default: `true`.
	*/
	readonly wal?: boolean;

	/**
	Whether writes do not wait for the disk (`synchronous = OFF`). A crash of the process loses nothing; a crash of the machine may damage the file, which is then set aside. Default: `false`.
	*/
	readonly fastSave?: boolean;

	/**
	The maximum size of the part of the file that is in use, in bytes, from 1,048,576. Expired entries are removed to make room, then the least recently used ones, values without `indexed` last. An entry that alone is larger is not stored, and an older value of its key is removed. Default: no bound.
	*/
	readonly maxBytes?: number;
};

export type SqliteSettings = {
	/** Absolute; for a database in memory, the given name. */
	readonly path: string;

	/** `undefined` for a database in memory. */
	readonly location: StoreLocation | undefined;

	/** Whether stores of this process with the same path share a database in memory. */
	readonly isShared: boolean;

	/** Whether to create the file if there is none. */
	readonly createsFile: boolean;
	readonly readOnly: boolean;

	/** The other parameters of the URI, such as `nolock=1`. */
	readonly parameters: URLSearchParams;
	readonly busyTimeout: number;
	readonly wal: boolean;
	readonly fastSave: boolean;
	readonly maxBytes: number | undefined;
	readonly now: () => number;
};

const inMemory = ':memory:';

/** An empty file has some pages already, and a few entries should fit. */
const leastMaxBytes = 1_048_576;
const owner = 'createStore(\'sqlite\')';

const optionTypes: OptionTypes<SqliteStoreOptions> = {
	...commonOptions,
	...locationOptions,
	path: {...text, allowed: 'the path of a file'},
	useMemory: boolean,
	busyTimeout: integer({from: 0}, 'a number of milliseconds from 0'),
	readOnly: boolean,
	wal: boolean,
	fastSave: boolean,
	maxBytes: integer({from: leastMaxBytes}, `a number of bytes from ${leastMaxBytes}`),
};

/**
Returns the options with their defaults.

@throws {SettingError} For a wrong option.
*/
export function sqliteSettings(options: SqliteStoreOptions): SqliteSettings {
	checkOptions(owner, options, optionTypes);
	refuseTogether(owner, options, 'useMemory', ['path']);
	const {
		cacheName = 'http_cache', path = fileName(cacheName), useMemory = false, readOnly = false, busyTimeout = 5000, wal = true, fastSave = false, maxBytes, now = Date.now,
	} = options;
	const given = useMemory ? inMemory : path;
	const {name, mode, parameters} = parseSqliteUri(given) ?? {name: given, mode: given === inMemory ? 'memory' : 'rwc', parameters: new URLSearchParams()};
	const isInMemory = mode === 'memory';
	const contrary = (['readOnly', 'useTemp', 'useCacheDir'] as const).find(option => options[option]);
	if (isInMemory && contrary !== undefined) {
		throw contradiction(`${owner}.${contrary}`, 'a database in memory, which is empty at first');
	}

	const location = isInMemory ? undefined : new StoreLocation(name, options, {owner, kind: 'file'});
	return {
		path: location?.path ?? given,
		location,
		isShared: parameters.get('cache') === 'shared',
		createsFile: mode !== 'rw',
		readOnly: readOnly || mode === 'ro',
		parameters,
		busyTimeout,
		wal,
		fastSave,
		maxBytes,
		now,
	};
}

function fileName(cacheName: string): string {
	return /\.(?:sqlite3?|db)$/iv.test(cacheName) ? cacheName : `${cacheName}.sqlite`;
}

const modes = ['ro', 'rw', 'rwc', 'memory'] as const;

type SqliteUri = {
	/** The path, or the name of a database in memory. */
	readonly name: string;
	readonly mode: typeof modes[number];

	/** The other parameters. */
	readonly parameters: URLSearchParams;
};

/**
Parses a `file:` URI, in which a path may be relative. Returns `undefined` for a path. See https://www.sqlite.org/uri.html

@throws {SettingError} For another host, a wrong `mode`, and wrong percent-encoding.
*/
function parseSqliteUri(path: unknown): SqliteUri | undefined {
	const groups = typeof path === 'string' ? /^file:(?:\/\/(?<host>[^#\/?]*)(?=\/))?(?<name>[^#?]*)(?:\?(?<query>[^#]*))?/v.exec(path)?.groups : undefined;
	if (groups === undefined) {
		return undefined;
	}

	const {host = '', query = ''} = groups;
	const parameters = new URLSearchParams(query);
	const name = decoded(groups.name!);
	const given = name === inMemory ? 'memory' : parameters.get('mode') ?? (parameters.get('immutable') === '1' ? 'ro' : 'rwc');
	const mode = modes.find(known => known === given);
	if (name === undefined || mode === undefined || (name === '' && mode !== 'memory') || !['', 'localhost'].includes(host)) {
		throw new SettingError(`${owner}.path`, path, 'a `file:` URI without a host, with percent-encoding and a `mode` of `ro`, `rw`, `rwc` or `memory`');
	}

	parameters.delete('mode');
	return {name: process.platform === 'win32' ? name.replace(/^\/(?=[a-z]:)/iv, '') : name, mode, parameters};
}

function decoded(encoded: string): string | undefined {
	try {
		return decodeURIComponent(encoded);
	} catch {
		return undefined;
	}
}
