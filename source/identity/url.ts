import type {Ignored} from './ignored.ts';
import {
	hasSecretParameter,
	normalizeEscapes,
	redactParameters,
	normalizeParameters,
} from './parameters.ts';

/**
The URL as it parts the key: scheme and host in lower case, no default port, no dot segments, IDN in ASCII (all by the URL parser), percent-encoding in one form, parameters sorted by name, no fragment, no user info.

@param keeps - Whether a query parameter is part of it.
@param isStrict - Leaves the parameters in the order in which they came: whether it says something, only the origin knows.
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
The URL as it may be stored and shown: without user info and fragment, the values of ignored parameters replaced.
*/
export function redactUrl(url: string, ignored: Ignored): string {
	const redacted = new URL(url);
	// Each assignment parses the whole anew.
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
