import type {Options, Request} from 'got';
import type {RenderedResponse} from '../../exchange/exchange-types.ts';
import {gotCopyOf} from '../got-copies.ts';
import {remember, type Remembered} from '../remembered.ts';
import {seemAsServed, ServedResponse} from '../served-response.ts';
import {markSpent} from '../spent.ts';

/** What was read of a response. */
export type Content = {
	readonly rawBody: Uint8Array;

	/** As the options want it. */
	readonly body: unknown;
};

/**
A stored response as Got gives it to who asked: with its body read, and a request that is over. Got has made none; what tells of it is made when it is looked at.
*/
export class SpentResponse extends ServedResponse {
	static {
		seemAsServed(this);
	}

	readonly url: string;
	declare readonly requestUrl: URL;
	readonly redirectUrls: URL[] = [];
	declare readonly request: Request;
	readonly isFromCache = true;
	readonly ip = undefined;
	readonly retryCount = 0;
	readonly ok = true;
	readonly rawBody: Uint8Array;
	readonly body: unknown;
	readonly #content: Content;
	readonly #options: Options;
	readonly #remembered: Remembered;

	constructor(rendered: RenderedResponse, content: Content, options: Options, remembered: Remembered) {
		super(rendered);
		markSpent(this, content.rawBody.byteLength > 0);
		this.url = (options.url as URL).href;
		this.rawBody = content.rawBody;
		this.body = content.body;
		this.#content = content;
		this.#options = options;
		this.#remembered = remembered;
		Object.defineProperties(this, lazy);
	}

	/** What the cache knows of it; `undefined` for a response that is none of these. */
	static rememberedOf(response: object): Remembered | undefined {
		return #remembered in response ? response.#remembered : undefined;
	}

	static requestUrlOf(response: SpentResponse): URL {
		return new URL(response.#options.url as URL);
	}

	static requestOf(response: SpentResponse): Request {
		const options = response.#options;
		remember(options, response.#remembered);
		const {requestClass, acceptEncoding} = gotCopyOf(options);
		const headers = options.getInternalHeaders();
		headers['accept-encoding'] ??= acceptEncoding;
		const request = Reflect.construct<[undefined, undefined, Options], Request>(requestClass!, [undefined, undefined, options]);
		request.destroy();
		const {requestUrl, redirectUrls} = response;
		const {byteLength} = response.#content.rawBody;
		return Object.assign(request, {
			options, response, requestUrl, redirectUrls, _noPipe: true, _downloadedSize: byteLength, _responseSize: byteLength,
		});
	}
}

const lazy: PropertyDescriptorMap = Object.fromEntries(Object.entries({requestUrl: SpentResponse.requestUrlOf, request: SpentResponse.requestOf}).map(([name, make]) => [name, {
	get(this: SpentResponse) {
		const value = make(this);
		Object.defineProperty(this, name, {
			value, writable: true, enumerable: true, configurable: true,
		});
		return value;
	},
	set(this: SpentResponse, value: unknown) {
		Object.defineProperty(this, name, {
			value, writable: true, enumerable: true, configurable: true,
		});
	},
	enumerable: true,
	configurable: true,
}]));
