import {STATUS_CODES} from 'node:http';
import type {Got, Request} from 'got';
import type {Exchange, RenderedResponse} from '../exchange/exchange.ts';
import {noteInfo} from './attempt-options.ts';
import {acceptedCodings} from './cache-info.ts';
import {ServedResponse} from './served-response.ts';

type Parts = {
	readonly served: RenderedResponse;
	readonly url: string;
	readonly rawBody: Uint8Array;
	readonly body: unknown;

	/** Makes Got's request. */
	readonly request: () => Request;
};

/** Makes the response that Got gives for what the cache has served. Got's request is made when it is looked at. */
export function fastResponse({served, url, rawBody, body, request}: Parts): ServedResponse {
	// Got has read it.
	const response = new ServedResponse(served, true, nothing).resume();
	response.statusMessage ||= STATUS_CODES[response.statusCode]!;
	Object.assign(response, {
		url,
		requestUrl: new URL(url),
		redirectUrls: [],
		isFromCache: true,
		ip: undefined,
		retryCount: 0,
		ok: true,
		rawBody,
		body,
	});
	const define = (descriptor: PropertyDescriptor): void => {
		Object.defineProperty(response, 'request', {...descriptor, enumerable: true, configurable: true});
	};

	define({
		get() {
			const made = request();
			made.response = response as never;
			define({value: made, writable: true});
			return made;
		},
		set(value: unknown) {
			define({value, writable: true});
		},
	});
	return response;
}

const nothing = new Uint8Array(0);

/** Returns a request of Got that has ended, as the request of a response has. It is destroyed before it would begin. */
export function endedRequest(instance: Got, url: string, options: object, {exchange, bytes}: {readonly exchange: Exchange; readonly bytes: number}): Request {
	const request = instance.stream(url, options).destroy();
	request.options.isStream = false;
	request.options.headers['accept-encoding'] ??= acceptedCodings;
	noteInfo(request.options, exchange);
	return Object.defineProperties(request, {
		isFromCache: {value: true, configurable: true},
		downloadProgress: {value: {percent: 1, transferred: bytes, total: bytes}, configurable: true},
	});
}
