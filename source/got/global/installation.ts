import type {HttpCache} from '../../cache/http-cache.ts';
import type {CacheClient} from '../create-client.ts';

/**
A cache that is installed until it is uninstalled, replaced or disposed of.
*/
export type Installation = AsyncDisposable & {
	readonly cache: HttpCache;
};

export function installation({cache}: CacheClient, uninstall: () => Promise<void>): Installation {
	return {cache, [Symbol.asyncDispose]: uninstall};
}

/** Closes what nobody waits for any more. */
export function closeUnwatched(client: CacheClient | undefined): void {
	if (client !== undefined) {
		void closeReporting(client);
	}
}

async function closeReporting({cache, client}: CacheClient): Promise<void> {
	try {
		await cache.close();
	} catch (error) {
		client.cache.events.emit('storeError', {operation: 'close', error});
	}
}
