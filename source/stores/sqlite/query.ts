import type {DatabaseSync} from 'node:sqlite';
import type {StoreQuery} from '../types.ts';
import {isLive} from './statements.ts';

type Condition = {readonly sql: string; readonly values: readonly number[]};
/** Where the next page begins. */
export type Found = {readonly order: string | number; readonly id: number; readonly key: string};

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
A page of the keys that are found. `last` is the newest row that counts, so that one which is deleted and set anew meanwhile is not met twice.
*/
export function findPage(database: DatabaseSync, query: StoreQuery, {last, now, position}: {readonly last: number; readonly now: number; readonly position: Found | undefined}): Found[] {
	const column = columns[query.orderBy ?? (query.staleAt === undefined ? 'createdAt' : 'freshUntil')];
	const [direction, beyond] = query.descending === true ? ['DESC', '<'] : ['ASC', '>'];
	const {sql, values} = conditionOf(query, now);
	const after = position === undefined ? '' : `AND (${column}, id) ${beyond} (?, ?)`;
	return database.prepare(`
		SELECT id, key, ${column} AS "order" FROM entries WHERE ${sql} AND id <= ? ${after} ORDER BY ${column} ${direction}, id ${direction} LIMIT ${pageLength(query)}
	`).all(...values, last, ...(position === undefined ? [] : [position.order, position.id])) as Found[];
}

/** Without an index every page would cost as much as all of them: there is one. */
export function isLastPage(query: StoreQuery, page: readonly Found[]): boolean {
	return page.length < keysPerPage || pageLength(query) === -1;
}

function pageLength({orderBy}: StoreQuery): number {
	return orderBy === 'size' ? -1 : keysPerPage;
}

/**
Rows that are deleted in one step.

Steps go by id, so that a page of the table is touched once, by what the cache still holds and the log need not be moved in between: 100,000 rows of 1 KB take 1 s that way, and 10 to 20 s in small steps by time.
*/
export const rowsPerDeletion = 25_000;

/** The ids of the rows that are found, which a deletion goes by. */
export function findIds(database: DatabaseSync, query: StoreQuery, now: number): number[] {
	const {sql, values} = conditionOf(query, now);
	const rows = database.prepare(`SELECT id FROM entries WHERE ${sql} ORDER BY id`).all(...values) as Array<{id: number}>;
	return rows.map(({id}) => id);
}

/** Deletes what is still found between two ids, both included, and says how many that were. */
export function deleteBetween(database: DatabaseSync, query: StoreQuery, {first, last, now}: {readonly first: number; readonly last: number; readonly now: number}): number {
	const {sql, values} = conditionOf(query, now);
	const statement = database.prepare(`DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE ${sql} AND id >= ? AND id <= ?)`);
	database.exec('PRAGMA cache_size = -64000; PRAGMA wal_autocheckpoint = 0');
	try {
		return Number(statement.run(...values, first, last).changes);
	} finally {
		database.exec('PRAGMA cache_size = -2000; PRAGMA wal_autocheckpoint = 1000');
	}
}
