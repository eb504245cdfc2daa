import {fieldValue, type Fields} from '../policy/fields.ts';

// Frameworks build the URL of a request from these, as they do from `Host`.
const rewritingHeaders = new Set(['x-forwarded-host', 'x-original-url', 'x-rewrite-url']);

const defaultPorts: Readonly<Record<string, string>> = {'http:': '80', 'https:': '443'};

/** Whether a header names another target than the URL does. */
export function isTargetHeader(name: string): boolean {
	return name === 'host' || name === ':authority' || rewritingHeaders.has(name);
}

/**
The headers that name another target than the URL does, with their values; `undefined` where there are none (RFC 9110 §7.1).
*/
export function targetParts(url: URL, headers: Fields): ReadonlyArray<readonly [name: string, value: string]> | undefined {
	const parts: Array<readonly [string, string]> = [];
	const host = hostOf(headers);
	if (host !== undefined && !isAuthorityOf(host, url)) {
		parts.push(['host', host]);
	}

	for (const name of rewritingHeaders) {
		const value = fieldValue(headers, name);
		if (value !== undefined) {
			parts.push([name, value]);
		}
	}

	return parts.length === 0 ? undefined : parts;
}

/**
The target URI, which the origin sees: the URL with the authority of the `Host` header (RFC 9110 §7.1). Where that is no authority, it is the URL.

@param url - The URL of the connection, without user info.
*/
export function targetUrl(url: URL, headers: Fields): string {
	const host = hostOf(headers);
	if (host === undefined || isAuthorityOf(host, url)) {
		return url.href;
	}

	const origin = URL.parse(`${url.protocol}//${host}`);
	const isAuthority = origin !== null && origin.host !== '' && origin.pathname === '/' && `${origin.username}${origin.password}${origin.search}${origin.hash}` === '';
	return isAuthority ? origin.origin + url.href.slice(url.origin.length) : url.href;
}

/** The URL of the connection to a target on the authority of another URL's target. */
export function connectionUrl(target: string, connection: string): string {
	const {pathname, search} = new URL(target);
	return new URL(connection).origin + pathname + search;
}

function hostOf(headers: Fields): string | undefined {
	return (fieldValue(headers, 'host') ?? fieldValue(headers, ':authority'))?.trim().toLowerCase();
}

function isAuthorityOf(host: string, {host: own, hostname, protocol}: URL): boolean {
	return host === own || host === `${hostname}:${defaultPorts[protocol]}`;
}
