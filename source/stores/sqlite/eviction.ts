import type {DatabaseSync} from 'node:sqlite';
import {bytesOf, type Action, type Statements} from './statements.ts';

const rowsPerEviction = 16;

/** The number of expired rows that are deleted in one step. */
export const rowsPerPurge = 256;

/** Deletes expired rows, then the least recently used ones, until the rest fits into `maxBytes`. Returns the keys of the latter. */
export function makeRoom(statements: Statements, maxBytes: number, now: number): string[] {
	const evicted: string[] = [];
	while (bytesOf(statements) > maxBytes) {
		if (statements.purge.run(now, rowsPerPurge).changes !== 0) {
			continue;
		}

		const keys = evict(statements, maxBytes);
		if (keys.length === 0) {
			break;
		}

		evicted.push(...keys);
	}

	return evicted;
}

/**
Deletes some of the least recently used rows and returns their keys: as many as necessary, and some small ones more, so that the next `set` does not evict again.

Values without `indexed` are removed last: entries depend on them, and they are read less often.
*/
function evict(statements: Statements, maxBytes: number): string[] {
	const keys: string[] = [];
	let excess = bytesOf(statements) - maxBytes + (maxBytes / 128);
	const entries = statements.oldEntries.all(rowsPerEviction);
	const rows = (entries.length > 0 ? entries : statements.old.all(rowsPerEviction)) as Array<{id: number; bytes: number}>;
	for (const [index, {id, bytes}] of rows.entries()) {
		if (index > 0 && bytes > excess) {
			break;
		}

		const {key} = statements.evict.get(id) as {key: string};
		keys.push(key);
		excess -= bytes;
	}

	return keys;
}

/** Moves the log into the file, and restarts the log, if a full disk allows it. */
export function makeRoomInLog(_statements: unknown, database: DatabaseSync): void {
	try {
		database.exec('PRAGMA wal_checkpoint(RESTART)');
	} catch {
		// The next attempt shows whether there is room.
	}
}

/** How long uses are collected before they are written, in milliseconds. */
const writeInterval = 60_000;

/**
The keys that were read recently. They are written together once a minute, so that reads do not become writes.
*/
export class RecentUses {
	readonly #write: (keys: ReadonlySet<string>) => void;
	#keys = new Set<string>();
	#timer: NodeJS.Timeout | undefined;

	/**
	Has no keys yet.

	@param write - Called a minute after the first use. The process does not wait for it.
	*/
	constructor(write: (keys: ReadonlySet<string>) => void) {
		this.#write = write;
	}

	add(key: string): void {
		this.#keys.add(key);
		this.#timer ??= setTimeout(() => {
			this.#write(this.take());
		}, writeInterval).unref();
	}

	/** Returns the keys and forgets them. */
	take(): ReadonlySet<string> {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const keys = this.#keys;
		this.#keys = new Set();
		return keys;
	}
}

export function writeUses(keys: ReadonlySet<string>, now: number): Action<void> {
	return ({use}) => {
		for (const key of keys) {
			use.run(now, key);
		}
	};
}
