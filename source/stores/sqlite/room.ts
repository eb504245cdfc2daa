import type {Statements} from './statements.ts';

const rowsPerEviction = 16;

/** Rows that leave in one step because they have expired. */
export const rowsPerPurge = 256;

/** Deletes what has expired, then what was not used for longest, until the bound is kept, and gives the keys of the latter. */
export function makeRoom(statements: Statements, maxBytes: number, now: number): string[] {
	const evicted: string[] = [];
	while (bytesOf(statements) > maxBytes) {
		const isPurged = statements.purge.run(now, rowsPerPurge).changes > 0;
		const keys = isPurged ? [] : evict(statements, maxBytes);
		if (!isPurged && keys.length === 0) {
			break;
		}

		evicted.push(...keys);
	}

	return evicted;
}

/**
Deletes some of what was not used for longest, and gives its keys: as much as is too much, and a little more that is small, so that not every set has to.

What was set without `indexed` leaves last: entries need it, and it is read more seldom than they.
*/
function evict(statements: Statements, maxBytes: number): string[] {
	const keys: string[] = [];
	let spare = bytesOf(statements) - maxBytes + (maxBytes / 128);
	const entries = statements.oldEntries.all(rowsPerEviction);
	const rows = (entries.length > 0 ? entries : statements.old.all(rowsPerEviction)) as Array<{id: number; bytes: number}>;
	for (const [index, {id, bytes}] of rows.entries()) {
		if (index > 0 && bytes > spare) {
			break;
		}

		const {key} = statements.evict.get(id) as {key: string};
		keys.push(key);
		spare -= bytes;
	}

	return keys;
}

/** Bytes of the file that are in use. */
export function bytesOf({bytes}: Statements): number {
	return (bytes.get() as {bytes: number}).bytes;
}
