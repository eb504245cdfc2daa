import {evaluatePrecondition} from './preconditions.ts';
import {selectRange} from './ranges.ts';
import type {RequestHead, StoredHead, View} from './types.ts';

/**
What of a stored response answers the request; `undefined` where the cache cannot tell, and the origin must.

A precondition that holds comes before a range (RFC 9110 §13.2.2).
*/
export function viewFor({method, fields}: RequestHead, stored: StoredHead): View | undefined {
	const isRead = method === 'GET' || method === 'HEAD';
	if (isRead && stored.statusCode === 200 && evaluatePrecondition(fields, stored) === 'not-modified') {
		return {kind: 'not-modified'};
	}

	const range = method === 'GET' ? selectRange(fields, stored, stored.byteLength) : {kind: 'none' as const};
	// The origin's ranges are of the coded bytes, and so is the tag by which a client joins them.
	if (range.kind === 'unable' || (range.kind !== 'none' && stored.codings !== undefined)) {
		return undefined;
	}

	return range.kind === 'none' ? {kind: 'whole'} : range;
}

/** Whether the request asks for less than the whole response, by itself. */
export function isPartialOrConditional({fields}: RequestHead): boolean {
	return ['range', 'if-none-match', 'if-modified-since'].some(name => fields[name] !== undefined);
}
