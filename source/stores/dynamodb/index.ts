export {DynamoDbStore, type DynamoDbStoreOptions} from './store.ts';
export {KeyvDynamoDb, type KeyvDynamoDbOptions, type KeyvDynamoDbEntry} from './keyv.ts';
export type {DynamoDbOptions} from './options.ts';
