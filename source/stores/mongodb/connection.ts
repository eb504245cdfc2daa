import type * as MongoDb from 'mongodb';
import {SettingError, StoreTimeoutError} from '../../errors.ts';
import {Calls, within} from '../time-limit.ts';
import {
	driver,
	closedError,
	type ResolvedServerOptions,
	type ServerOptions,
} from '../server-options.ts';

/**
A `MongoClient` of the package `mongodb`.
*/
type MongoClientLike = {
	connect(): Promise<unknown>;
	db(name?: string): unknown;
	close(): Promise<void>;
};

export type MongoServerOptions = ServerOptions & {
	/**
	The server: `'mongodb://…'` or `'mongodb+srv://…'`. Default: `'mongodb://localhost:27017'`.
	*/
	readonly url?: string;

	/**
	Options of the driver's `MongoClient`. Default: `connectionTimeout` and `commandTimeout` as the driver's own time limits.
	*/
	readonly clientOptions?: Readonly<Record<string, unknown>>;

	/**
	A `MongoClient`, which is connected where it is not, and never closed here.
	*/
	readonly client?: MongoClientLike;

	/**
	Default: the database that the URL names, and `'http_cache'` where it names none or MongoDB's own default, `test`.
	*/
	readonly databaseName?: string;
};

export type MongoLink = {
	readonly driver: typeof MongoDb;
	readonly database: MongoDb.Db;
};

type Opened = MongoLink & {readonly client: MongoDb.MongoClient};

/**
One connection, made by the first call. What fails while connecting, or does not answer in time, is given up where it is our own, and the next call makes another; all else the driver mends itself.
*/
export class MongoConnection {
	readonly #name: string;
	readonly #options: MongoServerOptions;
	readonly #limits: ResolvedServerOptions;
	readonly #load: () => Promise<typeof MongoDb>;
	readonly #calls: Calls;
	#opened: Promise<Opened> | undefined;
	#isClosed = false;

	constructor(name: string, options: MongoServerOptions, limits: ResolvedServerOptions) {
		const {url, databaseName} = options;
		if (url !== undefined && !/^mongodb(?:\+srv)?:\/\/./v.test(url)) {
			// A URL may hold a password.
			throw new SettingError('url', typeof url, 'a URL that begins with `mongodb://` or `mongodb+srv://`');
		}

		if (databaseName !== undefined && (databaseName === '' || /[\0 "$*.\/:<>?\\\|]/v.test(databaseName))) {
			throw new SettingError('databaseName', databaseName, 'the name of a database of MongoDB');
		}

		this.#name = name;
		this.#options = options;
		this.#limits = limits;
		this.#load = driver('mongodb', name.toLowerCase(), () => import('mongodb'));
		this.#calls = new Calls(limits.connectionTimeout + limits.commandTimeout);
	}

	/** One call, within its time. `bytes` is how much is sent or fetched. */
	async run<T>(operation: string, action: (link: MongoLink) => Promise<T>, bytes?: number): Promise<T> {
		let opened: Promise<Opened> | undefined;
		try {
			return await this.#calls.run(operation, async () => {
				opened = this.#open();
				return action(await opened);
			}, bytes);
		} catch (error) {
			if (opened !== undefined && this.#opened === opened && error instanceof StoreTimeoutError) {
				this.#opened = undefined;
				void this.#closeOurs(opened);
			}

			throw error;
		}
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		const opened = this.#opened;
		this.#opened = undefined;
		if (opened !== undefined) {
			await this.#closeOurs(opened);
		}
	}

	#open(): Promise<Opened> {
		if (this.#isClosed) {
			throw closedError(this.#name);
		}

		this.#opened ??= this.#connect();
		return this.#opened;
	}

	async #connect(): Promise<Opened> {
		const mongodb = await this.#load();
		const client = (this.#options.client ?? this.#create(mongodb)) as MongoDb.MongoClient;
		const opened = {driver: mongodb, client, database: this.#database(client)};
		try {
			await within(this.#limits.connectionTimeout, 'connect', client.connect());
			return opened;
		} catch (error) {
			this.#opened = undefined;
			void this.#closeOurs(Promise.resolve(opened));
			throw error;
		}
	}

	#create({MongoClient}: typeof MongoDb): MongoDb.MongoClient {
		const {url = 'mongodb://localhost:27017', clientOptions} = this.#options;
		const {connectionTimeout, commandTimeout} = this.#limits;
		/* eslint-disable @typescript-eslint/naming-convention -- the driver has its own */
		return new MongoClient(url, {
			serverSelectionTimeoutMS: connectionTimeout,
			connectTimeoutMS: connectionTimeout,
			waitQueueTimeoutMS: commandTimeout,
			socketTimeoutMS: commandTimeout,
			...clientOptions,
		});
		/* eslint-enable @typescript-eslint/naming-convention */
	}

	#database(client: MongoDb.MongoClient): MongoDb.Db {
		const {databaseName} = this.#options;
		if (databaseName !== undefined) {
			return client.db(databaseName);
		}

		// The driver's default where the URL names none.
		const named = client.db();
		return named.databaseName === 'test' ? client.db('http_cache') : named;
	}

	/** Closing tells the server of it, which may not listen. */
	async #closeOurs(opened: Promise<Opened>): Promise<void> {
		if (this.#options.client !== undefined) {
			return;
		}

		try {
			const {client} = await opened;
			await within(this.#limits.connectionTimeout, 'close', client.close());
		} catch {
			// There is nothing more to give back.
		}
	}
}

type Index = readonly [fields: MongoDb.IndexSpecification, options: MongoDb.CreateIndexesOptions];

/** By which the server deletes what has expired, of what matches the filter: the collection may hold documents of others. */
export function expiryIndex(ours: MongoDb.Document): Index {
	return [{expires: 1}, {expireAfterSeconds: 0, partialFilterExpression: ours}];
}

/** The server makes none a second time, so that processes may race. */
export async function makeIndexes({driver: {MongoServerError}}: MongoLink, collection: MongoDb.Collection, indexes: readonly Index[]): Promise<void> {
	for (const [fields, options] of indexes) {
		try {
			await collection.createIndex(fields, options, {}); // eslint-disable-line no-await-in-loop
		} catch (error) {
			// It may not, or cannot: without them it is slow, and needs `purge`, but works.
			if (!(error instanceof MongoServerError)) {
				throw error;
			}
		}
	}
}

/** MongoDB's limit for a document, less what stands beside the value. */
export const mostOfMongoDb: number = (16 * 1024 * 1024) - (64 * 1024);

export function checkLargest(bytes: number, least: number): number {
	if (!Number.isSafeInteger(bytes) || bytes < least || bytes > mostOfMongoDb) {
		throw new SettingError('largestDocument', bytes, `a number of bytes from ${least} to ${mostOfMongoDb}`);
	}

	return bytes;
}

/** `$` and `system.` are the server's own. */
export function checkCollection(option: string, name: unknown): string {
	if (typeof name !== 'string' || name === '' || /\$|\0|^system\.|^\.|\.$|\.\./v.test(name)) {
		throw new SettingError(option, name, 'the name of a collection of MongoDB');
	}

	return name;
}
