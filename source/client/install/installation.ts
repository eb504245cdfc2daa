import type {HttpCache} from '../../cache/http-cache.ts';
import type {Engine} from '../../engine/engine.ts';

/**
A cache that is installed until it is uninstalled, replaced or disposed of.
*/
export type Installation = AsyncDisposable & {
	readonly cache: HttpCache;
};

export function installation({cache}: Engine, uninstall: () => Promise<void>): Installation {
	return {cache, [Symbol.asyncDispose]: uninstall};
}

/** Closes what nobody waits for any more. */
export function closeUnwatched(engine: Engine | undefined): void {
	if (engine !== undefined) {
		void closeReporting(engine);
	}
}

async function closeReporting({cache}: Engine): Promise<void> {
	try {
		await cache.close();
	} catch (error) {
		cache.report('storeError', {operation: 'close', error});
	}
}
