import {CacheHooksError} from '../../errors.ts';
import {closedError} from '../server-options.ts';
import {fileIdentity, isOwnFile, setAside} from './damage.ts';
import {
	busyError,
	isCorrupt,
} from './errors.ts';
import {
	isWritable,
	openSqliteFile,
	removeUnlessOpen,
	stampOf,
	type OpenedFile,
} from './file.ts';
import type {SqliteSettings} from './options.ts';
import {prepareStatements, type Action, type Statements} from './statements.ts';
import {WriteQueue} from './writes.ts';

type Opened = OpenedFile & {
	readonly statements: Statements;

	/** The identity of the file, which belongs to the store. */
	readonly identity: string | undefined;
};

/** The open files of this process. */
const connections = new Map<string, SqliteConnection>();

/**
The open file that all stores of this process share, whatever path they use. The first store opens it, the last one closes it, and a damaged file is set aside and replaced by a new one. The options of the first store count, except that `fastSave` needs the consent of all.
*/
export class SqliteConnection {
	readonly writes: WriteQueue;
	readonly #settings: SqliteSettings;
	#opened: Opened | undefined;
	#users = 0;
	#isClosed = false;
	#key: string | undefined;

	private constructor(settings: SqliteSettings) {
		this.#settings = settings;
		this.writes = new WriteQueue(settings.path, action => this.run(action), () => this.#removeFile());
	}

	/**
	Returns the connection to a file, and opens it if no other store of this process has. Each user calls `leave` once.

	@throws As `openSqliteFile`; {CacheHooksError} `ERR_STORE_CORRUPT` for a damaged file, which is replaced by a new one.
	*/
	static of(settings: SqliteSettings): SqliteConnection {
		const known = connections.get(keyOf(settings) ?? '');
		const connection = known ?? new SqliteConnection(settings);
		if (known === undefined) {
			connection.#open();
		} else if (!settings.fastSave && !known.isReadOnly) {
			known.run((_, database) => {
				database.exec('PRAGMA synchronous = NORMAL');
			});
		}

		connection.#users++;
		return connection;
	}

	get isReadOnly(): boolean {
		return this.#opened?.isReadOnly ?? this.#settings.readOnly;
	}

	/**
	Runs an action without waiting for locks.

	@throws {CacheHooksError} `ERR_STORE_CORRUPT` once for a damaged file, which is replaced by a new one.
	*/
	run<T>(action: Action<T>): T {
		if (this.#isClosed) {
			throw closedError(`SQLite store \`${this.#settings.path}\``);
		}

		if (!this.#isUnchanged(this.#opened?.stamp)) {
			this.#release();
		}

		const {statements, database, stamp} = this.#opened ?? this.#open();
		try {
			const result = action(statements, database);
			if (this.#isUnchanged(stamp)) {
				return result;
			}
		} catch (error) {
			if (this.#isUnchanged(stamp)) {
				throw isCorrupt(error) ? this.#replaceDamaged(error) : error;
			}
		}

		throw busyError('another process has changed the file while it was read');
	}

	/** Closes the file after the last user. */
	leave(): void {
		this.#users--;
		if (this.#users > 0) {
			return;
		}

		this.#isClosed = true;
		const {database} = this.#opened ?? {};
		const {isReadOnly} = this;
		this.#forget();
		try {
			if (!isReadOnly) {
				database?.exec('PRAGMA wal_checkpoint(PASSIVE)');
			}
		} catch {
			// The next process that opens the file does it.
		} finally {
			database?.close();
		}
	}

	#isUnchanged(stamp: string | undefined): boolean {
		return stamp === undefined || stamp === stampOf(this.#settings.path);
	}

	#open(): Opened {
		const {path, location, readOnly} = this.#settings;
		let file: OpenedFile;
		try {
			file = openSqliteFile(this.#settings);
		} catch (error) {
			const isReplaceable = location !== undefined && !readOnly && isCorrupt(error) && isWritable(path) && isOwnFile(path);
			throw isReplaceable ? this.#replaceDamaged(error, fileIdentity(path)) : error;
		}

		try {
			this.#opened = {...file, statements: prepareStatements(file.database), identity: location === undefined ? undefined : fileIdentity(path)};
		} catch (error) {
			file.database.close();
			throw error;
		}

		this.#key = keyOf(this.#settings);
		if (this.#key !== undefined) {
			connections.set(this.#key, this);
		}

		return this.#opened;
	}

	/**
	Sets the damaged file aside and creates a new one. Returns the error to throw. Another process may have been first: a file with another identity is not renamed.
	*/
	#replaceDamaged(cause: unknown, identity: string | undefined = this.#opened?.identity): CacheHooksError {
		const {path, now} = this.#settings;
		const {isReadOnly} = this;
		this.#release();
		let outcome = 'it may only be read and is not changed';
		if (!isReadOnly) {
			try {
				const target = identity === undefined ? undefined : setAside(path, identity, now());
				outcome = target === undefined ? 'another process has created a new one' : `it is set aside as \`${target}\`, and a new one is created`;
				this.#open();
			} catch (error) {
				outcome = `a new one could not be created: ${(error as Error).message}`;
			}
		}

		return new CacheHooksError('ERR_STORE_CORRUPT', `The SQLite store \`${path}\` was damaged: ${outcome}.`, {cause});
	}

	/** Clears the store where the disk is too full for a deletion. Returns whether it could. */
	#removeFile(): boolean {
		const identity = this.#opened?.identity;
		if (identity === undefined) {
			return false;
		}

		this.#release();
		return removeUnlessOpen(this.#settings, identity);
	}

	#release(): void {
		const opened = this.#opened;
		this.#forget();
		try {
			opened?.database.close();
		} catch {
			// It is closed when the process ends.
		}
	}

	#forget(): void {
		this.#opened = undefined;
		if (this.#key !== undefined && connections.get(this.#key) === this) {
			connections.delete(this.#key);
		}
	}
}

/** Returns the key of a connection; `undefined` for a private database in memory, and while there is no file. */
function keyOf({path, location, isShared, readOnly}: SqliteSettings): string | undefined {
	if (location === undefined) {
		return isShared ? path : undefined;
	}

	const identity = fileIdentity(path);
	// A store with `readOnly` does not share a connection that writes.
	return identity === undefined ? undefined : `${identity}${readOnly ? ' read' : ''}`;
}
