import type {ClientRequest} from 'node:http';
import type {Options} from 'got';

export type RequestFunction = NonNullable<Options['request']>;
export type RequestResult = Awaited<ReturnType<RequestFunction>>;

/** Sends the request with some headers added for this attempt alone. */
export type Send = (validators: Readonly<Record<string, string>>) => RequestResult | Promise<RequestResult>;

/**
Sends what Got would send. The options are made anew: those that a custom request function is handed lack HTTP/2's pool and timeouts.
*/
export function sendNative(url: URL, options: Options, validators: Readonly<Record<string, string>>): RequestResult | Promise<RequestResult> {
	const native = options.createNativeRequestOptions();
	native.headers = {...native.headers, ...validators};
	return options.getRequestFunction()!(url, native as never);
}

/** Got's own test: what is not a request still to be ended is a response. */
export function isClientRequest(result: RequestResult): result is ClientRequest {
	const {writable, writableEnded} = result as ClientRequest;
	return writable && !writableEnded;
}
