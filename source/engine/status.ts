import {cacheStatusMember, type ForwardReason} from '../policy/cache-status.ts';
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

/**
What `Cache-Status` says of an answer.
*/
export function describeStatus({name, key}: CacheStatusSettings, info: ExchangeInfo, {forwarded, varies, statusCode, stored, now}: StatusNews): string {
	const detail = info.fromCache && info.reason !== 'fresh' && info.reason !== 'revalidated' ? info.reason : undefined;
	return cacheStatusMember(name, {
		hit: forwarded === undefined && info.fromCache,
		...(forwarded !== undefined && {forward: forwarded === 'miss' && varies ? 'vary-miss' : forwardReasons[forwarded] ?? 'bypass'}),
		...(statusCode !== undefined && {forwardStatus: statusCode}),
		...(stored === true && {stored}),
		...(info.collapsed && {collapsed: true}),
		...(info.fromCache && info.expires !== undefined && {ttl: Math.floor((info.expires - now) / 1000)}),
		...(key && info.key !== undefined && {key: info.key}),
		...((detail !== undefined || info.reason === 'only-if-cached' || info.reason === 'gateway-timeout') && {detail: detail ?? info.reason}),
	});
}
