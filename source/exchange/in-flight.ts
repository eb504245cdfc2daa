import {AsyncLocalStorage} from 'node:async_hooks';
import {nominatedFields, nominatedValues, type Fields} from '../policy/fields.ts';
import {type Clock, timeLeft, type BodyProgress, type Limits} from './time-budget.ts';
import type {Waiter} from './waiter.ts';

/**
How a request ended, for those that wait for it: they have its result (`resolved`), its result is for nobody else (`refused`), it goes on without them (`released`), the origin failed (`failed`), or its caller gave it up (`abandoned`).
*/
export type Ending = 'resolved' | 'refused' | 'released' | 'failed' | 'abandoned';

/** Called with what happens to a request that is under way. */
type Listener<Result> = {
	readonly onNames: (names: readonly string[]) => void;
	readonly onEnd: (inFlight: InFlight<Result>, ending: Ending, waiters: ReadonlyArray<Waiter<Result>>) => void;

	/** Called with the waiters that the response does not answer, since it varies. */
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
	while (context?.inFlight.hasEnded === true) {
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

	/** Called with how the request ended. */
	onEnd: ((ending: Ending) => void) | undefined;
	readonly #listener: Listener<Result>;
	readonly #limits: Limits;
	readonly #clock: Clock;
	readonly #waiters = new Set<Waiter<Result>>();

	/** The waiters, for this or any other request, that the code inside of this request has made. */
	readonly #inner = new Set<Waiter<unknown>>();
	#names: readonly string[] | undefined;
	#isOver = false;

	/** When the request was sent, and then when its body began, by the clock. */
	#since: number;

	/** The body, once it has begun. */
	#body: BodyProgress | undefined;

	/** Stops the timer, which runs only while somebody waits. */
	#cancel: (() => void) | undefined;

	constructor({fields, names, limits, clock}: {readonly fields: Fields; readonly names: readonly string[] | undefined; readonly limits: Limits; readonly clock: Clock}, listener: Listener<Result>) {
		this.fields = fields;
		this.#names = names;
		this.#limits = limits;
		this.#clock = clock;
		this.#listener = listener;
		this.#since = clock.now();
	}

	get hasEnded(): boolean {
		return this.#isOver;
	}

	get hasWaiters(): boolean {
		return this.#waiters.size > 0;
	}

	/** Whether the response has begun. */
	get hasResponse(): boolean {
		return this.#body !== undefined;
	}

	/** Whether the result will come in time for others, as far as can be told. */
	get isInTime(): boolean {
		return this.#timeLeft() > 0;
	}

	/** Whether the response may answer a request, as far as it is known what it varies by. */
	matches(request: Fields): boolean {
		const names = this.#names ?? [];
		const values = nominatedValues(names, request);
		return nominatedValues(names, this.fields).every((value, index) => value === values[index]);
	}

	/** Lets a waiter wait for this request. */
	add(waiter: Waiter<Result>): void {
		waiter.inFlight = this;
		this.#waiters.add(waiter);
		this.#cancel ??= this.#watch();
	}

	/** Lets a waiter no longer wait for this request. */
	remove(waiter: Waiter<Result>): void {
		this.#waiters.delete(waiter);
		this.#stopWatching();
	}

	/** Notes that a request which the code inside of this one makes begins to wait. */
	addNested(waiter: Waiter<unknown>): void {
		this.#inner.add(waiter);
	}

	removeNested(waiter: Waiter<unknown>): void {
		this.#inner.delete(waiter);
	}

	/** Whether this request is one of some others, or the code inside of it waits for one of them, directly or through further requests. A request inside of those others must not wait for this one: none of them would ever end. */
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
		// Requests that have ended are left out: code may chain request to request for as long as the process lives.
		return contexts.run({inFlight: this, outer: underWay(contexts.getStore())}, action);
	}

	/**
	The response has begun, and may be stored.

	@param length - The length of its body in bytes; `undefined` where it is not known.
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

	/** Notes that some more of the body has come. */
	progress(bytes: number): void {
		if (this.#body === undefined) {
			return;
		}

		this.#body.received += bytes;
		this.#body.progressed = this.#clock.now() - this.#since;
	}

	/**
	Gives the result to all waiters, except for those that it does not answer.

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

	/** Ends the wait: the result is for nobody else, and for a while no request for the key waits. */
	refuse(): void {
		this.#end('refused');
	}

	/** Ends the wait, since the body takes too long for others. The request goes on. */
	release(): void {
		this.#end('released');
	}

	/** Ends the request without a result: the next one may get one. */
	fail(): void {
		this.#end('failed');
	}

	/** Ends the request, since its caller gave it up: exactly one waiter takes its place. */
	abandon(): void {
		this.#end('abandoned');
	}

	/** Sorts out the waiters that ask for another variant (RFC 9111 §4.1). A validation tells only at its end which variant it is about. */
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
		// A socket that is kept open refers to the request for which it was opened, and would keep all this in memory.
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
