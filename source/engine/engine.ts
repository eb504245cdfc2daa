import type {HttpCache} from '../cache/http-cache.ts';
import type {MaybePromise} from '../cache/maybe-promise.ts';
import {resolveRequestSettings, type RequestSettings, type ResolvedSettings} from '../settings.ts';
import {Background} from './background.ts';
import {exchangeSettings, type ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest, Step} from './exchange-types.ts';
import {Exchange} from './exchange.ts';
import {explainRequest, type Explanation} from './explain.ts';
import {mergeSettings, scopedSettings} from './scope.ts';

/**
What the exchanges of one client share: the cache, the settings, the work in the background.
*/
export class Engine {
	readonly cache: HttpCache;
	readonly background: Background;
	#settings: ResolvedSettings;
	#ofClient: ExchangeSettings;

	// Requests often carry one and the same object of settings: a client's, a class's.
	#ofRequests = new WeakMap<object, ExchangeSettings>();

	constructor(cache: HttpCache, settings: ResolvedSettings) {
		this.cache = cache;
		this.#settings = settings;
		this.#ofClient = exchangeSettings(settings, resolveRequestSettings({}), cache.secret);
		this.background = new Background(cache);
	}

	get settings(): ResolvedSettings {
		return this.#settings;
	}

	/** Takes other settings for the client: requests that are under way keep those that they began with. */
	reconfigure(settings: ResolvedSettings): void {
		this.#settings = settings;
		this.#ofClient = exchangeSettings(settings, resolveRequestSettings({}), this.cache.secret);
		this.#ofRequests = new WeakMap();
	}

	get now(): () => number {
		return this.#settings.now;
	}

	/**
	The settings that hold for one request: its own above those of the scope in which it is made, and those above the client's.

	@param own - The request's own settings, as the user gave them.
	@throws {TypeError} Where one of them is wrong.
	*/
	settingsFor(own: unknown): ExchangeSettings {
		const scoped = scopedSettings(this.cache);
		return scoped === undefined || own === undefined
			? this.#understood(own ?? scoped)
			: this.#understood(isObject(own) ? mergeSettings(scoped, own) : own);
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
