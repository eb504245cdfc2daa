import type {DatabaseSync} from 'node:sqlite';
import {CacheHooksError} from '../../errors.ts';
import {
	fileIdentity,
	isCorrupt,
	saysItIsOurs,
	setAside,
} from './faults.ts';
import {openSqliteFile} from './file.ts';
import {inMemory, type SqliteSettings} from './options.ts';
import {prepareStatements, type Statements} from './statements.ts';

type Opened = {
	readonly database: DatabaseSync;
	readonly statements: Statements;
	/** Of the file that was opened, which is ours. */
	readonly identity: string | undefined;
};

type Action<T> = (statements: Statements, database: DatabaseSync) => T;

/**
The open file of a store: opened by the first action, set aside and begun anew when it is found to be damaged.
*/
export class SqliteConnection {
	readonly #settings: SqliteSettings;
	readonly #onOpen: () => void;
	#opened: Opened | undefined;
	#isClosed = false;

	constructor(settings: SqliteSettings, onOpen: () => void) {
		this.#settings = settings;
		this.#onOpen = onOpen;
	}

	/**
	@throws {CacheHooksError} `ERR_STORE_CORRUPT` once for a damaged file, with a new one begun.
	*/
	run<T>(action: Action<T>): T {
		const {statements, database} = this.#opened ?? this.#open();
		try {
			return action(statements, database);
		} catch (error) {
			throw isCorrupt(error) ? this.#beginAnew(error) : error;
		}
	}

	/** @param farewell - What is done before, if the file is open; its failure is nobody's. */
	close(farewell: Action<void>): void {
		this.#isClosed = true;
		const opened = this.#opened;
		this.#opened = undefined;
		if (opened === undefined) {
			return;
		}

		try {
			farewell(opened.statements, opened.database);
		} catch {
			// What was not noted is only forgotten.
		}

		try {
			opened.database.exec('PRAGMA wal_checkpoint(PASSIVE)');
		} finally {
			opened.database.close();
		}
	}

	#open(): Opened {
		const {path} = this.#settings;
		if (this.#isClosed) {
			throw new CacheHooksError('ERR_STORE_CLOSED', `The SQLite store \`${path}\` is closed`);
		}

		let database: DatabaseSync;
		try {
			database = openSqliteFile(this.#settings);
		} catch (error) {
			throw isCorrupt((error as Error).cause ?? {}) && saysItIsOurs(path) ? this.#beginAnew(error, fileIdentity(path)) : error;
		}

		this.#opened = {
			database,
			statements: prepareStatements(database),
			identity: path === inMemory ? undefined : fileIdentity(path),
		};
		this.#onOpen();
		return this.#opened;
	}

	/**
	Only the file that was opened as ours is renamed: where another process has been first, a new one lies there already.
	*/
	#beginAnew(cause: unknown, identity: string | undefined = this.#opened?.identity): CacheHooksError {
		const {path, now} = this.#settings;
		this.#release();
		let outcome = 'another process has begun a new one';
		try {
			const target = identity === undefined ? undefined : setAside(path, identity, now());
			if (target !== undefined) {
				outcome = `it is set aside as \`${target}\`, and a new one is begun`;
			}

			this.#opened = undefined;
			this.#open();
		} catch (error) {
			outcome = `it cannot be set aside: ${(error as Error).message}`;
		}

		return new CacheHooksError('ERR_STORE_CORRUPT', `The SQLite store \`${path}\` was damaged: ${outcome}`, {cause});
	}

	#release(): void {
		try {
			this.#opened?.database.close();
		} catch {
			// It goes with the process.
		}

		this.#opened = undefined;
	}
}
