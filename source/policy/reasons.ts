/**
Why something happened: one word for each rule, shared by `cacheInfo`, events and tests.

Reasons are part of the public API: a new one is a minor version, a changed one a major.
*/
export type Reason =
	| PassReason
	| ReadReason
	| WriteReason;

/** The cache is not used: nothing is read or written. */
export type PassReason =
	| 'disabled'
	| 'method'
	| 'request-no-store'
	| 'do-not-cache'
	| 'body-not-keyable'
	| 'key-refused'
	| 'error';

/** Where the answer comes from, and why. */
export type ReadReason =
	| 'lookup'
	| 'miss'
	| 'precondition'
	| 'range'
	| 'redirect-loop'
	| 'redirect-cookie'
	| 'force-refresh'
	| 'refresh'
	| 'no-cache'
	| 'must-revalidate'
	| 'always-revalidate'
	| 'fresh'
	| 'max-stale'
	| 'stale-while-revalidate'
	| 'stale-if-error'
	| 'stale'
	| 'request-limits'
	| 'revalidated'
	| 'only-if-cached'
	| 'gateway-timeout'
	| 'filtered';

/** What became of a response that the origin gave. */
export type WriteReason =
	| 'stored'
	| 'read-only'
	| 'status-code'
	| 'partial'
	| 'not-modified'
	| 'no-store'
	| 'must-understand'
	| 'not-cacheable'
	| 'freshened-by-head'
	| 'outdated-by-head'
	| 'vary-star'
	| 'too-many-tags'
	| 'secret-in-header'
	| 'expired-without-validator'
	| 'invalidated'
	| 'incomplete'
	| 'too-large'
	| 'undecodable'
	| 'queue-full'
	| 'awaits-retries'
	| 'no-response';
