import {then, type MaybePromise} from '../../maybe-promise.ts';
import type {LockStore, SetOptions, StoredValue} from '../types.ts';
import type {SqliteConnection} from './connection.ts';
import {isBusy, isFull} from './errors.ts';
import type {Session} from './session.ts';
import type {Action} from './statements.ts';

/**
The locks of a file, in a table of their own that has one index: a lock among the values would change five.

A call is a transaction of its own and answers at once. Only if another process is just writing, or the disk is full, it waits among the writes. A deletion, for which nobody waits, is one of the writes, and takes place together with others.
*/
export class SqliteLocks implements LockStore {
	readonly name = 'sqlite';
	readonly valueType = 'text';
	readonly #session: Session;
	readonly #now: () => number;

	constructor(session: Session, now: () => number) {
		this.#session = session;
		this.#now = now;
	}

	get(key: string): MaybePromise<string | undefined> {
		return then(this.#connect(key), connection => then(
			this.#session.runNow(connection, ({lockGet}) => lockGet.get(key, this.#now())),
			row => row?.value as string | undefined,
		));
	}

	set(key: string, value: StoredValue, {expires}: SetOptions): MaybePromise<void> {
		return this.#write(key, ({lockSet}) => {
			lockSet.run(key, expires!, value as string);
		});
	}

	add(key: string, value: StoredValue, {expires}: SetOptions): MaybePromise<boolean> {
		return this.#write(key, ({lockAdd}) => lockAdd.run(key, expires!, value as string, this.#now()).changes === 1);
	}

	delete(key: string): void {
		this.#session.expectWritable();
		const run: Action<void> = ({lockDelete}) => {
			lockDelete.run(key);
		};

		// If it fails, the lock expires.
		this.#session.writeQuietly({
			kind: 'delete', keys: [key], run, isDeferrable: true,
		});
	}

	/** Returns the connection after a pending deletion of the lock. */
	#connect(key: string): MaybePromise<SqliteConnection> {
		return then(this.#session.connect(), connection => connection.writes.of(key) === undefined ? connection : then(connection.writes.flushed(), () => connection));
	}

	#write<T>(key: string, run: Action<T>): MaybePromise<T> {
		this.#session.expectWritable();
		const connection = this.#connect(key);
		return connection instanceof Promise ? connection.then(opened => this.#writeTo(opened, run)) : this.#writeTo(connection, run);
	}

	#writeTo<T>(connection: SqliteConnection, run: Action<T>): MaybePromise<T> {
		const session = this.#session;
		session.expectWritable(connection);
		try {
			return connection.run(run);
		} catch (error) {
			if (isBusy(error) || isFull(error)) {
				return session.write({kind: 'note', keys: [], run});
			}

			throw session.storeError(error);
		}
	}
}
