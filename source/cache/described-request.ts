import {Buffer} from 'node:buffer';
import {lowerCaseNames, overridingMethod} from '../identity/method.ts';
import type {Fields} from '../policy/fields.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

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
	What is sent beside the client's own headers: credentials among them part the cache. Those that a cookie jar or a hook adds are not known here.

	@default {}
	*/
	readonly headers?: Headers;
	readonly body?: string | Uint8Array;
};

/** A request as it will be sent, but for who the client is. */
export type RequestParts<Body> = {
	/** The method that is sent. */
	readonly method: string;

	/** The method that an override header asks for. */
	readonly override: string | undefined;
	readonly url: string;

	/** By lower-case name. */
	readonly fields: Fields;
	readonly body: Body;
};

/** A request by its parts. User info becomes what is sent of it. */
export function describedRequest<Body>(method: string, url: URL, headers: Headers, body: Body): RequestParts<Body> {
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
