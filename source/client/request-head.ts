import {Buffer} from 'node:buffer';
import type {Options} from 'got';
import type {OutgoingRequest} from '../engine/exchange-types.ts';
import type {Fields} from '../policy/fields.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

// Servers that read one of these take it for the method (requests-cache does, too).
const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/**
The request as it will be sent: after all hooks, with the credentials and the length that Got added.
*/
export function outgoingRequest(url: URL, headers: Headers, options: Options): OutgoingRequest {
	return describedRequest(options.method, url, headers, keyableBody(options));
}

/** A request by its parts. */
export function describedRequest(method: string, url: URL, headers: Headers, body: OutgoingRequest['body']): OutgoingRequest {
	const fields = lowerCase(headers);
	return {
		method: method.toUpperCase(),
		override: overridingMethod(fields),
		url: url.href,
		fields,
		body,
	};
}

export function lowerCase(headers: Headers): Fields {
	const fields: Record<string, string | string[] | undefined> = Object.create(null) as Record<string, string | string[] | undefined>;
	for (const [name, value] of Object.entries(headers)) {
		fields[name.toLowerCase()] = value;
	}

	return fields;
}

function overridingMethod(fields: Fields): string | undefined {
	for (const name of overrides) {
		const value = fields[name];
		if (typeof value === 'string' && value.trim() !== '') {
			return value.trim().toUpperCase();
		}
	}

	return undefined;
}

function keyableBody({body, method, isStream, allowGetBody}: Options): OutgoingRequest['body'] {
	if (body === undefined) {
		// What the caller writes to the stream is not known before it is sent.
		const writable = isStream && !(method === 'GET' ? !allowGetBody : method === 'HEAD');
		return writable ? 'unknown' : undefined;
	}

	if (typeof body === 'string') {
		return body;
	}

	return ArrayBuffer.isView(body) ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : 'unknown';
}
