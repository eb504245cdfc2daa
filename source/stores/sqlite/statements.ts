import type {DatabaseSync, StatementSync} from 'node:sqlite';
import type {StoreQuery} from '../types.ts';

type EntryStatement = 'get' | 'set' | 'add' | 'delete' | 'clear' | 'purge' | 'last' | 'page' | 'row' | 'count' | 'bytes' | 'free' | 'use' | 'oldEntries' | 'old' | 'evict';
type LockStatement = 'lockGet' | 'lockSet' | 'lockAdd' | 'lockDelete' | 'locksPurge' | 'locksClear';

export type Statements = Readonly<Record<EntryStatement | LockStatement, StatementSync>>;

/** Does something with the open file. */
export type Action<T> = (statements: Statements, database: DatabaseSync) => T;

const unexpired = '(expires IS NULL OR expires > ?)';

/** Keeps the order of use when the clock is set back. */
const latest = 'max(?, (SELECT ifnull(max(used), 0) FROM entries))';
const insertLock = 'INSERT INTO locks (key, expires, value) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, value = excluded.value';
const insert = `INSERT INTO entries (key, expires, created_at, fresh_until, used, value) VALUES (?, ?, ?, ?, ${latest}, ?)`;
const update = `ON CONFLICT (key) DO UPDATE SET
	expires = excluded.expires, created_at = excluded.created_at, fresh_until = excluded.fresh_until, used = excluded.used, value = excluded.value`;

export function prepareStatements(database: DatabaseSync): Statements {
	return {
		get: database.prepare(`SELECT value FROM entries WHERE key = ? AND ${unexpired}`),
		set: database.prepare(`${insert} ${update}`),
		add: database.prepare(`${insert} ${update} WHERE entries.expires <= ?`),
		delete: database.prepare('DELETE FROM entries WHERE key = ? RETURNING expires'),
		clear: database.prepare('DELETE FROM entries'),
		purge: database.prepare('DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE expires <= ? ORDER BY expires LIMIT ?)'),
		last: database.prepare('SELECT ifnull(max(id), 0) AS id FROM entries'),
		page: database.prepare(`SELECT id FROM entries WHERE id > ? AND id <= ? AND ${unexpired} ORDER BY id LIMIT ?`),
		row: database.prepare(`SELECT key, value FROM entries WHERE id = ? AND ${unexpired}`),
		// Expired entries are few and are subtracted, so that the rest is counted by an index alone.
		count: database.prepare(`SELECT
			(SELECT count(*) FROM entries WHERE created_at IS NOT NULL) - (SELECT count(*) FROM entries WHERE expires <= ? AND +created_at IS NOT NULL) AS count`),
		bytes: database.prepare('SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size'),
		free: database.prepare('SELECT freelist_count AS pages FROM pragma_freelist_count'),
		use: database.prepare(`UPDATE entries SET used = ${latest} WHERE key = ?`),
		// The sign prevents the use of an index by time, after which SQLite would have to sort.
		oldEntries: database.prepare('SELECT id, length(value) AS bytes FROM entries WHERE +created_at IS NOT NULL ORDER BY used LIMIT ?'),
		old: database.prepare('SELECT id, length(value) AS bytes FROM entries ORDER BY used LIMIT ?'),
		evict: database.prepare('DELETE FROM entries WHERE id = ? RETURNING key'),
		lockGet: database.prepare('SELECT value FROM locks WHERE key = ? AND expires > ?'),
		lockSet: database.prepare(insertLock),
		lockAdd: database.prepare(`${insertLock} WHERE locks.expires <= ?`),
		lockDelete: database.prepare('DELETE FROM locks WHERE key = ?'),
		locksPurge: database.prepare('DELETE FROM locks WHERE expires <= ?'),
		locksClear: database.prepare('DELETE FROM locks'),
	};
}

/** The size of the part of the file that is in use, in bytes. */
export function bytesOf({bytes}: Statements): number {
	return (bytes.get() as {bytes: number}).bytes;
}

/** A row of a page, after whose position the next page begins. */
export type Found = {readonly position: string | number; readonly id: number; readonly key: string};

const keysPerPage = 256;

/** `length` of a blob is in the head of the row, so that the value is not read. */
const columns = {
	createdAt: 'created_at', freshUntil: 'fresh_until', size: 'length(value)', key: 'key',
} as const;

/** `created_at` and `fresh_until` are both set for entries. The one in the condition decides which index is used. */
function conditionOf({staleAt, createdBefore, orderBy}: StoreQuery, now: number): {readonly sql: string; readonly values: readonly number[]} {
	const parts = [unexpired];
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
		// As above, the sign prevents the use of an index by time.
		parts.push(`${orderBy === 'key' ? '+' : ''}created_at IS NOT NULL`);
	}

	return {sql: parts.join(' AND '), values};
}

type Page = {
	/** The id of the newest row that counts, so that a row that is deleted and set again does not come twice. */
	readonly last: number;
	readonly now: number;

	/** The last row of the page before. */
	readonly after: Found | undefined;
};

/** Returns a page of rows that meet the query, and whether it is the last one. */
export function findPage(database: DatabaseSync, query: StoreQuery, {last, now, after}: Page): {readonly rows: readonly Found[]; readonly isLast: boolean} {
	const column = columns[query.orderBy ?? (query.staleAt === undefined ? 'createdAt' : 'freshUntil')];
	const [direction, beyond] = query.descending === true ? ['DESC', '<'] : ['ASC', '>'];
	const {sql, values} = conditionOf(query, now);
	// Without an index, every page would cost as much as all of them.
	const limit = query.orderBy === 'size' ? -1 : keysPerPage;
	const rows = database.prepare(`
		SELECT id, key, ${column} AS position FROM entries WHERE ${sql} AND id <= ? ${after === undefined ? '' : `AND (${column}, id) ${beyond} (?, ?)`}
		ORDER BY ${column} ${direction}, id ${direction} LIMIT ${limit}
	`).all(...values, last, ...(after === undefined ? [] : [after.position, after.id])) as Found[];
	return {rows, isLast: rows.length < keysPerPage || limit === -1};
}

/** Returns the ids of the rows that meet the query, in order. */
export function findIds(database: DatabaseSync, query: StoreQuery, now: number): number[] {
	const {sql, values} = conditionOf(query, now);
	const rows = database.prepare(`SELECT id FROM entries WHERE ${sql} ORDER BY id`).all(...values) as Array<{id: number}>;
	return rows.map(({id}) => id);
}

/**
The number of rows that are deleted in one step.

Steps are by id, so that each page of the table changes once while it is in memory, and the log need not be moved meanwhile: 100,000 rows of 1 KB take 1 s, and 10 to 20 s in small steps by time.
*/
export const rowsPerDeletion = 25_000;

/** Deletes the rows that meet the query and have an id in the range, both ends included. Returns their number. */
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
