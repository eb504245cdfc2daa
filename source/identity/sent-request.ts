import {Buffer} from 'node:buffer';
import {
	BareFields,
	fieldLines,
	fieldValue,
	type Fields,
} from '../policy/fields.ts';
import {
	asObject,
	headersOf,
	parseInput,
	parseMembers,
	text as textParser,
	type Parser,
	type Parsers,
} from '../parse.ts';
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

	/** The target URI: the URL with the authority of the `Host` header (RFC 9110 §7.1). */
	readonly targetUrl: string;

	/** The header fields by lower-case name. */
	readonly fields: Fields;

	readonly body: string | Uint8Array | undefined | typeof unknownBody;

	/** A digest of the TLS settings that decide which servers the client trusts and which certificate it presents; `undefined` for the defaults. */
	readonly trust?: string | undefined;
};

/** A body that can be read only once, such as a stream, so that its content is unknown before it is sent. */
export const unknownBody: unique symbol = Symbol('unknown body');

/** Returns the body, or `undefined` if there is none or it is unknown. */
export function knownBody({body}: Pick<SentRequest, 'body'>): string | Uint8Array | undefined {
	return body === unknownBody ? undefined : body;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Makes a `SentRequest`. User info in the URL becomes the `Authorization` that Node.js sends for it. */
export function sentRequest(method: string, url: URL, headers: Headers, body: SentRequest['body']): SentRequest {
	const {username, password} = url;
	const hasUserInfo = username !== '' || password !== '';
	let fields: Fields = hasUserInfo ? {authorization: basic(username, password), ...lowerCaseNames(headers)} : lowerCaseNames(headers);
	const connection = hasUserInfo ? withoutUserInfo(url) : url;
	const {host} = fields;
	if (typeof host === 'string' && isAuthorityOf(normalized(host), connection)) {
		// Node.js sends the same `Host` by itself, so that both requests are the same.
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
A request that a caller describes, to find or delete its stored responses.
*/
export type DescribedRequest = {
	/**
	The method.

	@default 'GET'
	*/
	readonly method?: string;

	/** The absolute URL. */
	readonly url: string | URL;

	/**
	The request headers. Credentials among them are part of the key, and so is a `Host` that differs from the URL. Add those that a cookie jar or a hook would add.

	@default {}
	*/
	readonly headers?: Readonly<Record<string, string | string[] | undefined>>;

	/** The body, as it is sent. Without it, the request has none. */
	readonly body?: string | Uint8Array;
};

export const absoluteUrl: Parser<string | URL> = {
	allowed: 'an absolute URL',
	parse: value => value instanceof URL || (typeof value === 'string' && URL.canParse(value)) ? value : undefined,
};

const requestParsers: Parsers<Omit<DescribedRequest, 'url'>> = {
	method: {allowed: 'a method such as `\'GET\'`', parse: textParser.parse},
	headers: headersOf('a string or a number', line => typeof line === 'string' || typeof line === 'number'),
	body: {
		allowed: 'a string or a Uint8Array',
		parse: value => typeof value === 'string' || value instanceof Uint8Array ? value : undefined,
	},
};

/**
Checks a request that a caller describes. Other members are ignored, so that requests of other libraries can be passed.

@throws {SettingError} When it is not an object, or a member is wrong.
*/
export function parseRequest(request: unknown, path = 'request'): DescribedRequest {
	const given = parseInput({allowed: 'an object with a `url`', parse: asObject}, request, path) as DescribedRequest;
	parseInput(absoluteUrl, given.url, `${path}.url`);
	parseMembers(requestParsers, given, path);
	return given;
}

/**
Makes a described request as it would be sent.

@throws {SettingError} As `parseRequest`.
*/
export function describedRequest(request: unknown, path = 'request'): SentRequest {
	const {method = 'GET', url, headers = {}, body} = parseRequest(request, path);
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

/** Returns header fields by lower-case name. Names that differ only in letter case become one field with several lines. */
export function lowerCaseNames(headers: Fields): Fields {
	const fields = new BareFields() as Record<string, string | readonly string[] | undefined>;
	for (const name in headers) {
		if (!Object.hasOwn(headers, name)) {
			continue;
		}

		const given = headers[name];
		const value = typeof given === 'string' ? given : asText(given);
		const key = name.toLowerCase();
		const known = fields[key];
		fields[key] = value === undefined || known === undefined ? value ?? known : [known, value].flat();
	}

	return fields;
}

/** Returns the value of a header as text. Node.js also accepts numbers. */
function asText(value: string | readonly string[] | undefined): string | readonly string[] | undefined {
	return value === undefined || Array.isArray(value) ? value?.map(String) : String(value);
}

/**
Returns the target URI: the URL with the authority of the `Host` header, if that is valid (RFC 9110 §7.1).

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

// An authority as servers accept it: the characters of names and addresses among those of RFC 3986 §3.2.2.
const authority = /^(?:\[[\d.:a-f]+\]|[\w\-.~]+)(?::\d*)?$/v;

const defaultPorts: Readonly<Record<string, string>> = {'http:': '80', 'https:': '443'};

/** Returns the URL of the connection to a target that has the same origin as that of another connection. */
export function connectionUrl(target: string, connection: string): string {
	const url = new URL(connection);
	const {pathname, search} = new URL(target);
	return isSocket(url) ? target : url.origin + pathname + search;
}

/** Whether a URL is that of a Unix socket, which its path names. */
function isSocket({protocol, hostname}: URL): boolean {
	return hostname === 'unix' || !Object.hasOwn(defaultPorts, protocol);
}

/** Whether an authority, in lower case, is that of the URL. */
function isAuthorityOf(host: string, {host: own, hostname, protocol}: URL): boolean {
	return host === own || host === `${hostname}:${defaultPorts[protocol]}`;
}

function normalized(host: string): string {
	return host.trim().toLowerCase();
}

/**
Returns the headers that name another target than the URL does, with their values; `undefined` if there are none (RFC 9110 §7.1).
*/
export function targetParts(url: URL, headers: Fields): ReadonlyArray<readonly [name: string, value: string]> | undefined {
	let parts: Array<readonly [string, string]> | undefined;
	for (const name of Object.keys(headers)) {
		const value = isTargetHeader(name) ? targetValue(name, fieldValue(headers, name), url) : undefined;
		if (value === undefined) {
			continue;
		}

		parts ??= [];
		parts.push([name, value]);
	}

	// The order of two authorities is kept, since clients differ in which one they send.
	return parts?.toSorted(([one], [other]) => isAuthorityHeader(one) && isAuthorityHeader(other) ? 0 : compare(one, other));
}

/** Returns the value of a header if it names another target than the URL does. */
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

/** Removes `by` and `for` from a `Forwarded` header, since the nodes on the path are no part of the target (RFC 7239 §5). */
function withoutNodes(forwarded: string): string | undefined {
	const rest = forwarded.replaceAll(quotedOrNode, match => match.startsWith('"') ? match : '');
	return /[^\s,;]/v.test(rest) ? rest : undefined;
}

/** Whether a header may name another target than the URL does. */
export function isTargetHeader(name: string): boolean {
	return isAuthorityHeader(name) || rewritingHeaders.has(name);
}

function isAuthorityHeader(name: string): boolean {
	return name === 'host' || name === ':authority';
}

// Frameworks build the URL of a request from these headers, as from `Host`.
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
Returns the method that override headers ask for, if there are any. Several methods become a list, which `allowableMethods` never has, since servers differ in which one they use.

@param headers - With lower-case names.
*/
export function overridingMethod(headers: Fields): string | undefined {
	if (headers['x-http-method-override'] === undefined && headers['x-http-method'] === undefined && headers['x-method-override'] === undefined) {
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

// The headers that servers, and requests-cache, read as the method.
const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/**
Returns the method for the key. A request with an override header differs from a request by the method that it asks for.
*/
export function matchedMethod(method: string, override: string | undefined): string {
	return override === undefined ? method.toUpperCase() : `${method.toUpperCase()}:${override}`;
}

/**
Returns the parts of the key for a method: with the names of the override headers, since a server may know only some of them.

@param method - As `matchedMethod` returns it.
@param headers - With lower-case names.
*/
export function methodParts(method: string, headers: Fields): unknown {
	return method.includes(':') ? [method, overrides.filter(name => headers[name] !== undefined)] : method;
}
