import type {DatabaseSync, StatementSync} from 'node:sqlite';

export type Statements = Record<'get' | 'set' | 'add' | 'delete' | 'clear' | 'purge' | 'last' | 'page' | 'row' | 'count' | 'bytes' | 'free' | 'use' | 'oldEntries' | 'old' | 'evict', StatementSync>;

/** What is done with an open file. */
export type Action<T> = (statements: Statements, database: DatabaseSync) => T;

export const isLive = '(expires IS NULL OR expires > ?)';

/** Where the clock has gone back, what is used now was still used last. */
const latest = 'max(?, (SELECT ifnull(max(used), 0) FROM entries))';
const insert = `INSERT INTO entries (key, expires, created_at, fresh_until, used, value) VALUES (?, ?, ?, ?, ${latest}, ?)`;
const update = `ON CONFLICT (key) DO UPDATE SET
	expires = excluded.expires, created_at = excluded.created_at, fresh_until = excluded.fresh_until, used = excluded.used, value = excluded.value`;

export function prepareStatements(database: DatabaseSync): Statements {
	return {
		get: database.prepare(`SELECT value FROM entries WHERE key = ? AND ${isLive}`),
		set: database.prepare(`${insert} ${update}`),
		add: database.prepare(`${insert} ${update} WHERE entries.expires <= ?`),
		delete: database.prepare('DELETE FROM entries WHERE key = ? RETURNING expires'),
		clear: database.prepare('DELETE FROM entries'),
		purge: database.prepare('DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE expires <= ? ORDER BY expires LIMIT ?)'),
		last: database.prepare('SELECT ifnull(max(id), 0) AS id FROM entries'),
		page: database.prepare(`SELECT id FROM entries WHERE id > ? AND id <= ? AND ${isLive} ORDER BY id LIMIT ?`),
		row: database.prepare(`SELECT key, value FROM entries WHERE id = ? AND ${isLive}`),
		// What has expired is subtracted: it is little, and the rest is counted by an index alone.
		count: database.prepare(`SELECT
			(SELECT count(*) FROM entries WHERE created_at IS NOT NULL) - (SELECT count(*) FROM entries WHERE expires <= ? AND +created_at IS NOT NULL) AS count`),
		bytes: database.prepare('SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size'),
		free: database.prepare('SELECT freelist_count AS pages FROM pragma_freelist_count'),
		use: database.prepare(`UPDATE entries SET used = ${latest} WHERE key = ?`),
		// The sign keeps SQLite from an index by time, after which it would have to sort.
		oldEntries: database.prepare('SELECT id, length(value) AS bytes FROM entries WHERE +created_at IS NOT NULL ORDER BY used LIMIT ?'),
		old: database.prepare('SELECT id, length(value) AS bytes FROM entries ORDER BY used LIMIT ?'),
		evict: database.prepare('DELETE FROM entries WHERE id = ? RETURNING key'),
	};
}
