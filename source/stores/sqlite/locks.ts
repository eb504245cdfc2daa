import {recover, then, type MaybePromise} from '../../maybe-promise.ts';
import type {LockStore, SetOptions, StoredValue} from '../types.ts';
import {isBusy, isFull} from './errors.ts';
import type {Session} from './session.ts';
import type {Action} from './statements.ts';

/**
The locks of a file, in a table of their own that has one index: a lock among the values would change five.

A call is a transaction of its own and answers at once. Only if another process is just writing, or the disk is full, it waits among the writes.
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
		return then(this.#session.connect(), connection => then(
			this.#session.runNow(connection, ({lockGet}) => lockGet.get(key, this.#now())),
			row => row?.value as string | undefined,
		));
	}

	set(key: string, value: StoredValue, {expires}: SetOptions): MaybePromise<void> {
		return this.#write(({lockSet}) => {
			lockSet.run(key, expires!, value as string);
		});
	}

	add(key: string, value: StoredValue, {expires}: SetOptions): MaybePromise<boolean> {
		return this.#write(({lockAdd}) => lockAdd.run(key, expires!, value as string, this.#now()).changes === 1);
	}

	delete(key: string): MaybePromise<boolean> {
		return this.#write(({lockDelete}) => lockDelete.run(key).changes === 1);
	}

	#write<T>(run: Action<T>): MaybePromise<T> {
		const session = this.#session;
		session.expectWritable();
		return then(session.connect(), connection => {
			session.expectWritable(connection);
			return recover(() => connection.run(run), error => {
				if (isBusy(error) || isFull(error)) {
					return session.write({kind: 'note', keys: [], run});
				}

				throw session.storeError(error);
			});
		});
	}
}
