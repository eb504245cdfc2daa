import type {CacheCore} from '../cache/core.ts';
import type {Explanation} from '../cache/explanation.ts';
import {chain, type MaybePromise} from '../cache/maybe-promise.ts';
import {NotRecordedError} from '../errors.ts';
import {redactUrl} from '../matching/url.ts';
import {resolveRequestSettings, type RequestSettings, type ResolvedSettings} from '../settings.ts';
import {Background} from './background.ts';
import {exchangeSettings, type ExchangeSettings} from './exchange-settings.ts';
import type {OutgoingRequest, Step} from './exchange-types.ts';
import {Exchange} from './exchange.ts';
import {explainRequest} from './explain.ts';
import {mergeSettings, scopedSettings} from './scope.ts';

/**
What the exchanges of one client share: the cache, the settings, the work in the background.
*/
export class Engine {
	readonly cache: CacheCore;
	readonly background: Background;
	readonly #settings: ResolvedSettings;
	readonly #ofClient: ExchangeSettings;

	// Requests often carry one and the same object of settings: a client's, a class's.
	readonly #ofRequests = new WeakMap<object, ExchangeSettings>();

	constructor(cache: CacheCore, settings: ResolvedSettings) {
		this.cache = cache;
		this.#settings = settings;
		this.#ofClient = exchangeSettings(settings, resolveRequestSettings({}), cache.secret);
		this.background = new Background(cache);
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
		return this.#understood(scoped !== undefined && isObject(own) ? mergeSettings(scoped, own) : own ?? scoped);
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

	/** Nothing but what is recorded may answer. */
	#replayed(step: Step, {request: {method, url}}: Exchange): Step {
		if (step.do === 'send' || !step.response.fromCache) {
			throw new NotRecordedError(method, redactUrl(url, this.#settings.ignoredParameters));
		}

		return step;
	}

	/**
	Begins an exchange so that no fault of the cache's becomes the request's: then it is sent as it is.
	*/
	begin(exchange: Exchange, isLastResort = false): MaybePromise<Step> {
		const isReplay = this.#settings.mode === 'replay';
		const sendPlain = (error: unknown): Step => {
			if (isReplay || this.#settings.failFast) {
				throw error;
			}

			this.cache.report('settingError', {setting: exchange.keySetting, error});
			return exchange.standAside();
		};

		try {
			const step = exchange.begin(isLastResort);
			const checked = isReplay ? chain(step, found => this.#replayed(found, exchange)) : step;
			return checked instanceof Promise ? checked.catch(sendPlain) : checked;
		} catch (error) {
			return sendPlain(error);
		}
	}
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
