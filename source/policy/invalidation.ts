import {fieldLines} from './fields.ts';
import type {RequestFacts} from './facts.ts';
import type {ResponseHead} from './types.ts';

/**
What a request has made invalid: what is stored of a resource, for whomever.
*/
export type Invalidated = {
	/** Of the resource, without a fragment. */
	readonly url: string;

	/** Whether what is stored for the very method of the request (with its override, if any) stays valid. */
	readonly sparesOwnMethod: boolean;
};

// RFC 9110 §9.2.1, and `QUERY`. A method that is not known may change anything (RFC 9111 §4.4).
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

/** Whether a request by a method, and by one that overrides it, changes nothing. */
export function isSafe(method: string, override: string = method): boolean {
	return safeMethods.has(method) && safeMethods.has(override);
}

/**
What a request has made invalid (RFC 9111 §4.4): its own target, and those of the same origin that the answer names. The method that is sent counts, and the one that overrides it.

A user who puts an unsafe method among `allowableMethods` says that its responses answer later requests by it: a request by it does not make invalid what others by it, with other bodies, have got from the same URL. For all other methods it is as unsafe as ever.
*/
export function invalidatedBy({request, settings, isMethodAllowed}: RequestFacts, {statusCode, fields}: ResponseHead): readonly Invalidated[] {
	const {method, override = method, url} = request;
	const counts = settings.cacheControl && !settings.disabled && !settings.readOnly;
	const target = URL.parse(url);
	if (!counts || target === null || isSafe(method, override) || statusCode < 200 || statusCode >= 400) {
		return [];
	}

	const named = [...fieldLines(fields, 'location'), ...fieldLines(fields, 'content-location')]
		.map(location => URL.parse(location, target.href))
		.filter(other => other !== null && isSameOrigin(other, target))
		.map(other => withoutFragment(other!));
	const own = withoutFragment(target);
	return [...new Set([own, ...named])].map(invalid => ({url: invalid, sparesOwnMethod: isMethodAllowed && invalid === own}));
}

// Not by `origin`, which is `null` for schemes that URLs know nothing of.
function isSameOrigin(url: URL, target: URL): boolean {
	return url.protocol === target.protocol && url.host === target.host;
}

function withoutFragment(url: URL): string {
	url.hash = '';
	return url.href;
}
