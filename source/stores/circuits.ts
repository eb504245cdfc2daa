import {CacheHooksError} from '../errors.ts';

/** `closed`: calls reach the store. `open`: calls are left out. `half-open`: one call, the trial, decides which of the two follows. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** Reads and writes have a circuit each: a store that cannot be written may still be read. */
export type CallKind = 'reads' | 'writes';

/** Whether a call may reach the store. */
export type Admission = 'allowed' | 'trial' | 'refused';

type CircuitsOptions = {
	/** The name of the store, for messages. */
	readonly storeName: string;

	/** Called when a circuit changes its state. */
	readonly onCircuit?: ((state: CircuitState, of: CallKind) => void) | undefined;

	/** Called with the error after which a circuit opens. */
	readonly onOpen?: ((error: CacheHooksError) => void) | undefined;

	/** A clock that never goes back, in milliseconds. Default: `performance.now`. */
	readonly clock?: (() => number) | undefined;
};

/** The number of consecutive failures that open a circuit. */
const failureThreshold = 5;

/** How long a circuit stays open before a trial, in milliseconds. */
const openTime = 10_000;
const severity: Readonly<Record<CircuitState, number>> = {closed: 0, 'half-open': 1, open: 2};

/**
The circuit breakers of a store, which everything that calls the store shares: one for reads, one for writes. While reads are left out, writes are too.
*/
export class Circuits {
	/** Whether any call has failed. Before that, no call has to ask. */
	hasFailed = false;
	readonly #storeName: string;
	readonly #onOpen: CircuitsOptions['onOpen'];
	readonly #circuits: Readonly<Record<CallKind, Circuit>>;

	constructor({storeName, onCircuit, onOpen, clock = () => performance.now()}: CircuitsOptions) {
		this.#storeName = storeName;
		this.#onOpen = onOpen;
		const circuit = (kind: CallKind): Circuit => new Circuit(clock, state => {
			onCircuit?.(state, kind);
		});
		this.#circuits = {reads: circuit('reads'), writes: circuit('writes')};
	}

	get reads(): CircuitState {
		return this.#circuits.reads.state;
	}

	get writes(): CircuitState {
		const {state} = this.#circuits.writes;
		return severity[state] < severity[this.reads] ? this.reads : state;
	}

	/** To be called before a call of the store. */
	enter(kind: CallKind): Admission {
		return kind === 'writes' && this.reads !== 'closed' ? 'refused' : this.#circuits[kind].enter();
	}

	/** To be called when an admitted call has succeeded. */
	succeed(kind: CallKind, admission: Admission): void {
		this.#circuits[kind].succeed(admission);
	}

	/** To be called when an admitted call has failed. */
	fail(kind: CallKind, admission: Admission, cause: unknown): void {
		this.hasFailed = true;
		if (this.#circuits[kind].fail(admission)) {
			this.#onOpen?.(this.#error(kind, {cause}));
		}
	}

	/** Returns the error of a refused call. */
	refusal(kind: CallKind): CacheHooksError {
		return this.#error(this.reads === 'closed' ? kind : 'reads');
	}

	#error(kind: CallKind, options?: ErrorOptions): CacheHooksError {
		const consequence = kind === 'reads' ? 'it is not used' : 'it is only read';
		return new CacheHooksError('ERR_STORE_CIRCUIT', `${failureThreshold} ${kind} of the store \`${this.#storeName}\` failed in a row: ${consequence} for ${openTime / 1000} s.`, options);
	}
}

class Circuit {
	readonly #clock: () => number;
	readonly #onState: (state: CircuitState) => void;
	#failures = 0;
	#openUntil: number | undefined;
	#isTrying = false;

	constructor(clock: () => number, onState: (state: CircuitState) => void) {
		this.#clock = clock;
		this.#onState = onState;
	}

	get state(): CircuitState {
		if (this.#openUntil === undefined) {
			return 'closed';
		}

		return this.#isTrying ? 'half-open' : 'open';
	}

	enter(): Admission {
		if (this.#openUntil === undefined) {
			return 'allowed';
		}

		if (this.#isTrying || this.#clock() < this.#openUntil) {
			return 'refused';
		}

		this.#isTrying = true;
		this.#onState('half-open');
		return 'trial';
	}

	succeed(admission: Admission): void {
		if (admission === 'trial') {
			this.#isTrying = false;
			this.#openUntil = undefined;
			this.#onState('closed');
		}

		// A call that began before the circuit opened says nothing about the store now.
		if (this.#openUntil === undefined) {
			this.#failures = 0;
		}
	}

	/** Returns whether this failure opens a closed circuit. */
	fail(admission: Admission): boolean {
		if (admission === 'trial') {
			this.#isTrying = false;
			this.#open();
			return false;
		}

		this.#failures++;
		if (this.#openUntil !== undefined || this.#failures < failureThreshold) {
			return false;
		}

		this.#open();
		return true;
	}

	#open(): void {
		this.#openUntil = this.#clock() + openTime;
		this.#onState('open');
	}
}
