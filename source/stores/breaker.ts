/**
How a call may go: as always, as the one trial of a store that was left alone, or not at all.
*/
export type Admission = 'normal' | 'trial' | 'barred';

/** Whether calls go (`closed`), do not (`open`), or one goes as a trial (`half-open`). */
export type CircuitState = 'closed' | 'open' | 'half-open';

export type BreakerOptions = {
	/** Faults in a row after which the store is left alone. */
	readonly faults: number;

	/** Milliseconds for which it is. */
	readonly pause: number;

	/** Milliseconds that never go back. */
	readonly now: () => number;

	/** Told of each change. */
	readonly onState?: ((state: CircuitState) => void) | undefined;
};

/**
Leaves a store alone that keeps failing: after some faults in a row all calls are barred for a while, then one goes as a trial, and its outcome decides.
*/
export class Breaker {
	readonly #options: BreakerOptions;
	#faults = 0;
	#barredUntil: number | undefined;
	#isTrying = false;

	constructor(options: BreakerOptions) {
		this.#options = options;
	}

	get state(): CircuitState {
		if (this.#barredUntil === undefined) {
			return 'closed';
		}

		return this.#isTrying ? 'half-open' : 'open';
	}

	enter(): Admission {
		if (this.#barredUntil === undefined) {
			return 'normal';
		}

		if (this.#isTrying || this.#options.now() < this.#barredUntil) {
			return 'barred';
		}

		this.#isTrying = true;
		this.#options.onState?.('half-open');
		return 'trial';
	}

	/** The call that entered came back well. */
	succeed(admission: Admission): void {
		if (admission === 'trial') {
			this.#isTrying = false;
			this.#barredUntil = undefined;
			this.#options.onState?.('closed');
		}

		// What began before the store was barred says nothing about it now.
		if (this.#barredUntil === undefined) {
			this.#faults = 0;
		}
	}

	/** The call that entered failed. Returns whether this is the fault that bars the store. */
	fail(admission: Admission): boolean {
		if (admission === 'trial') {
			this.#isTrying = false;
			this.#bar();
			return false;
		}

		this.#faults += 1;
		if (this.#barredUntil !== undefined || this.#faults < this.#options.faults) {
			return false;
		}

		this.#bar();
		return true;
	}

	#bar(): void {
		this.#barredUntil = this.#options.now() + this.#options.pause;
		this.#options.onState?.('open');
	}
}
