import {setTimeout as pause} from 'node:timers/promises';
import type * as sdkModule from '@aws-sdk/client-dynamodb';
import type {TableDescription, DynamoDBClient} from '@aws-sdk/client-dynamodb';
import {CacheHooksError} from '../../errors.ts';
import {
	closedError,
	driverError,
	onceSuccessful,
	requireDriver,
} from '../server-options.ts';
import {ttlAttribute} from './items.ts';
import type {DynamoDbOptions} from './options.ts';

const activationTime = 60_000;
const longestPause = 1000;

/**
Creates the table with a TTL if it does not exist, and waits until it is active. Several processes may do so at once. An existing table is not changed, since it may have other items, for which `ttl` has another meaning.

@throws {CacheHooksError} `ERR_STORE_SCHEMA` if the table has other keys, `ERR_STORE_TABLE` if it is not active within a minute.
*/
export async function ensureTable(send: Send, tableName: string): Promise<void> {
	const table = await describe(send);
	const isCreated = table === undefined && await create(send);
	checkKeys(table, tableName);
	await untilActive(send, tableName, table);
	if (isCreated) {
		await turnOnTimeToLive(send);
	}
}

async function describe(send: Send): Promise<TableDescription | undefined> {
	try {
		const {Table: table} = await send('DescribeTable', {});
		return table;
	} catch (error) {
		if (isCausedBy(error, 'ResourceNotFoundException')) {
			return undefined;
		}

		throw error;
	}
}

/** Returns `false` if another process was faster. */
async function create(send: Send): Promise<boolean> {
	try {
		await send('CreateTable', {
			AttributeDefinitions: [{AttributeName: 'namespace', AttributeType: 'S'}, {AttributeName: 'key', AttributeType: 'S'}],
			KeySchema: [{AttributeName: 'namespace', KeyType: 'HASH'}, {AttributeName: 'key', KeyType: 'RANGE'}],
			BillingMode: 'PAY_PER_REQUEST',
		});
		return true;
	} catch (error) {
		if (isCausedBy(error, 'ResourceInUseException')) {
			return false;
		}

		throw error;
	}
}

function checkKeys(table: TableDescription | undefined, tableName: string): void {
	const keys = table?.KeySchema?.map(({AttributeName: name, KeyType: type}) => `${name} ${type}`).join(', ');
	if (keys !== undefined && keys !== 'namespace HASH, key RANGE') {
		throw new CacheHooksError('ERR_STORE_SCHEMA', `The DynamoDB table \`${tableName}\` cannot be used: its partition key must be \`namespace\` and its sort key \`key\`.`);
	}
}

async function untilActive(send: Send, tableName: string, described: TableDescription | undefined): Promise<void> {
	const end = performance.now() + activationTime;
	let table = described;
	for (let wait = 25; !['ACTIVE', 'UPDATING'].includes(table?.TableStatus ?? ''); wait = Math.min(wait * 2, longestPause)) {
		if (performance.now() > end) {
			throw new CacheHooksError('ERR_STORE_TABLE', `The DynamoDB table \`${tableName}\` is not active after ${activationTime / 1000} s.`);
		}

		await pause(wait); // eslint-disable-line no-await-in-loop
		table = await describe(send); // eslint-disable-line no-await-in-loop
	}
}

async function turnOnTimeToLive(send: Send): Promise<void> {
	try {
		await send('UpdateTimeToLive', {TimeToLiveSpecification: {AttributeName: ttlAttribute, Enabled: true}});
	} catch (error) {
		// Some emulators have no TTL. Expired entries are not served anyway.
		if (!isCausedBy(error, 'UnknownOperationException')) {
			throw error;
		}
	}
}

type ResolvedOptions = Required<DynamoDbOptions>;
type Sdk = typeof sdkModule;
type CallName = 'BatchGetItem' | 'BatchWriteItem' | 'CreateTable' | 'DeleteItem' | 'DescribeTable' | 'GetItem' | 'PutItem' | 'Query' | 'UpdateItem' | 'UpdateTimeToLive';
type Command<Name extends CallName> = InstanceType<Sdk[`${Name}Command`]>;
type Input<Name extends CallName> = Omit<Command<Name>['input'], 'TableName'>;
type Output<Name extends CallName> = Awaited<ReturnType<ReturnType<Command<Name>['resolveMiddleware']>>>['output'];
type AnyCommand = new (input: object) => sdkModule.GetItemCommand;

/** Makes a call of DynamoDB by its name there, and adds the name of the table. */
export type Send = <Name extends CallName>(name: Name, input: Input<Name>) => Promise<Output<Name>>;

/**
A table of DynamoDB. The first call loads the SDK, connects, and creates the table if necessary.
*/
export class Connection {
	readonly options: ResolvedOptions;
	readonly #sdk: () => Promise<Sdk>;
	readonly #given: DynamoDBClient | undefined;
	#own: DynamoDBClient | undefined;
	#ready: () => Promise<void>;
	#isClosed = false;

	/**
	Checks that the SDK is installed.

	@throws {CacheHooksError} `ERR_STORE_DRIVER` if the SDK is not installed.
	*/
	constructor(options: DynamoDbOptions) {
		const {client = {}, tableName = 'http_cache', createTable: createsTable = true, consistentRead = false, retryFor = 10_000, now = () => Date.now()} = options;
		this.options = {
			client, tableName, createTable: createsTable, consistentRead, retryFor, now,
		};
		this.#ready = this.#untilTableExists();
		this.#given = isClient(client) ? client : undefined;
		requireDriver('@aws-sdk/client-dynamodb', 'dynamodb');
		this.#sdk = onceSuccessful(async () => {
			try {
				return await import('@aws-sdk/client-dynamodb');
			} catch (error) {
				throw driverError('@aws-sdk/client-dynamodb', 'dynamodb', error);
			}
		});
	}

	/**
	Makes a call when the table exists.

	@throws {CacheHooksError} `ERR_STORE_CLOSED`, or the error of `storeError`.
	*/
	readonly send: Send = async (name, input) => {
		await this.#ready();
		try {
			return await this.#call(name, input);
		} catch (error) {
			if (!this.options.createTable || (error as CacheHooksError).code !== 'ERR_STORE_TABLE') {
				throw error;
			}

			// The table was deleted after the first call.
			this.#ready = this.#untilTableExists();
			await this.#ready();
			return this.#call(name, input);
		}
	};

	close(): void {
		this.#isClosed = true;
		this.#own?.destroy();
	}

	#untilTableExists(): () => Promise<void> {
		return onceSuccessful(async () => this.options.createTable ? ensureTable(this.#call, this.options.tableName) : undefined);
	}

	readonly #call: Send = async (name, input) => {
		const {tableName} = this.options;
		const sdk = await this.#sdk();
		if (this.#isClosed) {
			throw closedError(`DynamoDB store \`${tableName}\``);
		}

		const client = this.#given ?? this.#createClient(sdk);
		const command = new (sdk[`${name}Command`] as unknown as AnyCommand)(name.startsWith('Batch') ? input : {TableName: tableName, ...input});
		try {
			return await client.send(command);
		} catch (error) {
			throw storeError(error, tableName);
		}
	};

	#createClient(sdk: Sdk): DynamoDBClient {
		// By default the SDK waits without a limit.
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

const throttling = /^(?:ProvisionedThroughputExceeded|Throttl|SlowDown|TooManyRequests|LimitExceeded|Request(?:Limit|Throttled))/v;
// eslint-disable-next-line @stylistic/max-len
const credentials = /^(?:AccessDenied|(?:Credentials|Token)Provider|ExpiredToken|IncompleteSignature|InvalidClientToken|InvalidSignature|MissingAuthenticationToken|NotAuthorized|OptInRequired|SignatureDoesNotMatch|UnrecognizedClient)/v;
const unreachable = /^(?:TimeoutError|RequestTimeout|AbortError|NetworkingError)$/v;

/**
Converts an error of the SDK to an error of this library, with the SDK's as `cause`. The SDK's message is left out, since that of a wrong signature contains the signed headers.
*/
function storeError(error: unknown, tableName: string): CacheHooksError {
	const {name = 'Error', code, $metadata, $retryable} = error as {
		name?: string; code?: unknown; $metadata?: {httpStatusCode?: number}; $retryable?: {throttling?: boolean};
	};
	const fault = (storeCode: string, fact: string): CacheHooksError =>
		new CacheHooksError(storeCode, `The DynamoDB table \`${tableName}\` ${fact} (${name})`, {cause: error});

	if (throttling.test(name) || $retryable?.throttling === true || $metadata?.httpStatusCode === 429) {
		return fault('ERR_STORE_THROTTLED', 'accepts no more requests at the moment');
	}

	if (credentials.test(name)) {
		return fault('ERR_STORE_CREDENTIALS', 'cannot be used with these credentials, or without any');
	}

	if (name === 'ResourceNotFoundException') {
		return fault('ERR_STORE_TABLE', 'does not exist: create it, or set `createTable: true`');
	}

	return unreachable.test(name) || (typeof code === 'string' && $metadata?.httpStatusCode === undefined) ? fault('ERR_STORE_UNREACHABLE', 'cannot be reached') : fault('ERR_STORE_FAULT', 'failed');
}

/** Whether a call failed with an error of the SDK that has this name. */
export function isCausedBy(error: unknown, name: string): boolean {
	return error instanceof CacheHooksError && (error.cause as {name?: unknown} | undefined)?.name === name;
}
