import {describe} from '../errors.ts';
import {
	decode,
	normalizeEscapes,
	normalizeParameters,
	split,
} from './parameters.ts';

export {isSecretUrl, redactUrl} from './references.ts';

/** Whether a parameter is part of the key in clear: its name is decoded, its value is not, and `undefined` where there is no `=`. */
export type KeepsParameter = (where: 'query' | 'path', name: string, value: string | undefined) => boolean;

/**
The URL as it is part of the key: scheme and host in lower case, no default port, no dot segments, IDN in ASCII (all by the URL parser), percent-encoding in one form, parameters sorted by name, no fragment, no user info.

@param keeps - Whether a parameter of the query, or of a segment of the path, is part of it. Of one in the path that is not, the name stays, since its place counts.
@param isStrict - Leaves the parameters in the order in which they came: only the origin knows whether it matters.
*/
export function normalizeUrl(url: URL, keeps: KeepsParameter, isStrict = false): string {
	const {protocol, host, pathname, search} = url;
	const query = search === '' ? '' : normalizeParameters(search.slice(1), (name, value) => keeps('query', name, value), !isStrict);
	return `${protocol}//${host}${normalizePath(pathname, keeps)}${query === '' ? '' : `?${query}`}`;
}

function normalizePath(path: string, keeps: KeepsParameter): string {
	const normalized = normalizeEscapes(path);
	return normalized.includes(';')
		? normalized.replaceAll(pathParameter, (whole, parameter: string) => {
			const [name, value] = split(parameter);
			return keeps('path', decode(name), value) ? whole : `;${name}`;
		})
		: normalized;
}

// RFC 3986 §3.3: parameters of a segment begin with a semicolon.
const pathParameter = /;(?<parameter>[^\/;]*)/gv;

/**
A URL, parsed.

@throws {TypeError} Where it is none; the error of Node.js would hold all of it.
*/
export function parsedUrl(url: string | URL): URL {
	const parsed = URL.parse(String(url));
	if (parsed === null) {
		throw new TypeError(`Expected \`url\` to be an absolute URL, got ${describe(url)}`);
	}

	return parsed;
}

/** The resource that a URL names, whoever asks and however its parameters are ordered. */
export function resourceOf(url: string): string {
	return normalizeUrl(new URL(url), () => true);
}
