import {driver} from '../server-options.ts';
import {NamedAdapter, type StorageAdapter} from './named-adapter.ts';
import {checkTypes, type AdapterOptions} from './options.ts';

export type KeyvMongoOptions = AdapterOptions & {
	/**
	The server's URL, `mongodb:` or `mongodb+srv:`. Default: `'mongodb://127.0.0.1:27017'`, as the adapter's.
	*/
	readonly url?: string;

	/**
	The database. Default: that of the URL, or `'test'`.
	*/
	readonly db?: string;

	/**
	The collection. Default: `'keyv'`, as the adapter's.
	*/
	readonly collection?: string;

	/**
	Milliseconds that a call waits for a server that is not there. The driver's own default is 30 seconds. Default: 2000.
	*/
	readonly serverSelectionTimeoutMS?: number;

	/**
	Milliseconds that connecting may take. Default: 2000.
	*/
	readonly connectTimeoutMS?: number;

	/**
	Milliseconds after which a connection that does not answer is given up. Default: 10,000.
	*/
	readonly socketTimeoutMS?: number;
};

/**
The adapter of `@keyv/mongo`. It connects once, in its constructor, and where that fails its calls never answer; so one that could not connect is given up. Its `useGridFS` is not offered: each `set` adds a revision, and `delete` removes one of them; use the store `'gridfs'`.

@throws {TypeError} Where an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` where the package is missing.
*/
export function keyvMongo({
	url, db, collection = 'keyv', serverSelectionTimeoutMS = 2000, connectTimeoutMS = 2000, socketTimeoutMS = 10_000,
}: KeyvMongoOptions): NamedAdapter {
	const limits = {serverSelectionTimeoutMS, connectTimeoutMS, socketTimeoutMS};
	checkTypes({
		url, db, collection, ...limits,
	}, {
		url: 'text', db: 'text', collection: 'text', serverSelectionTimeoutMS: 'milliseconds', connectTimeoutMS: 'milliseconds', socketTimeoutMS: 'milliseconds',
	});
	const load = driver('@keyv/mongo', '@keyv/mongo', () => import('@keyv/mongo'));
	return new NamedAdapter('@keyv/mongo', async () => {
		const {KeyvMongo} = await load();
		const adapter = new KeyvMongo({
			...url !== undefined && {url}, ...db !== undefined && {db}, collection, ...limits,
		});
		await new Promise((resolve, reject) => {
			adapter.on('error', reject);
			void adapter.connect.then(resolve);
		});
		return adapter;
	});
}
