import type {Match} from '../cache/entries.ts';
import type {Client} from '../exchange/client.ts';
import type {Exchange, Action} from '../exchange/exchange.ts';
import type {InFlight} from '../exchange/in-flight.ts';
import type {ExchangeSettings} from '../exchange/settings.ts';
import {CacheHooksError} from '../errors.ts';
import {withinTime} from '../maybe-promise.ts';
import {callRequest, callSettings} from './call-settings.ts';
import {fromBytes, toBytes, type Revival} from './clone-value.ts';

type CallOptions = {
	readonly client: Client;

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

/** What a call gives; `undefined` where what is stored cannot be read, and is as good as never stored. */
type Given = {readonly value: unknown} | undefined;

// What cannot be read is looked for once more, since others may call the function, too; then the store is not asked.
const attempts: ReadonlyArray<Partial<ExchangeSettings> | undefined> = [undefined, undefined, {keyFn: () => undefined}];

// Milliseconds for which a refresh is waited for, as long as that of a response may take.
const longestRefresh = 60_000;

/**
One call of a function whose results are kept: drives an exchange in which the result, as bytes, is the body.
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
		let given: Given;
		for (const settings of attempts) {
			const exchange = this.#open(settings);
			given = await this.#perform(await exchange.next({type: 'begin'}), exchange); // eslint-disable-line no-await-in-loop -- The next attempt is for what could not be read.
			if (given !== undefined) {
				break;
			}
		}

		return given!.value;
	}

	#open(own?: Partial<ExchangeSettings>): Exchange {
		const {client, name, key} = this.#options;
		return client.open(callRequest(name, key), own === undefined ? this.#settings : {...this.#settings, ...own});
	}

	async #perform(action: Action, exchange: Exchange): Promise<Given> {
		if (action.do === 'wait') {
			return this.#perform(await exchange.next({type: 'joined', outcome: await action.outcome}), exchange);
		}

		if (action.do === 'serve') {
			return this.#read(action, exchange);
		}

		try {
			return {value: await this.#send(exchange)};
		} catch (error) {
			const next = await exchange.next({type: isMisuse(error) ? 'closed' : 'error'});
			const standIn = next.do === 'serve' ? await this.#read(next, exchange) : undefined;
			if (standIn === undefined) {
				throw error;
			}

			return standIn;
		}
	}

	/** Calls the function. The exchange is told of its result; of a failure, not yet. */
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

	async #read({response, refreshes}: Extract<Action, {do: 'serve'}>, exchange: Exchange): Promise<Given> {
		const {client: {cache}, label, key, revival} = this.#options;
		if (!response.fromCache) {
			throw new CacheHooksError('ERR_NOT_CACHED', `The result of ${label} is not cached, and \`onlyIfCached\` lets nothing be called`);
		}

		try {
			const value = await fromBytes(response.body, revival);
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

	/** A function that never ends holds up neither other refreshes nor those that wait for all of them. */
	#refresh(exchange: Exchange): void {
		this.#options.client.refresh(exchange, async inFlight => withinTime(this.#renew(inFlight), longestRefresh, undefined));
	}

	async #renew(inFlight: InFlight<Match>): Promise<void> {
		const renewal = this.#open({refresh: true, background: true});
		const action = await renewal.next({type: 'begin', inFlight});
		if (action.do !== 'send') {
			return;
		}

		try {
			await this.#send(renewal);
		} catch (error) {
			await renewal.next({type: 'closed'});
			throw error;
		}
	}
}

/** Whether a function was not called as it must be, or gave what cannot be kept: that is no failure which an older result makes up for. */
function isMisuse(error: unknown): boolean {
	return error instanceof CacheHooksError && (error.code === 'ERR_RESULT_NOT_A_PROMISE' || error.code === 'ERR_RESULT_NOT_CLONEABLE');
}
