import {CacheHooksError} from '../../errors.ts';
import {
	busyFault,
	fileIdentity,
	isCorrupt,
	saysItIsOurs,
	setAside,
} from './faults.ts';
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
	/** Of the file that was opened, which is ours. */
	readonly identity: string | undefined;
};

/** The open files of this process. */
const connections = new Map<string, SqliteConnection>();

/**
The open file of all stores of this process that name it, by whatever path: opened by the first of them, closed by the last one, set aside and begun anew when it is found to be damaged. The options of the first one hold, but that nothing is saved fast unless all want it.
*/
export class SqliteConnection {
	readonly writes: WriteQueue;
	readonly #settings: SqliteSettings;
	#opened: Opened | undefined;
	#users = 0;
	#isLeft = false;
	#key: string | undefined;

	private constructor(settings: SqliteSettings) {
		this.#settings = settings;
		this.writes = new WriteQueue(settings.path, action => this.run(action), () => this.#removeFile());
	}

	/**
	Opens the file where no other store of this process has.

	@throws As `openSqliteFile`; {CacheHooksError} `ERR_STORE_CORRUPT` for a damaged file, with a new one begun.
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
	Waits for no lock: `isBusy` tells what is right to try again.

	@throws {CacheHooksError} `ERR_STORE_CORRUPT` once for a damaged file, with a new one begun.
	*/
	run<T>(action: Action<T>): T {
		if (this.#isLeft) {
			throw closedError(this.#settings.path);
		}

		if (this.#opened?.stamp !== undefined && this.#opened.stamp !== stampOf(this.#settings.path)) {
			this.#release();
		}

		const {statements, database, stamp} = this.#opened ?? this.#open();
		try {
			const result = action(statements, database);
			if (stamp === undefined || stamp === stampOf(this.#settings.path)) {
				return result;
			}
		} catch (error) {
			if (stamp === undefined || stamp === stampOf(this.#settings.path)) {
				throw isCorrupt(error) ? this.#beginAnew(error) : error;
			}
		}

		throw busyFault('another process has changed the file while it was read');
	}

	/** To be called once by each store. */
	leave(): void {
		this.#users--;
		if (this.#users > 0) {
			return;
		}

		this.#isLeft = true;
		const {database} = this.#opened ?? {};
		const {isReadOnly} = this;
		this.#forget();
		try {
			if (!isReadOnly) {
				database?.exec('PRAGMA wal_checkpoint(PASSIVE)');
			}
		} catch {
			// Who opens the file next does it.
		} finally {
			database?.close();
		}
	}

	#open(): Opened {
		const {path, place, readOnly} = this.#settings;
		let file: OpenedFile;
		try {
			file = openSqliteFile(this.#settings);
		} catch (error) {
			const isOurs = place !== undefined && !readOnly && isCorrupt(error) && isWritable(path) && saysItIsOurs(path);
			throw isOurs ? this.#beginAnew(error, fileIdentity(path)) : error;
		}

		try {
			this.#opened = {...file, statements: prepareStatements(file.database), identity: place === undefined ? undefined : fileIdentity(path)};
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
	Only the file that was opened as ours is renamed: where another process has been first, a new one lies there already.
	*/
	#beginAnew(cause: unknown, identity: string | undefined = this.#opened?.identity): CacheHooksError {
		const {path, now} = this.#settings;
		const {isReadOnly} = this;
		this.#release();
		let outcome = 'it may only be read, and is left as it is';
		if (!isReadOnly) {
			try {
				const target = identity === undefined ? undefined : setAside(path, identity, now());
				outcome = target === undefined ? 'another process has begun a new one' : `it is set aside as \`${target}\`, and a new one is begun`;
				this.#open();
			} catch (error) {
				outcome = `no new one could be begun: ${(error as Error).message}`;
			}
		}

		return new CacheHooksError('ERR_STORE_CORRUPT', `The SQLite store \`${path}\` was damaged: ${outcome}`, {cause});
	}

	/** Where the disk is too full for a deletion, which writes to the log first. */
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
			// It goes with the process.
		}
	}

	#forget(): void {
		this.#opened = undefined;
		if (this.#key !== undefined && connections.get(this.#key) === this) {
			connections.delete(this.#key);
		}
	}
}

/** `undefined` for what is private, and where there is no file yet. */
function keyOf({path, place, isShared, readOnly}: SqliteSettings): string | undefined {
	if (place === undefined) {
		return isShared ? path : undefined;
	}

	const identity = fileIdentity(path);
	// What may only be read has a connection of its own.
	return identity === undefined ? undefined : `${identity}${readOnly ? ' read' : ''}`;
}

export function closedError(path: string): CacheHooksError {
	return new CacheHooksError('ERR_STORE_CLOSED', `The SQLite store \`${path}\` is closed`);
}
