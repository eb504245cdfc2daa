import type {CacheCore} from '../cache/core.ts';
import type {Match} from '../cache/entries.ts';
import type {Exchange} from './exchange.ts';
import type {InFlight} from './in-flight.ts';
import {mayRefresh} from './lock.ts';
import {Sharing} from './sharing.ts';

// So many keys are remembered.
const mostRejected = 1000;

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

	/** The keys whose credentials the origin rejected when it was last asked. */
	readonly #rejected = new Set<string>();
	#running = 0;

	private constructor(cache: CacheCore) {
		this.#cache = cache;
	}

	/**
	Renews what an exchange has served, unless that is under way already.

	@param limit - How many refreshes may run at a time.
	@param send - Sends the request once more; others wait for what it gets.
	*/
	start(exchange: Exchange, limit: number, send: (inFlight: InFlight<Match>) => Promise<void>): void {
		const {sharingKey, request, variesBy, info} = exchange;
		const inFlight = this.#running < limit ? Sharing.of<Match>(this.#cache).lead(sharingKey, request.fields, variesBy) : undefined;
		if (inFlight !== undefined) {
			this.#cache.hold(this.#run(info.key!, inFlight, send));
		}
	}

	/** The origin has answered a request: it accepts its credentials, or rejects them. */
	noteAnswer(key: string, isRejection: boolean): void {
		this.#rejected.delete(key);
		if (!isRejection) {
			return;
		}

		this.#rejected.add(key);
		if (this.#rejected.size > mostRejected) {
			this.#rejected.delete(this.#rejected.values().next().value!);
		}
	}

	/** Whether a refresh may be accepted. Else what is stored is renewed in the foreground, where the hooks of a client may get other credentials. */
	isAccepted(key: string): boolean {
		return !this.#rejected.has(key);
	}

	async #run(key: string, inFlight: InFlight<Match>, send: (inFlight: InFlight<Match>) => Promise<void>): Promise<void> {
		this.#running++;
		try {
			if (!await mayRefresh(key, inFlight, this.#cache)) {
				// Another process asks, so that this is no failure of the origin's.
				inFlight.abandon();
				return;
			}

			await send(inFlight);
			// What came may still be decoded.
			await this.#cache.whenWritten(key);
		} catch (error) {
			this.#cache.report('backgroundError', {error});
		} finally {
			inFlight.fail();
			this.#running--;
		}
	}
}
