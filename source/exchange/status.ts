import {cacheStatusMember, type ForwardReason, type StatusFacts} from '../policy/cache-status.ts';
import type {Reason} from '../policy/reasons.ts';
import type {ExchangeInfo} from './exchange-types.ts';

/** How `Cache-Status` (RFC 9211) names this cache, and whether it tells the key. */
export type CacheStatusSettings = {
	readonly name: string;
	readonly key: boolean;
};

export type StatusNews = {
	/** Why the request went to the origin; `undefined` where it did not. */
	readonly forwarded: Reason | undefined;
	readonly varies: boolean;

	/** What the origin answered, if it did. */
	readonly statusCode?: number;
	readonly stored?: boolean;
	readonly now: number;
};

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

/** What was said lately, by what it was said of: one answer of a second is mostly like the other. */
const members = new Map<string, string>();
const mostMembers = 500;

/**
What `Cache-Status` says of an answer.
*/
export function describeStatus({name, key}: CacheStatusSettings, info: ExchangeInfo, {forwarded, varies, statusCode, stored, now}: StatusNews): string {
	const detail = info.fromCache && info.reason !== 'fresh' && info.reason !== 'revalidated' ? info.reason : undefined;
	return remembered(name, {
		hit: forwarded === undefined && info.fromCache,
		forward: forwarded === undefined ? undefined : forwardOf(forwarded, varies),
		forwardStatus: statusCode,
		stored: stored === true,
		collapsed: info.collapsed,
		ttl: info.fromCache && info.expires !== undefined ? Math.floor((info.expires - now) / 1000) : undefined,
		key: key ? info.key : undefined,
		detail: info.reason === 'only-if-cached' || info.reason === 'gateway-timeout' ? info.reason : detail,
	});
}

function forwardOf(reason: Reason, varies: boolean): ForwardReason {
	return reason === 'miss' && varies ? 'vary-miss' : forwardReasons[reason] ?? 'bypass';
}

function remembered(name: string, facts: StatusFacts): string {
	const {hit, forward, forwardStatus, stored, collapsed, ttl, key, detail} = facts;
	const id = `${hit} ${forward} ${forwardStatus} ${stored} ${collapsed} ${ttl} ${detail} ${name} ${key}`;
	const known = members.get(id);
	if (known !== undefined) {
		return known;
	}

	const member = cacheStatusMember(name, facts);
	if (members.size >= mostMembers) {
		members.clear();
	}

	members.set(id, member);
	return member;
}
