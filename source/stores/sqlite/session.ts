import {CacheHooksError} from '../../errors.ts';
import {closedError} from '../server-options.ts';
import {recover, then, type MaybePromise} from '../../maybe-promise.ts';
import {SqliteConnection} from './connection.ts';
import {
	isBusy,
	storeErrorOf,
	tryAgain,
	untilUnlocked,
} from './errors.ts';
import {rowsPerPurge} from './eviction.ts';
import type {SqliteSettings} from './options.ts';
import type {Action} from './statements.ts';
import type {Write, Writer} from './writes.ts';

/**
The use that one store makes of the shared connection to a file. Calls that meet a lock are tried again for `busyTimeout`.
*/
export class Session {
	readonly #settings: SqliteSettings;
	readonly #writer: Writer;
	#connection: MaybePromise<SqliteConnection> | undefined;
	#closed: {readonly done: MaybePromise<void>} | undefined;

	/**
	Opens nothing yet: the first call does.

	@param finish - Runs after the writes, in the same transaction.
	*/
	constructor(settings: SqliteSettings, finish: NonNullable<Writer['finish']>) {
		this.#settings = settings;
		this.#writer = {finish, busyTimeout: settings.busyTimeout};
	}

	/** The connection, if it is open. */
	get connection(): SqliteConnection | undefined {
		return this.#connection instanceof SqliteConnection ? this.#connection : undefined;
	}

	connect(): MaybePromise<SqliteConnection> {
		if (this.#closed !== undefined) {
			throw closedError(`SQLite store \`${this.#settings.path}\``);
		}

		this.#connection ??= this.#open();
		return this.#connection;
	}

	/** Runs an action after all writes before it. */
	run<T>(action: Action<T>): MaybePromise<T> {
		return then(this.connect(), connection => then(connection.writes.flushed(), () => this.runNow(connection, action)));
	}

	/** Runs an action before pending writes. */
	runNow<T>(connection: SqliteConnection, action: Action<T>): MaybePromise<T> {
		try {
			return connection.run(action);
		} catch (error) {
			return this.#runLater(connection, action, error);
		}
	}

	/** Tries an action again that has met a lock. */
	#runLater<T>(connection: SqliteConnection, action: Action<T>, error: unknown): MaybePromise<T> {
		const {busyTimeout} = this.#settings;
		if (busyTimeout === 0 || !isBusy(error)) {
			throw this.storeError(error);
		}

		return recover(() => tryAgain(busyTimeout, () => connection.run(action)), lastError => {
			throw this.storeError(lastError);
		});
	}

	/** Returns the error that a call of the store throws for an error of SQLite. */
	storeError(error: unknown): unknown {
		return storeErrorOf(error, this.#settings.path);
	}

	execute(sql: string): MaybePromise<void> {
		return this.run((_, database) => {
			database.exec(sql);
		});
	}

	/**
	Adds a write to the queue of the file.

	@param isUrgent - Whether to commit it synchronously, with all writes before it.
	@throws As `expectWritable`.
	*/
	write<T>(write: Write<T>, isUrgent = false): MaybePromise<T> {
		this.expectWritable();
		return then(this.connect(), connection => {
			this.expectWritable(connection);
			const written = connection.writes.add<T>(write, this.#writer);
			if (isUrgent) {
				connection.writes.flush();
			}

			return written;
		});
	}

	/** Adds a write whose result nobody needs, and which is dropped if it fails. */
	writeQuietly(write: Write): void {
		void recover(() => then(this.connect(), connection => {
			this.expectWritable(connection);
			connection.writes.addQuietly(write, this.#writer);
		}), () => undefined);
	}

	/**
	Throws unless the file may be written.

	@throws {CacheHooksError} `ERR_STORE_READ_ONLY` with `readOnly`, or for a connection that may only read.
	*/
	expectWritable(connection?: SqliteConnection): void {
		if (this.#closed === undefined && (connection?.isReadOnly ?? this.#settings.readOnly)) {
			throw new CacheHooksError('ERR_STORE_READ_ONLY', `The SQLite store \`${this.#settings.path}\` may only be read.`);
		}
	}

	/** Opens the file for several writes, and throws as `expectWritable`, before the first of them. */
	async untilWritable(): Promise<void> {
		this.expectWritable();
		this.expectWritable(await this.connect());
	}

	/**
	Closes the session once.

	@param finish - Adds the last writes.
	*/
	close(finish: (connection: SqliteConnection) => void): MaybePromise<void> {
		if (this.#closed === undefined) {
			const connection = this.#connection;
			const leave = (opened: SqliteConnection): MaybePromise<void> => {
				finish(opened);
				return then(opened.writes.flushed(), () => {
					opened.leave();
				});
			};

			// A file that could not be opened need not be closed.
			this.#closed = {done: connection === undefined ? undefined : recover(() => then(connection, leave), () => undefined)};
		}

		return this.#closed.done;
	}

	#open(): MaybePromise<SqliteConnection> {
		const opening = untilUnlocked(this.#settings.busyTimeout, () => {
			const connection = SqliteConnection.of(this.#settings);
			this.#purgeSome(connection);
			return connection;
		});
		return opening instanceof Promise ? this.#whenOpen(opening) : opening;
	}

	async #whenOpen(opening: Promise<SqliteConnection>): Promise<SqliteConnection> {
		try {
			this.#connection = await opening;
			return this.#connection;
		} catch (error) {
			this.#connection = undefined;
			throw error;
		}
	}

	#purgeSome(connection: SqliteConnection): void {
		if (connection.isReadOnly) {
			return;
		}

		try {
			connection.run(({purge, locksPurge}) => {
				purge.run(this.#settings.now(), rowsPerPurge);
				locksPurge.run(this.#settings.now());
			});
		} catch (error) {
			// The next purge may succeed. Only the error for a replaced file must be thrown.
			if (error instanceof CacheHooksError && error.code === 'ERR_STORE_CORRUPT') {
				connection.leave();
				throw error;
			}
		}
	}
}
