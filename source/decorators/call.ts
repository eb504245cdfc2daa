import type {Match} from '../cache/entries.ts';
import {coreOf, givenSettings, HttpCache} from '../cache/http-cache.ts';
import type {CachedResponse} from '../entry/cached-response.ts';
import {CacheHooksError} from '../errors.ts';
import {Client} from '../exchange/client.ts';
import {type Exchange, type Action} from '../exchange/exchange.ts';
import type {InFlight} from '../exchange/in-flight.ts';
import type {ExchangeSettings} from '../exchange/settings.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import {withinTime} from '../maybe-promise.ts';
import {callMethod} from '../policy/facts.ts';
import {resolveSettings} from '../settings/settings.ts';
import {bodyBytes} from '../entry/stored-response.ts';
import type {AnyResultSettings} from './method-settings.ts';
import {fromBytes, toBytes} from './plain-data.ts';

let clientWithDefaults: Client | undefined;

/** Returns the client for functions without a class or `cache`. Its store is opened at the first call. */
export function defaultClient(): Client {
	clientWithDefaults ??= clientOfCache(new HttpCache());
	return clientWithDefaults;
}

/** Returns the client of a cache, or a new one with the settings of the cache. */
export function clientOfCache(cache: HttpCache): Client {
	const core = coreOf(cache);
	const given = givenSettings(cache);
	return Client.of(core) ?? new Client(core, resolveSettings(given), given);
}

const callScheme = 'call:';

export function isCallUrl(url: string): boolean {
	return url.startsWith(callScheme);
}

/** Returns a call as a request for the exchange. */
export function callRequest(name: string, key: string): SentRequest {
	const url = `${callScheme}${encodeURIComponent(name)}`;
	return {
		method: callMethod,
		override: undefined,
		url,
		targetUrl: url,
		fields: {},
		body: key,
	};
}

const settingsOfCalls = new WeakMap<ExchangeSettings, ExchangeSettings>();

/**
Returns the settings for the exchange of a call. Settings about HTTP do not apply to it.
*/
function callSettings(settings: ExchangeSettings, filterFn: ((response: CachedResponse) => Promise<boolean>) | undefined): ExchangeSettings {
	const ofCalls = settingsOfCalls.get(settings) ?? {
		...settings,
		cacheControl: false,
		allowableMethods: new Set([callMethod]),
		allowableCodes: new Set([200]),
		gatewayTimeout: 'error',
		staleIfErrorAfter: 'failure',
		cacheStatus: false,
		storeEncoded: false,
		matchHeaders: false,
		partitionBy: false,
		filterFn: undefined,
		// The key already exists, and depends on more than what is stored.
		keyFn: request => request.body as string,
	};
	settingsOfCalls.set(settings, ofCalls);
	return filterFn === undefined ? ofCalls : {...ofCalls, filterFn};
}

type CallOptions = {
	readonly client: Client;

	/** The settings for requests, from which those for calls are derived. */
	readonly settings: ExchangeSettings;
	readonly name: string;
	readonly key: string;

	/** Identifies the function in error messages. */
	readonly label: string;
	readonly revival: AnyResultSettings;
	readonly send: () => Promise<unknown>;
	readonly filter: ((value: unknown) => boolean | Promise<boolean>) | undefined;
};

/** The result of a call; `undefined` if the stored result cannot be read. */
type CallResult = {readonly value: unknown} | undefined;

// If a stored result cannot be read, the second attempt may find a new one of another call. The third attempt bypasses the cache.
const attempts: ReadonlyArray<Partial<ExchangeSettings> | undefined> = [undefined, undefined, {keyFn: () => undefined}];

// The maximum time of a refresh in milliseconds, like that of an HTTP refresh.
const refreshTimeout = 60_000;

/**
A call of a function whose results are cached. It drives an exchange in which the serialized result is the body.
*/
export class Call {
	readonly #options: CallOptions;
	readonly #settings: ExchangeSettings;

	constructor(options: CallOptions) {
		const {settings, filter, revival} = options;
		this.#options = options;
		this.#settings = callSettings(settings, filter && (async ({body}) => filter(await fromBytes(body, revival))));
	}

	async run(): Promise<unknown> {
		let result: CallResult;
		for (const settings of attempts) {
			const exchange = this.#open(settings);
			result = await this.#perform(await exchange.next({type: 'begin'}), exchange); // eslint-disable-line no-await-in-loop -- The next attempt follows a result that cannot be read.
			if (result !== undefined) {
				break;
			}
		}

		return result!.value;
	}

	#open(own?: Partial<ExchangeSettings>): Exchange {
		const {client, name, key} = this.#options;
		return client.open(callRequest(name, key), own === undefined ? this.#settings : {...this.#settings, ...own});
	}

	async #perform(action: Action, exchange: Exchange): Promise<CallResult> {
		if (action.do === 'wait') {
			return this.#perform(await exchange.next({type: 'joined', outcome: await action.outcome}), exchange);
		}

		if (action.do === 'serve') {
			return this.#read(action, exchange);
		}

		try {
			return {value: await this.#send(exchange)};
		} catch (error) {
			const next = await exchange.next(isMisuse(error) ? {type: 'closed'} : {type: 'error', error});
			const stale = next.do === 'serve' ? await this.#read(next, exchange) : undefined;
			if (stale === undefined) {
				throw error;
			}

			return stale;
		}
	}

	/** Calls the function and passes its result to the exchange, but not its failure. */
	async #send(exchange: Exchange): Promise<unknown> {
		const {send, revival, label} = this.#options;
		const value = await exchange.run(send);
		if (exchange.info.key === undefined) {
			await exchange.next({type: 'closed'});
			return value;
		}

		const body = toBytes(value, revival, label);
		const head = {statusCode: 200, statusMessage: 'OK', rawHeaders: ['Content-Type', 'application/x-v8-structured-clone', 'Content-Length', String(body.byteLength)]};
		const action = await exchange.next({type: 'response', head});
		if (action.do === 'pass' && action.collects) {
			await exchange.next({type: 'end', body});
		}

		return value;
	}

	async #read({response, refreshes}: Extract<Action, {do: 'serve'}>, exchange: Exchange): Promise<CallResult> {
		const {client: {cache}, label, key, revival} = this.#options;
		if (!response.fromCache) {
			throw new CacheHooksError('ERR_NOT_CACHED', `The result of ${label} is not cached, and \`onlyIfCached\` prevents the call.`);
		}

		try {
			const value = await fromBytes(bodyBytes(response.body), revival);
			if (refreshes) {
				this.#refresh(exchange);
			}

			return {value};
		} catch (error) {
			cache.events.emit('storeError', {operation: 'decode', key, error});
			if (!this.#settings.readOnly) {
				cache.writes.delete(key, 'unreadable');
			}

			return undefined;
		}
	}

	/** Refreshes a result in the background. A function that never ends blocks neither other refreshes nor callers that wait for all of them. */
	#refresh(exchange: Exchange): void {
		this.#options.client.refresh(exchange, async inFlight => withinTime(this.#refreshInFlight(inFlight), refreshTimeout, undefined));
	}

	async #refreshInFlight(inFlight: InFlight<Match>): Promise<void> {
		const exchange = this.#open({refresh: true, background: true});
		const action = await exchange.next({type: 'begin', inFlight});
		if (action.do !== 'send') {
			return;
		}

		try {
			await this.#send(exchange);
		} catch (error) {
			await exchange.next({type: 'closed'});
			throw error;
		}
	}
}

/** Whether the function returned something that cannot be cached. A stale result must not hide this error. */
function isMisuse(error: unknown): boolean {
	return error instanceof CacheHooksError && (error.code === 'ERR_RESULT_NOT_A_PROMISE' || error.code === 'ERR_RESULT_NOT_CLONEABLE');
}
