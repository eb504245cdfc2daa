import type * as KeyvRedis from '@keyv/redis';
import type {RedisClient, RedisCommands, RedisSetOptions} from './connection.ts';

type Options = Readonly<Record<string, unknown>>;
type SendCommand = (isReadonly: boolean, words: ReadonlyArray<string | Uint8Array>, options: object) => Promise<unknown>;

/**
A client that is not connected yet: of a cluster where the options have `rootNodes`, of a sentinel where they have `sentinelRootNodes`.

It never queues commands while it is offline, and a single server's is not connected anew by itself: the store does so when it is asked for something. Whatever the options say of that holds.
*/
export function createRedisClient(module: typeof KeyvRedis, url: string | undefined, options: Options, connectionTimeout: number): RedisClient {
	const socket = {connectTimeout: connectionTimeout};
	if (options.sentinelRootNodes !== undefined) {
		return module.createSentinel({
			...options,
			nodeClientOptions: ofNode(options.nodeClientOptions, socket),
			sentinelClientOptions: ofNode(options.sentinelClientOptions, socket),
		} as never);
	}

	return options.rootNodes === undefined ? (module.createClient(ofNode({...options, ...(url !== undefined && {url})}, {...socket, reconnectStrategy: false}))) : (module.createCluster({...options, defaults: ofNode(options.defaults, socket)} as never));
}

/** Copies all the way: the client writes into what it is given. */
function ofNode(options: unknown, socket: object): object {
	const {socket: own, ...rest} = (options ?? {}) as {readonly socket?: object};
	return {disableOfflineQueue: true, ...rest, socket: {...socket, ...own}};
}

/**
The commands of a sentinel, word by word: its `withTypeMapping` (`@redis/client` 5.12) changes the sentinel itself, for everybody who uses it.
*/
export function sentinelCommands(client: RedisClient, typeMapping: object): RedisCommands {
	const send = async <T>(isReadonly: boolean, ...words: ReadonlyArray<string | Uint8Array>): Promise<T> =>
		(client as RedisClient & {readonly sendCommand: SendCommand}).sendCommand(isReadonly, words, {typeMapping}) as Promise<T>;

	return {
		get: async key => send(true, 'GET', key),
		getRange: async (key, start, end) => send(true, 'GETRANGE', key, String(start), String(end)),
		exists: async key => send(true, 'EXISTS', key),
		set: async (key, value, options) => send(false, 'SET', key, value, ...wordsOf(options)),
		unlink: async keys => send(false, 'UNLINK', ...[keys].flat()),
		async scan(cursor, options) {
			// On the master: another replica has other cursors.
			const words = Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
			const [next, keys] = await send<[string, string[]]>(false, 'SCAN', cursor, ...words);
			return {cursor: next, keys};
		},
	};
}

function wordsOf({expiration, condition}: RedisSetOptions): string[] {
	return [
		...(expiration === undefined ? [] : [expiration.type, String(expiration.value)]),
		...(condition === undefined ? [] : [condition]),
	];
}
