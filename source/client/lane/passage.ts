import type {Options} from 'got';
import type {Engine} from '../../engine/engine.ts';
import type {RenderedResponse, Step} from '../../engine/exchange-types.ts';
import type {Exchange} from '../../engine/exchange.ts';
import {gotCopyOf} from '../got-copies.ts';
import {handOver} from './handed-over.ts';
import {isPlain, plainRequest} from './plain-request.ts';
import {readBody, type BodyType} from './read-body.ts';
import {SpentResponse, type Content} from './spent-response.ts';

type Listen = (event: string, listener: (...parameters: never[]) => void) => GotPromise;
type Read = () => GotPromise;

/** What Got returns: a promise with ways to read the body, and to listen to what happens. */
export type GotPromise = Promise<unknown> & Record<'on' | 'once' | 'off', Listen> & Record<BodyType, Read>;

export type Next = (options: Options) => GotPromise;

const moment = Promise.resolve();

/** How an exchange began. */
type Begun = {readonly exchange: Exchange; readonly step: Step};

/** What answers, as it is stored and as it is read. */
type Answer = Begun & {readonly content: Content};

/**
One request on the fast lane: a hit is answered without Got's request. All else is Got's, which goes on where this has come to.

It begins a moment after the call, as Got does: `.json()` asks for another `Accept`, and whoever listens is to hear everything.
*/
export class Passage {
	readonly promise: GotPromise;
	readonly #options: Options;
	readonly #next: Next;
	readonly #engine: Engine;
	readonly #listening: Array<(promise: GotPromise) => void> = [];
	#answer: Answer | undefined;
	#response: SpentResponse | undefined;

	/** What Got makes of it. */
	#request: GotPromise | undefined;

	constructor(options: Options, next: Next, engine: Engine) {
		this.#options = options;
		this.#next = next;
		this.#engine = engine;
		this.promise = this.#equip(this.#run());
	}

	async #run(): Promise<unknown> {
		await moment;
		const {here} = this.#engine;
		const exchange = this.#open(here);
		if (exchange === undefined) {
			return this.#leave();
		}

		const step = here.begin(exchange);
		if (!(step instanceof Promise)) {
			return this.#serve({exchange, step}, here);
		}

		const {signal, timeout} = this.#options;
		if (signal === undefined && timeout.request === undefined) {
			return this.#serve({exchange, step: await step}, here);
		}

		// What ends a request early is Got's.
		handOver(this.#options, {exchange, step});
		return this.#leave();
	}

	/** The exchange of a request that may be answered here. */
	#open(here: Engine): Exchange | undefined {
		const options = this.#options;
		const {failFast, mode} = here.settings;
		const isTold = failFast || mode === 'replay';
		if (isTold || this.#listening.length > 0 || gotCopyOf(options).requestClass === undefined || !isPlain(options)) {
			return undefined;
		}

		if (options.responseType === 'json') {
			acceptJson(options);
		}

		try {
			const settings = here.settingsFor(options.context.cache);
			const request = plainRequest(options, settings);
			return request === undefined ? undefined : here.open(request, settings);
		} catch {
			// A setting of the request's is wrong: Got tells.
			return undefined;
		}
	}

	#serve(begun: Begun, {now}: Engine): unknown {
		const content = contentFor(begun.step, this.#options);
		if (content === undefined || begun.step.do === 'send') {
			handOver(this.#options, begun);
			return this.#leave();
		}

		this.#answer = {...begun, content};
		if (this.#options.resolveBodyOnly) {
			return content.body;
		}

		this.#response = new SpentResponse(begun.step.response, content, this.#options, {exchange: begun.exchange, now});
		return this.#response;
	}

	#leave(): GotPromise {
		this.#request ??= this.#next(this.#options);
		for (const listen of this.#listening) {
			listen(this.#request);
		}

		this.#listening.length = 0;
		return this.#request;
	}

	#equip(promise: Promise<unknown>): GotPromise {
		const passage = this; // eslint-disable-line unicorn/no-this-assignment, @typescript-eslint/no-this-alias -- Each function is told by `this` on which promise it was called: a reading has them as well.
		const listener = (name: 'on' | 'once' | 'off') => function (this: GotPromise, event: string, listen: Parameters<Listen>[1]): GotPromise {
			passage.#listen(target => {
				void target[name](event, listen);
			});
			return this;
		};

		const reader = (type: BodyType) => function (this: GotPromise): GotPromise {
			return passage.#read(this, type);
		};

		const methods = {
			on: listener('on'), once: listener('once'), off: listener('off'), json: reader('json'), buffer: reader('buffer'), text: reader('text'),
		};
		return Object.assign<Promise<unknown>, typeof methods>(promise, methods);
	}

	#listen(listen: (promise: GotPromise) => void): void {
		if (this.#request !== undefined) {
			listen(this.#request);
		} else if (this.#answer === undefined) {
			this.#listening.push(listen);
		}
	}

	#read(promise: GotPromise, type: BodyType): GotPromise {
		if (this.#request !== undefined && this.#answer === undefined) {
			return this.#request[type].call<GotPromise, [], GotPromise>(promise);
		}

		if (type === 'json' && this.#answer === undefined) {
			acceptJson(this.#options);
		}

		const result = this.#readAfter(promise, type);
		return promise === this.promise ? this.#equip(result) : Object.defineProperties(result, Object.getOwnPropertyDescriptors(promise)) as GotPromise;
	}

	async #readAfter(promise: GotPromise, type: BodyType): Promise<unknown> {
		await promise;
		if (this.#answer === undefined) {
			return this.#leave()[type].call(promise);
		}

		try {
			// Who has the response may have changed it.
			return readBody(this.#response?.rawBody ?? this.#answer.content.rawBody, type);
		} catch {
			return this.#failToRead(this.#answer, type);
		}
	}

	/** The error is Got's, of the response that was given. */
	async #failToRead(answer: Answer, type: BodyType): Promise<unknown> {
		if (this.#request === undefined) {
			handOver(this.#options, answer);
		}

		const request = this.#leave();
		const given = await request;
		const response = this.#response;
		if (response === undefined) {
			return request[type]();
		}

		Object.assign(given as object, {rawBody: response.rawBody});
		try {
			return await request[type]();
		} catch (error) {
			throw Object.assign(error as Error, {response, request: response.request});
		}
	}
}

/** What Got asks for where JSON is wanted in time. */
function acceptJson({headers}: Options): void {
	if (!('accept' in headers)) {
		headers.accept = 'application/json';
	}
}

/**
What a step gives, if it is a stored response that Got would hand on as it is.
*/
function contentFor(step: Step, {responseType, strictContentLength}: Options): Content | undefined {
	if (step.do === 'send' || step.revalidate || !isPlainAnswer(step.response, strictContentLength)) {
		return undefined;
	}

	const rawBody = new Uint8Array(step.response.body);
	try {
		return {rawBody, body: readBody(rawBody, responseType)};
	} catch {
		return undefined;
	}
}

function isPlainAnswer({statusCode, headers, body}: RenderedResponse, strictContentLength: boolean): boolean {
	const length = headers['content-length'];
	return statusCode >= 200 && statusCode < 300
		&& headers['content-encoding'] === undefined
		&& (!strictContentLength || length === undefined || length === String(body.byteLength))
		// A byte order mark is read differently by different versions of Got.
		&& body[0] !== 0xEF;
}
