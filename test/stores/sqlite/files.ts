import {Buffer} from 'node:buffer';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import type {ExecutionContext} from 'ava';
import {testFolder} from '../../helpers/temporary-folder.ts';

export const noExpiry = {expires: undefined} as const;

export const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Returns the path of a database in a folder that is removed after the test. */
export function temporaryFile(t: ExecutionContext): string {
	return join(testFolder(t), 'cache.sqlite');
}

/** Returns the first row of a query, through a connection of its own. */
export function query(path: string, sql: string): Record<string, unknown> | undefined {
	const database = new DatabaseSync(path);
	try {
		return database.prepare(sql).get();
	} finally {
		database.close();
	}
}

export function countOf(path: string): unknown {
	return query(path, 'SELECT count(*) AS count FROM entries')?.count;
}
