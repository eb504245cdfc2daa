import type {CacheCore} from '../cache/core.ts';

/** What a call gave, as bytes; `undefined` where it failed. */
type Landing = Uint8Array | undefined;

/** The calls that are on their way in this process, by key. */
export class CallFlights {
	readonly #running = new Map<string, Promise<Landing>>();
	#ended = 0;

	/** How many have ended: who has read the store since may have missed what the last one wrote. */
	get ended(): number {
		return this.#ended;
	}

	get(key: string): Promise<Landing> | undefined {
		return this.#running.get(key);
	}

	/**
	Begins one.

	@returns What ends it.
	*/
	begin(key: string): (landing: Landing) => void {
		const {promise, resolve} = Promise.withResolvers<Landing>();
		this.#running.set(key, promise);
		return landing => {
			this.#ended++;
			resolve(landing);
			if (this.#running.get(key) === promise) {
				this.#running.delete(key);
			}
		};
	}

	/** Nobody joins it any more. */
	leave(key: string): void {
		this.#running.delete(key);
	}

	leaveAll(): void {
		this.#running.clear();
	}
}

const byCache = new WeakMap<CacheCore, CallFlights>();

export function flightsOf(cache: CacheCore): CallFlights {
	const known = byCache.get(cache) ?? new CallFlights();
	byCache.set(cache, known);
	return known;
}
