import type * as sdkModule from '@aws-sdk/client-dynamodb';
import type {
	BatchGetItemInput,
	BatchGetItemOutput,
	BatchWriteItemInput,
	BatchWriteItemOutput,
	CreateTableInput,
	CreateTableOutput,
	DeleteItemInput,
	DeleteItemOutput,
	DescribeTableInput,
	DescribeTableOutput,
	DescribeTimeToLiveInput,
	DescribeTimeToLiveOutput,
	DynamoDBClient,
	GetItemCommand,
	GetItemInput,
	GetItemOutput,
	PutItemInput,
	PutItemOutput,
	QueryInput,
	QueryOutput,
	UpdateItemInput,
	UpdateItemOutput,
	UpdateTimeToLiveInput,
	UpdateTimeToLiveOutput,
} from '@aws-sdk/client-dynamodb';
import {CacheHooksError} from '../../errors.ts';
import {driver} from '../driver.ts';
import {faultOf} from './faults.ts';
import type {ResolvedOptions} from './options.ts';
import {ensureTable} from './table.ts';

type Calls = {
	BatchGetItem: [BatchGetItemInput, BatchGetItemOutput];
	BatchWriteItem: [BatchWriteItemInput, BatchWriteItemOutput];
	CreateTable: [Omit<CreateTableInput, 'TableName'>, CreateTableOutput];
	DeleteItem: [Omit<DeleteItemInput, 'TableName'>, DeleteItemOutput];
	DescribeTable: [Omit<DescribeTableInput, 'TableName'>, DescribeTableOutput];
	DescribeTimeToLive: [Omit<DescribeTimeToLiveInput, 'TableName'>, DescribeTimeToLiveOutput];
	GetItem: [Omit<GetItemInput, 'TableName'>, GetItemOutput];
	PutItem: [Omit<PutItemInput, 'TableName'>, PutItemOutput];
	Query: [Omit<QueryInput, 'TableName'>, QueryOutput];
	UpdateItem: [Omit<UpdateItemInput, 'TableName'>, UpdateItemOutput];
	UpdateTimeToLive: [Omit<UpdateTimeToLiveInput, 'TableName'>, UpdateTimeToLiveOutput];
};

type Sdk = typeof sdkModule;
type AnyCommand = new (input: object) => GetItemCommand;

/** One call of DynamoDB by its name there; the table is added. */
export type Send = <Name extends keyof Calls>(name: Name, input: Calls[Name][0]) => Promise<Calls[Name][1]>;

/**
One table of DynamoDB. Nothing is loaded or connected before the first call, which sees to the table if it is to be made.
*/
export class Connection {
	readonly options: ResolvedOptions;
	readonly #sdk: () => Promise<Sdk>;
	readonly #given: DynamoDBClient | undefined;
	#own: DynamoDBClient | undefined;
	#ready: Promise<void> | undefined;
	#isClosed = false;

	/**
	Looks for the SDK.

	@throws {CacheHooksError} `ERR_STORE_DRIVER` where it is not installed.
	*/
	constructor(options: ResolvedOptions) {
		this.options = options;
		this.#given = isClient(options.client) ? options.client : undefined;
		this.#sdk = driver('@aws-sdk/client-dynamodb', 'dynamodb', async () => import('@aws-sdk/client-dynamodb'));
	}

	/**
	Makes one call, when the table is there.

	@throws {CacheHooksError} `ERR_STORE_CLOSED`, and what `faultOf` makes of what fails.
	*/
	readonly send: Send = async (name, input) => {
		await this.#open();
		try {
			return await this.#call(name, input);
		} catch (error) {
			if (!this.options.createTable || (error as CacheHooksError).code !== 'ERR_STORE_TABLE') {
				throw error;
			}

			// Somebody has deleted it meanwhile.
			this.#ready = undefined;
			await this.#open();
			return this.#call(name, input);
		}
	};

	close(): void {
		this.#isClosed = true;
		this.#own?.destroy();
		this.#own = undefined;
	}

	async #open(): Promise<void> {
		if (!this.options.createTable) {
			return;
		}

		const ready = this.#ready ?? ensureTable(this.#call, this.options.tableName);
		this.#ready = ready;
		try {
			await ready;
		} catch (error) {
			if (this.#ready === ready) {
				// The next call tries again.
				this.#ready = undefined;
			}

			throw error;
		}
	}

	readonly #call: Send = async (name, input) => {
		const {tableName} = this.options;
		const sdk = await this.#sdk();
		if (this.#isClosed) {
			throw new CacheHooksError('ERR_STORE_CLOSED', `The DynamoDB store \`${tableName}\` is closed`);
		}

		const client = this.#given ?? this.#openClient(sdk);
		const command = new (sdk[`${name}Command`] as unknown as AnyCommand)(name.startsWith('Batch') ? input : {TableName: tableName, ...input});
		try {
			return await client.send(command);
		} catch (error) {
			throw faultOf(error, tableName);
		}
	};

	#openClient(sdk: Sdk): DynamoDBClient {
		// The SDK's own defaults wait for ever.
		this.#own ??= new sdk.DynamoDBClient({
			maxAttempts: 3,
			requestHandler: {connectionTimeout: 1000, requestTimeout: 10_000, throwOnRequestTimeout: true},
			...this.options.client,
		});
		return this.#own;
	}
}

function isClient(client: object): client is DynamoDBClient {
	return typeof (client as {send?: unknown}).send === 'function';
}
