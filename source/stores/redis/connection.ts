import {Buffer} from 'node:buffer';
import {CacheHooksError, StoreTimeoutError} from '../../errors.ts';
import {Calls, within} from '../time-limit.ts';
import {closedError, ignore, type ResolvedServerOptions} from '../server-options.ts';
import {sentinelCommands} from './client.ts';

export type RedisSetOptions = {
	readonly expiration?: {readonly type: 'PX'; readonly value: number};
	readonly condition?: 'NX';
};

/** The commands that the store gives, as a client, a cluster and a sentinel of `@redis/client` 5 offer them. */
export type RedisCommands = {
	get(key: string): Promise<Uint8Array | null>;
	getRange(key: string, start: number, end: number): Promise<Uint8Array>;
	set(key: string, value: Uint8Array, options: RedisSetOptions): Promise<unknown>;
	exists(key: string): Promise<number>;
	unlink(keys: string | string[]): Promise<number>;
	scan(cursor: string, options: object): Promise<{readonly cursor: unknown; readonly keys: readonly string[]}>;
};

/**
A client, a cluster or a sentinel of `@redis/client` 5, which `@keyv/redis` and `redis` 5 make.
*/
export type RedisClient = {
	readonly isOpen: boolean;
	/** A cluster has none. */
	readonly isReady?: boolean;
	/** A cluster's, of which `nodeClient` gives the clients. */
	readonly masters?: readonly unknown[];
	connect(): Promise<unknown>;
	destroy(): unknown;
	on(event: 'error', listener: (error: unknown) => void): unknown;
	withTypeMapping(mapping: object): unknown;
	nodeClient?(node: never): unknown;
	/** A sentinel's. */
	getSentinelNode?(): unknown;
};

export type RedisLink = {
	/** Reads values as they are. */
	readonly bytes: RedisCommands;
	/** Reads keys as strings. */
	readonly text: RedisCommands;
	readonly client: RedisClient;
};

type RedisConnectionOptions = Pick<ResolvedServerOptions, 'connectionTimeout' | 'commandTimeout'> & {
	/** Makes a client of our own. */
	readonly create: () => Promise<RedisClient>;

	/** One that somebody else has opened, or wants to close. */
	readonly given: RedisClient | undefined;
};

const heard = new WeakSet<RedisClient>();

/** `$`, RESP's sign of a string of bytes: `RESP_TYPES.BLOB_STRING` of `@redis/client`, which `@keyv/redis` does not hand on. */
const blobString = 36;

/** Within that time a cluster may mend itself. */
const shortestLife = 5000;

/** Classes of `@redis/client`'s errors, and codes of Node's, that are about the connection; what the server refuses has others. */
const connectionFault = /Closed|Offline|Timeout|Disconnect|^E[A-Z]+$/v;

/**
One connection, made by the first call. One of our own that fails, or leaves a command unanswered for too long, is given up, and the next call makes another.
So none is tried while nobody asks, and nothing waits in a queue for a server to come back.
*/
export class RedisConnection {
	readonly #options: RedisConnectionOptions;
	readonly #calls: Calls;
	#link: Promise<RedisLink> | undefined;
	#since = 0;
	#isClosed = false;

	constructor(options: RedisConnectionOptions) {
		this.#options = options;
		this.#calls = new Calls(options.connectionTimeout + options.commandTimeout);
	}

	/** One call, within its time. `bytes` is how much is sent. */
	async run<T>(operation: string, action: (link: RedisLink) => Promise<T>, bytes?: number): Promise<T> {
		let opened: Promise<RedisLink> | undefined;
		try {
			return await this.#calls.run(operation, async () => {
				opened = this.#open();
				return action(await opened);
			}, bytes);
		} catch (error) {
			await this.#examine(opened, error);
			throw error;
		}
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		const link = this.#link;
		this.#link = undefined;
		if (link === undefined || this.#options.given !== undefined) {
			return;
		}

		await destroy(link);
	}

	#open(): Promise<RedisLink> {
		if (this.#isClosed) {
			throw closedError('Redis');
		}

		const {given} = this.#options;
		if (given !== undefined) {
			return this.#use(given);
		}

		this.#link ??= this.#make();
		return this.#link;
	}

	async #make(): Promise<RedisLink> {
		let client: RedisClient | undefined;
		this.#since = performance.now();
		try {
			client = await this.#options.create();
			return await this.#use(client);
		} catch (error) {
			this.#link = undefined;
			destroyClient(client);
			throw error;
		}
	}

	async #use(client: RedisClient): Promise<RedisLink> {
		if (!heard.has(client)) {
			heard.add(client);
			// What fails is told by the command that fails; without a listener the event would end the process.
			client.on('error', ignore);
		}

		if (!client.isOpen) {
			await within(this.#options.connectionTimeout, 'connect', client.connect());
		} else if (client.isReady === false) {
			throw new CacheHooksError('ERR_STORE_OFFLINE', 'The Redis client is not connected at the moment');
		}

		return {client, bytes: commandsOf(client, {[blobString]: Buffer}), text: commandsOf(client, {})};
	}

	/** Gives up what is of no use any more. */
	async #examine(opened: Promise<RedisLink> | undefined, error: unknown): Promise<void> {
		if (opened === undefined || this.#link !== opened) {
			return;
		}

		const isStalled = error instanceof StoreTimeoutError;
		if (!isStalled) {
			const {client} = await opened;
			const isLost = client.isReady === false || (isConnectionFault(error) && performance.now() - this.#since > shortestLife);
			if (!isLost || this.#link !== opened) {
				return;
			}
		}

		this.#link = undefined;
		await destroy(opened);
	}
}

function isConnectionFault(error: unknown): boolean {
	const {constructor, code} = error as {constructor?: {name?: string}; code?: unknown};
	return connectionFault.test(constructor?.name ?? '') || (typeof code === 'string' && connectionFault.test(code));
}

async function destroy(link: Promise<RedisLink>): Promise<void> {
	try {
		const {client} = await link;
		destroyClient(client);
	} catch {
		// It never was.
	}
}

function destroyClient(client: RedisClient | undefined): void {
	try {
		// A sentinel's answers by a promise; others throw where there is nothing to destroy.
		void Promise.resolve(client?.destroy()).catch(ignore);
	} catch {}
}

/** With the replies as the type mapping makes them, whatever the client does by default. */
function commandsOf(client: RedisClient, typeMapping: object): RedisCommands {
	return client.getSentinelNode === undefined ? client.withTypeMapping(typeMapping) as RedisCommands : sentinelCommands(client, typeMapping);
}
