import {Buffer} from 'node:buffer';
import type * as KeyvRedis from '@keyv/redis';
import {CacheHooksError} from '../../errors.ts';
import {driverError, ignore, type ResolvedServerOptions} from '../server-options.ts';
import {ServerConnection} from '../server-connection.ts';
import {within} from '../time-limit.ts';
import type {RedisClient, RedisStoreOptions} from './options.ts';

type RedisSetOptions = {
	readonly expiration?: {readonly type: 'PX'; readonly value: number};
	readonly condition?: 'NX';
};

/** The commands that the store uses, as a client, a cluster and a sentinel of `@redis/client` 5 offer them. */
export type RedisCommands = {
	get(key: string): Promise<Uint8Array | null>;
	getRange(key: string, start: number, end: number): Promise<Uint8Array>;
	set(key: string, value: Uint8Array, options: RedisSetOptions): Promise<unknown>;
	unlink(keys: string | string[]): Promise<number>;
	scan(cursor: string, options: object): Promise<{readonly cursor: unknown; readonly keys: readonly string[]}>;
};

export type ConnectedRedis = {
	/** Commands that reply with values as bytes. */
	readonly bytes: RedisCommands;
	/** Commands that reply with keys as strings. */
	readonly text: RedisCommands;
	readonly client: RedisClient;
};

const clientsWithListener = new WeakSet<RedisClient>();

/** `RESP_TYPES.BLOB_STRING` of `@redis/client`, which `@keyv/redis` does not export. */
const blobString = 36;

/** Milliseconds in which a cluster may repair its own connections. */
const repairTime = 5000;

/** Matches the classes of `@redis/client`'s errors, and the codes of Node's, that are about the connection. Errors of commands have others. */
const connectionFault = /Closed|Offline|Timeout|Disconnect|^E[A-Z]+$/v;

/**
Returns a connection, which its first call opens.
*/
export function redisConnection({url, clientOptions = {}, client: given}: RedisStoreOptions, limits: ResolvedServerOptions): ServerConnection<ConnectedRedis> {
	const load = async (): Promise<typeof KeyvRedis> => {
		try {
			return await import('@keyv/redis');
		} catch (error) {
			throw driverError('@keyv/redis', 'redis', error);
		}
	};

	const shared = given === undefined || 'isOpen' in given ? given : given.client;
	const {connectionTimeout} = limits;
	let connectedAt = 0;
	return new ServerConnection({
		name: 'Redis',
		limits,
		isShared: shared !== undefined,
		async connect() {
			connectedAt = performance.now();
			const client = shared ?? createRedisClient(await load(), url, clientOptions, connectionTimeout);
			try {
				await open(client, connectionTimeout);
			} catch (error) {
				if (shared === undefined) {
					await destroy(client);
				}

				throw error;
			}

			return {client, bytes: commandsOf(client, {[blobString]: Buffer}), text: commandsOf(client, {})};
		},
		disconnect: async ({client}) => destroy(client),
		isLost: ({client}, error) => client.isReady === false || (isConnectionFault(error) && performance.now() - connectedAt > repairTime),
	});
}

async function open(client: RedisClient, connectionTimeout: number): Promise<void> {
	if (!clientsWithListener.has(client)) {
		clientsWithListener.add(client);
		// Without a listener an `error` event ends the process. The command that fails throws the error as well.
		client.on('error', ignore);
	}

	if (!client.isOpen) {
		await within(connectionTimeout, 'connect', client.connect());
	} else if (client.isReady === false) {
		throw new CacheHooksError('ERR_STORE_OFFLINE', 'The Redis client is not connected to its server at the moment.');
	}
}

function isConnectionFault(error: unknown): boolean {
	const {constructor, code} = error as {constructor?: {name?: string}; code?: unknown};
	return connectionFault.test(constructor?.name ?? '') || (typeof code === 'string' && connectionFault.test(code));
}

async function destroy(client: RedisClient): Promise<void> {
	try {
		await client.destroy();
	} catch {
		// Some clients throw when there is nothing to destroy.
	}
}

/**
Creates a client that is not connected yet: a cluster if the options have `rootNodes`, a sentinel if they have `sentinelRootNodes`.

The client never queues commands while it is offline, and the client of a single server does not reconnect by itself, since the store connects again when it is used. The user's options take precedence.
*/
function createRedisClient(module: typeof KeyvRedis, url: string | undefined, options: Readonly<Record<string, unknown>>, connectTimeout: number): RedisClient {
	const socket = {connectTimeout};
	if (options.sentinelRootNodes !== undefined) {
		const sentinel = {
			...options,
			nodeClientOptions: nodeOptions(options.nodeClientOptions, socket),
			sentinelClientOptions: nodeOptions(options.sentinelClientOptions, socket),
		};
		return module.createSentinel(sentinel as never);
	}

	if (options.rootNodes !== undefined) {
		const cluster = {...options, defaults: nodeOptions(options.defaults, socket)};
		return module.createCluster(cluster as never);
	}

	return module.createClient(nodeOptions({...options, ...(url !== undefined && {url})}, {...socket, reconnectStrategy: false}));
}

/** Copies the options, since the client changes them. */
function nodeOptions(options: unknown, socket: object): object {
	const {socket: own, ...rest} = (options ?? {}) as {readonly socket?: object};
	return {disableOfflineQueue: true, ...rest, socket: {...socket, ...own}};
}

/** Returns commands whose replies have the types of the mapping, whatever the client's default is. */
function commandsOf(client: RedisClient, typeMapping: object): RedisCommands {
	return client.getSentinelNode === undefined ? client.withTypeMapping(typeMapping) as RedisCommands : sentinelCommands(client, typeMapping);
}

/**
Sends the commands of a sentinel as words, since its `withTypeMapping` (`@redis/client` 5.12) changes the sentinel itself.
*/
function sentinelCommands(client: RedisClient, typeMapping: object): RedisCommands {
	type SendCommand = (isReadonly: boolean, words: ReadonlyArray<string | Uint8Array>, options: object) => Promise<unknown>;
	const send = async <T>(isReadonly: boolean, ...words: ReadonlyArray<string | Uint8Array>): Promise<T> =>
		(client as RedisClient & {readonly sendCommand: SendCommand}).sendCommand(isReadonly, words, {typeMapping}) as Promise<T>;

	return {
		get: async key => send(true, 'GET', key),
		getRange: async (key, start, end) => send(true, 'GETRANGE', key, String(start), String(end)),
		async set(key, value, {expiration, condition}) {
			const expiry = expiration === undefined ? [] : [expiration.type, String(expiration.value)];
			return send(false, 'SET', key, value, ...expiry, ...condition === undefined ? [] : [condition]);
		},
		unlink: async keys => send(false, 'UNLINK', ...[keys].flat()),
		async scan(cursor, options) {
			// Replicas have cursors of their own, so only the master is asked.
			const words = Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
			const [next, keys] = await send<[string, string[]]>(false, 'SCAN', cursor, ...words);
			return {cursor: next, keys};
		},
	};
}
