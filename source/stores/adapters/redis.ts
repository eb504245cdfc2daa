import {SettingError, shownText} from '../../errors.ts';
import {driver} from '../server-options.ts';
import {NamedAdapter} from './named-adapter.ts';
import {checkTypes, type AdapterOptions} from './options.ts';

export type KeyvRedisOptions = AdapterOptions & {
	/**
	The server's URL, `redis:` or `rediss:`. Default: `'redis://localhost:6379'`, as the adapter's.
	*/
	readonly url?: string;

	/**
	Milliseconds that connecting may take. Default: 2000.
	*/
	readonly connectionTimeout?: number;

	/**
	Milliseconds after which a connection that does not answer is given up. Default: 10,000.
	*/
	readonly socketTimeout?: number;

	/**
	Whether keys are deleted by `UNLINK`, and not by `DEL`. Default: `true`.
	*/
	readonly useUnlink?: boolean;
};

const longestPause = 2000;

/**
The adapter of `@keyv/redis`. Commands fail at once while the server is away, instead of waiting for its return, and what fails is thrown.

@throws {TypeError} Where an option is wrong.
@throws {CacheHooksError} `ERR_STORE_DRIVER` where the package is missing.
*/
export function keyvRedis({
	url = 'redis://localhost:6379', connectionTimeout = 2000, socketTimeout = 10_000, useUnlink = true,
}: KeyvRedisOptions): NamedAdapter {
	checkTypes({connectionTimeout, socketTimeout, useUnlink}, {connectionTimeout: 'milliseconds', socketTimeout: 'milliseconds', useUnlink: 'switch'});
	if (typeof url !== 'string' || !/^rediss?:/v.test(url)) {
		throw new SettingError('url', typeof url === 'string' ? shownText(url) : url, 'a URL of `redis:` or `rediss:`');
	}

	const load = driver('@keyv/redis', '@keyv/redis', () => import('@keyv/redis'));
	return new NamedAdapter('@keyv/redis', async () => {
		const module = await load();
		const adapter = new module.default({
			url,
			disableOfflineQueue: true,
			socket: {
				connectTimeout: connectionTimeout,
				socketTimeout,
				reconnectStrategy: (attempts: number) => Math.min(100 * (2 ** attempts), longestPause),
			},
		}, {connectionTimeout, useUnlink, throwOnErrors: true});
		const failed = new Promise<never>((_resolve, reject) => {
			adapter.on('error', reject);
		});
		// Its own message names no reason.
		await Promise.race([adapter.getClient(), failed]);
		return adapter;
	});
}
