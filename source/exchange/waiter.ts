import type {Fields} from '../policy/fields.ts';
import {enclosingRequests, type InFlight} from './in-flight.ts';
import type {TimeBudget} from './time-budget.ts';

/**
How the wait for another request ends:
- `reuse`: use its result.
- `send-shared`: send this request, for whose result others wait.
- `send-alone`: send this request, for which no other waits.
*/
export type WaitOutcome<Result> =
	| {readonly do: 'reuse'; readonly result: Result}
	| {readonly do: 'send-shared'; readonly inFlight: InFlight<Result>}
	| {readonly do: 'send-alone'};

type WaiterOptions = {
	readonly fields: Fields;
	readonly position: number;
	readonly budget: TimeBudget;
};

/** A request that waits for another one. After a failure, or the response of another variant, it may wait for the next one. */
export class Waiter<Result> {
	readonly fields: Fields;

	/** The position of the last invalidation before the request. */
	readonly position: number;
	inFlight: InFlight<Result> | undefined;

	/** The requests by whose code this one was made. */
	readonly enclosing: ReadonlyArray<InFlight<unknown>> = enclosingRequests();
	readonly #budget: TimeBudget;
	readonly #settle: (outcome: WaitOutcome<Result>) => void;

	/** When the wait began, by the clock; `undefined` once the other request has failed. */
	#since: number | undefined;
	#cancel: () => void;

	/** This request itself, once the outcome is to send it. */
	#own: InFlight<Result> | undefined;

	constructor({fields, position, budget}: WaiterOptions, settle: (outcome: WaitOutcome<Result>) => void) {
		this.fields = fields;
		this.position = position;
		this.#budget = budget;
		this.#settle = settle;
		this.#since = budget.clock.now();
		this.#cancel = this.#sendAfter(budget.totalLeft);
		for (const enclosing of this.enclosing) {
			enclosing.nested ??= new Set();
			enclosing.nested.add(this as Waiter<unknown>);
		}
	}

	/** Whether a request that it waited for has failed. */
	get hasSeenFailure(): boolean {
		return this.#since === undefined;
	}

	/**
	Notes that the other request has failed. From now on, the wait counts towards the time of the store.

	@param share - The share of that time after which this request is sent.
	*/
	noteFailure(share: number): void {
		this.#extend();
		this.#cancel();
		this.#cancel = this.#sendAfter(share * this.#budget.left);
	}

	/** Ends the wait with an outcome. */
	settle(outcome: WaitOutcome<Result>): void {
		this.#extend();
		this.#end();
		this.#own = outcome.do === 'send-shared' ? outcome.inFlight : undefined;
		this.#settle(outcome);
	}

	/** Ends the wait, since the caller gives up. If this request was to be sent, another waiter is sent instead. */
	leave(): void {
		this.#end();
		this.#own?.end('abandoned');
	}

	#end(): void {
		this.#cancel();
		this.inFlight?.remove(this);
		this.inFlight = undefined;
		for (const enclosing of this.enclosing) {
			enclosing.nested?.delete(this as Waiter<unknown>);
		}
	}

	#extend(): void {
		if (this.#since === undefined) {
			return;
		}

		this.#budget.extend(this.#since);
		this.#since = undefined;
	}

	#sendAfter(milliseconds: number): () => void {
		return this.#budget.clock.after(milliseconds, () => {
			this.settle({do: 'send-alone'});
		});
	}
}
