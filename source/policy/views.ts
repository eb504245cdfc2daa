import type {RequestFacts} from './facts.ts';
import {storedFacts, type StoredFacts} from './response-facts.ts';
import type {StoredHead, View} from './types.ts';
import {
	evaluatePrecondition,
	parseEntityTags,
	sameStrongly,
	storedTag,
} from './validators.ts';
import {parseHttpDate} from './expiration.ts';
import {fieldValue, type Fields} from './fields.ts';

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

/**
What a request with `Range` gets of a stored response (RFC 9110 §14.2).

- `none`: the whole; there is no `Range`, or it does not count.
- `part`: the bytes from `start` to before `end`, as a 206.
- `unsatisfiable`: a 416.
- `unable`: the cache cannot say; the origin can.
*/
export type RangeSelection =
	| {readonly kind: 'none'}
	| {readonly kind: 'part'; readonly start: number; readonly end: number; readonly contentRange: string}
	| {readonly kind: 'unsatisfiable'; readonly contentRange: string}
	| {readonly kind: 'unable'};

/**
Which bytes of a complete stored response a request asks for.
*/
export function selectRange(request: Fields, stored: Pick<StoredHead, 'statusCode' | 'fields' | 'createdAt' | 'byteLength'>, facts: StoredFacts): RangeSelection {
	const ranges = parseRanges(fieldValue(request, 'range'));
	if (ranges === undefined) {
		return {kind: 'none'};
	}

	const condition = isConditionMet(fieldValue(request, 'if-range'), stored, facts);
	if (condition === undefined || stored.statusCode !== 200 || fieldValue(stored.fields, 'content-encoding') !== undefined) {
		return {kind: 'unable'};
	}

	if (!condition) {
		return {kind: 'none'};
	}

	// Several ranges would take a multipart body.
	return ranges.length === 1 ? select(ranges[0]!, stored.byteLength) : {kind: 'unable'};
}

// As big integers: positions have no upper limit, and must not be rounded.
type Range = {
	/** Without it, `last` is how many bytes are asked for from the end. */
	readonly first: bigint | undefined;
	readonly last: bigint | undefined;
};

/** `undefined` where there are none, another unit than bytes, or something invalid (RFC 9110 §14.1.1): then `Range` does not count. */
function parseRanges(value: string | undefined): readonly Range[] | undefined {
	const text = value?.toLowerCase() ?? '';
	if (!text.startsWith('bytes=')) {
		return undefined;
	}

	const specifiers = text.slice('bytes='.length).split(',').filter(specifier => !/^[\t ]*$/v.test(specifier));
	const ranges = specifiers.map(specifier => parseRange(specifier));
	return ranges.length > 0 && ranges.every(range => range !== undefined) ? ranges : undefined;
}

function parseRange(text: string): Range | undefined {
	const {first: from, last: to, suffix} = /^[\t ]*(?:(?<first>\d+)-(?<last>\d*)|-(?<suffix>\d+))[\t ]*$/v.exec(text)?.groups ?? {};
	const first = position(from);
	const last = position(to ?? suffix);
	const isInvalid = first === undefined ? last === undefined : last !== undefined && last < first;
	return isInvalid ? undefined : {first, last};
}

function position(digits: string | undefined): bigint | undefined {
	return digits === undefined || digits === '' ? undefined : BigInt(digits);
}

function select({first, last}: Range, byteLength: number): RangeSelection {
	if (first === undefined) {
		return selectSuffix(last!, byteLength);
	}

	const end = last === undefined || last >= byteLength ? byteLength : Number(last) + 1;
	return first >= byteLength ? unsatisfiable(byteLength) : part(Number(first), end, byteLength);
}

function selectSuffix(suffixLength: bigint, byteLength: number): RangeSelection {
	if (suffixLength === 0n) {
		return unsatisfiable(byteLength);
	}

	// The end of nothing can be given (RFC 9110 §14.1.2), but not written as a `Content-Range`.
	return byteLength === 0 ? {kind: 'none'} : part(suffixLength >= byteLength ? 0 : byteLength - Number(suffixLength), byteLength, byteLength);
}

function part(start: number, end: number, byteLength: number): RangeSelection {
	return {
		kind: 'part', start, end, contentRange: `bytes ${start}-${end - 1}/${byteLength}`,
	};
}

function unsatisfiable(byteLength: number): RangeSelection {
	return {kind: 'unsatisfiable', contentRange: `bytes */${byteLength}`};
}

/** `If-Range` (RFC 9110 §13.1.5), `undefined` where it holds neither an entity tag nor a date. */
function isConditionMet(value: string | undefined, {fields, createdAt}: Pick<StoredHead, 'fields' | 'createdAt'>, {isDateWeak}: StoredFacts): boolean | undefined {
	if (value === undefined) {
		return true;
	}

	const tags = parseEntityTags(value);
	if (tags !== '*' && tags[0] === value) {
		return sameStrongly(value, storedTag(fields));
	}

	return parseHttpDate(value, createdAt) === undefined ? undefined : value === fieldValue(fields, 'last-modified') && isDateWeak !== true;
}
