import type {Fields} from '../policy/fields.ts';
import {
	systemClock,
	type Clock,
	type TimeBudget,
	type WaitLimits,
} from './time-budget.ts';
import {
	enclosingRequests,
	InFlight,
	type Ending,
	type Listener,
	type RequestsForKey,
} from './in-flight.ts';
import {Waiter, type WaitOutcome} from './waiter.ts';

/** Whether a request is sent now, or waits for the result of another one. */
export type JoinResult<Result> =
	| Exclude<WaitOutcome<Result>, {readonly do: 'reuse'}>
	| {readonly do: 'wait'; readonly outcome: Promise<WaitOutcome<Result>>; readonly hasResponse: () => boolean; readonly leave: () => void};

export type JoinRequest = {
	/** The request headers. */
	readonly fields: Fields;

	/** The request headers that the response varies by, if they are known. */
	readonly names?: readonly string[] | undefined;

	/** Returns the time for which the request may wait. It is called only if there is a request to wait for. */
	readonly budget: () => TimeBudget;

	/** The position of the last invalidation before the request. */
	readonly position: number;

	/** The settings of the client. A refusal may hold only for requests with the same object. */
	readonly settings?: object;
};

const defaultLimits: WaitLimits = {response: 30_000, unknownLength: 2000};

/** The number of milliseconds for which no request waits for a key whose result could not be shared. */
const refusalTime = 10_000;

/** The number of keys after which the times of older ones are forgotten. */
const maxLatest = 500;

/** The times of at least the latest 500 keys, and of at most 1000. To delete the oldest key of one Map for each new one would take ten times as long, since V8 searches it behind those that were deleted before. */
class LatestTimes {
	#latest = new Map<string, number>();
	#older = new Map<string, number>();

	get(key: string): number | undefined {
		return this.#latest.get(key) ?? this.#older.get(key);
	}

	set(key: string, time: number): void {
		if (this.#latest.size === maxLatest) {
			this.#older = this.#latest;
			this.#latest = new Map();
		}

		this.#latest.set(key, time);
	}
}

/**
Makes a request wait for the result of a request in flight with the same key.

- After a result that cannot be shared, all waiters are sent at once, and no request for the key waits for 10 seconds.
- After a failure, one waiter is sent and the others wait for it; after the next failures, two are sent, then four. The others are also sent one after another, at growing rates, within the time that each may wait. So an origin that is down does not get all requests at once, and no request waits for more than a few failures.
- If the caller gives up, exactly one waiter is sent instead.
- If a body will not be complete in time, all waiters are sent. A response that does not begin in time counts as a failure.
*/
export class Sharing<Result> {
	static readonly #byCache = new WeakMap<object, Sharing<unknown>>();

	/** Returns the instance of a cache, for all clients of that cache. */
	static of<Result>(cache: object): Sharing<Result> {
		const known = Sharing.#byCache.get(cache) ?? new Sharing<unknown>();
		Sharing.#byCache.set(cache, known);
		return known as Sharing<Result>;
	}

	readonly clock: Clock;
	readonly #limits: WaitLimits;
	readonly #listener: Listener<Result> = {
		onEnd: (requests, ended, ending, waiters) => {
			this.#end(requests, ended, ending, waiters);
		},
		onUnanswered: (requests, waiters) => {
			this.#reassign(requests, waiters);
		},
	};

	readonly #requests = new Map<string, RequestsForKey<Result>>();

	/** The times until which no request waits for a key, by the settings of the requests. Those for all requests stand under this instance. */
	readonly #refusals = new WeakMap<object, LatestTimes>();

	/** When keys last had a result. Requests that read the store before that read it again. */
	readonly #resolutions = new LatestTimes();

	constructor(clock: Clock = systemClock, limits: WaitLimits = defaultLimits) {
		this.clock = clock;
		this.#limits = limits;
	}

	/** The number of keys with requests in flight. */
	get size(): number {
		return this.#requests.size;
	}

	/** Decides whether a request is sent for others that will wait for it, waits for another request, or is sent alone. */
	join(key: string, request: JoinRequest): JoinResult<Result> {
		if (this.#isRefused(key) || this.#isRefused(key, request.settings)) {
			return {do: 'send-alone'};
		}

		const requests = this.#requestsFor(key, request.names);
		const inFlight = find(requests, request.fields);
		if (inFlight === undefined) {
			return {do: 'send-shared', inFlight: this.#create(requests, request.fields)};
		}

		// A request that the code of the other one makes would wait for itself.
		const isNested = inFlight.waitsFor(enclosingRequests());
		return isNested || request.budget().totalLeft <= 0 ? {do: 'send-alone'} : this.#wait(inFlight, request);
	}

	/** Makes others wait for a request that waits for no other itself; `undefined` if another one is in flight. */
	register(key: string, fields: Fields, names?: readonly string[]): InFlight<Result> | undefined {
		const requests = this.#requestsFor(key, names);
		return find(requests, fields) === undefined ? this.#create(requests, fields) : undefined;
	}

	/**
	Notes that a result could not be shared: no request for the key waits for 10 seconds.

	@param settings - The settings of the requests for which this holds. Default: all requests.
	*/
	refuse(key: string, settings: object = this): void {
		const refusals = this.#refusals.get(settings) ?? new LatestTimes();
		this.#refusals.set(settings, refusals);
		refusals.set(key, this.clock.now() + refusalTime);
	}

	/** Returns whether a key has had a result since a moment of the clock. */
	hasResolvedSince(key: string, since: number): boolean {
		return (this.#resolutions.get(key) ?? -Infinity) >= since;
	}

	#isRefused(key: string, settings: object = this): boolean {
		const until = this.#refusals.get(settings)?.get(key);
		return until !== undefined && this.clock.now() < until;
	}

	#requestsFor(key: string, names: readonly string[] | undefined): RequestsForKey<Result> {
		const known = this.#requests.get(key);
		if (known !== undefined) {
			known.names ??= names;
			return known;
		}

		return {
			key, inFlight: [], names, failures: 0,
		};
	}

	#create(requests: RequestsForKey<Result>, fields: Fields): InFlight<Result> {
		const inFlight = new InFlight<Result>({
			fields, requests, limits: this.#limits, clock: this.clock, listener: this.#listener,
		});
		requests.inFlight = [...requests.inFlight, inFlight];
		this.#requests.set(requests.key, requests);
		return inFlight;
	}

	#end(requests: RequestsForKey<Result>, ended: InFlight<Result>, ending: Ending, waiters: ReadonlyArray<Waiter<Result>>): void {
		requests.inFlight = requests.inFlight.length === 1 ? [] : requests.inFlight.filter(other => other !== ended);
		switch (ending) {
			case 'resolved': {
				requests.failures = 0;
				this.#resolutions.set(requests.key, this.clock.now());
				break;
			}

			case 'refused': {
				this.refuse(requests.key);
				sendAll(waiters);
				break;
			}

			case 'released': {
				sendAll(waiters);
				break;
			}

			case 'failed': {
				this.#replaceFailed(requests, waiters);
				break;
			}

			case 'abandoned': {
				this.#replace(requests, waiters, 1);
				break;
			}

			default: {
				ending satisfies never;
			}
		}

		if (requests.inFlight.length === 0) {
			this.#requests.delete(requests.key);
		}
	}

	#replaceFailed(requests: RequestsForKey<Result>, waiters: ReadonlyArray<Waiter<Result>>): void {
		const remaining = this.#replace(requests, waiters, 2 ** requests.failures);
		requests.failures++;
		sendGradually(remaining.filter(waiter => !waiter.hasSeenFailure));
	}

	/** Sends the first `count` waiters, and makes the others wait for the first of them. */
	#replace(requests: RequestsForKey<Result>, waiters: ReadonlyArray<Waiter<Result>>, count: number): ReadonlyArray<Waiter<Result>> {
		const [next, ...others] = waiters.slice(0, count);
		if (next === undefined) {
			return [];
		}

		const inFlight = this.#create(requests, next.fields);
		const remaining = waiters.slice(count);
		for (const waiter of remaining) {
			inFlight.add(waiter);
		}

		sendAll(others);
		next.settle({do: 'send-shared', inFlight});
		return remaining;
	}

	/** Makes each waiter wait for another request in flight that may answer it, or sends it. */
	#reassign(requests: RequestsForKey<Result>, waiters: ReadonlyArray<Waiter<Result>>): void {
		for (const waiter of waiters) {
			const inFlight = find(requests, waiter.fields);
			if (inFlight === undefined) {
				waiter.settle({do: 'send-shared', inFlight: this.#create(requests, waiter.fields)});
			} else if (inFlight.waitsFor(waiter.enclosing)) {
				waiter.settle({do: 'send-alone'});
			} else {
				inFlight.add(waiter);
			}
		}
	}

	#wait(inFlight: InFlight<Result>, request: JoinRequest): JoinResult<Result> {
		const {promise, resolve} = Promise.withResolvers<WaitOutcome<Result>>();
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

function find<Result>({inFlight}: RequestsForKey<Result>, fields: Fields): InFlight<Result> | undefined {
	return inFlight.length === 0 ? undefined : inFlight.find(candidate => candidate.isInTime && candidate.matches(fields) && candidate.isOutdated?.() !== true);
}

function sendAll<Result>(waiters: ReadonlyArray<Waiter<Result>>): void {
	for (const waiter of waiters) {
		waiter.settle({do: 'send-alone'});
	}
}

/** Lets waiters with the same time left be sent one after another, at growing rates. */
function sendGradually<Result>(waiters: ReadonlyArray<Waiter<Result>>): void {
	for (const [index, waiter] of waiters.entries()) {
		waiter.noteFailure(Math.sqrt((index + 1) / waiters.length));
	}
}
