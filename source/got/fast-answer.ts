import {Buffer, isUtf8} from 'node:buffer';
import type {OptionsInit} from 'got';
import type {Exchange, RenderedResponse} from '../exchange/exchange.ts';
import type {FreshMatch} from '../exchange/request-phase.ts';
import type {Served} from './attempt-options.ts';

export type BodyType = NonNullable<OptionsInit['responseType']>;
type Listener = (...values: never) => void;

/** What Got returns for a request, in any of its major versions. */
export type GotPromise = Promise<unknown> & Record<BodyType, () => Promise<unknown>> & Record<'on' | 'once' | 'off', (event: string, listener: Listener) => unknown> & {
	readonly cancel: (reason?: string) => void;
	readonly isCanceled: boolean;
};

type Parts = {
	readonly exchange: Exchange;
	readonly bodyType: BodyType;

	/** Got's `resolveBodyOnly`. */
	readonly resolvesBody: boolean;

	/** Copies a body to what Got gives as `rawBody`. */
	readonly copy: (body: Uint8Array) => Uint8Array;

	/** Returns whether the scope and the settings are still those of the exchange. */
	readonly isCurrent: () => boolean;

	/** Lets Got make the request, or give the caller what was served. */
	readonly request: (acceptsJson: boolean, served: Served | undefined) => GotPromise;
};

/** A request that the cache answers when Got would begin, unless that has become impossible: then Got makes it. */
export class FastRequest {
	readonly #parts: Parts;
	readonly #begun: Promise<void>;
	#acceptsJson = false;
	#served: RenderedResponse | undefined;
	#bytes: Uint8Array | undefined;
	#promise: GotPromise | undefined;

	constructor(parts: Parts) {
		this.#parts = parts;
		this.#begun = this.#begin();
	}

	/** Whether the cache has answered. */
	get isServed(): boolean {
		return this.#served !== undefined;
	}

	/** Got's promise of the request, if it was needed. */
	get existing(): GotPromise | undefined {
		return this.#promise;
	}

	/** Got's promise of the request, or of what was served. */
	get promise(): GotPromise {
		const {request, exchange} = this.#parts;
		this.#promise ??= request(this.#acceptsJson, this.#served && {exchange, response: this.#served});
		return this.#promise;
	}

	/** Adds Got's `Accept` for JSON, which the key does not depend on. */
	acceptJson(): void {
		this.#acceptsJson = true;
	}

	/** Returns what the promise of the request resolves with. */
	async resolve(): Promise<unknown> {
		await this.#begun;
		const {resolvesBody, bodyType} = this.#parts;
		return resolvesBody ? this.#parse(bodyType, () => this.promise) : this.promise;
	}

	/** Returns what the shortcut of a type resolves with. */
	async body(type: BodyType): Promise<unknown> {
		await this.#begun;
		return this.#parse(type, () => this.promise[type]());
	}

	async #begin(): Promise<void> {
		// The caller may add listeners before Got would begin.
		await Promise.resolve();
		if (this.#promise !== undefined) {
			return;
		}

		const {exchange, isCurrent} = this.#parts;
		const fresh = isCurrent() ? findPlain(exchange) : undefined;
		if (fresh === undefined) {
			void this.promise;
		} else {
			this.#served = exchange.serveFresh(fresh).response;
		}
	}

	/** Parses the served body as Got does, or leaves that to Got: errors and byte order marks. */
	#parse(type: BodyType, byGot: () => unknown): unknown {
		const {bodyType, copy} = this.#parts;
		// Got parses JSON first if that is the type of the response.
		if (this.#served === undefined || (bodyType === 'json' && type !== 'json')) {
			return byGot();
		}

		if (type === 'buffer') {
			this.#bytes ??= copy(this.#served.body);
			return this.#bytes;
		}

		// The caller may have changed the bytes.
		const body = this.#bytes ?? this.#served.body;
		if (!isUtf8(body) || body[0] === firstOfMark) {
			return byGot();
		}

		const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
		try {
			return type === 'text' || text === '' ? text : JSON.parse(text);
		} catch {
			return byGot();
		}
	}
}

// The first byte of a byte order mark, which the versions of Got treat differently.
const firstOfMark = 0xEF;

/** Returns the fresh response of a request, if Got gives it to the caller without a change or a check that could fail. */
export function findPlain(exchange: Exchange): FreshMatch | undefined {
	const fresh = exchange.findFresh();
	if (fresh === undefined) {
		return undefined;
	}

	const {statusCode, vary, fields, body} = fresh.match.stored;
	const {'content-length': length = String(body.byteLength), 'content-encoding': coding} = fields;
	return statusCode === 200 && vary === undefined && coding === undefined && length === String(body.byteLength) ? fresh : undefined;
}

const forever = (): void => {}; // eslint-disable-line @typescript-eslint/no-empty-function -- The promise settles as `then` says.

/** The promise of a fast hit, with Got's shortcuts. Got makes the response when somebody waits for it. */
export class FastAnswer extends Promise<unknown> {
	readonly #request: FastRequest;
	#result: Promise<unknown> | undefined;

	constructor(request: FastRequest, result?: Promise<unknown>) {
		super(forever);
		this.#request = request;
		this.#result = result;
	}

	static override get [Symbol.species](): PromiseConstructor {
		return Promise;
	}

	protected get request(): FastRequest {
		return this.#request;
	}

	override then<Result = unknown, Failure = never>(onResolved?: ((value: unknown) => Result | PromiseLike<Result>) | null, onRejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null): Promise<Result | Failure> {
		this.#result ??= this.#request.resolve();
		return this.#result.then(onResolved, onRejected); // eslint-disable-line unicorn/prefer-then-catch -- A failure of the first is not for the second.
	}

	json(): Promise<unknown> {
		this.#request.acceptJson();
		return this.#shortcut('json');
	}

	text(): Promise<unknown> {
		return this.#shortcut('text');
	}

	buffer(): Promise<unknown> {
		return this.#shortcut('buffer');
	}

	// Got's functions return the promise on which they are called, in Got 14 always the first one.
	on(event: string, listener: Listener): unknown {
		return this.#request.promise.on.call(this, event, listener);
	}

	once(event: string, listener: Listener): unknown {
		return this.#request.promise.once.call(this, event, listener);
	}

	off(event: string, listener: Listener): unknown {
		return this.#request.existing?.off.call(this, event, listener) ?? this;
	}

	#shortcut(type: BodyType): Promise<unknown> {
		const {existing, isServed} = this.#request;
		return existing === undefined || isServed ? new FastAnswer(this.#request, this.#request.body(type)) : existing[type]();
	}
}

/** The promise of a fast hit in Got 14, which can be canceled. */
export class FastAnswerOfGot14 extends FastAnswer {
	get isCanceled(): boolean {
		return this.request.existing?.isCanceled ?? false;
	}

	/** Cancels the request, unless the cache has answered. */
	cancel(reason?: string): void {
		if (!this.request.isServed) {
			this.request.promise.cancel(reason);
		}
	}
}
