import {
	isAscii,
	isValidTokenStr,
	serializeItem,
	Token,
} from 'structured-headers';

type Value = string | number | boolean | Token;

/** Why a request was forwarded (RFC 9211 §2.2). */
export type ForwardReason =
	| 'bypass'
	| 'method'
	| 'uri-miss'
	| 'vary-miss'
	| 'miss'
	| 'request'
	| 'stale'
	| 'partial';

/** What a cache did with a request (RFC 9211 §2). */
export type StatusFacts = {
	/** Whether the response was served without forwarding the request. */
	readonly hit?: boolean | undefined;
	readonly forward?: ForwardReason | undefined;

	/** The status code that the origin sent, if it differs from that of the response. */
	readonly forwardStatus?: number | undefined;
	readonly stored?: boolean | undefined;

	/** Whether the response is that of another request that was in flight. */
	readonly collapsed?: boolean | undefined;

	/** The remaining freshness lifetime in seconds; negative for a stale response. */
	readonly ttl?: number | undefined;
	readonly key?: string | undefined;
	readonly detail?: string | undefined;
};

/** Returns one member of a `Cache-Status` list. `hit` and `fwd` exclude each other (RFC 9211 §2.1), and three parameters are valid only beside `fwd` (§2.3, §2.5, §2.6). */
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

// The greatest integer in a structured field (RFC 9651 §3.3.1).
const greatest = 999_999_999_999_999;

function integer(value: number | undefined): number | undefined {
	return value === undefined || !Number.isFinite(value) ? undefined : Math.min(Math.max(Math.floor(value), -greatest), greatest);
}

function tokenOrString(text: string): Token | string {
	return isValidTokenStr(text) ? new Token(text) : ascii(text);
}

// A string in a structured field is printable ASCII (RFC 9651 §3.3.3).
function ascii(text: string): string {
	return isAscii(text) ? text : text.replaceAll(/[^\u{20}-\u{7E}]/gv, '?');
}
