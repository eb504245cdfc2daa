import type {DatabaseSync} from 'node:sqlite';
import type {StoreQuery} from '../types.ts';
import {isLive} from './statements.ts';

type Condition = {readonly sql: string; readonly values: readonly number[]};
type Position = {readonly order: string | number; readonly id: number};
type Found = Position & {readonly key: string};

const keysPerPage = 256;

/** `length` of a blob is in the row's head: the value is not read. */
const columns = {
	createdAt: 'created_at', freshUntil: 'fresh_until', size: 'length(value)', key: 'key',
} as const;

/** `created_at` and `fresh_until` are set together: either says that it is an entry. Which one is asked decides which index is used. */
function conditionOf({staleAt, createdBefore, orderBy}: StoreQuery, now: number): Condition {
	const parts = [isLive];
	const values = [now];
	if (staleAt !== undefined) {
		parts.push('fresh_until <= ?');
		values.push(staleAt);
	}

	if (createdBefore !== undefined) {
		parts.push('created_at < ?');
		values.push(createdBefore);
	}

	if (orderBy === 'freshUntil') {
		parts.push('fresh_until IS NOT NULL');
	} else if (values.length === 1) {
		// The sign keeps SQLite from an index by time, after which it would have to sort.
		parts.push(`${orderBy === 'key' ? '+' : ''}created_at IS NOT NULL`);
	}

	return {sql: parts.join(' AND '), values};
}

/**
The keys that are found, page by page: no lock is held between two of them.

@param last - The newest row that counts, so that one which is deleted and set anew meanwhile is not met twice.
*/
export function * findKeys(database: DatabaseSync, query: StoreQuery, last: number, now: () => number): Generator<string, void> {
	const column = columns[query.orderBy ?? (query.staleAt === undefined ? 'createdAt' : 'freshUntil')];
	const [direction, beyond] = query.descending === true ? ['DESC', '<'] : ['ASC', '>'];
	// Without an index every page would cost as much as all of them.
	const limit = query.orderBy === 'size' ? -1 : keysPerPage;
	let position: Position | undefined;
	// What is set anew meanwhile has another place, and would come again.
	const met = new Set<number>();
	for (;;) {
		const {sql, values} = conditionOf(query, now());
		const after = position === undefined ? '' : `AND (${column}, id) ${beyond} (?, ?)`;
		const statement = database.prepare(`
			SELECT id, key, ${column} AS "order" FROM entries WHERE ${sql} AND id <= ? ${after} ORDER BY ${column} ${direction}, id ${direction} LIMIT ${limit}
		`);
		const page = statement.all(...values, last, ...(position === undefined ? [] : [position.order, position.id])) as Found[];
		for (const {id, key} of page) {
			if (!met.has(id)) {
				met.add(id);
				yield key;
			}
		}

		position = page.at(-1);
		if (page.length < keysPerPage || limit === -1) {
			return;
		}
	}
}

const rowsPerDeletion = 25_000;

/**
Deletes what is found, in steps of 25,000 rows, and gives the number of each step.

Steps go by id, so that a page of the table is touched once, by what the cache still holds and the log need not be moved in between: 100,000 rows of 1 KB take 1 s that way, and 10 to 20 s in small steps by time.
*/
export function * deleteRows(database: DatabaseSync, query: StoreQuery, now: number): Generator<number, void> {
	const {sql, values} = conditionOf(query, now);
	const rows = database.prepare(`SELECT id FROM entries WHERE ${sql} ORDER BY id`).all(...values) as Array<{id: number}>;
	const statement = database.prepare(`DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE ${sql} AND id >= ? AND id <= ?)`);
	database.exec('PRAGMA cache_size = -64000; PRAGMA wal_autocheckpoint = 0');
	try {
		for (let start = 0; start < rows.length; start += rowsPerDeletion) {
			const end = Math.min(start + rowsPerDeletion, rows.length) - 1;
			yield Number(statement.run(...values, rows[start]!.id, rows[end]!.id).changes);
		}
	} finally {
		if (database.isOpen) {
			database.exec('PRAGMA cache_size = -2000; PRAGMA wal_autocheckpoint = 1000');
		}
	}
}
