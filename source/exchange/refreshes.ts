import type {CacheCore} from '../cache/core.ts';
import type {Match} from '../cache/entries.ts';
import type {Exchange} from './exchange.ts';
import type {InFlight} from './in-flight.ts';
import {mayRefresh} from './lock.ts';
import {Sharing} from './sharing.ts';

/**
Sends a refresh; others wait for what it gets.

@param leadAgain - Gives what others are to wait for when it is sent once more after a failure; `undefined` where another request renews it.
*/
export type SendRefresh = (inFlight: InFlight<Match>, leadAgain: () => Promise<InFlight<Match> | undefined>) => Promise<void>;

/**
Refreshes in the background, one at a time for each key and a bounded number in all. Nobody waits for them, so that their failures are events.
*/
export class Refreshes {
	static readonly #byCache = new WeakMap<CacheCore, Refreshes>();

	/** Those of a cache: of all clients that share it, and of classes with settings of their own. */
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

	/**
	Renews what an exchange has served, unless that is under way already.

	@param limit - How many refreshes may run at a time.
	*/
	start(exchange: Exchange, limit: number, send: SendRefresh): void {
		const {sharingKey, request, variesBy, info} = exchange;
		const sharing = Sharing.of<Match>(this.#cache);
		const key = info.key!;
		const lead = (): InFlight<Match> | undefined => sharing.lead(sharingKey, request.fields, variesBy);
		const first = this.#running < limit ? lead() : undefined;
		if (first === undefined) {
			return;
		}

		const start = sharing.clock.now();
		const led = [first];
		this.#cache.hold(this.#run(key, async () => {
			try {
				if (await this.#mayStart(key, first)) {
					await send(first, async () => {
						const second = sharing.hasResolvedSince(sharingKey, start) ? undefined : lead();
						led.push(...second === undefined ? [] : [second]);
						return second !== undefined && await this.#mayStart(key, second) ? second : undefined;
					});
				}
			} finally {
				for (const inFlight of led) {
					inFlight.fail();
				}
			}
		}));
	}

	/** Another process that asks is no failure of the origin's. */
	async #mayStart(key: string, inFlight: InFlight<Match>): Promise<boolean> {
		const isFree = await mayRefresh(key, inFlight, this.#cache);
		if (!isFree) {
			inFlight.abandon();
		}

		return isFree;
	}

	async #run(key: string, refresh: () => Promise<void>): Promise<void> {
		this.#running++;
		try {
			await refresh();
			// What came may still be decoded.
			await this.#cache.whenWritten(key);
		} catch (error) {
			this.#cache.report('backgroundError', {error});
		} finally {
			this.#running--;
		}
	}
}
