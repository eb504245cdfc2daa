import type {CacheCore} from '../cache/core.ts';
import {
	resolveRequestSettings,
	resolveSettings,
	type CacheSettings,
	type RequestSettings,
	type ResolvedSettings,
} from '../settings.ts';
import {Exchange} from './exchange.ts';
import {Refreshes, type SendRefresh} from './refreshes.ts';
import {
	mergeSettings,
	scopedSettings,
	scopes,
	type ScopedClient,
} from './scope.ts';
import {exchangeSettings, type ExchangeSettings} from './settings.ts';
import type {Redirects, SentRequest} from './types.ts';

const clients = new WeakMap<CacheCore, Client>();

/**
What the exchanges of one client share: the cache and the settings.
*/
export class Client {
	readonly cache: CacheCore;
	#settings: ResolvedSettings;
	#given: CacheSettings;
	#exchangeSettings: ExchangeSettings;

	// Requests often carry one and the same object of settings: a client's, a class's.
	#ofRequests = new WeakMap<object, ExchangeSettings>();

	// What this client is inside of scopes that have a client's settings, too.
	#inScopes = new WeakMap<ScopedClient, Client>();

	/**
	Asks nothing yet.

	@param given - The settings as the user gave them.
	*/
	constructor(cache: CacheCore, settings: ResolvedSettings, given: CacheSettings = {}) {
		this.cache = cache;
		this.#settings = settings;
		this.#given = given;
		this.#exchangeSettings = exchangeSettings(settings, resolveRequestSettings({}), cache.secret);
		if (!clients.has(cache)) {
			clients.set(cache, this);
		}
	}

	/** The client that was first made for a cache. */
	static of(cache: CacheCore): Client | undefined {
		return clients.get(cache);
	}

	get settings(): ResolvedSettings {
		return this.#settings;
	}

	/** The settings of requests without any of their own. */
	get exchangeSettings(): ExchangeSettings {
		return this.#exchangeSettings;
	}

	get now(): () => number {
		return this.#settings.now;
	}

	/** The client that serves what runs now: inside of a class that has a client's settings, one that has them above this client's. */
	get here(): Client {
		const scope = scopes.getStore();
		if (scope === undefined) {
			return this;
		}

		let client: Client = this; // eslint-disable-line unicorn/no-this-assignment, @typescript-eslint/no-this-alias -- What it is within one scope is what the next is made of.
		for (const scoped of scope.clients) {
			client = client.#within(scoped);
		}

		for (const observe of scope.observers) {
			observe(client.cache);
		}

		return client;
	}

	/** Takes other settings: requests that are under way keep those that they began with. */
	reconfigure(settings: ResolvedSettings, given: CacheSettings): void {
		this.#settings = settings;
		this.#given = given;
		this.#inScopes = new WeakMap();
		this.#ofRequests = new WeakMap();
		this.#exchangeSettings = exchangeSettings(settings, resolveRequestSettings({}), this.cache.secret);
	}

	/**
	The settings that hold for one request: its own above those of the scope in which it is made, and those above the client's.

	@param own - The request's own settings, as the user gave them.
	@throws {TypeError} Where one of them is wrong.
	*/
	settingsFor(own: unknown): ExchangeSettings {
		const scoped = scopes.getStore() === undefined ? undefined : scopedSettings(this.cache);
		return this.#understood(scoped !== undefined && isObject(own) ? mergeSettings(scoped, own) : own ?? scoped);
	}

	open(request: SentRequest, settings: ExchangeSettings, redirects?: Redirects): Exchange {
		return new Exchange(this, settings, request, redirects);
	}

	/** Renews in the background what an exchange has served. */
	refresh(exchange: Exchange, send: SendRefresh): void {
		Refreshes.of(this.cache).start(exchange, this.#settings.maxRefreshes, send);
	}

	#within(scoped: ScopedClient): Client {
		const known = this.#inScopes.get(scoped);
		if (known !== undefined) {
			return known;
		}

		const given = {...this.#given, ...scoped.settings};
		const client = new Client(scoped.cache ?? this.cache, resolveSettings(given), given);
		this.#inScopes.set(scoped, client);
		return client;
	}

	#understood(own: unknown): ExchangeSettings {
		if (own === undefined) {
			return this.#exchangeSettings;
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
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
