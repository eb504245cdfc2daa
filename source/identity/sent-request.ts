import {Buffer} from 'node:buffer';
import {
	BareFields,
	fieldLines,
	fieldValue,
	type Fields,
} from '../policy/fields.ts';
import {parsedUrl} from './references.ts';
import {compare} from './json.ts';

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

/** Stands for a body that can be read only once, such as a stream: its content is not known before it is sent. */
export const unknownBody: unique symbol = Symbol('unknown body');

/** The body; `undefined` where there is none or where it is not known before it is sent. */
export function knownBody({body}: Pick<SentRequest, 'body'>): string | Uint8Array | undefined {
	return body === unknownBody ? undefined : body;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Makes a `SentRequest` of its parts. User info in the URL becomes the `Authorization` that Node.js sends for it. */
export function sentRequest(method: string, url: URL, headers: Headers, body: SentRequest['body']): SentRequest {
	const {username, password} = url;
	const hasUserInfo = username !== '' || password !== '';
	let fields: Fields = hasUserInfo ? {authorization: basic(username, password), ...lowerCaseNames(headers)} : lowerCaseNames(headers);
	const connection = hasUserInfo ? withoutUserInfo(url) : url;
	const {host} = fields;
	if (typeof host === 'string' && namesOwnAuthority(connection, host)) {
		// Node.js sends the same `Host` by itself: both requests ask for the same.
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

/**
A request that a caller describes, to look up or delete what is stored for it.
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

/** A described request as it would be sent. */
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

/** Header fields by lower-case name. Names that differ in letter case alone are one field with several lines. */
export function lowerCaseNames(headers: Fields): Fields {
	const fields = new BareFields() as Record<string, string | readonly string[] | undefined>;
	for (const [name, given] of Object.entries(headers)) {
		const value = typeof given === 'string' ? given : asText(given);
		const key = name.toLowerCase();
		const known = fields[key];
		fields[key] = value === undefined || known === undefined ? value ?? known : [known, value].flat();
	}

	return fields;
}

/** The value of a header as text. Node.js sends numbers, too. */
function asText(value: string | readonly string[] | undefined): string | readonly string[] | undefined {
	return value === undefined || Array.isArray(value) ? value?.map(String) : String(value);
}

/**
The target URI, which the origin sees: the URL with the authority of the `Host` header (RFC 9110 §7.1). Where that is no authority, it is the URL.

@param url - The URL of the connection, without user info.
*/
export function targetUrl(url: URL, headers: Fields): string {
	const value = fieldValue(headers, 'host') ?? fieldValue(headers, ':authority');
	const host = value === undefined ? undefined : normalized(value);
	if (host === undefined || isAuthorityOf(host, url) || isSocket(url) || !authority.test(host)) {
		return url.href;
	}

	const origin = URL.parse(`${url.protocol}//${host}`)?.origin;
	return origin === undefined ? url.href : origin + url.href.slice(url.origin.length);
}

// An authority as servers accept it: of the characters that RFC 3986 §3.2.2 allows, those of names and addresses.
const authority = /^(?:\[[\d.:a-f]+\]|[\w\-.~]+)(?::\d*)?$/v;

const defaultPorts: Readonly<Record<string, string>> = {'http:': '80', 'https:': '443'};

/** The URL of the connection to a target on the authority of another URL's target. */
export function connectionUrl(target: string, connection: string): string {
	const url = new URL(connection);
	const {pathname, search} = new URL(target);
	return isSocket(url) ? target : url.origin + pathname + search;
}

/** Whether a URL leads to a Unix socket, whose path says whom it reaches. */
function isSocket({protocol, hostname}: URL): boolean {
	return hostname === 'unix' || !Object.hasOwn(defaultPorts, protocol);
}

/** Whether a request names its own authority, which changes nothing. */
function namesOwnAuthority(url: URL, host: string): boolean {
	return isAuthorityOf(normalized(host), url);
}

function isAuthorityOf(host: string, {host: own, hostname, protocol}: URL): boolean {
	return host === own || host === `${hostname}:${defaultPorts[protocol]}`;
}

function normalized(host: string): string {
	return host.trim().toLowerCase();
}

/**
The headers that name another target than the URL does, with their values; `undefined` where there are none (RFC 9110 §7.1).
*/
export function targetParts(url: URL, headers: Fields): TargetParts | undefined {
	let parts: Array<readonly [string, string]> | undefined;
	for (const name of Object.keys(headers)) {
		const value = isTargetHeader(name) ? targetValue(name, fieldValue(headers, name), url) : undefined;
		if (value === undefined) {
			continue;
		}

		parts ??= [];
		parts.push([name, value]);
	}

	// Of two authorities, one client sends the first and another the last.
	return parts?.toSorted(([one], [other]) => isAuthorityHeader(one) && isAuthorityHeader(other) ? 0 : compare(one, other));
}

/** The values of the headers that name another target than the URL does. */
type TargetParts = ReadonlyArray<readonly [name: string, value: string]>;

/** What a header says of the target that the URL does not say. */
function targetValue(name: string, value: string | undefined, url: URL): string | undefined {
	if (value === undefined) {
		return undefined;
	}

	if (isAuthorityHeader(name)) {
		const host = normalized(value);
		return isAuthorityOf(host, url) ? undefined : host;
	}

	return name === 'forwarded' ? withoutNodes(value) : value;
}

const quotedOrNode = /"(?:[^"\\]|\\.)*"|(?:^|[\s,;])(?:by|for)\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*)/giv;

/** The value of `Forwarded` without `by` and `for`: the nodes on the way are no part of the target (RFC 7239 §5). */
function withoutNodes(forwarded: string): string | undefined {
	const rest = forwarded.replaceAll(quotedOrNode, match => match.startsWith('"') ? match : '');
	return /[^\s,;]/v.test(rest) ? rest : undefined;
}

/** Whether a header names another target than the URL does. */
export function isTargetHeader(name: string): boolean {
	return isAuthorityHeader(name) || rewritingHeaders.has(name);
}

function isAuthorityHeader(name: string): boolean {
	return name === 'host' || name === ':authority';
}

// Frameworks build the URL of a request from these, as they do from `Host`.
const rewritingHeaders = new Set([
	'forwarded',
	'front-end-https',
	'x-forwarded-host',
	'x-forwarded-port',
	'x-forwarded-prefix',
	'x-forwarded-proto',
	'x-forwarded-protocol',
	'x-forwarded-scheme',
	'x-forwarded-server',
	'x-forwarded-ssl',
	'x-host',
	'x-http-host-override',
	'x-original-host',
	'x-original-url',
	'x-rewrite-url',
	'x-url-scheme',
]);

/**
The method that override headers ask for, if there are any. Where they ask for several, it is a list, which is no method that anybody allows: nobody knows which of them the origin takes.

@param headers - Lower-case names.
*/
export function overridingMethod(headers: Fields): string | undefined {
	if (overrides.every(name => headers[name] === undefined)) {
		return undefined;
	}

	const asked = new Set<string>();
	for (const name of overrides) {
		for (const line of fieldLines(headers, name)) {
			asked.add(line.trim().toUpperCase());
		}
	}

	asked.delete('');
	return asked.size === 0 ? undefined : [...asked].join(',');
}

// Servers that read one of these take it for the method (requests-cache does, too).
const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/**
The method as it is part of the key: a request that asks for another method is not the same as a request by that method.
*/
export function matchedMethod(method: string, override: string | undefined): string {
	return override === undefined ? method.toUpperCase() : `${method.toUpperCase()}:${override}`;
}

/**
The method as the key is made of it: a server may know one override header, and not another.

@param method - As `matchedMethod` gives it.
@param headers - Lower-case names.
*/
export function methodParts(method: string, headers: Fields): unknown {
	return method.includes(':') ? [method, overrides.filter(name => headers[name] !== undefined)] : method;
}
