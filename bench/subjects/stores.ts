import assert from 'node:assert/strict';
import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {createClient} from '@keyv/redis';
import {MemoryStore} from '../../source/stores/memory.ts';
import {RedisStore} from '../../source/stores/redis/redis.ts';
import {SqliteStore} from '../../source/stores/sqlite/store.ts';
import type {Store} from '../../source/stores/types.ts';
import {jsonBody} from '../body.ts';
import type {Opened, Subject} from '../types.ts';

const key = 'http_cache:1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';

/** One that reads the body of a key, which is not a request's answer yet. */
function readingKey(bytes: number, read: () => unknown, close: () => unknown = () => {}): Opened {
	return {
		run: read,
		async check() {
			const value = await read();
			assert.equal(typeof value === 'string' ? value : Buffer.from(value as Uint8Array).toString(), jsonBody(bytes));
		},
		async close() {
			await close();
		},
	};
}

async function filled(store: Store, bytes: number): Promise<Opened> {
	await store.set(key, Buffer.from(jsonBody(bytes)), {expires: Date.now() + 3_600_000});
	return readingKey(bytes, () => store.get(key), () => store.close?.());
}

export const storeSubjects: Readonly<Record<string, Subject>> = {
	async 'Map, get'({bytes}) {
		const map = new Map([[key, Buffer.from(jsonBody(bytes))]]);
		return readingKey(bytes, () => map.get(key));
	},
	async 'SQLite, a select by its driver'({folder, bytes}) {
		const database = new DatabaseSync(join(folder, 'floor.sqlite'));
		database.exec('PRAGMA journal_mode = WAL; CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB)');
		database.prepare('INSERT INTO entries VALUES (?, ?)').run(key, Buffer.from(jsonBody(bytes)));
		const statement = database.prepare('SELECT value FROM entries WHERE key = ?');
		return readingKey(bytes, () => statement.get(key)!.value, () => {
			database.close();
		});
	},
	async 'Redis, GET by its driver'({redis, bytes}) {
		const client = createClient({url: redis!});
		await client.connect();
		await client.set(key, jsonBody(bytes));
		return readingKey(bytes, () => client.get(key), () => client.close());
	},
	'our memory store, get': ({bytes}) => filled(new MemoryStore(), bytes),
	'our SQLite store, get': ({folder, bytes}) => filled(new SqliteStore({path: join(folder, 'store.sqlite')}), bytes),
	'our Redis store, get': ({redis, bytes}) => filled(new RedisStore({url: redis!, cacheName: randomUUID()}), bytes),
};
