import type {DynamoDBClient, DynamoDBClientConfig} from '@aws-sdk/client-dynamodb';
import {SettingError} from '../../errors.ts';

export type DynamoDbOptions = {
	/**
	A client, which stays open when the store is closed, or the options of one of our own. Default: the configuration of the AWS SDK (environment, profile, role), with at most 3 attempts a call, of which each may take 1 s to connect and 10 s in all.
	*/
	readonly client?: DynamoDBClient | DynamoDBClientConfig;

	/** Default: `'http_cache'`. */
	readonly tableName?: string;

	/**
	Whether the first call makes the table where there is none, billed on demand and with a TTL, and waits until it is active (some 10 s, in which calls under a time limit fail). A table that is there stays as it is: turn on its TTL for the attribute `ttl` yourself. `false` asks nothing about the table. Default: `true`.
	*/
	readonly createTable?: boolean;

	/**
	Whether a read sees every write that was answered before, for twice the price. Default: `false`: it may lag by some milliseconds.
	*/
	readonly consistentRead?: boolean;

	/**
	Milliseconds for which keys and items that DynamoDB left unprocessed are tried again, with growing pauses, before the call fails with `ERR_STORE_THROTTLED`. Default: 10,000.
	*/
	readonly retryFor?: number;

	/**
	The current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

export type ResolvedOptions = Required<DynamoDbOptions>;

/**
The options with their defaults.

@throws {SettingError} For a wrong one.
*/
export function resolveOptions(options: DynamoDbOptions): ResolvedOptions {
	const {client = {}, tableName = 'http_cache', consistentRead = false, retryFor = 10_000, now = () => Date.now()} = options;
	if (typeof client !== 'object' || client === null) {
		throw new SettingError('client', client, 'a `DynamoDBClient` or its options');
	}

	if (typeof tableName !== 'string' || !/^[\w\-.]{3,255}$/v.test(tableName)) {
		throw new SettingError('tableName', tableName, 'a name of 3 to 255 letters, digits, `_`, `.` and `-`');
	}

	const makesTable = options.createTable ?? true;
	for (const [path, value] of Object.entries({createTable: makesTable, consistentRead})) {
		if (typeof value !== 'boolean') {
			throw new SettingError(path, value, '`true` or `false`');
		}
	}

	if (typeof retryFor !== 'number' || !(retryFor >= 0)) {
		throw new SettingError('retryFor', retryFor, 'a number of milliseconds from 0');
	}

	return {
		client, tableName, createTable: makesTable, consistentRead, retryFor, now,
	};
}
