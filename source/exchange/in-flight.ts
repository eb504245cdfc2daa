import {AsyncLocalStorage} from 'node:async_hooks';
import {nominatedFields, type Fields} from '../policy/fields.ts';
import {nominatedValues} from '../policy/field-values.ts';
import {
	waitTimeLeft,
	type BodyProgress,
	type Clock,
	type WaitLimits,
} from './time-budget.ts';
import type {Waiter} from './waiter.ts';

/**
How the wait for a request ended:
- `resolved`: the waiters have its result.
- `refused`: its result cannot be shared. For a while, no request for the key waits.
- `released`: its body takes too long, and it goes on without the waiters.
- `failed`: the origin failed. The next request may get a result.
- `abandoned`: its caller gave up. Exactly one waiter is sent instead.
*/
export type Ending = 'resolved' | 'refused' | 'released' | 'failed' | 'abandoned';

/** The requests in flight for one key: several if its responses vary, or if one failed. */
export type RequestsForKey<Result> = {
	readonly key: string;
	inFlight: ReadonlyArray<InFlight<Result>>;

	/** The request headers that the responses vary by, once one response has named them. */
	names: readonly string[] | undefined;

	/** The number of failures in a row. */
	failures: number;
};

/** What follows from the events of requests in flight: one object for all of them. */
export type Listener<Result> = {
	readonly onEnd: (requests: RequestsForKey<Result>, inFlight: InFlight<Result>, ending: Ending, waiters: ReadonlyArray<Waiter<Result>>) => void;

	/** Called with the waiters that the response does not answer. */
	readonly onUnanswered: (requests: RequestsForKey<Result>, waiters: ReadonlyArray<Waiter<Result>>) => void;
};

type InFlightOptions<Result> = {
	/** The request headers. */
	readonly fields: Fields;

	/** The requests in flight for the key, of which this is one. */
	readonly requests: RequestsForKey<Result>;
	readonly limits: WaitLimits;
	readonly clock: Clock;
	readonly listener: Listener<Result>;
};

const nobody: ReadonlySet<never> = new Set<never>();

/** A request whose code is running: a hook, a user's request function, a decorated method. */
type Context = {readonly inFlight: InFlight<any>; readonly outer: Context | undefined};

const contexts = new AsyncLocalStorage<Context>();

/** Returns the requests in flight by whose code this function is called, from the innermost to the outermost. */
export function enclosingRequests(): ReadonlyArray<InFlight<unknown>> {
	const enclosing: Array<InFlight<unknown>> = [];
	for (let context = innermostInFlight(contexts.getStore()); context !== undefined; context = innermostInFlight(context.outer)) {
		enclosing.push(context.inFlight as InFlight<unknown>);
	}

	return enclosing;
}

function innermostInFlight(innermost: Context | undefined): Context | undefined {
	let context = innermost;
	while (context?.inFlight.hasEnded === true) {
		context = context.outer;
	}

	return context;
}

/** A request in flight, and the requests that wait for its result. */
export class InFlight<Result> {
	readonly fields: Fields;

	/** The waiters, for any request, that the code of this request has created. */
	nested: Set<Waiter<unknown>> | undefined;

	/** Returns whether an invalidation since the request was sent concerns its result. No other requests begin to wait for it then. */
	isOutdated: (() => boolean) | undefined;

	/** Called with how the request ended. */
	onEnd: ((ending: Ending) => void) | undefined;
	readonly #requests: RequestsForKey<Result>;
	readonly #listener: Listener<Result>;
	readonly #limits: WaitLimits;
	readonly #clock: Clock;

	/** The waiters, once there is one. */
	#waiters: Set<Waiter<Result>> | undefined;

	#names: readonly string[] | undefined;
	#isOver = false;

	/** When the request was sent or, once its body has begun, when that began, by the clock. */
	#since: number;

	/** The body, once it has begun. */
	#body: BodyProgress | undefined;

	/** Cancels the timer, which runs while there are waiters. */
	#cancel: (() => void) | undefined;

	constructor({fields, requests, limits, clock, listener}: InFlightOptions<Result>) {
		this.fields = fields;
		this.#requests = requests;
		this.#names = requests.names;
		this.#limits = limits;
		this.#clock = clock;
		this.#listener = listener;
		this.#since = clock.now();
	}

	get hasEnded(): boolean {
		return this.#isOver;
	}

	get hasWaiters(): boolean {
		return this.#waiters !== undefined && this.#waiters.size > 0;
	}

	/** Whether the response has begun. */
	get hasResponse(): boolean {
		return this.#body !== undefined;
	}

	/** Whether the result will probably arrive in time for waiters. */
	get isInTime(): boolean {
		return this.#timeLeft() > 0;
	}

	/** Returns whether the response may answer a request, as far as its `Vary` is known. */
	matches(request: Fields): boolean {
		const names = this.#names ?? [];
		const values = nominatedValues(names, request);
		return nominatedValues(names, this.fields).every((value, index) => value === values[index]);
	}

	add(waiter: Waiter<Result>): void {
		waiter.inFlight = this;
		this.#waiters ??= new Set();
		this.#waiters.add(waiter);
		this.#cancel ??= this.#startTimer();
	}

	remove(waiter: Waiter<Result>): void {
		this.#waiters?.delete(waiter);
		this.#stopTimer();
	}

	/** Returns whether this request is one of the others, or its code waits for one of them, directly or through further requests. A request that the code of the others makes must not wait for this one: none of them would ever end. */
	waitsFor(others: ReadonlyArray<InFlight<unknown>>, seen: Set<InFlight<unknown>> = new Set<InFlight<unknown>>()): boolean {
		const self = this as InFlight<unknown>;
		if (others.length === 0 || seen.has(self)) {
			return false;
		}

		seen.add(self);
		return others.includes(self) || this.nested?.values().some(({inFlight}) => inFlight?.waitsFor(others, seen) === true) === true;
	}

	/** Runs the code that sends the request. */
	run<Value>(action: () => Value): Value {
		// Requests that have ended are left out: code may start one request from another for as long as the process lives.
		return contexts.run({inFlight: this, outer: innermostInFlight(contexts.getStore())}, action);
	}

	/**
	Notes that the response has begun, and may be stored.

	@param length - The length of its body in bytes; `undefined` if it is not known.
	*/
	respond(response: Fields, length: number | undefined): void {
		if (this.#isOver) {
			return;
		}

		this.#since = this.#clock.now();
		this.#body = {length, received: 0, progressed: 0};
		if (this.#cancel !== undefined) {
			this.#cancel();
			this.#cancel = this.#startTimer();
		}

		this.#vary(response);
	}

	/** Notes that a chunk of the body has arrived. */
	progress(bytes: number): void {
		if (this.#body === undefined) {
			return;
		}

		this.#body.received += bytes;
		this.#body.progressed = this.#clock.now() - this.#since;
	}

	/**
	Ends the wait with a result, which all waiters get that it answers.

	@param mayAnswer - Returns whether the result may answer a waiter. Default: it may answer each.
	*/
	resolve(result: Result, response: Fields, mayAnswer: (waiter: Waiter<Result>) => boolean = mayAnswerAll): void {
		this.#vary(response);
		if (this.#isOver) {
			return;
		}

		if (!this.hasWaiters) {
			this.end('resolved');
			return;
		}

		const [answered, others] = partition(this.#waiters ?? nobody, waiter => mayAnswer(waiter));
		this.end('resolved');
		for (const waiter of answered) {
			waiter.settle({do: 'reuse', result});
		}

		this.#listener.onUnanswered(this.#requests, others);
	}

	/** Ends the wait. The waiters get no result, except from `resolve`. */
	end(ending: Ending): void {
		if (this.#isOver) {
			return;
		}

		const {onEnd} = this;
		const waiters = this.#waiters === undefined ? [] : [...this.#waiters];
		this.#isOver = true;
		this.#waiters = undefined;
		this.nested = undefined;
		this.#stopTimer();
		// A socket that is kept alive refers to the request for which it was opened, and would keep these in memory.
		this.isOutdated = undefined;
		this.onEnd = undefined;
		this.#listener.onEnd(this.#requests, this, ending, waiters);
		onEnd?.(ending);
	}

	/** Removes the waiters that ask for another variant (RFC 9111 §4.1). */
	#vary(response: Fields): void {
		if (this.#isOver) {
			return;
		}

		const names = nominatedFields(response);
		if (names === '*') {
			this.end('refused');
			return;
		}

		this.#names = names;
		this.#requests.names = names;
		if (!this.hasWaiters) {
			return;
		}

		const [, others] = partition(this.#waiters ?? nobody, ({fields}) => this.matches(fields));
		for (const other of others) {
			this.remove(other);
		}

		this.#listener.onUnanswered(this.#requests, others);
	}

	#timeLeft(): number {
		return waitTimeLeft(this.#clock.now() - this.#since, this.#body, this.#limits);
	}

	#startTimer(): () => void {
		return this.#clock.after(Math.max(0, this.#timeLeft()), () => {
			if (this.#timeLeft() > 0) {
				this.#cancel = this.#startTimer();
			} else {
				this.end(this.#body === undefined ? 'failed' : 'released');
			}
		});
	}

	#stopTimer(): void {
		if (this.hasWaiters) {
			return;
		}

		this.#cancel?.();
		this.#cancel = undefined;
	}
}

function mayAnswerAll(): boolean {
	return true;
}

function partition<Item>(items: Iterable<Item>, isFirst: (item: Item) => boolean): [Item[], Item[]] {
	const parts: [Item[], Item[]] = [[], []];
	for (const item of items) {
		parts[isFirst(item) ? 0 : 1].push(item);
	}

	return parts;
}
