import type {Ignored} from './ignored.ts';
import {
	hasSecretParameter,
	normalizeEscapes,
	redactParameters,
	normalizeParameters,
} from './parameters.ts';

/**
The URL as it is part of the key: scheme and host in lower case, no default port, no dot segments, IDN in ASCII (all by the URL parser), percent-encoding in one form, parameters sorted by name, no fragment, no user info.

@param keeps - Whether a query parameter is part of it.
@param isStrict - Leaves the parameters in the order in which they came: only the origin knows whether it matters.
*/
export function normalizeUrl(url: URL, keeps: (name: string, value: string | undefined) => boolean, isStrict = false): string {
	const {protocol, host, pathname, search} = url;
	const query = search === '' ? '' : normalizeParameters(search.slice(1), keeps, !isStrict);
	return `${protocol}//${host}${normalizeEscapes(pathname)}${query === '' ? '' : `?${query}`}`;
}

/** The resource that a URL names, whoever asks and however its parameters are ordered. */
export function resourceOf(url: string): string {
	return normalizeUrl(new URL(url), () => true);
}

/**
The URL as it may be stored and shown: without user info and fragment, with the values of secret and ignored parameters replaced, in its query and in its path (`;jsessionid=…`).
*/
export function redactUrl(url: string, ignored: Ignored): string {
	const redacted = new URL(url);
	// Each assignment parses the whole URL again.
	if (redacted.username !== '' || redacted.password !== '') {
		redacted.username = '';
		redacted.password = '';
	}

	if (redacted.href.includes('#')) {
		redacted.hash = '';
	}

	if (redacted.search !== '') {
		redacted.search = redactParameters(redacted.search.slice(1), ignored);
	}

	if (redacted.pathname.includes(';')) {
		redacted.pathname = redacted.pathname.replaceAll(pathParameters, parameters => `;${redactParameters(parameters.slice(1), ignored, ';')}`);
	}

	return redacted.href;
}

// RFC 3986 §3.3: servlet containers write a session's id into the path so.
const pathParameters = /;[^\/]*/gv;

/**
Whether a reference has user info, or a parameter in its path, query or fragment whose value may not be stored.

@param base - The URL that a relative reference is resolved against.
*/
export function isSecretUrl(reference: string, base: string, ignored: Ignored): boolean {
	if (!URL.canParse(reference, base)) {
		// A parameter is found in a text that is no URL, too.
		return hasSecretParameter(reference.replaceAll(/[#;?]/gv, '&'), ignored);
	}

	const {username, password, pathname, search, hash} = new URL(reference, base);
	const own = /^(?:[a-z][\w+\-.]*:)?\/\//iv.test(reference);
	return (own && (username !== '' || password !== ''))
		|| hasSecretParameter(search.slice(1), ignored)
		|| hasSecretParameter(hash.slice(1).replaceAll('?', '&'), ignored)
		|| pathname.matchAll(pathParameters).some(([parameters]) => hasSecretParameter(parameters.slice(1).replaceAll(';', '&'), ignored));
}
