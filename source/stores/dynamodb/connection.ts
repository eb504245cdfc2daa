import type * as sdkModule from '@aws-sdk/client-dynamodb';
import type {DynamoDBClient} from '@aws-sdk/client-dynamodb';
import {CacheHooksError} from '../../errors.ts';
import {driver} from '../server-options.ts';
import type {ResolvedOptions} from './options.ts';
import {ensureTable} from './table.ts';

type Sdk = typeof sdkModule;
type CallName = 'BatchGetItem' | 'BatchWriteItem' | 'CreateTable' | 'DeleteItem' | 'DescribeTable' | 'GetItem' | 'PutItem' | 'Query' | 'UpdateItem' | 'UpdateTimeToLive';
type Command<Name extends CallName> = InstanceType<Sdk[`${Name}Command`]>;
type Input<Name extends CallName> = Omit<Command<Name>['input'], 'TableName'>;
type Output<Name extends CallName> = Awaited<ReturnType<ReturnType<Command<Name>['resolveMiddleware']>>>['output'];
type AnyCommand = new (input: object) => sdkModule.GetItemCommand;

/** One call of DynamoDB by its name there; the table is added. */
export type Send = <Name extends CallName>(name: Name, input: Input<Name>) => Promise<Output<Name>>;

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

const throttling = /^(?:ProvisionedThroughputExceeded|Throttl|SlowDown|TooManyRequests|LimitExceeded|Request(?:Limit|Throttled))/v;
// eslint-disable-next-line @stylistic/max-len
const credentials = /^(?:AccessDenied|(?:Credentials|Token)Provider|ExpiredToken|IncompleteSignature|InvalidClientToken|InvalidSignature|MissingAuthenticationToken|NotAuthorized|OptInRequired|SignatureDoesNotMatch|UnrecognizedClient)/v;
const unreachable = /^(?:TimeoutError|RequestTimeout|AbortError|NetworkingError)$/v;

/**
What the SDK threw, as an error of this library with the SDK's as `cause`. Its message is not repeated: of a wrong signature it holds the headers that were signed.
*/
export function faultOf(error: unknown, tableName: string): CacheHooksError {
	if (error instanceof CacheHooksError) {
		return error;
	}

	const {name = 'Error', code, $metadata, $retryable} = error as {
		name?: string; code?: unknown; $metadata?: {httpStatusCode?: number}; $retryable?: {throttling?: boolean};
	};
	const fault = (storeCode: string, fact: string): CacheHooksError =>
		new CacheHooksError(storeCode, `The DynamoDB table \`${tableName}\` ${fact} (${name})`, {cause: error});

	if (throttling.test(name) || $retryable?.throttling === true || $metadata?.httpStatusCode === 429) {
		return fault('ERR_STORE_THROTTLED', 'takes no more requests at present');
	}

	if (credentials.test(name)) {
		return fault('ERR_STORE_CREDENTIALS', 'is not open to these credentials, or there are none');
	}

	if (name === 'ResourceNotFoundException') {
		return fault('ERR_STORE_TABLE', 'is not there: create it, or set `createTable: true`');
	}

	return unreachable.test(name) || (typeof code === 'string' && $metadata?.httpStatusCode === undefined) ? fault('ERR_STORE_UNREACHABLE', 'cannot be reached') : fault('ERR_STORE_FAULT', 'failed');
}

/** Whether the SDK's error of this name is what a call failed with. */
export function isCausedBy(error: unknown, name: string): boolean {
	return error instanceof CacheHooksError && (error.cause as {name?: unknown} | undefined)?.name === name;
}
