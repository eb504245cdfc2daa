import {Buffer} from 'node:buffer';
import {Readable} from 'node:stream';
import type {IncomingMessage} from 'node:http';

export type Canned = {
	readonly statusCode?: number;
	readonly headers?: Readonly<Record<string, string | string[]>>;
	readonly body?: string | Uint8Array;

	/** The error that ends the body. */
	readonly error?: Error;
};

/** Creates a response without a socket, as a user's `request` function may return it. */
export function cannedResponse({statusCode = 200, headers = {}, body = '', error}: Canned = {}): IncomingMessage {
	return Object.assign(Readable.from(chunks(body, error), {objectMode: false}), {
		statusCode,
		statusMessage: '',
		headers,
		rawHeaders: Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap(value => [name, value])),
		complete: true,
	}) as unknown as IncomingMessage;
}

function * chunks(body: string | Uint8Array, error: Error | undefined): Generator<Uint8Array> {
	if (body !== '') {
		yield Buffer.from(body);
	}

	if (error !== undefined) {
		throw error;
	}
}
