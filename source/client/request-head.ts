import {Buffer} from 'node:buffer';
import type {Options} from 'got';
import {describedRequest} from '../cache/described-request.ts';
import type {OutgoingRequest} from '../engine/exchange-types.ts';
import {clientCertificate} from './client-certificate.ts';
import type {NativeOptions} from './native-request.ts';

/**
The request as it will be sent: after all hooks, with the credentials and the length that Got added.
*/
export function outgoingRequest(url: URL, native: NativeOptions, options: Options): OutgoingRequest {
	return {
		...describedRequest(options.method, url, native.headers ?? {}, keyableBody(options)),
		clientCertificate: url.protocol === 'https:' ? clientCertificate(native) : undefined,
	};
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
