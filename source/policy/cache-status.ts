import {isAscii, isValidTokenStr, serializeItem} from 'structured-headers';
import type {Reason} from './types.ts';

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
	const {hit = false, forward, ttl, key, detail} = facts;
	let member = tokenOrString(name);
	if (hit) {
		member += ';hit';
	} else if (forward !== undefined) {
		member += forwardParameters(forward, facts);
	}

	member += integerParameter('ttl', ttl);
	if (key !== undefined) {
		member += `;key=${quoted(key)}`;
	}

	return detail === undefined ? member : `${member};detail=${tokenOrString(detail)}`;
}

function forwardParameters(forward: ForwardReason, {forwardStatus, stored, collapsed}: StatusFacts): string {
	return `;fwd=${forward}${integerParameter('fwd-status', forwardStatus)}${stored === true ? ';stored' : ''}${collapsed === true ? ';collapsed' : ''}`;
}

// The greatest integer in a structured field (RFC 9651 §3.3.1).
const greatest = 999_999_999_999_999;

function integerParameter(name: string, value: number | undefined): string {
	// The sum makes 0 of -0.
	return value === undefined || !Number.isFinite(value) ? '' : `;${name}=${Math.min(Math.max(Math.floor(value), -greatest), greatest) + 0}`;
}

function tokenOrString(text: string): string {
	return isValidTokenStr(text) ? text : quoted(text);
}

// A string in a structured field is printable ASCII (RFC 9651 §3.3.3).
function quoted(text: string): string {
	return serializeItem(isAscii(text) ? text : text.replaceAll(/[^\u{20}-\u{7E}]/gv, '?'));
}

const forwardReasons: Partial<Record<Reason, ForwardReason>> = {
	method: 'method',
	miss: 'uri-miss',
	filtered: 'uri-miss',
	stale: 'stale',
	'no-cache': 'stale',
	'must-revalidate': 'stale',
	refresh: 'request',
	'force-refresh': 'request',
	'request-limits': 'request',
	precondition: 'request',
	'request-no-store': 'request',
	range: 'partial',
};

/** The settings of the member: its name, and whether it has the key. */
type StatusSettings = {readonly name: string; readonly key: boolean};

/** What is known of the answer to a request. */
type Answer = {
	readonly reason: Reason;
	readonly fromCache: boolean;
	readonly collapsed: boolean;
	readonly expires: number | undefined;
	readonly key: string | undefined;
};

type ResponseSource = {
	/** Why the request went to the origin; `undefined` if it did not. */
	readonly forwarded: Reason | undefined;
	readonly varies: boolean;

	/** The status code of the origin's response, if there was one. */
	readonly statusCode: number | undefined;
	readonly stored: boolean;
	readonly now: number;
};

/** Returns the member of this cache in `Cache-Status` (RFC 9211). */
export function describeStatus({name, key}: StatusSettings, {reason, fromCache, collapsed, expires, key: usedKey}: Answer, {forwarded, varies, statusCode, stored, now}: ResponseSource): string {
	const needsDetail = fromCache ? reason !== 'fresh' && reason !== 'revalidated' : reason === 'only-if-cached' || reason === 'gateway-timeout';
	return cacheStatusMember(name, {
		hit: forwarded === undefined && fromCache,
		forward: forwarded === undefined ? undefined : forwardReasonOf(forwarded, varies),
		forwardStatus: statusCode,
		stored,
		collapsed,
		ttl: fromCache && expires !== undefined ? Math.floor((expires - now) / 1000) : undefined,
		key: key ? usedKey : undefined,
		detail: needsDetail ? reason : undefined,
	});
}

function forwardReasonOf(reason: Reason, varies: boolean): ForwardReason {
	return reason === 'miss' && varies ? 'vary-miss' : forwardReasons[reason] ?? 'bypass';
}
