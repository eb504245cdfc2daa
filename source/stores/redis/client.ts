import type * as KeyvRedis from '@keyv/redis';
import type {RedisClient} from './connection.ts';

type Options = Readonly<Record<string, unknown>>;

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
