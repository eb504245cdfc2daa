import {CacheHooksError} from '../errors.ts';
import {
	Breaker,
	type Admission,
	type CircuitState,
} from './breaker.ts';

/** What is counted apart: a store that can be read and not written is read on. */
export type CallKind = 'reads' | 'writes';

type CircuitsOptions = {
	/** For messages. */
	readonly storeName: string;

	/** Told when reads or writes are left out, tried again, and done again. */
	readonly onCircuit?: ((state: CircuitState, of: CallKind) => void) | undefined;

	/** Told of the fault after which they are left out. */
	readonly onOpen?: ((error: CacheHooksError) => void) | undefined;

	/** Milliseconds that never go back. Default: `performance.now`. */
	readonly clock?: (() => number) | undefined;
};

const faultsUntilBarred = 5;
const pause = 10_000;
const severity: Readonly<Record<CircuitState, number>> = {closed: 0, 'half-open': 1, open: 2};

/**
The circuits of a store, for all that guard it: one of its reads, one of its writes. While it cannot be read, it is not written either.
*/
export class Circuits {
	readonly #options: CircuitsOptions;

	/** Whether any call has failed so far: until then, there is nothing to ask. */
	hasFailed = false;
	#reads: Breaker | undefined;
	#writes: Breaker | undefined;

	constructor(options: CircuitsOptions) {
		this.#options = options;
	}

	get reads(): CircuitState {
		return this.#reads?.state ?? 'closed';
	}

	get writes(): CircuitState {
		return worse(this.#writes?.state ?? 'closed', this.reads);
	}

	/** How a call may go. */
	enter(kind: CallKind): Admission {
		if (kind === 'reads') {
			return this.#reads?.enter() ?? 'normal';
		}

		return this.reads === 'closed' ? this.#writes?.enter() ?? 'normal' : 'barred';
	}

	/** The call that entered came back well. */
	succeed(kind: CallKind, admission: Admission): void {
		(kind === 'reads' ? this.#reads : this.#writes)?.succeed(admission);
	}

	/** The call that entered failed. */
	fail(kind: CallKind, admission: Admission, error: unknown): void {
		this.hasFailed = true;
		if (this.#breaker(kind).fail(admission)) {
			this.#options.onOpen?.(this.#error(kind, {cause: error}));
		}
	}

	/** What a call throws that may not go, where faults are thrown. */
	barred(kind: CallKind): CacheHooksError {
		return this.#error(this.reads === 'closed' ? kind : 'reads');
	}

	#breaker(kind: CallKind): Breaker {
		const {onCircuit, clock = () => performance.now()} = this.#options;
		const make = (): Breaker => new Breaker({
			faults: faultsUntilBarred,
			pause,
			now: clock,
			onState(state) {
				onCircuit?.(state, kind);
			},
		});
		if (kind === 'reads') {
			this.#reads ??= make();
			return this.#reads;
		}

		this.#writes ??= make();
		return this.#writes;
	}

	#error(kind: CallKind, options?: ErrorOptions): CacheHooksError {
		const [what, consequence] = kind === 'reads' ? ['reads', 'it is left alone'] : ['writes', 'it is read only'];
		return new CacheHooksError('ERR_STORE_CIRCUIT', `${faultsUntilBarred} ${what} of the store \`${this.#options.storeName}\` failed in a row: ${consequence} for ${pause / 1000} s`, options);
	}
}

function worse(one: CircuitState, other: CircuitState): CircuitState {
	return severity[one] < severity[other] ? other : one;
}
