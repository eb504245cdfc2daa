import type {Engine} from '../exchange/engine.ts';
import type {ExchangeSettings} from '../exchange/exchange-settings.ts';
import type {Exchange} from '../exchange/exchange.ts';
import type {Step} from '../exchange/exchange-types.ts';
import {CacheHooksError} from '../errors.ts';
import {callRequest, callSettings} from './call-settings.ts';
import {fromBytes, toBytes, type Revival} from './clone-value.ts';
import {flightsOf, type CallFlights} from './flights.ts';

export type CallOptions = {
	readonly engine: Engine;

	/** By which a response would be kept. */
	readonly settings: ExchangeSettings;
	readonly name: string;
	readonly key: string;

	/** For messages. */
	readonly label: string;
	readonly revival: Revival;
	readonly send: () => Promise<unknown>;
	readonly filter: ((value: unknown) => boolean | Promise<boolean>) | undefined;
};

type Served = Extract<Step, {do: 'serve'}>;

/** After so many rounds nobody waits for others any more. */
const lastRound = 3;

/** Whoever asks for a new result is not content with one that was asked for before. */
const asksForNew: ReadonlySet<string> = new Set(['refresh', 'force-refresh']);

/**
One call of a function whose results are kept: an exchange by the same rules as a request's, in which the result, as bytes, is the body.
*/
export class Call {
	readonly #options: CallOptions;
	readonly #engine: Engine;
	readonly #flights: CallFlights;
	readonly #settings: ExchangeSettings;

	constructor(options: CallOptions) {
		const {engine, settings, filter, revival} = options;
		this.#options = options;
		this.#engine = engine;
		this.#flights = flightsOf(engine.cache);
		this.#settings = callSettings(settings, filter && (async ({body}) => filter(await fromBytes(body, revival))));
	}

	async run(): Promise<unknown> {
		const {key, send} = this.#options;
		for (let round = 1; round <= lastRound; round++) {
			const {ended} = this.#flights;
			const exchange = this.#open();
			const step = await this.#engine.begin(exchange); // eslint-disable-line no-await-in-loop -- A next round is for what became of this one.
			if (step.do === 'serve') {
				const read = await this.#read(step, exchange); // eslint-disable-line no-await-in-loop
				if (read !== undefined) {
					return read.value;
				}

				continue;
			}

			if (exchange.info.key === undefined) {
				return send();
			}

			const isJoining = !asksForNew.has(exchange.info.reason);
			const flight = isJoining && round < lastRound ? this.#flights.get(key) : undefined;
			if (flight === undefined) {
				if (isJoining && round === 1 && this.#flights.ended !== ended) {
					continue;
				}

				return this.#lead(exchange);
			}

			const landing = await flight; // eslint-disable-line no-await-in-loop
			if (landing !== undefined) {
				return fromBytes(landing, this.#options.revival);
			}
		}

		return send();
	}

	#open(renewal: {readonly refresh?: true; readonly background?: true} = {}): Exchange {
		const {name, key} = this.#options;
		return this.#engine.open(callRequest(name, key), {...this.#settings, ...renewal});
	}

	/** What is kept; `undefined` where it cannot be read, and is as good as never kept. */
	async #read({response, revalidate}: Served, exchange: Exchange): Promise<{readonly value: unknown} | undefined> {
		const {label, key, revival} = this.#options;
		if (!response.fromCache) {
			throw new CacheHooksError('ERR_NOT_CACHED', `The result of ${label} is not cached, and \`onlyIfCached\` lets nothing be called`);
		}

		try {
			const value = await fromBytes(response.body, revival);
			if (revalidate) {
				this.#renew(exchange);
			}

			return {value};
		} catch (error) {
			this.#engine.cache.report('storeError', {operation: 'decode', key, error});
			this.#engine.cache.delete(key, 'unreadable');
			return undefined;
		}
	}

	#renew(exchange: Exchange): void {
		this.#engine.refresh(exchange, async () => {
			const renewal = this.#open({refresh: true, background: true});
			const step = await this.#engine.begin(renewal);
			if (step.do === 'send') {
				this.#store(renewal, await this.#options.send());
			}
		});
	}

	async #lead(exchange: Exchange): Promise<unknown> {
		const {key, send, revival} = this.#options;
		const land = this.#flights.begin(key);
		let landing: Uint8Array | undefined;
		try {
			const value = await send();
			landing = this.#store(exchange, value);
			return value;
		} catch (error) {
			const standIn = landing === undefined && !isOurs(error) ? exchange.fail() : undefined;
			if (standIn === undefined) {
				throw error;
			}

			landing = standIn.body;
			return await fromBytes(standIn.body, revival);
		} finally {
			land(landing);
		}
	}

	#store(exchange: Exchange, value: unknown): Uint8Array {
		const {revival, label} = this.#options;
		const bytes = toBytes(value, revival, label);
		const {do: answer} = exchange.respond({
			statusCode: 200,
			statusMessage: 'OK',
			rawHeaders: ['Content-Type', 'application/x-v8-structured-clone', 'Content-Length', String(bytes.byteLength)],
		});
		if (answer === 'collect' && bytes.byteLength > exchange.maxEntryBytes) {
			exchange.abandon('too-large');
		} else if (answer === 'collect') {
			exchange.commit(bytes);
		}

		return bytes;
	}
}

// What was not called as it must be, or gave what cannot be kept, is no failure that an older result makes up for.
function isOurs(error: unknown): boolean {
	return error instanceof CacheHooksError && (error.code === 'ERR_RESULT_NOT_A_PROMISE' || error.code === 'ERR_RESULT_NOT_CLONEABLE');
}
