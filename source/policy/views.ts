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
Returns what a request gets from a stored response. A precondition is evaluated before a range (RFC 9110 §13.2.2).

@returns `undefined` if only the origin can answer.
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

	const view = method === 'GET' ? selectRange(fields, stored, facts) : whole;
	// Ranges of the origin, and the entity tag that joins them, are those of the encoded bytes.
	return view !== whole && stored.codings !== undefined ? undefined : view;
}

/**
Selects the bytes of a complete stored response that a request asks for by `Range` (RFC 9110 §14.2).

@returns `undefined` if only the origin can answer.
*/
export function selectRange(request: Fields, stored: Pick<StoredHead, 'statusCode' | 'fields' | 'createdAt' | 'byteLength'>, facts: StoredFacts): View | undefined {
	const ranges = parseRanges(fieldValue(request, 'range'));
	if (ranges === undefined) {
		return whole;
	}

	const condition = isConditionMet(fieldValue(request, 'if-range'), stored, facts);
	if (condition === undefined || stored.statusCode !== 200 || fieldValue(stored.fields, 'content-encoding') !== undefined) {
		return undefined;
	}

	if (!condition) {
		return whole;
	}

	// Several ranges would need a multipart body.
	return ranges.length === 1 ? select(ranges[0]!, stored.byteLength) : undefined;
}

// Positions are big integers, since they have no upper limit and must not be rounded.
type Range = {
	/** If `undefined`, `last` is the number of bytes from the end. */
	readonly first: bigint | undefined;
	readonly last: bigint | undefined;
};

/** Parses `Range` (RFC 9110 §14.1.1). `undefined` means that the header is absent, invalid or in another unit than bytes, and is ignored. */
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

function select({first, last}: Range, byteLength: number): View {
	if (first === undefined) {
		return selectSuffix(last!, byteLength);
	}

	const end = last === undefined || last >= byteLength ? byteLength : Number(last) + 1;
	return first >= byteLength ? unsatisfiable(byteLength) : part(Number(first), end, byteLength);
}

function selectSuffix(suffixLength: bigint, byteLength: number): View {
	if (suffixLength === 0n) {
		return unsatisfiable(byteLength);
	}

	// The range of an empty body is satisfiable (RFC 9110 §14.1.2), but `Content-Range` cannot express it.
	return byteLength === 0 ? whole : part(suffixLength >= byteLength ? 0 : byteLength - Number(suffixLength), byteLength, byteLength);
}

function part(start: number, end: number, byteLength: number): View {
	return {
		kind: 'part', start, end, contentRange: `bytes ${start}-${end - 1}/${byteLength}`,
	};
}

function unsatisfiable(byteLength: number): View {
	return {kind: 'unsatisfiable', contentRange: `bytes */${byteLength}`};
}

/** Evaluates `If-Range` (RFC 9110 §13.1.5); `undefined` if it is neither an entity tag nor a date. */
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
