import type {CacheCore} from '../cache/core.ts';
import type {Match} from '../cache/entries.ts';
import type {Exchange} from './exchange.ts';
import type {InFlight} from './in-flight.ts';
import {mayRefresh} from './lock.ts';
import {Sharing} from './sharing.ts';

/**
Sends a refresh, for whose result other requests may wait.

@param registerAgain - Registers the refresh once more, to send it again after a failure. Returns `undefined` if another request replaces the stored response.
*/
export type SendRefresh = (inFlight: InFlight<Match>, registerAgain: () => Promise<InFlight<Match> | undefined>) => Promise<void>;

/** The maximum number of refreshes of a cache that run at the same time. The others are left to later requests. */
const maxRefreshes = 32;

/** Runs refreshes in the background, one at a time for each key and a limited number in all. No caller waits for them, and failures are `backgroundError` events. */
export class Refreshes {
	static readonly #byCache = new WeakMap<CacheCore, Refreshes>();

	/** Returns the instance of a cache, for all clients of that cache. */
	static of(cache: CacheCore): Refreshes {
		const known = Refreshes.#byCache.get(cache) ?? new Refreshes(cache);
		Refreshes.#byCache.set(cache, known);
		return known;
	}

	readonly #cache: CacheCore;
	#running = 0;

	private constructor(cache: CacheCore) {
		this.#cache = cache;
	}

	/** Refreshes the response that an exchange has served, unless a request for it is in flight, or too many refreshes are running. */
	start(exchange: Exchange, send: SendRefresh): void {
		const {sharingKey, request, variesBy, info} = exchange;
		const sharing = Sharing.of<Match>(this.#cache);
		const key = info.key!;
		const register = (): InFlight<Match> | undefined => sharing.register(sharingKey, request.fields, variesBy);
		const first = this.#running < maxRefreshes ? register() : undefined;
		if (first === undefined) {
			return;
		}

		const start = sharing.clock.now();
		const registered = [first];
		this.#cache.writes.track(this.#run(key, async () => {
			try {
				if (await this.#mayStart(key, first)) {
					await send(first, async () => {
						const second = sharing.hasResolvedSince(sharingKey, start) ? undefined : register();
						registered.push(...second === undefined ? [] : [second]);
						return second !== undefined && await this.#mayStart(key, second) ? second : undefined;
					});
				}
			} finally {
				for (const inFlight of registered) {
					inFlight.end('failed');
				}
			}
		}));
	}

	/** Returns whether the refresh may be sent. If another process sends the same one, the wait ends as abandoned, which is no failure of the origin. */
	async #mayStart(key: string, inFlight: InFlight<Match>): Promise<boolean> {
		const isFree = await mayRefresh(key, inFlight, this.#cache);
		if (!isFree) {
			inFlight.end('abandoned');
		}

		return isFree;
	}

	async #run(key: string, refresh: () => Promise<void>): Promise<void> {
		this.#running++;
		try {
			await refresh();
			// The response may still have to be decoded and written.
			await this.#cache.writes.whenWritten(key);
		} catch (error) {
			this.#cache.events.emit('backgroundError', {error});
		} finally {
			this.#running--;
		}
	}
}
