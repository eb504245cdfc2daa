import {AsyncLocalStorage} from 'node:async_hooks';
import {nominatedFields, nominatedValues, type Fields} from '../policy/fields.ts';
import type {Clock} from './clock.ts';
import {timeLeft, type BodyProgress, type Limits} from './wait-limits.ts';
import type {Waiter} from './waiter.ts';

/**
How a request ended, for those that wait: all of them have its result, nobody else may have it, it goes on without them, the origin failed, or its own caller gave it up.
*/
export type Ending = 'resolved' | 'refused' | 'released' | 'failed' | 'abandoned';

/** What is told of a request in flight. */
type Listener<Result> = {
	readonly onNames: (names: readonly string[]) => void;
	readonly onEnd: (inFlight: InFlight<Result>, ending: Ending, waiters: ReadonlyArray<Waiter<Result>>) => void;

	/** The response is not for these. */
	readonly onReroute: (waiters: ReadonlyArray<Waiter<Result>>) => void;
};

/** The requests that the code which runs is part of: a hook, a user's request function, a decorated method. */
type Context = {readonly inFlight: InFlight<any>; readonly outer: Context | undefined};

const contexts = new AsyncLocalStorage<Context>();

/** The requests that have not ended and that the code which runs is part of, from the innermost to the outermost. */
export function enclosingRequests(): ReadonlyArray<InFlight<unknown>> {
	const enclosing: Array<InFlight<unknown>> = [];
	for (let context = underWay(contexts.getStore()); context !== undefined; context = underWay(context.outer)) {
		enclosing.push(context.inFlight as InFlight<unknown>);
	}

	return enclosing;
}

function underWay(innermost: Context | undefined): Context | undefined {
	let context = innermost;
	while (context?.inFlight.isOver === true) {
		context = context.outer;
	}

	return context;
}

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

	/** Those among the waiters, for whatever request, whose code is inside of this one. */
	readonly #inner = new Set<Waiter<unknown>>();
	#names: readonly string[] | undefined;
	#isOver = false;

	/** Since when the response is waited for, and then its body. */
	#since: number;

	/** The body, once it has begun. */
	#body: BodyProgress | undefined;

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
		const values = nominatedValues(names, request);
		return nominatedValues(names, this.fields).every((value, index) => value === values[index]);
	}

	add(waiter: Waiter<Result>): void {
		waiter.inFlight = this;
		this.#waiters.add(waiter);
		this.#cancel ??= this.#watch();
	}

	remove(waiter: Waiter<Result>): void {
		this.#waiters.delete(waiter);
		this.#stopWatching();
	}

	/** A request that the code inside of this one makes begins to wait for another. */
	addInner(waiter: Waiter<unknown>): void {
		this.#inner.add(waiter);
	}

	removeInner(waiter: Waiter<unknown>): void {
		this.#inner.delete(waiter);
	}

	/** Whether the code inside of this request waits for one of others, directly or through others: whoever is inside of those must not wait for this one. */
	waitsFor(others: ReadonlyArray<InFlight<unknown>>, seen: Set<InFlight<unknown>> = new Set<InFlight<unknown>>()): boolean {
		const self = this as InFlight<unknown>;
		if (others.length === 0 || seen.has(self)) {
			return false;
		}

		seen.add(self);
		return others.includes(self) || this.#inner.values().some(({inFlight}) => inFlight?.waitsFor(others, seen) === true);
	}

	/** Runs the code that sends the request. */
	run<Value>(action: () => Value): Value {
		// A response may lead to the next request, and that to another one, for as long as the process lives.
		return contexts.run({inFlight: this, outer: underWay(contexts.getStore())}, action);
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
		this.#body = {length, received: 0, progressed: 0};
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
		this.#body.progressed = this.#clock.now() - this.#since;
	}

	/**
	The result is there: all that wait have it, except for those whose variant is another.

	@param isFor - Whether it may be given to a waiter.
	*/
	resolve(result: Result, response: Fields, isFor: (waiter: Waiter<Result>) => boolean): void {
		this.#vary(response);
		if (this.#isOver) {
			return;
		}

		const [theirs, others] = partition(this.#waiters, waiter => isFor(waiter));
		this.#end('resolved');
		for (const waiter of theirs) {
			waiter.settle({do: 'reuse', result});
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
		if (this.#isOver) {
			return;
		}

		const names = nominatedFields(response);
		if (names === '*') {
			this.refuse();
			return;
		}

		this.#names = names;
		this.#listener.onNames(names);
		const [, others] = partition(this.#waiters, ({fields}) => this.matches(fields));
		for (const other of others) {
			this.remove(other);
		}

		this.#listener.onReroute(others);
	}

	#timeLeft(): number {
		return timeLeft(this.#clock.now() - this.#since, this.#body, this.#limits);
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

	#stopWatching(): void {
		if (this.#waiters.size > 0) {
			return;
		}

		this.#cancel?.();
		this.#cancel = undefined;
	}

	#end(ending: Ending): void {
		if (this.#isOver) {
			return;
		}

		const {onEnd} = this;
		const waiters = [...this.#waiters];
		this.#isOver = true;
		this.#waiters.clear();
		this.#inner.clear();
		this.#stopWatching();
		// A socket that is kept open remembers the request for which it was opened.
		this.isOutdated = undefined;
		this.onEnd = undefined;
		this.#listener.onEnd(this, ending, waiters);
		onEnd?.(ending);
	}
}

function partition<Item>(items: Iterable<Item>, isFirst: (item: Item) => boolean): [Item[], Item[]] {
	const parts: [Item[], Item[]] = [[], []];
	for (const item of items) {
		parts[isFirst(item) ? 0 : 1].push(item);
	}

	return parts;
}

export type {Outcome} from './waiter.ts';
