import {
	DisplayString,
	isAscii,
	isInnerList,
	isValidTokenStr,
	parseList,
	serializeBareItem,
	serializeItem,
	Token,
	type Item,
	type Parameters,
} from 'structured-headers';

// The package's `BareItem` names a type of the DOM, without which it is `any`.
type Value = string | number | boolean | Token | DisplayString | Date | ArrayBuffer;

/** Why a request was sent on (RFC 9211 §2.2). */
export type ForwardReason =
	| 'bypass'
	| 'method'
	| 'uri-miss'
	| 'vary-miss'
	| 'miss'
	| 'request'
	| 'stale'
	| 'partial';

/**
What a cache did with a request (RFC 9211 §2).
*/
export type StatusFacts = {
	/** Answered without sending anything on. */
	readonly hit?: boolean | undefined;
	readonly forward?: ForwardReason | undefined;

	/** What the origin answered; where it is left out, the status of the response. */
	readonly forwardStatus?: number | undefined;
	readonly stored?: boolean | undefined;

	/** Answered by what another request, sent at the same time, got. */
	readonly collapsed?: boolean | undefined;

	/** Seconds for which the response is still fresh; negative since when it is stale. */
	readonly ttl?: number | undefined;
	readonly key?: string | undefined;
	readonly detail?: string | undefined;
};

/**
One member of a `Cache-Status` list.

`hit` and `fwd` exclude each other (RFC 9211 §2.1), and three parameters mean something beside `fwd` only (§2.3, §2.5, §2.6): they are left out without it.
*/
export function cacheStatusMember(name: string, facts: StatusFacts): string {
	const {hit = false, forward} = facts;
	const forwarded = hit || forward === undefined ? [] : forwardParameters(forward, facts);
	const parameters: ReadonlyArray<readonly [string, Value | undefined]> = [
		['hit', hit || undefined],
		...forwarded,
		['ttl', integer(facts.ttl)],
		['key', facts.key === undefined ? undefined : ascii(facts.key)],
		['detail', facts.detail === undefined ? undefined : tokenOrString(facts.detail)],
	];
	const given = parameters.filter((parameter): parameter is [string, Value] => parameter[1] !== undefined);
	return serializeItem(tokenOrString(name), new Map(given));
}

function forwardParameters(forward: ForwardReason, {forwardStatus, stored, collapsed}: StatusFacts): ReadonlyArray<readonly [string, Value | undefined]> {
	return [
		['fwd', new Token(forward)],
		['fwd-status', integer(forwardStatus)],
		['stored', stored === true ? true : undefined],
		['collapsed', collapsed === true ? true : undefined],
	];
}

// The greatest integer of a structured field (RFC 9651 §3.3.1).
const greatest = 999_999_999_999_999;

function integer(value: number | undefined): number | undefined {
	return value === undefined || !Number.isFinite(value) ? undefined : Math.min(Math.max(Math.floor(value), -greatest), greatest);
}

function tokenOrString(text: string): Token | string {
	return isValidTokenStr(text) ? new Token(text) : ascii(text);
}

// Strings of structured fields hold nothing else (RFC 9651 §3.3.3).
function ascii(text: string): string {
	return isAscii(text) ? text : text.replaceAll(/[^\u{20}-\u{7E}]/gv, '?');
}

/**
One cache's part in a response, as its `Cache-Status` tells it.
*/
type CacheStatus = {
	readonly name: string;
	readonly parameters: ReadonlyMap<string, string | number | boolean>;
};

/**
The members of a `Cache-Status` list, from the origin to the user; none where it is malformed.
*/
export function parseCacheStatus(value: string): readonly CacheStatus[] {
	try {
		return parseList(value).filter(member => !isInnerList(member)).flatMap(member => cacheStatus(member as Item));
	} catch {
		return [];
	}
}

// The name of a cache is a string or a token (RFC 9211 §2).
function cacheStatus([name, parameters]: Item): CacheStatus[] {
	return typeof name === 'string' || name instanceof Token ? [{name: String(name), parameters: plain(parameters)}] : [];
}

function plain(parameters: Parameters): ReadonlyMap<string, string | number | boolean> {
	return new Map(parameters.entries().map(([name, value]) => [name, plainValue(value as Value)]));
}

// Bytes and dates keep the text that they have in the field.
function plainValue(value: Value): string | number | boolean {
	if (value instanceof DisplayString) {
		return value.toString();
	}

	return typeof value === 'object' ? serializeBareItem(value) : value;
}
