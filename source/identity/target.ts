import {fieldValue, type Fields} from '../policy/fields.ts';
import {compare} from './parameters.ts';

// Frameworks build the URL of a request from these, as they do from `Host`.
const rewritingHeaders = new Set([
	'forwarded',
	'x-forwarded-host',
	'x-forwarded-port',
	'x-forwarded-prefix',
	'x-forwarded-proto',
	'x-forwarded-scheme',
	'x-host',
	'x-original-host',
	'x-original-url',
	'x-rewrite-url',
]);

const defaultPorts: Readonly<Record<string, string>> = {'http:': '80', 'https:': '443'};

// What a server knows as a host: of the characters that RFC 3986 §3.2.2 allows, those of names.
const authority = /^(?:\[[\d.:a-f]+\]|[\w\-.~]+)(?::\d*)?$/v;

/** Whether a header names another target than the URL does. */
export function isTargetHeader(name: string): boolean {
	return isAuthorityHeader(name) || rewritingHeaders.has(name);
}

/** The values of the headers that name another target than the URL does. */
export type TargetParts = ReadonlyArray<readonly [name: string, value: string]>;

/**
The headers that name another target than the URL does, with their values; `undefined` where there are none (RFC 9110 §7.1).
*/
export function targetParts(url: URL, headers: Fields): TargetParts | undefined {
	let parts: Array<readonly [string, string]> | undefined;
	for (const name of Object.keys(headers)) {
		const value = isTargetHeader(name) ? fieldValue(headers, name) : undefined;
		if (value === undefined || (isAuthorityHeader(name) && isAuthorityOf(normalized(value), url))) {
			continue;
		}

		parts ??= [];
		parts.push([name, isAuthorityHeader(name) ? normalized(value) : value]);
	}

	// Of two authorities, one client sends the first and another the last.
	return parts?.toSorted(([one], [other]) => isAuthorityHeader(one) && isAuthorityHeader(other) ? 0 : compare(one, other));
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

function isAuthorityHeader(name: string): boolean {
	return name === 'host' || name === ':authority';
}

function normalized(host: string): string {
	return host.trim().toLowerCase();
}

function isAuthorityOf(host: string, {host: own, hostname, protocol}: URL): boolean {
	return host === own || host === `${hostname}:${defaultPorts[protocol]}`;
}
