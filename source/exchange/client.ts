import type {CacheCore} from '../cache/core.ts';
import {
	resolveRequestSettings,
	resolveSettings,
	type CacheSettings,
	type RequestSettings,
	type ResolvedSettings,
} from '../settings/settings.ts';
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

	// The settings by the object in which a request brings its own: requests of one class or client often bring the same.
	#ofRequests = new WeakMap<object, ExchangeSettings>();

	// The clients that stand in for this one inside of scopes with settings of a client.
	#inScopes = new WeakMap<ScopedClient, Client>();

	/**
	Reads nothing yet.

	@param given - The settings as the user gave them.
	*/
	constructor(cache: CacheCore, settings: ResolvedSettings, given: CacheSettings = {}) {
		this.cache = cache;
		this.#settings = settings;
		this.#given = given;
		this.#exchangeSettings = exchangeSettings(settings, resolveRequestSettings({}), cache);
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

	/** The client that serves the code which runs now: inside of a class with settings of a client, one with those settings above the settings of this client. */
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

	/** Takes other settings. Requests that are under way keep those with which they began. */
	reconfigure(settings: ResolvedSettings, given: CacheSettings): void {
		this.#settings = settings;
		this.#given = given;
		this.#inScopes = new WeakMap();
		this.#ofRequests = new WeakMap();
		this.#exchangeSettings = exchangeSettings(settings, resolveRequestSettings({}), this.cache);
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

	/** Makes the exchange of a request. */
	open(request: SentRequest, settings: ExchangeSettings, redirects?: Redirects): Exchange {
		return new Exchange(this, settings, request, redirects);
	}

	/** Renews the entry that an exchange has served, in the background. */
	refresh(exchange: Exchange, send: SendRefresh): void {
		Refreshes.of(this.cache).start(exchange, send);
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

		const settings = exchangeSettings(this.#settings, resolveRequestSettings(own as RequestSettings), this.cache);
		if (Object.isFrozen(own)) {
			this.#ofRequests.set(own as object, settings);
		}

		return settings;
	}
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
