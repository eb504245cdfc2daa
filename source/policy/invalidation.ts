import {fieldLines} from './fields.ts';
import type {RequestHead, ResponseHead} from './types.ts';

// RFC 9110 §9.2.1, and `QUERY`. A method that is not known may change anything (RFC 9111 §4.4).
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

/**
The URLs whose stored responses a request has made invalid (RFC 9111 §4.4): its own, and those of the same origin that the answer names. They have no fragments.
*/
export function invalidatedUrls(request: Pick<RequestHead, 'method' | 'url'>, {statusCode, fields}: ResponseHead): readonly string[] {
	const target = URL.parse(request.url);
	if (target === null || safeMethods.has(request.method) || statusCode < 200 || statusCode >= 400) {
		return [];
	}

	const named = [...fieldLines(fields, 'location'), ...fieldLines(fields, 'content-location')].map(location => URL.parse(location, target.href));
	const urls = [target, ...named].filter(url => url !== null && isSameOrigin(url, target)) as URL[];
	return [...new Set(urls.map(url => withoutFragment(url)))];
}

// Not by `origin`, which is `null` for schemes that URLs know nothing of.
function isSameOrigin(url: URL, target: URL): boolean {
	return url.protocol === target.protocol && url.host === target.host;
}

function withoutFragment(url: URL): string {
	url.hash = '';
	return url.href;
}
