import {AsyncLocalStorage} from 'node:async_hooks';
import type {Fields} from '../policy/fields.ts';
import {nominatedFields, nominatedValues} from '../policy/vary.ts';
import type {Clock} from './clock.ts';
import type {TimeBudget} from './time-budget.ts';

/** How the wait for another request ends: with its result, as the next one to be sent, or as one to be sent beside the others. */
export type Outcome<Result> =
	| {readonly do: 'reuse'; readonly result: Result}
	| {readonly do: 'lead'; readonly inFlight: InFlight<Result>}
	| {readonly do: 'alone'};

/** A request that waits for another one. When that fails, or varies, it waits for the next. */
export class Waiter<Result> {
	readonly fields: Fields;

	/** What was invalidated up to there, the waiter knows of. */
	readonly position: number;
	inFlight: InFlight<Result> | undefined;

	/** The requests that the code which waits is part of. */
	readonly enclosing: ReadonlyArray<InFlight<unknown>> = enclosingRequests();
	readonly #budget: TimeBudget;
	readonly #clock: Clock;
	readonly #settle: (outcome: Outcome<Result>) => void;

	/** Since when it waits for a request that is under way; `undefined` after that has failed. */
	#since: number | undefined;
	#cancel: () => void;

	constructor({fields, position, budget, clock}: {readonly fields: Fields; readonly position: number; readonly budget: TimeBudget; readonly clock: Clock}, settle: (outcome: Outcome<Result>) => void) {
		this.fields = fields;
		this.position = position;
		this.#budget = budget;
		this.#clock = clock;
		this.#settle = settle;
		this.#since = clock.now();
		this.#cancel = this.#goAloneAfter(budget.totalLeft);
	}

	/** Whether the request that it waited for has failed. */
	get hasSeenFailure(): boolean {
		return this.#since === undefined;
	}

	/**
	The request has failed, so that the time for which the waiter waits on is its own.

	@param share - The share of that time after which it is sent beside the others.
	*/
	noteFailure(share: number): void {
		this.#extend();
		this.#cancel();
		this.#cancel = this.#goAloneAfter(share * this.#budget.left);
	}

	settle(outcome: Outcome<Result>): void {
		this.#extend();
		this.leave();
		this.#settle(outcome);
	}

	/** Nobody waits any more. */
	leave(): void {
		this.#cancel();
		this.inFlight?.remove(this);
		this.inFlight = undefined;
	}

	#extend(): void {
		if (this.#since === undefined) {
			return;
		}

		this.#budget.extend(this.#since);
		this.#since = undefined;
	}

	#goAloneAfter(milliseconds: number): () => void {
		return this.#clock.after(milliseconds, () => {
			this.settle({do: 'alone'});
		});
	}
}

/**
How a request ended, for those that wait: all of them have its result, nobody else may have it, it goes on without them, the origin failed, or its own caller gave it up.
*/
export type Ending = 'resolved' | 'refused' | 'released' | 'failed' | 'abandoned';

/** What is told of a request in flight. */
export type Listener<Result> = {
	readonly onNames: (names: readonly string[]) => void;
	readonly onEnd: (inFlight: InFlight<Result>, ending: Ending, waiters: ReadonlyArray<Waiter<Result>>) => void;

	/** The response is not for these. */
	readonly onReroute: (waiters: ReadonlyArray<Waiter<Result>>) => void;
};

/** How long others wait, in milliseconds. */
export type Limits = {
	/** For the head of a response, and for its body where that has a known length. */
	readonly response: number;

	/** For a body whose length is not known, from its head on. */
	readonly unknownLength: number;
};

/** The requests that the code which runs is part of: a hook, a user's request function, a decorated method. */
type Context = {readonly inFlight: InFlight<any>; readonly outer: Context | undefined};

const contexts = new AsyncLocalStorage<Context>();

/** The requests that have not ended and that the code which runs is part of. */
export function enclosingRequests(): ReadonlyArray<InFlight<unknown>> {
	const enclosing: Array<InFlight<unknown>> = [];
	for (let context = contexts.getStore(); context !== undefined; context = context.outer) {
		if (!context.inFlight.isOver) {
			enclosing.push(context.inFlight as InFlight<unknown>);
		}
	}

	return enclosing;
}

// A rate says little at first.
const firstEstimate = 1000;

/**
A request that is under way, and the requests that wait for its result.
*/
export class InFlight<Result> {
	readonly fields: Fields;

	/** Whether the result may be from before something that was invalidated since: then it is only for those that wait already. */
	isOutdated: (() => boolean) | undefined;

	/** Told how it ended. */
	onEnd: ((ending: Ending) => void) | undefined;
	readonly #listener: Listener<Result>;
	readonly #limits: Limits;
	readonly #clock: Clock;
	readonly #waiters = new Set<Waiter<Result>>();

	/** The requests that the code inside of this one waits for. */
	readonly #awaited = new Set<InFlight<unknown>>();
	#names: readonly string[] | '*' | undefined;
	#isOver = false;

	/** Since when the response is waited for, and then its body. */
	#since: number;

	/** The body, once it has begun; its length is `undefined` where nobody knows. */
	#body: {readonly length: number | undefined; received: number; since: number} | undefined;

	/** Of the timer, which runs only while somebody waits. */
	#cancel: (() => void) | undefined;

	constructor({fields, names, limits, clock}: {readonly fields: Fields; readonly names: readonly string[] | undefined; readonly limits: Limits; readonly clock: Clock}, listener: Listener<Result>) {
		this.fields = fields;
		this.#names = names;
		this.#limits = limits;
		this.#clock = clock;
		this.#listener = listener;
		this.#since = clock.now();
	}

	get isOver(): boolean {
		return this.#isOver;
	}

	get hasWaiters(): boolean {
		return this.#waiters.size > 0;
	}

	/** Whether its response has begun. */
	get hasResponse(): boolean {
		return this.#body !== undefined;
	}

	/** Whether the result will come in time for others, as far as can be told. */
	get isInTime(): boolean {
		return this.#timeLeft() > 0;
	}

	/** Whether its response may answer a request, as far as is known. */
	matches(request: Fields): boolean {
		const names = this.#names ?? [];
		if (names === '*') {
			return false;
		}

		const values = nominatedValues(names, request);
		return nominatedValues(names, this.fields).every((value, index) => value === values[index]);
	}

	add(waiter: Waiter<Result>): void {
		waiter.inFlight = this;
		this.#waiters.add(waiter);
		for (const enclosing of waiter.enclosing) {
			enclosing.#awaited.add(this as InFlight<unknown>);
		}

		this.#cancel ??= this.#watch();
	}

	remove(waiter: Waiter<Result>): void {
		this.#waiters.delete(waiter);
	}

	/** Whether the code inside of this request waits for one of others, directly or through others: whoever is inside of those must not wait for this one. */
	waitsFor(others: ReadonlyArray<InFlight<unknown>>, seen = new Set<InFlight<unknown>>()): boolean {
		const self = this as InFlight<unknown>;
		if (others.includes(self)) {
			return true;
		}

		seen.add(self);
		return this.#awaited.values().some(awaited => !awaited.isOver && !seen.has(awaited) && awaited.waitsFor(others, seen));
	}

	/** Runs the code that sends the request. */
	run<Value>(action: () => Value): Value {
		return contexts.run({inFlight: this, outer: contexts.getStore()}, action);
	}

	/**
	The response has begun, and may be stored.

	@param length - The bytes of its body; `undefined` where nobody knows.
	*/
	respond(response: Fields, length: number | undefined): void {
		if (this.#isOver) {
			return;
		}

		this.#since = this.#clock.now();
		this.#body = {length, received: 0, since: this.#since};
		if (this.#cancel !== undefined) {
			this.#cancel();
			this.#cancel = this.#watch();
		}

		this.#vary(response);
	}

	/** Some more of the body has come. */
	progress(bytes: number): void {
		if (this.#body === undefined) {
			return;
		}

		this.#body.received += bytes;
		this.#body.since = this.#clock.now();
	}

	/**
	The result is there: all that wait have it, except for those whose variant is another.

	@param isFor - Whether it may be given to a waiter.
	*/
	resolve(result: Result, response: Fields, isFor: (waiter: Waiter<Result>) => boolean): void {
		if (this.#isOver) {
			return;
		}

		this.#vary(response);
		const [theirs, others] = partition(this.#waiters, waiter => isFor(waiter));
		for (const waiter of this.#end('resolved')) {
			if (theirs.includes(waiter)) {
				waiter.settle({do: 'reuse', result});
			}
		}

		this.#listener.onReroute(others);
	}

	/** Nobody else may have the result, and neither may those that ask for the like soon. */
	refuse(): void {
		this.#end('refused');
	}

	/** It takes too long for others; it goes on without them. */
	release(): void {
		this.#end('released');
	}

	/** The origin gave nothing; the next request may get something. */
	fail(): void {
		this.#end('failed');
	}

	/** Its own caller gave it up: exactly one takes its place. */
	abandon(): void {
		this.#end('abandoned');
	}

	/** RFC 9111 §4.1: others ask for another variant. A validation tells only at its end which one it is. */
	#vary(response: Fields): void {
		this.#names = nominatedFields(response);
		if (this.#names !== '*') {
			this.#listener.onNames(this.#names);
		}

		const [, others] = partition(this.#waiters, ({fields}) => this.matches(fields));
		for (const other of others) {
			this.#waiters.delete(other);
		}

		this.#listener.onReroute(others);
	}

	/** Milliseconds until others wait no more, or until it is estimated anew. */
	#timeLeft(): number {
		const elapsed = this.#clock.now() - this.#since;
		if (this.#body === undefined) {
			return this.#limits.response - elapsed;
		}

		const {length, received, since} = this.#body;
		if (length === undefined) {
			return this.#limits.unknownLength - elapsed;
		}

		// A body is waited for while it will be whole in time, at the rate seen; and not where nothing comes any more, since its reader has stopped before its end.
		const isStalled = this.#clock.now() - since >= this.#limits.unknownLength;
		const isInTime = elapsed < firstEstimate || (!isStalled && elapsed * length <= this.#limits.response * received);
		return isInTime ? firstEstimate : 0;
	}

	#watch(): () => void {
		return this.#clock.after(Math.max(0, this.#timeLeft()), () => {
			if (this.#timeLeft() > 0) {
				this.#cancel = this.#watch();
			} else if (this.#body === undefined) {
				this.fail();
			} else {
				this.release();
			}
		});
	}

	#end(ending: Ending): ReadonlyArray<Waiter<Result>> {
		if (this.#isOver) {
			return [];
		}

		this.#isOver = true;
		this.#cancel?.();
		const waiters = [...this.#waiters];
		this.#waiters.clear();
		this.#awaited.clear();
		this.#listener.onEnd(this, ending, waiters);
		this.onEnd?.(ending);
		return waiters;
	}
}

function partition<Item>(items: Iterable<Item>, isFirst: (item: Item) => boolean): [Item[], Item[]] {
	const parts: [Item[], Item[]] = [[], []];
	for (const item of items) {
		parts[isFirst(item) ? 0 : 1].push(item);
	}

	return parts;
}
