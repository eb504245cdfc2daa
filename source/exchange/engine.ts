import type {CacheCore} from '../cache/core.ts';
import type {Explanation} from '../cache/explanation.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import type {Match} from '../cache/variants.ts';
import {NotRecordedError} from '../errors.ts';
import {identify} from '../identity/identify.ts';
import {onLookup} from '../policy/request-rules.ts';
import {
	resolveRequestSettings,
	resolveSettings,
	type CacheSettings,
	type RequestSettings,
	type ResolvedSettings,
} from '../settings.ts';
import {Background} from './background.ts';
import {claim, mayRefresh} from './claim.ts';
import {factsOf} from './exchange-keys.ts';
import {exchangeSettings, type ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest, Redirects, Step} from './exchange-types.ts';
import {Exchange} from './exchange.ts';
import {explainRequest} from './explain.ts';
import type {Flight} from './flight.ts';
import {Flights, type Boarding} from './flights.ts';
import {
	currentScope,
	mergeSettings,
	scopedSettings,
	type ScopedClient,
} from './scope.ts';

const engines = new WeakMap<CacheCore, Engine>();

/**
What the exchanges of one client share: the cache, the settings, the work in the background.
*/
export class Engine {
	readonly cache: CacheCore;
	readonly #flights: Flights;
	readonly #background: Background;
	#settings: ResolvedSettings;
	#given: CacheSettings;
	#ofClient: ExchangeSettings;

	// Requests often carry one and the same object of settings: a client's, a class's.
	#ofRequests = new WeakMap<object, ExchangeSettings>();

	// What this client is inside of scopes that have a client's settings, too.
	#inScopes = new WeakMap<ScopedClient, Engine>();

	/**
	Asks nothing yet.

	@param given - The settings as the user gave them.
	*/
	constructor(cache: CacheCore, settings: ResolvedSettings, given: CacheSettings = {}) {
		this.cache = cache;
		this.#flights = Flights.of(cache);
		this.#settings = settings;
		this.#given = given;
		if (!engines.has(cache)) {
			engines.set(cache, this);
		}

		this.#ofClient = exchangeSettings(settings, resolveRequestSettings({}), cache.secret);
		this.#background = Background.of(cache);
	}

	get settings(): ResolvedSettings {
		return this.#settings;
	}

	/** Takes other settings for the client: requests that are under way keep those that they began with. */
	reconfigure(settings: ResolvedSettings, given: CacheSettings): void {
		this.#settings = settings;
		this.#given = given;
		this.#inScopes = new WeakMap();
		this.#ofClient = exchangeSettings(settings, resolveRequestSettings({}), this.cache.secret);
		this.#ofRequests = new WeakMap();
	}

	get now(): () => number {
		return this.#settings.now;
	}

	/** The engine that was first made for a cache. */
	static of(cache: CacheCore): Engine | undefined {
		return engines.get(cache);
	}

	/** The engine that serves what runs now: inside a class that has a client's settings, one that has them above this client's. */
	get here(): Engine {
		const scope = currentScope();
		if (scope === undefined) {
			return this;
		}

		let engine: Engine = this; // eslint-disable-line unicorn/no-this-assignment, @typescript-eslint/no-this-alias -- What it is within one scope is what the next is made of.
		for (const client of scope.clients) {
			engine = engine.#within(client);
		}

		for (const observe of scope.observers) {
			observe(engine.cache);
		}

		return engine;
	}

	/**
	The settings that hold for one request: its own above those of the scope in which it is made, and those above the client's.

	@param own - The request's own settings, as the user gave them.
	@throws {TypeError} Where one of them is wrong.
	*/
	settingsFor(own: unknown): ExchangeSettings {
		const scoped = scopedSettings(this.cache);
		return this.#understood(scoped !== undefined && isObject(own) ? mergeSettings(scoped, own) : own ?? scoped);
	}

	#within(client: ScopedClient): Engine {
		const known = this.#inScopes.get(client);
		if (known !== undefined) {
			return known;
		}

		const given = {...this.#given, ...client.settings};
		const engine = new Engine(client.cache ?? this.cache, resolveSettings(given), given);
		this.#inScopes.set(client, engine);
		return engine;
	}

	#understood(own: unknown): ExchangeSettings {
		if (own === undefined) {
			return this.#ofClient;
		}

		const known = isObject(own) ? this.#ofRequests.get(own) : undefined;
		if (known !== undefined) {
			return known;
		}

		const settings = exchangeSettings(this.#settings, resolveRequestSettings(own as RequestSettings), this.cache.secret);
		if (Object.isFrozen(own)) {
			this.#ofRequests.set(own as object, settings);
		}

		return settings;
	}

	open(request: OutgoingRequest, settings: ExchangeSettings, redirects?: Redirects): Exchange {
		return new Exchange(this.cache, settings, request, redirects);
	}

	/** What would be done with a request, and why, without doing it. */
	async explain(request: OutgoingRequest, settings: ExchangeSettings): Promise<Explanation> {
		return explainRequest(request, settings, this.cache);
	}

	/** Nothing but what is recorded may answer. */
	#replayed(step: Step, {request: {method}, shownUrl}: Exchange): Step {
		if (step.do === 'send' || !step.response.fromCache) {
			throw new NotRecordedError(method, shownUrl);
		}

		return step;
	}

	/**
	Begins an exchange so that no fault of the cache's becomes the request's: then it is sent as it is.
	*/
	begin(exchange: Exchange, isLastResort = false): MaybePromise<Step> {
		const isReplay = this.#settings.mode === 'replay';
		return this.#safely(() => isReplay ? then(exchange.begin(isLastResort), step => this.#replayed(step, exchange)) : exchange.begin(isLastResort), error => {
			if (isReplay) {
				throw error;
			}

			this.cache.report('settingError', {setting: exchange.keySetting, error});
			return exchange.standAside();
		});
	}

	/** Whether an exchange may send its request now, or waits for one that is on its way. */
	board(exchange: Exchange): Boarding {
		const {patience, variesBy: names} = exchange;
		return exchange.mayShare ? this.#flights.board(exchange.flightKey, exchange.request.fields, {names, patience, rules: this.#ofClient}) : {do: 'alone'};
	}

	/**
	Lets an exchange lead a flight: at once, or when no other process asks for the same.

	@returns What it is to do, which may be to serve what the other got, or what was had while it looked.
	*/
	clear(exchange: Exchange, flight: Flight, step: Step): MaybePromise<Step> {
		exchange.lead(flight);
		const hasMissed = this.#flights.hasLanded(exchange.flightKey, exchange.began);
		return this.#safely(() => then(hasMissed ? exchange.again() : step, next => {
			if (next.do === 'send') {
				return claim(exchange, flight, next, this.cache);
			}

			exchange.share();
			return next;
		}), () => step);
	}

	/** What to do where another request got a response meanwhile. */
	reuse(exchange: Exchange, match: Match): MaybePromise<Step> {
		return this.#safely(() => then(exchange.reuse(match), step => {
			if (step.do === 'send' && this.#isRefused(exchange.request, match)) {
				this.#flights.pass(exchange.flightKey, this.#ofClient);
			}

			return step;
		}), () => exchange.standAside());
	}

	/** Whether the client's rules refuse a response, and not those of one request alone. */
	#isRefused(request: OutgoingRequest, match: Match): boolean {
		const facts = factsOf(request, identify(request, this.#ofClient), this.#ofClient);
		return onLookup(facts, {stored: match.stored}, this.now()).do === 'send';
	}

	/**
	Renews in the background what an exchange has served: one at a time for each key, and nothing that is on its way already.
	*/
	refresh(exchange: Exchange, send: (flight: Flight) => Promise<void>): void {
		const key = exchange.info.key!;
		const flight = this.#background.hasRoom(this.#settings.maxRefreshes) ? this.#flights.lead(exchange.flightKey, exchange.request.fields, exchange.variesBy) : undefined;
		if (flight === undefined) {
			return;
		}

		this.#background.run(async () => {
			try {
				if (await mayRefresh(key, flight, this.cache)) {
					await send(flight);
				}

				// What came may still be decoded.
				await this.cache.whenWritten(key);
			} finally {
				flight.fail();
			}
		});
	}

	#safely(action: () => MaybePromise<Step>, instead: (error: unknown) => Step): MaybePromise<Step> {
		const recover = (error: unknown): Step => {
			if (this.#settings.failFast) {
				throw error;
			}

			return instead(error);
		};

		try {
			const step = action();
			return step instanceof Promise ? step.catch(recover) : step;
		} catch (error) {
			return recover(error);
		}
	}
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
