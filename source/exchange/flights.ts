import type {Fields} from '../policy/fields.ts';
import {
	Flight,
	Follower,
	isAboard,
	type Landing,
} from './flight.ts';
import {Patience} from './patience.ts';

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

/** Of who boards. */
export type Passenger = {
	/** What the response varies by, where it is known. */
	readonly names?: readonly string[] | undefined;

	/** How long it may wait. Default: without end. */
	readonly patience?: Patience;

	/** An object that those have in common who go by the same settings. */
	readonly rules?: object;
};

const endless: Patience = new Patience({store: Infinity, inAll: Infinity});

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

What cannot be shared frees all who wait at once, and for a while nobody waits for the like. What fails frees one, who asks next while the others wait on; then two, then four; and those who wait on are let go in growing numbers within their patience: an origin that is down meets no stampede, and nobody waits for more than a handful of failures, nor for long.
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
	readonly #passesByRules = new WeakMap<object, Map<string, number>>();
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
	*/
	board(key: string, request: Fields, {names, patience = endless, rules}: Passenger = {}): Boarding {
		if (this.#isPassed(this.#passes, key) || (rules !== undefined && this.#isPassed(this.#passesByRules.get(rules), key))) {
			return {do: 'alone'};
		}

		const route = this.#route(key, names);
		const flight = find(route, request);
		if (flight === undefined) {
			return {do: 'lead', flight: this.#lead(route, request)};
		}

		return isAboard() || patience.leftInAll <= 0 ? {do: 'alone'} : wait(flight, request, patience);
	}

	/** Lets a request lead that nobody waits with; `undefined` where another is on its way. */
	lead(key: string, request: Fields, names?: readonly string[]): Flight | undefined {
		const route = this.#route(key, names);
		return find(route, request) === undefined ? this.#lead(route, request) : undefined;
	}

	/**
	What could be had could not be used: nobody waits for the like for a while.

	@param rules - Of those for whom that holds; of all by default.
	*/
	pass(key: string, rules?: object): void {
		remember(rules === undefined ? this.#passes : this.#passesOf(rules), key, performance.now() + this.#times.pass);
	}

	/** Whether a response was had since, by `performance.now()`. */
	hasLanded(key: string, since: number): boolean {
		return (this.#landings.get(key) ?? -Infinity) >= since;
	}

	#isPassed(passes: Map<string, number> | undefined, key: string): boolean {
		const until = passes?.get(key);
		if (until === undefined || performance.now() < until) {
			return until !== undefined;
		}

		passes!.delete(key);
		return false;
	}

	#passesOf(rules: object): Map<string, number> {
		const known = this.#passesByRules.get(rules) ?? new Map<string, number>();
		this.#passesByRules.set(rules, known);
		return known;
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
		const left = followers.slice(count);
		for (const follower of left) {
			flight.admit(follower);
		}

		loseGradually(left.filter(({isFailed}) => !isFailed));
		next.settle({do: 'lead', flight});
	}

	#reroute(route: Route, followers: readonly Follower[]): void {
		for (const follower of followers) {
			const flight = find(route, follower.request);
			if (flight === undefined) {
				follower.settle({do: 'lead', flight: this.#lead(route, follower.request)});
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

function wait(flight: Flight, request: Fields, patience: Patience): Boarding {
	const {promise, resolve} = Promise.withResolvers<Landing>();
	const follower = new Follower(request, patience, resolve);
	flight.admit(follower);
	return {
		do: 'wait',
		landing: promise,
		leave() {
			follower.leave();
		},
	};
}

function goAlone(followers: readonly Follower[]): void {
	for (const follower of followers) {
		follower.settle({do: 'alone'});
	}
}

/** Whose time is the same go one by one, ever more at a time. */
function loseGradually(followers: readonly Follower[]): void {
	for (const [index, follower] of followers.entries()) {
		follower.fail(Math.sqrt((index + 1) / followers.length));
	}
}
