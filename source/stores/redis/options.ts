import {
	checked,
	checkOptions,
	objectWith,
	refuseTogether,
	serverUrl,
	type OptionTypes,
} from '../options.ts';
import {serverOptions, type ServerOptions} from '../server-options.ts';

/**
A client, a cluster or a sentinel of `@redis/client` 5, as `@keyv/redis` and `redis` 5 create it.
*/
export type RedisClient = {
	readonly isOpen: boolean;
	/** Absent in a cluster. */
	readonly isReady?: boolean;
	/** The masters of a cluster, for `nodeClient`. */
	readonly masters?: readonly unknown[];
	connect(): Promise<unknown>;
	destroy(): unknown;
	on(event: 'error', listener: (error: unknown) => void): unknown;
	withTypeMapping(mapping: object): unknown;
	nodeClient?(node: never): unknown;
	/** Only a sentinel has it. */
	getSentinelNode?(): unknown;
};

export type RedisStoreOptions = ServerOptions & {
	/**
	The URL of the server: `'redis://[user:password@]host[:port][/database]'`, or `rediss:` for TLS. Default: `'redis://localhost:6379'`.
	*/
	readonly url?: string;

	/**
	Options of the client of `@keyv/redis`, which is that of `@redis/client` 5. With `rootNodes` it is a cluster, with `sentinelRootNodes` a sentinel. Default: none.
	*/
	readonly clientOptions?: Readonly<Record<string, unknown>>;

	/**
	A client, cluster or sentinel of `@redis/client` 5, or an instance of `@keyv/redis`, of which only the client is used. The store connects it if necessary, and never closes it.
	*/
	readonly client?: RedisClient | {readonly client: RedisClient};
};

const redisUrl = serverUrl('redis', 'rediss');

const optionTypes: OptionTypes<RedisStoreOptions> = {
	...serverOptions,
	url: {...redisUrl, parse: (value, path) => URL.canParse(String(value)) ? redisUrl.parse(value, path) : undefined},
	clientOptions: objectWith([], 'an object with options for the client'),
	client: checked(value => isClient(value) || isClient((value as {client?: unknown} | null)?.client), 'a client, cluster or sentinel of `@redis/client` 5, or an instance of `@keyv/redis`'),
};

/** Throws a `SettingError` for a wrong option. */
export function checkRedisOptions(options: RedisStoreOptions): void {
	const path = 'createStore(\'redis\')';
	checkOptions(path, options, optionTypes);
	refuseTogether(path, options, 'client', ['url', 'clientOptions']);
}

function isClient(value: unknown): boolean {
	return typeof value === 'object' && value !== null && 'isOpen' in value;
}
