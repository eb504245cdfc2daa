import type {Fields} from '../policy/fields.ts';
import {systemClock, type Clock, type TimeBudget, type Limits} from './time-budget.ts';
import {enclosingRequests, InFlight} from './in-flight.ts';
import {Waiter, type Outcome} from './waiter.ts';

/** Whether a request is sent now, or may be answered by another one's result. */
export type JoinResult<Result> =
	| Exclude<Outcome<Result>, {readonly do: 'reuse'}>
	| {readonly do: 'wait'; readonly outcome: Promise<Outcome<Result>>; readonly hasResponse: () => boolean; readonly leave: () => void};

/** A request that asks whether it may share. */
export type JoinRequest = {
	readonly fields: Fields;

	/** The request fields that the response varies by, where they are known. */
	readonly names?: readonly string[] | undefined;

	/** Gives how much longer the request may be held back. It is called only where the request may wait. */
	readonly budget: () => TimeBudget;

	/** The position of the last invalidation before the request. */
	readonly position: number;

	/** An object that stands for the settings of the client: a refusal may hold for requests with the same one only. */
	readonly settings?: object;
};

const usualLimits: Limits = {response: 30_000, unknownLength: 2000};

// The milliseconds for which a key is remembered whose result could not be shared.
const refusalTime = 10_000;
const mostRemembered = 1000;

/** The requests for one key that are under way: several where its responses vary, or where one failed. */
type Route<Result> = {
	readonly key: string;
	readonly inFlight: Set<InFlight<Result>>;

	/** The request fields that the responses vary by, once one response has named them. */
	names: readonly string[] | undefined;

	/** How many failed in a row. */
	failures: number;
};

/**
Single flight: a request for a key waits for the result of another request for that key that is under way.

- After a result that cannot be shared, all requests that wait are sent at once, and for 10 seconds no request for the key waits.
- After a failure one of them is sent and the others wait on; after the next failures two are sent, then four. Those that wait on are also sent one by one, ever more at a time, within the time that each may wait. So an origin that is down does not get all requests at once, and none waits for more than a few failures.
- Where the caller gives the request up, exactly one of those that wait takes its place.
- A body that will not be whole in time lets all of them be sent; a response that does not come counts as a failure.
*/
export class Sharing<Result> {
	static readonly #byCache = new WeakMap<object, Sharing<unknown>>();

	/** The instance of a cache: all clients that share the cache, and classes with settings of their own, share it. */
	static of<Result>(cache: object): Sharing<Result> {
		const known = Sharing.#byCache.get(cache) ?? new Sharing<unknown>();
		Sharing.#byCache.set(cache, known);
		return known as Sharing<Result>;
	}

	readonly clock: Clock;
	readonly #limits: Limits;
	readonly #routes = new Map<string, Route<Result>>();

	/** The times until which no request waits for a key: for all requests, and for those by the same settings. */
	readonly #refusals = new Map<string, number>();
	readonly #refusalsBySettings = new WeakMap<object, Map<string, number>>();

	/** When keys last had a result: requests that looked into the store before look once more. */
	readonly #resolutions = new Map<string, number>();

	constructor(clock: Clock = systemClock, limits: Limits = usualLimits) {
		this.clock = clock;
		this.#limits = limits;
	}

	/** The number of keys for which requests are under way. */
	get size(): number {
		return this.#routes.size;
	}

	/** Lets a request be the one that is sent, wait for it, or be sent beside it. */
	join(key: string, request: JoinRequest): JoinResult<Result> {
		if (this.#isRefused(this.#refusals, key) || (request.settings !== undefined && this.#isRefused(this.#refusalsBySettings.get(request.settings), key))) {
			return {do: 'alone'};
		}

		const route = this.#route(key, request.names);
		const inFlight = find(route, request.fields);
		if (inFlight === undefined) {
			return {do: 'lead', inFlight: this.#lead(route, request.fields)};
		}

		// A request that the code of the other one makes would wait for itself.
		const isInside = inFlight.waitsFor(enclosingRequests());
		return isInside || request.budget().totalLeft <= 0 ? {do: 'alone'} : this.#wait(inFlight, request);
	}

	/** Lets a request be the one that is sent, which waits for no other; `undefined` where another is under way. */
	lead(key: string, fields: Fields, names?: readonly string[]): InFlight<Result> | undefined {
		const route = this.#route(key, names);
		return find(route, fields) === undefined ? this.#lead(route, fields) : undefined;
	}

	/**
	Notes that a result could not be used: for 10 seconds no request for the key waits.

	@param settings - The settings of the requests for which that holds. Default: all requests.
	*/
	refuse(key: string, settings?: object): void {
		const refusals = settings === undefined ? this.#refusals : this.#refusalsBySettings.get(settings) ?? new Map<string, number>();
		if (settings !== undefined) {
			this.#refusalsBySettings.set(settings, refusals);
		}

		remember(refusals, key, this.clock.now() + refusalTime);
	}

	/** Whether there was a result for a key since a moment of the clock. */
	hasResolvedSince(key: string, since: number): boolean {
		return (this.#resolutions.get(key) ?? -Infinity) >= since;
	}

	#isRefused(refusals: Map<string, number> | undefined, key: string): boolean {
		const until = refusals?.get(key);
		if (until === undefined || this.clock.now() < until) {
			return until !== undefined;
		}

		refusals!.delete(key);
		return false;
	}

	#route(key: string, names: readonly string[] | undefined): Route<Result> {
		const known = this.#routes.get(key);
		if (known !== undefined) {
			known.names ??= names;
			return known;
		}

		return {
			key, inFlight: new Set(), names, failures: 0,
		};
	}

	#lead(route: Route<Result>, fields: Fields): InFlight<Result> {
		const inFlight = new InFlight<Result>({
			fields, names: route.names, limits: this.#limits, clock: this.clock,
		}, {
			onNames(names) {
				route.names = names;
			},
			onReroute: waiters => {
				this.#reroute(route, waiters);
			},
			onEnd: (ended, ending, waiters) => {
				route.inFlight.delete(ended);
				switch (ending) {
					case 'resolved': {
						route.failures = 0;
						remember(this.#resolutions, route.key, this.clock.now());
						break;
					}

					case 'refused': {
						this.refuse(route.key);
						sendAll(waiters);
						break;
					}

					case 'released': {
						sendAll(waiters);
						break;
					}

					case 'failed': {
						this.#replaceFailed(route, waiters);
						break;
					}

					case 'abandoned': {
						this.#replace(route, waiters, 1);
						break;
					}

					default: {
						ending satisfies never;
					}
				}

				if (route.inFlight.size === 0) {
					this.#routes.delete(route.key);
				}
			},
		});
		route.inFlight.add(inFlight);
		this.#routes.set(route.key, route);
		return inFlight;
	}

	#replaceFailed(route: Route<Result>, waiters: ReadonlyArray<Waiter<Result>>): void {
		const left = this.#replace(route, waiters, 2 ** route.failures);
		route.failures++;
		sendGradually(left.filter(waiter => !waiter.hasSeenFailure));
	}

	/** Sends the first `count` of those that wait, and lets the others wait for the first of them. */
	#replace(route: Route<Result>, waiters: ReadonlyArray<Waiter<Result>>, count: number): ReadonlyArray<Waiter<Result>> {
		const [next, ...beside] = waiters.slice(0, count);
		if (next === undefined) {
			return [];
		}

		const inFlight = this.#lead(route, next.fields);
		const left = waiters.slice(count);
		for (const waiter of left) {
			inFlight.add(waiter);
		}

		sendAll(beside);
		next.settle({do: 'lead', inFlight});
		return left;
	}

	#reroute(route: Route<Result>, waiters: ReadonlyArray<Waiter<Result>>): void {
		for (const waiter of waiters) {
			const inFlight = find(route, waiter.fields);
			if (inFlight === undefined) {
				waiter.settle({do: 'lead', inFlight: this.#lead(route, waiter.fields)});
			} else if (inFlight.waitsFor(waiter.enclosing)) {
				waiter.settle({do: 'alone'});
			} else {
				inFlight.add(waiter);
			}
		}
	}

	#wait(inFlight: InFlight<Result>, request: JoinRequest): JoinResult<Result> {
		const {promise, resolve} = Promise.withResolvers<Outcome<Result>>();
		const waiter = new Waiter<Result>({...request, budget: request.budget()}, resolve);
		inFlight.add(waiter);
		return {
			do: 'wait',
			outcome: promise,
			hasResponse: () => waiter.inFlight?.hasResponse === true,
			leave() {
				waiter.leave();
			},
		};
	}
}

/** Sets the time of a key, and forgets the oldest key beyond the bound. */
function remember(times: Map<string, number>, key: string, time: number): void {
	times.delete(key);
	times.set(key, time);
	if (times.size > mostRemembered) {
		times.delete(times.keys().next().value!);
	}
}

function find<Result>({inFlight}: Route<Result>, fields: Fields): InFlight<Result> | undefined {
	return inFlight.values().find(candidate => candidate.isInTime && candidate.matches(fields) && candidate.isOutdated?.() !== true);
}

function sendAll<Result>(waiters: ReadonlyArray<Waiter<Result>>): void {
	for (const waiter of waiters) {
		waiter.settle({do: 'alone'});
	}
}

/** Waiters with the same time left are sent one by one, ever more at a time. */
function sendGradually<Result>(waiters: ReadonlyArray<Waiter<Result>>): void {
	for (const [index, waiter] of waiters.entries()) {
		waiter.noteFailure(Math.sqrt((index + 1) / waiters.length));
	}
}
