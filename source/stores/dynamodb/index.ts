import {KeyvAdapter} from '../keyv-adapter.ts';
import {checked, checkOptions} from '../options.ts';
import {dynamoDbOptions, type DynamoDbOptions} from './options.ts';
import {DynamoDbStore} from './store.ts';

export type {DynamoDbOptions, DynamoDbStoreOptions} from './options.ts';
export {DynamoDbStore} from './store.ts';

/** The options of the adapter `KeyvDynamoDb`. */
export type KeyvDynamoDbOptions = DynamoDbOptions & {
	/**
	The namespace of the entries in the table. A Keyv that has a namespace sets it. Default: none.
	*/
	readonly namespace?: string;
};

/**
A storage adapter for Keyv 5 and 6 on a DynamoDB table: `asKeyvAdapter()` of a `DynamoDbStore`, which says more of the table and the errors. Its entries are in the partition `keyv`.

@throws {SettingError} If an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` if the SDK is not installed.

@example
```ts
import {Keyv} from 'keyv';
import {KeyvDynamoDb} from 'got-cache-hooks/dynamodb';

const keyv = new Keyv({store: new KeyvDynamoDb({tableName: 'cache'}), namespace: 'users'});
```
*/
export class KeyvDynamoDb extends KeyvAdapter {
	constructor(options: KeyvDynamoDbOptions = {}) {
		checkOptions('KeyvDynamoDb', options, {...dynamoDbOptions, namespace: checked(value => typeof value === 'string', 'a string')});
		const {namespace, ...own} = options;
		super(new DynamoDbStore({...own, cacheName: 'keyv'}), own);
		this.namespace = namespace;
	}
}
