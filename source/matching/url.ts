import type {Ignored} from './ignored.ts';
import {
	hasSecretParameter,
	normalizeEscapes,
	redactParameters,
	sortParameters,
} from './parameters.ts';

/**
The URL as it parts the key: scheme and host in lower case, no default port, no dot segments, IDN in ASCII (all by the URL parser), percent-encoding in one form, parameters sorted by name, no fragment, no user info.

@param keeps - Whether a query parameter is part of it.
*/
export function normalizeUrl(url: URL, keeps: (name: string, value: string | undefined) => boolean): string {
	const {protocol, host, pathname, search} = url;
	const query = search === '' ? '' : sortParameters(search.slice(1), keeps);
	return `${protocol}//${host}${normalizeEscapes(pathname)}${query === '' ? '' : `?${query}`}`;
}

/**
The URL as it may be stored and shown: without user info and fragment, the values of ignored parameters replaced.
*/
export function redactUrl(url: string, ignored: Ignored): string {
	const redacted = new URL(url);
	redacted.username = '';
	redacted.password = '';
	redacted.hash = '';
	if (redacted.search !== '') {
		redacted.search = redactParameters(redacted.search.slice(1), ignored);
	}

	return redacted.href;
}

/**
Whether a reference has user info, or a parameter in its query or fragment that may not be stored.

@param base - What a relative reference starts from.
*/
export function isSecretUrl(reference: string, base: string, ignored: Ignored): boolean {
	if (!URL.canParse(reference, base)) {
		// A parameter is found in what is no URL, too.
		return hasSecretParameter(reference.replaceAll(/[#;?]/gv, '&'), ignored);
	}

	const {username, password, search, hash} = new URL(reference, base);
	const own = /^(?:[a-z][\w+\-.]*:)?\/\//iv.test(reference);
	return (own && (username !== '' || password !== ''))
		|| hasSecretParameter(search.slice(1), ignored)
		|| hasSecretParameter(hash.slice(1).replaceAll('?', '&'), ignored);
}
