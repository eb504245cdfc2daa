import type {Options} from 'got';
import type {ExchangeInfo} from '../exchange/exchange.ts';
import type {Reason} from '../policy/reasons.ts';
import {exchangeOf} from './attempt-options.ts';

/**
What the cache knows of a response that Got gave.
*/
export type CacheInfo = {
	/** The primary key; `undefined` where the request was none for the cache. */
	readonly key: string | undefined;

	/** Whether the body came from the cache; the same as Got's `isFromCache`. */
	readonly fromCache: boolean;

	/** Why it came from where it came: `'fresh'`, `'miss'`, `'stale-if-error'`, … */
	readonly reason: Reason;

	/** What became of the origin's response: `'stored'` once it is handed to the store (whose faults are events), or why it was not; `undefined` where the origin was not asked or the body is not read yet. */
	readonly stored: Reason | undefined;

	/** When the response was received from the origin, or last validated; `undefined` for one that was not cached. */
	readonly createdAt: Date | undefined;

	/** `undefined` for one that never expires, or was not cached. */
	readonly expires: Date | undefined;
	readonly isExpired: boolean;

	/** Whether the origin has just said that what is stored is still right. */
	readonly revalidated: boolean;

	/** Whether it waited for another request that was on its way, and has the answer to that. */
	readonly collapsed: boolean;
};

const unknown: CacheInfo = {
	key: undefined,
	fromCache: false,
	reason: 'disabled',
	stored: undefined,
	createdAt: undefined,
	expires: undefined,
	isExpired: false,
	revalidated: false,
	collapsed: false,
};

/**
What the cache knows of a response: its key, why it came from where it came, when it was received, how long it is fresh.

Takes the response of the promise API, `stream.response` of the stream API, or an error's `response`. One that no cache saw has the reason `'disabled'` and no dates.

@example
```
const response = await client('https://example.com');
cacheInfo(response).reason;
//=> 'fresh'
```
*/
export function cacheInfo(response: {readonly request: {readonly options: Options}}): CacheInfo {
	const known = exchangeOf(response.request.options);
	return known === undefined ? unknown : describe(known.exchange.info, known.now());
}

function describe({key, fromCache, reason, stored, createdAt, expires, revalidated, collapsed}: ExchangeInfo, now: number): CacheInfo {
	return {
		key,
		fromCache,
		reason,
		stored,
		createdAt: createdAt === undefined ? undefined : new Date(createdAt),
		expires: expires === undefined ? undefined : new Date(expires),
		isExpired: expires !== undefined && expires <= now,
		revalidated,
		collapsed,
	};
}
