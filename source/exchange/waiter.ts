import type {Fields} from '../policy/fields.ts';
import {enclosingRequests, type InFlight} from './in-flight.ts';
import type {TimeBudget} from './time-budget.ts';

/** How the wait for another request ends: with its result, as the next one to be sent, or as one to be sent beside the others. */
export type Outcome<Result> =
	| {readonly do: 'reuse'; readonly result: Result}
	| {readonly do: 'lead'; readonly inFlight: InFlight<Result>}
	| {readonly do: 'alone'};

type WaiterOptions = {
	readonly fields: Fields;
	readonly position: number;
	readonly budget: TimeBudget;
};

/** A request that waits for another one. When that fails, or gets another variant, it may wait for the next one. */
export class Waiter<Result> {
	readonly fields: Fields;

	/** The position of the last invalidation before the request. */
	readonly position: number;
	inFlight: InFlight<Result> | undefined;

	/** The requests that the code which waits is part of. */
	readonly enclosing: ReadonlyArray<InFlight<unknown>> = enclosingRequests();
	readonly #budget: TimeBudget;
	readonly #settle: (outcome: Outcome<Result>) => void;

	/** Since when it waits for a request that is under way; `undefined` after that has failed. */
	#since: number | undefined;
	#cancel: () => void;

	/** The request that this one is to send, once the outcome says so. */
	#led: InFlight<Result> | undefined;

	constructor({fields, position, budget}: WaiterOptions, settle: (outcome: Outcome<Result>) => void) {
		this.fields = fields;
		this.position = position;
		this.#budget = budget;
		this.#settle = settle;
		this.#since = budget.clock.now();
		this.#cancel = this.#goAloneAfter(budget.totalLeft);
		for (const enclosing of this.enclosing) {
			enclosing.addNested(this as Waiter<unknown>);
		}
	}

	/** Whether the request that it waited for has failed. */
	get hasSeenFailure(): boolean {
		return this.#since === undefined;
	}

	/**
	Notes that the request has failed: from then on, the wait counts against the time that the store has.

	@param share - The share of that time after which it is sent beside the others.
	*/
	noteFailure(share: number): void {
		this.#extend();
		this.#cancel();
		this.#cancel = this.#goAloneAfter(share * this.#budget.left);
	}

	/** Ends the wait with an outcome. */
	settle(outcome: Outcome<Result>): void {
		this.#extend();
		this.#end();
		this.#led = outcome.do === 'lead' ? outcome.inFlight : undefined;
		this.#settle(outcome);
	}

	/** Ends the wait, since the caller gives up. Where the outcome was to send the next request, another waiter takes its place. */
	leave(): void {
		this.#end();
		this.#led?.abandon();
	}

	#end(): void {
		this.#cancel();
		this.inFlight?.remove(this);
		this.inFlight = undefined;
		for (const enclosing of this.enclosing) {
			enclosing.removeNested(this as Waiter<unknown>);
		}
	}

	#extend(): void {
		if (this.#since === undefined) {
			return;
		}

		this.#budget.extend(this.#since);
		this.#since = undefined;
	}

	#goAloneAfter(milliseconds: number): () => void {
		return this.#budget.clock.after(milliseconds, () => {
			this.settle({do: 'alone'});
		});
	}
}
