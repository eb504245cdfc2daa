import type {CacheCore} from '../cache/core.ts';
import {
	resolveRequestSettings,
	resolveSettings,
	type CacheSettings,
	type RequestSettings,
	type ResolvedSettings,
} from '../settings/settings.ts';
import {settingOfFailure} from '../identity/key.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import {Exchange, type ExchangeOptions} from './exchange.ts';
import {Refreshes, type SendRefresh} from './refreshes.ts';
import {
	mergeSettings,
	scopedSettings,
	scopes,
	type ScopedClient,
} from './scope.ts';
import {exchangeSettings, type ExchangeSettings} from './settings.ts';

const clients = new WeakMap<CacheCore, Client>();

/** The cache and the settings of one client, for all of its exchanges. */
export class Client {
	readonly cache: CacheCore;
	#settings: ResolvedSettings;
	#given: CacheSettings;
	#exchangeSettings: ExchangeSettings;

	/** The resolved settings by the frozen object of a request's own settings. Requests of one class or client often have the same object. */
	#resolved = new WeakMap<object, ExchangeSettings>();

	/** The clients that replace this one in scopes with client settings. */
	#scoped = new WeakMap<ScopedClient, Client>();

	/** Takes the settings in two forms: resolved, and as the user passed them. */
	constructor(cache: CacheCore, settings: ResolvedSettings, given: CacheSettings = {}) {
		this.cache = cache;
		this.#settings = settings;
		this.#given = given;
		this.#exchangeSettings = exchangeSettings(settings, resolveRequestSettings({}), cache);
		if (!clients.has(cache)) {
			clients.set(cache, this);
		}
	}

	/** Returns the client that was first created for a cache. */
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

	/** The client for the code that runs now. Inside a class with client settings, these take precedence over the settings of this client. */
	get inScope(): Client {
		const scope = scopes.getStore();
		if (scope === undefined) {
			return this;
		}

		let client: Client = this; // eslint-disable-line unicorn/no-this-assignment, @typescript-eslint/no-this-alias -- The client of each scope is based on that of the outer one.
		for (const scoped of scope.clients) {
			client = client.#within(scoped);
		}

		for (const observe of scope.observers) {
			observe(client.cache);
		}

		return client;
	}

	/** Changes the settings for the requests that begin from now on. */
	reconfigure(settings: ResolvedSettings, given: CacheSettings): void {
		this.#settings = settings;
		this.#given = given;
		this.#scoped = new WeakMap();
		this.#resolved = new WeakMap();
		this.#exchangeSettings = exchangeSettings(settings, resolveRequestSettings({}), this.cache);
	}

	/**
	Returns the settings of one request: its own over those of the scope in which it is made, and those over the client's.

	@param own - The request's own settings, as the user passed them.
	@throws {TypeError} If one of them is wrong.
	*/
	settingsFor(own: unknown): ExchangeSettings {
		const scoped = scopes.getStore() === undefined ? undefined : scopedSettings(this.cache);
		return this.#resolve(scoped !== undefined && isObject(own) ? mergeSettings(scoped, own) : own ?? scoped);
	}

	/** Creates the exchange of a request. If that fails, it is one without the cache: a `URLPattern` that throws may be that of responses which must not be cached. */
	open(request: SentRequest, settings: ExchangeSettings, options?: ExchangeOptions): Exchange {
		try {
			return new Exchange(this, settings, request, options);
		} catch (error) {
			if (settings.failFast) {
				throw error;
			}

			const setting = settingOfFailure(error);
			if (setting === undefined) {
				this.cache.events.emit('internalError', {error});
			} else {
				this.cache.events.emit('settingError', {setting, error});
			}

			return new Exchange(this, {...settings, urlsExpireAfter: [], requestExpireAfter: {kind: 'do-not-cache'}}, request, options);
		}
	}

	/** Refreshes the entry that an exchange has served, in the background. */
	refresh(exchange: Exchange, send: SendRefresh): void {
		Refreshes.of(this.cache).start(exchange, send);
	}

	#within(scoped: ScopedClient): Client {
		const known = this.#scoped.get(scoped);
		if (known !== undefined) {
			return known;
		}

		const given = {...this.#given, ...scoped.settings};
		const client = new Client(scoped.cache ?? this.cache, resolveSettings(given), given);
		this.#scoped.set(scoped, client);
		return client;
	}

	#resolve(own: unknown): ExchangeSettings {
		if (own === undefined) {
			return this.#exchangeSettings;
		}

		const known = isObject(own) ? this.#resolved.get(own) : undefined;
		if (known !== undefined) {
			return known;
		}

		const settings = exchangeSettings(this.#settings, resolveRequestSettings(own as RequestSettings), this.cache);
		if (Object.isFrozen(own)) {
			this.#resolved.set(own as object, settings);
		}

		return settings;
	}
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
