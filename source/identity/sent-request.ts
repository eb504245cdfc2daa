import {Buffer} from 'node:buffer';
import type {Fields} from '../policy/fields.ts';
import {lowerCaseNames, overridingMethod} from './method.ts';
import {namesOwnAuthority, targetUrl} from './target.ts';
import {parsedUrl} from './url.ts';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A body that can be read only once, as a stream: nobody knows what is in it before it is sent. */
export const unknownBody: unique symbol = Symbol('unknown body');

/**
A request by name, as it would be sent.
*/
export type DescribedRequest = {
	/**
	@default 'GET'
	*/
	readonly method?: string;
	readonly url: string | URL;

	/**
	The headers that are sent beside the client's own. A credential among them is part of the key, as is a `Host` that differs from the URL's. Headers that a cookie jar or a hook adds are not known here.

	@default {}
	*/
	readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
	readonly body?: string | Uint8Array;
};

/**
A request as it will be sent.
*/
export type SentRequest = {
	/** The method that is sent. */
	readonly method: string;

	/** The method that an override header asks for. */
	readonly override: string | undefined;

	/** The URL of the connection, without user info. */
	readonly url: string;

	/** The target URI, which the origin sees: the URL with the authority of the `Host` header (RFC 9110 §7.1). */
	readonly targetUrl: string;

	/** The header fields by lower-case name. */
	readonly fields: Fields;

	readonly body: string | Uint8Array | undefined | typeof unknownBody;

	/** A digest of the TLS settings that decide whom the client believes and as whom it speaks; `undefined` where they are the defaults. */
	readonly trust?: string | undefined;
};

/** The body, as far as it is known. */
export function knownBody({body}: Pick<SentRequest, 'body'>): string | Uint8Array | undefined {
	return body === unknownBody ? undefined : body;
}

/** A request by its parts. User info becomes the `Authorization` that is sent for it. */
export function sentRequest(method: string, url: URL, headers: Headers, body: SentRequest['body']): SentRequest {
	const {username, password} = url;
	const hasUserInfo = username !== '' || password !== '';
	let fields: Fields = hasUserInfo ? {authorization: basic(username, password), ...lowerCaseNames(headers)} : lowerCaseNames(headers);
	const connection = hasUserInfo ? withoutUserInfo(url) : url;
	const {host} = fields;
	if (typeof host === 'string' && namesOwnAuthority(connection, host)) {
		// Whoever sends it asks for the same as who leaves it to Node.js.
		fields = {...fields, host: undefined};
	}

	return {
		method: method.toUpperCase(),
		override: overridingMethod(fields),
		url: connection.href,
		targetUrl: targetUrl(connection, fields),
		fields,
		body,
	};
}

/** A request that is named, as it would be sent. */
export function describedRequest({method = 'GET', url, headers = {}, body}: DescribedRequest): SentRequest {
	return sentRequest(method, parsedUrl(url), headers, body);
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

function withoutUserInfo({href}: URL): URL {
	const url = new URL(href);
	url.username = '';
	url.password = '';
	return url;
}
