import {storedFacts, type RequestFacts} from './facts.ts';
import {selectRange} from './ranges.ts';
import type {StoredHead, View} from './types.ts';
import {evaluatePrecondition} from './validators.ts';

export const whole: View = {kind: 'whole'};

/**
What of a stored response answers the request; `undefined` where the cache cannot tell, and the origin must.

A precondition that holds comes before a range (RFC 9110 §13.2.2).
*/
export function viewFor({request: {method, fields}, settings, isPartialOrConditional}: RequestFacts, stored: StoredHead): View | undefined {
	const isRead = method === 'GET' || method === 'HEAD';
	if (!isPartialOrConditional || !isRead) {
		return whole;
	}

	const facts = storedFacts(stored, settings);
	if (stored.statusCode === 200 && evaluatePrecondition(fields, stored, facts) === 'not-modified') {
		return {kind: 'not-modified'};
	}

	const range = method === 'GET' ? selectRange(fields, stored, facts) : {kind: 'none' as const};
	// The origin's ranges are of the coded bytes, and so is the tag by which a client joins them.
	if (range.kind === 'unable' || (range.kind !== 'none' && stored.codings !== undefined)) {
		return undefined;
	}

	return range.kind === 'none' ? whole : range;
}
