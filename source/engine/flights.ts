import type {Fields} from '../policy/fields.ts';
import {
	Flight,
	isAboard,
	type Follower,
	type Landing,
} from './flight.ts';

/** Whether a request is to be sent now, or may be answered by another's response. */
export type Boarding =
	| Exclude<Landing, {readonly do: 'reuse'}>
	| {readonly do: 'wait'; readonly landing: Promise<Landing>; readonly leave: () => void};

export type FlightTimes = {
	/** Milliseconds that followers wait for a response to begin. */
	readonly head: number;

	/** Milliseconds that they wait for more of its body: whoever reads it may have stopped. */
	readonly body: number;

	/** Milliseconds for which a key is remembered whose response could not be shared. */
	readonly pass: number;
};

const usualTimes: FlightTimes = {head: 30_000, body: 5000, pass: 10_000};
const remembered = 1000;

/** The flights of one key: several where its responses vary, or where one failed. */
type Route = {
	readonly key: string;
	readonly flights: Set<Flight>;

	/** What the responses vary by, as far as one has said. */
	names: readonly string[] | undefined;

	/** How many flights failed in a row. */
	failures: number;
};

/**
The requests that are on their way, by key: whoever asks for what is being asked for waits for that.

What cannot be shared frees all who wait at once, and for a while nobody waits for the like. What fails frees one, who asks next while the others wait on; then two, then four: an origin that is down meets no stampede, and nobody waits for more than a handful of failures.
*/
export class Flights {
	static readonly #byCache = new WeakMap<object, Flights>();

	/** Those of a cache: all clients that share it, and classes with settings of their own, ask once. */
	static of(cache: object): Flights {
		const known = Flights.#byCache.get(cache) ?? new Flights();
		Flights.#byCache.set(cache, known);
		return known;
	}

	readonly #routes = new Map<string, Route>();

	/** When those may wait again who ask for what could not be shared. */
	readonly #passes = new Map<string, number>();
	readonly #times: FlightTimes;

	/** When responses were last had, for those who looked for them before and were told that there are none. */
	readonly #landings = new Map<string, number>();

	constructor(times: FlightTimes = usualTimes) {
		this.#times = times;
	}

	/** How many keys are on their way. */
	get size(): number {
		return this.#routes.size;
	}

	/**
	Lets a request lead, wait, or go beside the others.

	@param names - What the response varies by, where it is known.
	*/
	board(key: string, request: Fields, names?: readonly string[]): Boarding {
		if (this.#isPassed(key)) {
			return {do: 'alone'};
		}

		const route = this.#route(key, names);
		const flight = find(route, request);
		if (flight === undefined) {
			return {do: 'lead', flight: this.#lead(route, request)};
		}

		return isAboard() ? {do: 'alone'} : wait(flight, request);
	}

	/** Lets a request lead that nobody waits with; `undefined` where another is on its way. */
	lead(key: string, request: Fields, names?: readonly string[]): Flight | undefined {
		const route = this.#route(key, names);
		return find(route, request) === undefined ? this.#lead(route, request) : undefined;
	}

	/** What could be had could not be used: nobody waits for the like for a while. */
	pass(key: string): void {
		remember(this.#passes, key, performance.now() + this.#times.pass);
	}

	/** Whether a response was had since, by `performance.now()`. */
	hasLanded(key: string, since: number): boolean {
		return (this.#landings.get(key) ?? -Infinity) >= since;
	}

	#isPassed(key: string): boolean {
		const until = this.#passes.get(key);
		if (until === undefined || performance.now() < until) {
			return until !== undefined;
		}

		this.#passes.delete(key);
		return false;
	}

	#route(key: string, names: readonly string[] | undefined): Route {
		const known = this.#routes.get(key);
		if (known !== undefined) {
			known.names ??= names;
			return known;
		}

		return {
			key, flights: new Set(), names, failures: 0,
		};
	}

	#lead(route: Route, request: Fields): Flight {
		const flight = new Flight(request, route.names, {
			patience: this.#times,
			onNames(names) {
				route.names = names;
			},
			reroute: followers => {
				this.#reroute(route, followers);
			},
			onEnd: (ended, outcome, followers) => {
				if (outcome === 'passed') {
					this.pass(route.key);
					goAlone(followers);
				} else if (outcome === 'failed') {
					this.#replace(route, followers);
				} else {
					route.failures = 0;
					remember(this.#landings, route.key, performance.now());
				}

				route.flights.delete(ended);
				if (route.flights.size === 0) {
					this.#routes.delete(route.key);
				}
			},
		});
		route.flights.add(flight);
		this.#routes.set(route.key, route);
		return flight;
	}

	#replace(route: Route, followers: readonly Follower[]): void {
		const count = 2 ** route.failures;
		route.failures++;
		const [next, ...others] = followers.slice(0, count);
		goAlone(others);
		if (next === undefined) {
			return;
		}

		const flight = this.#lead(route, next.request);
		for (const follower of followers.slice(count)) {
			flight.admit(follower);
		}

		settle(next, {do: 'lead', flight});
	}

	#reroute(route: Route, followers: readonly Follower[]): void {
		for (const follower of followers) {
			const flight = find(route, follower.request);
			if (flight === undefined) {
				settle(follower, {do: 'lead', flight: this.#lead(route, follower.request)});
			} else {
				flight.admit(follower);
			}
		}
	}
}

/** The latest of them. */
function remember(times: Map<string, number>, key: string, time: number): void {
	times.delete(key);
	times.set(key, time);
	if (times.size > remembered) {
		times.delete(times.keys().next().value!);
	}
}

function find({flights}: Route, request: Fields): Flight | undefined {
	return [...flights].find(flight => flight.suits(request) && flight.isOutdated?.() !== true);
}

function wait(flight: Flight, request: Fields): Boarding {
	const {promise, resolve} = Promise.withResolvers<Landing>();
	const follower: Follower = {request, settle: resolve, flight: undefined};
	flight.admit(follower);
	return {
		do: 'wait',
		landing: promise,
		leave() {
			follower.flight?.leave(follower);
		},
	};
}

function goAlone(followers: readonly Follower[]): void {
	for (const follower of followers) {
		settle(follower, {do: 'alone'});
	}
}

function settle(follower: Follower, landing: Landing): void {
	follower.flight = undefined;
	follower.settle(landing);
}
