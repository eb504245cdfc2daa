import type {HttpCache} from '../cache/http-cache.ts';
import type {MaybePromise} from '../cache/maybe-promise.ts';
import {
	resolveRequestSettings,
	resolveSettings,
	type CacheSettings,
	type RequestSettings,
	type ResolvedSettings,
} from '../settings.ts';
import {Background} from './background.ts';
import {exchangeSettings, type ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest, Step} from './exchange-types.ts';
import {Exchange} from './exchange.ts';
import {explainRequest, type Explanation} from './explain.ts';
import {
	currentScope,
	mergeSettings,
	scopedSettings,
	type ScopedClient,
} from './scope.ts';

const engines = new WeakMap<HttpCache, Engine>();

/**
What the exchanges of one client share: the cache, the settings, the work in the background.
*/
export class Engine {
	readonly cache: HttpCache;
	readonly background: Background;
	readonly #settings: ResolvedSettings;
	readonly #given: CacheSettings;
	readonly #ofClient: ExchangeSettings;

	// Requests often carry one and the same object of settings: a client's, a class's.
	readonly #ofRequests = new WeakMap<object, ExchangeSettings>();

	// What this client is inside of scopes that have a client's settings, too.
	readonly #inScopes = new WeakMap<ScopedClient, Engine>();

	/**
	Asks nothing yet.

	@param given - The settings as the user gave them.
	*/
	constructor(cache: HttpCache, settings: ResolvedSettings, given: CacheSettings = {}) {
		this.cache = cache;
		this.#settings = settings;
		this.#given = given;
		if (!engines.has(cache)) {
			engines.set(cache, this);
		}

		this.#ofClient = exchangeSettings(settings, resolveRequestSettings({}), cache.secret);
		this.background = new Background(cache);
	}

	get now(): () => number {
		return this.#settings.now;
	}

	/** The engine that was first made for a cache. */
	static of(cache: HttpCache): Engine | undefined {
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
		return scoped === undefined || own === undefined ? this.#understood(own ?? scoped) : this.#understood(isObject(own) ? mergeSettings(scoped, own) : own);
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

	open(request: OutgoingRequest, settings: ExchangeSettings): Exchange {
		return new Exchange(this.cache, settings, request);
	}

	/** What would be done with a request, and why, without doing it. */
	async explain(request: OutgoingRequest, settings: ExchangeSettings): Promise<Explanation> {
		return explainRequest(request, settings, this.cache);
	}

	/**
	Begins an exchange so that no fault of the cache's becomes the request's: then it is sent as it is.
	*/
	begin(exchange: Exchange, isLastResort = false): MaybePromise<Step> {
		const sendPlain = (error: unknown): Step => {
			if (this.#settings.failFast) {
				throw error;
			}

			this.cache.report('settingError', {setting: exchange.keySetting, error});
			return exchange.standAside();
		};

		try {
			const step = exchange.begin(isLastResort);
			return step instanceof Promise ? step.catch(sendPlain) : step;
		} catch (error) {
			return sendPlain(error);
		}
	}
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
