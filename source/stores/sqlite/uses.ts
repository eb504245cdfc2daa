import type {DatabaseSync} from 'node:sqlite';
import {inTransaction} from './schema.ts';
import type {Statements} from './statements.ts';

const pause = 60_000;

/**
Which keys were read lately. A read only notes its key, and the notes are written together now and then, so that reads do not become writes.
*/
export class Uses {
	readonly #keys = new Set<string>();
	#writtenAt: number;

	constructor(now: number) {
		this.#writtenAt = now;
	}

	note(key: string): void {
		this.#keys.add(key);
	}

	forget(): void {
		this.#keys.clear();
	}

	isDue(now: number): boolean {
		return this.#keys.size > 0 && now - this.#writtenAt >= pause;
	}

	/** One transaction for all of them, or a part of the caller's own. */
	write(database: DatabaseSync, {use}: Statements, now: number): void {
		if (this.#keys.size === 0) {
			return;
		}

		// Also where it fails: a file that is locked is not asked again by every read.
		this.#writtenAt = now;
		const writeAll = () => {
			for (const key of this.#keys) {
				use.run(now, key, now);
			}
		};

		if (database.isTransaction) {
			writeAll();
		} else {
			inTransaction(database, writeAll);
		}

		this.#keys.clear();
	}
}
