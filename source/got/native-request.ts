import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Options} from 'got';
import type {OutgoingRequest} from '../exchange/exchange-types.ts';

export type RequestFunction = NonNullable<Options['request']>;
export type RequestResult = Awaited<ReturnType<RequestFunction>>;

export type NativeOptions = {
	headers?: Record<string, string | string[] | undefined>;
	signal?: AbortSignal | undefined;

	setHost?: boolean | undefined;

	/** An agent, or for HTTP/2 an object of agents. The other TLS settings are looked up by `trustOf`. */
	agent?: unknown;
};

/**
Sends what Got would send, by the user's function or Got's own.

@param native - Got's own object for a caller's request: it looks there for the socket of a handshake that it must end.
*/
export function sendNative(url: URL, native: NativeOptions, options: Options, validators: Readonly<Record<string, string>>): RequestResult | Promise<RequestResult> {
	native.headers = {...native.headers, ...validators};
	return options.getRequestFunction()!(url, native as never);
}

/** Got's own test: what is not a request still to be ended is a response. */
export function isClientRequest(result: RequestResult): result is ClientRequest {
	const {writable, writableEnded} = result as ClientRequest;
	return writable && !writableEnded;
}

/**
Ends a request that nobody else drives, and waits for its response.

@throws Where there is none.
*/
export async function awaitResponse(request: ClientRequest, body: OutgoingRequest['body']): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		request.once('error', reject);
		request.once('response', resolve);
		request.end(body === 'unknown' ? undefined : body);
	});
}
