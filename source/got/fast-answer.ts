import {Buffer, isUtf8} from 'node:buffer';
import type {Got, OptionsInit} from 'got';
import type {Exchange, RenderedResponse} from '../exchange/exchange.ts';
import type {FreshMatch} from '../exchange/request-phase.ts';
import {bodyBytes, bodyLength} from '../entry/stored-response.ts';
import {contextWith} from './attempt-options.ts';
import {endedRequest, fastResponse} from './fast-response.ts';

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

	/** What Got makes the request with, where it has to. */
	readonly instance: Got;
	readonly url: string;
	readonly options: (acceptsJson: boolean) => object;
};

type Parsed = {readonly body: unknown};

/** A request that the cache answers when Got would begin, unless that has become impossible: then Got makes it. */
export class FastRequest {
	readonly #parts: Parts;
	readonly #begun: Promise<void>;
	#acceptsJson = false;
	#served: RenderedResponse | undefined;
	#bytes: Uint8Array | undefined;

	/** The body by `responseType: 'json'`. */
	#parsed: Parsed | undefined;
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
		const {instance, url, exchange} = this.#parts;
		this.#promise ??= instance(url, {...this.#options, ...this.#served && {context: contextWith({exchange, response: this.#served})}}) as unknown as GotPromise;
		return this.#promise;
	}

	get #options(): object {
		return this.#parts.options(this.#acceptsJson);
	}

	/** Adds Got's `Accept` for JSON, which the key does not depend on. */
	acceptJson(): void {
		this.#acceptsJson ||= !this.isServed;
	}

	/** Returns what the promise of the request resolves with. */
	async resolve(): Promise<unknown> {
		await this.#begun;
		const {resolvesBody, bodyType} = this.#parts;
		const parsed = this.#promise === undefined ? this.#parsed ?? this.#parse(bodyType) : undefined;
		if (parsed === undefined) {
			return this.promise;
		}

		return resolvesBody ? parsed.body : this.#respond(this.#served!, parsed.body);
	}

	/** Returns what the shortcut of a type resolves with. */
	async body(type: BodyType): Promise<unknown> {
		await this.#begun;
		const parsed = this.#parse(type);
		return parsed === undefined ? this.promise[type]() : parsed.body;
	}

	#respond(served: RenderedResponse, body: unknown): unknown {
		const {instance, url, exchange} = this.#parts;
		const bytes = bodyLength(served.body);
		return fastResponse({
			served, url, rawBody: this.#copyOf(served), body, request: () => endedRequest(instance, url, this.#options, {exchange, bytes}),
		});
	}

	#copyOf({body}: RenderedResponse): Uint8Array {
		this.#bytes ??= this.#parts.copy(bodyBytes(body));
		return this.#bytes;
	}

	async #begin(): Promise<void> {
		// The caller may add listeners before Got would begin.
		await Promise.resolve();
		if (this.#promise !== undefined) {
			return;
		}

		this.#served = this.#serve();
		this.#parsed = this.#parts.bodyType === 'json' ? this.#parse('json') : undefined;
		if (this.#served === undefined || (this.#parts.bodyType === 'json' && this.#parsed === undefined)) {
			// Its rejection is reported even if nobody waits for it.
			void this.promise;
		}
	}

	#serve(): RenderedResponse | undefined {
		const {exchange, isCurrent} = this.#parts;
		try {
			const fresh = isCurrent() ? findPlain(exchange) : undefined;
			return fresh === undefined ? undefined : exchange.serveFresh(fresh).response;
		} catch {
			// Got meets the same fault, and reports it.
			return undefined;
		}
	}

	/** Parses the served body as Got does; returns `undefined` for what Got does best: errors and byte order marks. */
	#parse(type: BodyType): Parsed | undefined {
		const served = this.#served;
		// Got parses JSON first if that is the type of the response.
		if (served === undefined || (type !== 'json' && this.#parts.bodyType === 'json')) {
			return undefined;
		}

		if (type === 'buffer') {
			return {body: this.#copyOf(served)};
		}

		// The caller may have changed the bytes.
		const bytes = this.#bytes ?? bodyBytes(served.body);
		if (bytes[0] === firstOfMark || !isUtf8(bytes)) {
			return undefined;
		}

		const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
		try {
			return {body: type === 'text' || text === '' ? text : JSON.parse(text)};
		} catch {
			return undefined;
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

	const {statusCode, vary, fields, byteLength} = fresh.match.stored;
	const {'content-length': length = String(byteLength), 'content-encoding': coding} = fields;
	return statusCode === 200 && vary === undefined && coding === undefined && length === String(byteLength) ? fresh : undefined;
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
