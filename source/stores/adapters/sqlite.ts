import {ignore, driver} from '../server-options.ts';
import {NamedAdapter, type StorageAdapter} from './named-adapter.ts';
import {checkTypes, type AdapterOptions} from './options.ts';

export type KeyvSqliteOptions = AdapterOptions & {
	/**
	The file, after `sqlite://`. Default: the cache's name and `.keyv.sqlite`, in the working directory.
	*/
	readonly uri?: string;

	/**
	The table. Default: `'keyv'`, as the adapter's.
	*/
	readonly table?: string;

	/**
	Whether the file keeps a write-ahead log, with which readers and a writer do not wait for each other. Default: `true`.
	*/
	readonly wal?: boolean;

	/**
	Milliseconds that a statement waits for a lock of another connection. Version 4 of the adapter waits in a thread of its own; version 6 stops the event loop meanwhile. Default: 5000 with version 4, 50 with version 6.
	*/
	readonly busyTimeout?: number;

	/**
	How many rows are read at once when keys are listed. Default: 100 (the adapter's own is 10).
	*/
	readonly iterationLimit?: number;
};

/** What is used of the adapter's versions 4 and 6. */
type SqliteAdapter = StorageAdapter & {
	query(statement: string): Promise<unknown>;

	/** Version 6 alone has it. */
	readonly ready?: Promise<void>;
};

type SqliteAdapterClass = {
	new (options: object): SqliteAdapter;
	readonly prototype: object;
};

/**
The adapter of `@keyv/sqlite`.

@throws {TypeError} Where an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` where the package is missing.
*/
export function keyvSqlite({
	cacheName, uri = `sqlite://${cacheName}.keyv.sqlite`, table = 'keyv', wal = true, busyTimeout, iterationLimit = 100,
}: KeyvSqliteOptions & {readonly cacheName: string}): NamedAdapter {
	checkTypes({
		uri, table, wal, busyTimeout, iterationLimit,
	}, {
		uri: 'text', table: 'text', wal: 'switch', busyTimeout: 'milliseconds', iterationLimit: 'count',
	});
	const load = driver('@keyv/sqlite', '@keyv/sqlite', () => import('@keyv/sqlite'));
	return new NamedAdapter('@keyv/sqlite', async () => {
		const module = await load();
		const AdapterClass = module.KeyvSqlite as unknown as SqliteAdapterClass;
		const isVersion6 = 'capabilities' in AdapterClass.prototype;
		const adapter = new AdapterClass({
			uri, table, iterationLimit, ...isVersion6 ? {driver: 'node:sqlite', wal, busyTimeout: busyTimeout ?? 50} : {busyTimeout: busyTimeout ?? 5000},
		});
		// Without a listener its first error ends the process; the call below throws the same one.
		adapter.on('error', ignore);
		await (isVersion6 ? adapter.ready : adapter.query(wal ? 'PRAGMA journal_mode = WAL' : 'SELECT 1'));
		return adapter;
	});
}
