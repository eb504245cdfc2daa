import type * as MongoDb from 'mongodb';
import {driverError, ignore, type ResolvedServerOptions} from '../server-options.ts';
import {ServerConnection} from '../server-connection.ts';
import {within} from '../time-limit.ts';
import type {MongoServerOptions} from './options.ts';

export type ConnectedMongo = {
	readonly driver: typeof MongoDb;
	readonly client: MongoDb.MongoClient;
	readonly database: MongoDb.Db;
};

export type MongoConnection = ServerConnection<ConnectedMongo>;

/**
Returns a connection, which its first call opens. The driver itself repairs everything but a failed connect and a timeout.
*/
export function mongoConnection(name: string, options: MongoServerOptions, limits: ResolvedServerOptions): MongoConnection {
	const {databaseName, client: given} = options;
	const store = name.toLowerCase();
	const load = async (): Promise<typeof MongoDb> => {
		try {
			return await import('mongodb');
		} catch (error) {
			throw driverError('mongodb', store, error);
		}
	};

	const close = async ({client}: ConnectedMongo): Promise<void> => within(limits.connectionTimeout, 'close', client.close());
	return new ServerConnection({
		name,
		limits,
		isShared: given !== undefined,
		async connect() {
			const mongodb = await load();
			const client = (given ?? createMongoClient(mongodb, options, limits)) as MongoDb.MongoClient;
			const connected = {driver: mongodb, client, database: databaseOf(client, databaseName)};
			try {
				await within(limits.connectionTimeout, 'connect', client.connect());
			} catch (error) {
				if (given === undefined) {
					void close(connected).catch(ignore);
				}

				throw error;
			}

			return connected;
		},
		disconnect: close,
	});
}

function createMongoClient({MongoClient}: typeof MongoDb, {url = 'mongodb://localhost:27017', clientOptions}: MongoServerOptions, {connectionTimeout, commandTimeout}: ResolvedServerOptions): MongoDb.MongoClient {
	/* eslint-disable @typescript-eslint/naming-convention -- The driver's names. */
	return new MongoClient(url, {
		serverSelectionTimeoutMS: connectionTimeout,
		connectTimeoutMS: connectionTimeout,
		waitQueueTimeoutMS: commandTimeout,
		socketTimeoutMS: commandTimeout,
		...clientOptions,
	});
	/* eslint-enable @typescript-eslint/naming-convention */
}

function databaseOf(client: MongoDb.MongoClient, name: string | undefined): MongoDb.Db {
	const database = client.db(name);
	// `test` is the driver's default if the URL names no database.
	return name === undefined && database.databaseName === 'test' ? client.db('http_cache') : database;
}

export type Index = readonly [fields: MongoDb.IndexSpecification, options: MongoDb.CreateIndexesOptions];

/** An index by which the server deletes expired documents. The filter selects ours, since the collection may hold others. */
export function expiryIndex(filter: MongoDb.Document): Index {
	return [{expires: 1}, {expireAfterSeconds: 0, partialFilterExpression: filter}];
}

/** Makes the indexes that do not exist yet. Several processes may do so at once. */
export async function makeIndexes({driver: {MongoServerError}}: ConnectedMongo, collection: MongoDb.Collection, indexes: readonly Index[]): Promise<void> {
	for (const [fields, options] of indexes) {
		try {
			await collection.createIndex(fields, options, {}); // eslint-disable-line no-await-in-loop
		} catch (error) {
			// A server that cannot make an index, or forbids it, is slow and needs `purge`, but works.
			if (!(error instanceof MongoServerError)) {
				throw error;
			}
		}
	}
}

const itemsPerPage = 256;

/** Yields pages of items in the order of their ids. No cursor stays open between two pages. */
export async function * pagesById<Item, Id>(read: (after: Id | undefined, limit: number) => Promise<readonly Item[]>, idOf: (item: Item) => Id): AsyncGenerator<readonly Item[], void> {
	let after: Id | undefined;
	for (;;) {
		const page = await read(after, itemsPerPage); // eslint-disable-line no-await-in-loop
		yield page;
		if (page.length < itemsPerPage) {
			return;
		}

		after = idOf(page.at(-1)!);
	}
}
