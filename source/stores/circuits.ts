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

/** One of the circuit breakers of a store. */
type Circuit = {
	/** The number of consecutive failures while it is closed. */
	failures: number;

	/** `undefined` while it is closed. */
	openUntil: number | undefined;
	isTrying: boolean;
};

/**
The circuit breakers of a store, which everything that calls the store shares: one for reads, one for writes. While reads are left out, writes are too.
*/
export class Circuits {
	/** Whether any call has failed. Before that, no call has to ask. */
	hasFailed = false;
	readonly #storeName: string;
	readonly #onCircuit: CircuitsOptions['onCircuit'];
	readonly #onOpen: CircuitsOptions['onOpen'];
	readonly #clock: () => number;
	readonly #circuits: Readonly<Record<CallKind, Circuit>> = {reads: closedCircuit(), writes: closedCircuit()};

	constructor({storeName, onCircuit, onOpen, clock = () => performance.now()}: CircuitsOptions) {
		this.#storeName = storeName;
		this.#onCircuit = onCircuit;
		this.#onOpen = onOpen;
		this.#clock = clock;
	}

	get reads(): CircuitState {
		return stateOf(this.#circuits.reads);
	}

	get writes(): CircuitState {
		const state = stateOf(this.#circuits.writes);
		return severity[state] < severity[this.reads] ? this.reads : state;
	}

	/** To be called before a call of the store. */
	enter(kind: CallKind): Admission {
		if (kind === 'writes' && this.reads !== 'closed') {
			return 'refused';
		}

		const circuit = this.#circuits[kind];
		if (circuit.openUntil === undefined) {
			return 'allowed';
		}

		if (circuit.isTrying || this.#clock() < circuit.openUntil) {
			return 'refused';
		}

		circuit.isTrying = true;
		this.#onCircuit?.('half-open', kind);
		return 'trial';
	}

	/** To be called when an admitted call has succeeded. */
	succeed(kind: CallKind, admission: Admission): void {
		const circuit = this.#circuits[kind];
		if (admission === 'trial') {
			Object.assign(circuit, closedCircuit());
			this.#onCircuit?.('closed', kind);
		}

		// A call that began before the circuit opened says nothing about the store now.
		if (circuit.openUntil === undefined) {
			circuit.failures = 0;
		}
	}

	/** To be called when an admitted call has failed. */
	fail(kind: CallKind, admission: Admission, cause: unknown): void {
		const circuit = this.#circuits[kind];
		const isTrial = admission === 'trial';
		this.hasFailed = true;
		circuit.failures++;
		if (isTrial) {
			circuit.isTrying = false;
		} else if (circuit.openUntil !== undefined || circuit.failures < failureThreshold) {
			return;
		}

		circuit.openUntil = this.#clock() + openTime;
		this.#onCircuit?.('open', kind);
		if (!isTrial) {
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

function closedCircuit(): Circuit {
	return {failures: 0, openUntil: undefined, isTrying: false};
}

function stateOf({openUntil, isTrying}: Circuit): CircuitState {
	return openUntil === undefined ? 'closed' : (isTrying ? 'half-open' : 'open');
}
