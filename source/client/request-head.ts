import {Buffer} from 'node:buffer';
import type {Options} from 'got';
import type {OutgoingRequest} from '../engine/exchange-types.ts';
import {lowerCaseNames, overridingMethod} from '../matching/method.ts';
import {clientCertificate} from './client-certificate.ts';
import type {NativeOptions} from './native-request.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
The request as it will be sent: after all hooks, with the credentials and the length that Got added.
*/
export function outgoingRequest(url: URL, native: NativeOptions, options: Options): OutgoingRequest {
	return {
		...describedRequest(options.method, url, native.headers ?? {}, keyableBody(options)),
		clientCertificate: url.protocol === 'https:' ? clientCertificate(native) : undefined,
	};
}

/** A request by its parts. User info becomes what is sent of it. */
export function describedRequest(method: string, url: URL, headers: Headers, body: OutgoingRequest['body']): OutgoingRequest {
	const {username, password} = url;
	const fields = username === '' && password === '' ? lowerCaseNames(headers) : {authorization: basic(username, password), ...lowerCaseNames(headers)};
	return {
		method: method.toUpperCase(),
		override: overridingMethod(fields),
		url: username === '' && password === '' ? url.href : withoutUserInfo(url),
		fields,
		body,
	};
}

function basic(username: string, password: string): string {
	return `Basic ${Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64')}`;
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

function withoutUserInfo({href}: URL): string {
	const url = new URL(href);
	url.username = '';
	url.password = '';
	return url.href;
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
