import {SettingError} from '../../errors.ts';
import type {Store, StoredValue} from '../types.ts';
import {Connection} from './connection.ts';
import {Entries} from './entries.ts';
import {resolveOptions, type DynamoDbOptions} from './options.ts';

export type DynamoDbStoreOptions = DynamoDbOptions & {
	/**
	The namespace: sets this cache's entries apart in the table. Default: `'http_cache'`.
	*/
	readonly cacheName?: string;
};

/**
Keeps documents in a DynamoDB table, as items that can be read in a console; several processes may share it, and several caches, each under its own name.

- An entry over 380 KB lies in chunks beside its item, as JSON text, or as bytes of `node:v8` where JSON would lose something. A reader has one whole version, or a miss.
- DynamoDB deletes what has expired late; it is not served any more.
- `iterate`, `clear` and `count` read all items of the cache, and nothing else in the table.

The SDK, `@aws-sdk/client-dynamodb`, is looked for at once and loaded by the first call. What fails is a `CacheHooksError`: `ERR_STORE_THROTTLED`, `ERR_STORE_CREDENTIALS`, `ERR_STORE_UNREACHABLE`, `ERR_STORE_TABLE` (there is none), `ERR_STORE_SCHEMA`, else `ERR_STORE_FAULT`, with the SDK's error as `cause`. After `close` every call throws `ERR_STORE_CLOSED`.

@throws {SettingError} For a wrong option.
@throws {CacheHooksError} `ERR_STORE_DRIVER` where the SDK is not installed.

@example
```ts
const store = new DynamoDbStore({client: {region: 'eu-central-1'}, tableName: 'responses'});
```
*/
export class DynamoDbStore extends Entries<StoredValue> implements Store {
	readonly name = 'dynamodb';
	readonly holds = 'documents';

	constructor({cacheName = 'http_cache', ...options}: DynamoDbStoreOptions = {}) {
		if (typeof cacheName !== 'string' || cacheName === '') {
			throw new SettingError('cacheName', cacheName, 'a name');
		}

		super(new Connection(resolveOptions(options)), cacheName);
	}

	async deleteMany(keys: readonly string[]): Promise<void> {
		await this.deleteEach(keys);
	}
}
