import type {Outcome, QueuedResponse, WriteSize} from '../cache/writes.ts';
import {storedSize, type StoredResponse} from '../entry/stored-response.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import type {WriteReason} from '../policy/types.ts';
import type {ExchangeState} from './state.ts';

type WriteOptions = {
	readonly key: string;
	readonly reason: 'stored' | 'revalidated';

	/** The response to write; `undefined` if it is not stored. */
	readonly composed: MaybePromise<StoredResponse | undefined>;

	/** The bytes that were received. */
	readonly received: number;

	/** The position of the request's own invalidations, once they are in the store. */
	readonly invalidating: MaybePromise<number | undefined>;

	/** With `failFast`, the outcome that is waited for. */
	readonly outcome: Outcome | undefined;

	/** Called if the response is not stored. */
	readonly onRefused: (reason: WriteReason) => void;
};

/** The write of the response of an exchange, unless an invalidation since its request was sent concerns it. */
export class ResponseWrite implements QueuedResponse {
	readonly key: string;
	readonly size: WriteSize;
	readonly #state: ExchangeState;
	readonly #options: WriteOptions;
	readonly #composed: MaybePromise<StoredResponse | undefined>;

	constructor(state: ExchangeState, options: WriteOptions) {
		const {key, composed, received} = options;
		this.#state = state;
		this.#options = options;
		this.key = key;
		this.size = {bytes: received};
		this.#composed = composed instanceof Promise ? this.#resize(composed) : composed;
		if (this.#composed instanceof Promise) {
			// `prepare` reports a fault. Until it runs, the fault must not be an unhandled rejection.
			this.#composed.catch(() => undefined);
		} else {
			this.size.bytes = this.#composed === undefined ? 0 : storedSize(this.#composed);
		}
	}

	get request(): SentRequest {
		return this.#state.request;
	}

	prepare(): MaybePromise<StoredResponse | undefined> {
		const {invalidating} = this.#options;
		if (invalidating instanceof Promise || this.#composed instanceof Promise) {
			return this.#prepareLater();
		}

		this.#state.advanceTo(invalidating);
		return this.#composed === undefined ? undefined : this.#unlessInvalidated(this.#composed);
	}

	isStillValid(stored: StoredResponse): MaybePromise<boolean> {
		const position = this.#verify(stored);
		return position instanceof Promise ? position.then(isPosition) : isPosition(position);
	}

	saved(): void {
		this.#state.cache.events.written('stored', this, this.#options.reason);
	}

	done(): void {
		this.#options.outcome?.done();
		this.#finish();
	}

	failed(error: unknown): void {
		this.#options.outcome?.failed(error);
		this.#finish();
	}

	/** Ends the write, since there is no room for it. */
	drop(): void {
		this.#options.outcome?.done();
		this.#options.onRefused('queue-full');
		this.#finish();
	}

	async #prepareLater(): Promise<StoredResponse | undefined> {
		this.#state.advanceTo(await this.#options.invalidating);
		const stored = await this.#composed;
		return stored && this.#unlessInvalidated(stored);
	}

	/** Counts the bytes of a response towards `maxPendingBytes` once its body is decoded. */
	async #resize(composing: Promise<StoredResponse | undefined>): Promise<StoredResponse | undefined> {
		const stored = await composing;
		if (stored === undefined || this.#state.cache.writes.resize(this.key, this.size, storedSize(stored))) {
			return stored;
		}

		this.#options.onRefused('queue-full');
		return undefined;
	}

	#unlessInvalidated(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		const position = this.#verify(stored);
		return position instanceof Promise ? this.#positionedLater(stored, position) : this.#positioned(stored, position);
	}

	async #positionedLater(stored: StoredResponse, position: Promise<number | undefined>): Promise<StoredResponse | undefined> {
		return this.#positioned(stored, await position);
	}

	/** Returns the response with the position at which it is stored; `undefined` where an invalidation concerns it. */
	#positioned(stored: StoredResponse, position: number | undefined): StoredResponse | undefined {
		if (position === undefined) {
			this.#options.onRefused('invalidated');
			return undefined;
		}

		return position > 0 ? {...stored, position} : stored;
	}

	/** Returns the position at which a response is stored; `undefined` where an invalidation since its request was sent concerns it. */
	#verify({tags = noTags}: StoredResponse): MaybePromise<number | undefined> {
		const {cache, sent} = this.#state;
		return cache.verify(this.#state.subjectWith(tags, this.key), sent!.position);
	}

	/** Ends the exchange, and the wait of the requests that still wait for it. */
	#finish(): void {
		this.#state.inFlight?.end('failed');
		this.#state.end();
	}
}

const noTags: readonly string[] = [];

function isPosition(position: number | undefined): boolean {
	return position !== undefined;
}
