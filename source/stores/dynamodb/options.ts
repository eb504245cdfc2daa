import type {DynamoDBClient, DynamoDBClientConfig} from '@aws-sdk/client-dynamodb';
import {
	boolean,
	checkOptions,
	commonOptions,
	matching,
	milliseconds,
	objectWith,
	type CommonOptions,
	type OptionTypes,
} from '../options.ts';

/** The options of a DynamoDB table, for the store and for the adapter of Keyv. */
export type DynamoDbOptions = Pick<CommonOptions, 'now'> & {
	/**
	A client, which stays open when the store is closed, or the options of a client of our own. Default: the configuration of the AWS SDK (environment, profile, role), with at most 3 attempts for each call, of which each may take 1 s to connect and 10 s in all.
	*/
	readonly client?: DynamoDBClient | DynamoDBClientConfig;

	/** The name of the table. Default: `'http_cache'`. */
	readonly tableName?: string;

	/**
	Whether the first call creates the table if it does not exist, billed on demand and with a TTL, and waits until it is active (some 10 s, in which calls under a time limit fail). An existing table is not changed: turn on its TTL for the attribute `ttl` yourself. Default: `true`.
	*/
	readonly createTable?: boolean;

	/**
	Whether a read sees every write that was answered before it, for twice the price. If `false`, a read may be some milliseconds behind. Default: `false`.
	*/
	readonly consistentRead?: boolean;

	/**
	The number of milliseconds in which keys and items that DynamoDB left unprocessed are tried again, with growing pauses, before the call fails with `ERR_STORE_THROTTLED`. Default: 10,000.
	*/
	readonly retryFor?: number;
};

export const dynamoDbOptions: OptionTypes<DynamoDbOptions> = {
	now: commonOptions.now,
	client: objectWith([], 'a `DynamoDBClient` or its options'),
	tableName: matching(/^[\w\-.]{3,255}$/v, 'a name of 3 to 255 letters, digits, `_`, `.` and `-`'),
	createTable: boolean,
	consistentRead: boolean,
	retryFor: milliseconds,
};

/** The options of the store `'dynamodb'`. */
export type DynamoDbStoreOptions = CommonOptions & DynamoDbOptions;

/** Throws a `SettingError` for a wrong option. */
export function checkDynamoDbOptions(options: DynamoDbStoreOptions): void {
	checkOptions('createStore(\'dynamodb\')', options, {...commonOptions, ...dynamoDbOptions});
}
