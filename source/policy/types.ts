import type {Expiration} from './expiration.ts';
import type {StoredFacts} from './response-facts.ts';
import type {Fields} from './fields.ts';

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

/** What a cache is to tests: where recordings come from, and whether anything may be sent. */
export type Mode = 'record' | 'replay' | 'record-missing';

class Everything<Item> extends Set<Item> {
	override has(): boolean {
		return true;
	}
}

const recording = {
	cacheControl: false,
	allowableCodes: new Everything<number>(),
	allowableMethods: new Everything<string>(),
	alwaysRevalidate: false,
	refresh: false,
	forceRefresh: false,
	staleIfError: 0,
	staleWhileRevalidate: 0,
	expireAfter: {kind: 'never'},
	requestExpireAfter: undefined,
	urlsExpireAfter: [],
	jitter: 0,
} as const satisfies Partial<PolicySettings>;

const byMode: Readonly<Record<Mode, Partial<PolicySettings>>> = {
	record: {...recording, forceRefresh: true},
	'record-missing': recording,
	replay: {
		...recording,
		onlyIfCached: true,
		readOnly: true,
		// What was stored otherwise may have expired.
		staleIfError: Infinity,
	},
};

/** What a mode says in place of the settings: whatever comes is recorded, by any method, and for good. */
export function settingsOfMode(mode: Mode | undefined): Partial<PolicySettings> {
	return mode === undefined ? {} : byMode[mode];
}

/**
What the rules know of a request: as it will be sent, after all hooks.
*/
export type RequestHead = {
	/** The method that is sent. */
	readonly method: string;

	/** The method that an override header asks for: it counts for what is allowed, not for what a body or a safe method is. */
	readonly override?: string | undefined;
	readonly url: string;
	readonly fields: Fields;

	/** Whether the body, if any, can be part of a key; a stream's cannot. */
	readonly keyable: boolean;

	/** Whether the body holds a credential, or may: then the response answers no other request. */
	readonly hasSecretBody?: boolean;
};

export type ResponseHead = {
	readonly statusCode: number;
	readonly fields: Fields;
};

/**
What the rules know of a stored response. Times are milliseconds since the epoch.
*/
export type StoredHead = ResponseHead & {
	/** When it was received, or last validated. */
	readonly createdAt: number;

	/** How old it was then, in milliseconds (RFC 9111 §4.2.3). */
	readonly initialAge: number;

	/** Fresh before this moment; `undefined` is for good. */
	readonly expires: number | undefined;

	/** Of the request that it answered. */
	readonly method: string;

	/** The content codings that were undone before it was stored; absent where it lies as it came. */
	readonly codings?: readonly string[];

	/** Bytes of content. */
	readonly byteLength: number;

	/** By which it can be deleted and expired together with others. */
	readonly tags?: readonly string[];

	/** What its headers say, so that a hit parses none of them; absent where the user's settings alone decide, and in what an older version stored. */
	readonly facts?: StoredFacts;
};

/**
The settings that rules ask, parsed and merged for one request. Periods are in milliseconds, `Infinity` without end, 0 off.
*/
export type PolicySettings = {
	/** What the cache is to tests, if it is: a recording is no cache. */
	readonly mode: Mode | undefined;
	readonly disabled: boolean;
	readonly readOnly: boolean;
	readonly onlyIfCached: boolean;
	readonly alwaysRevalidate: boolean;
	readonly refresh: boolean;
	readonly forceRefresh: boolean;

	/** Whether response headers decide, by RFC 9111. */
	readonly cacheControl: boolean;

	/** `undefined` leaves the choice to RFC 9111. */
	readonly allowableCodes: ReadonlySet<number> | undefined;
	readonly allowableMethods: ReadonlySet<string>;
	readonly staleIfError: number;
	readonly staleWhileRevalidate: number;

	/** How long something is kept at least after it expired, so that its validators still serve. */
	readonly ttlOffset: number;

	/** Lower-case names of targeted fields that come before `Cache-Control` (RFC 9213), the most specific first. */
	readonly cacheControlTargets: readonly string[];

	/** The share of a freshness lifetime by which it may be shortened at random, so that not everything expires at once. */
	readonly jitter: number;

	/** The client's; `undefined` leaves it to RFC 9111. */
	readonly expireAfter: Expiration | undefined;

	/** What answers where the origin is gone and nothing stored may be used: Got's error, or a 504. */
	readonly gatewayTimeout: 'error' | 'respond';

	/** The request's own, above URL patterns. */
	readonly requestExpireAfter: Expiration | undefined;
	readonly urlsExpireAfter: ReadonlyArray<{readonly matches: (url: string) => boolean; readonly expiration: Expiration}>;
};

/**
How long something is fresh and how long it is kept; `undefined` is for good. Fresh is not the same as kept.
*/
export type Lifetime = {
	readonly expires: number | undefined;
	readonly retainUntil: number | undefined;

	/** How old it was when it came, in milliseconds. */
	readonly initialAge: number;
};

/**
On what terms a response is stored, or stored anew.
*/
export type StorageTerms = Lifetime & {
	/** The fields that are not stored: they may not be used without validation (RFC 9111 §5.2.2.4 `no-cache="…"`). */
	readonly withheld: readonly string[];

	/** The request fields that it varies by, sorted. */
	readonly vary: readonly string[];

	/** Absent where the user's settings alone decide, so that no hit asks for them. */
	readonly facts?: StoredFacts;
};

/**
What of a stored response answers the request: all of it, a part (RFC 9110 §14), or only that the caller's copy is still right (RFC 9111 §4.3.2).
*/
export type View =
	| {readonly kind: 'whole'}
	| {readonly kind: 'not-modified'}
	| {readonly kind: 'part'; readonly start: number; readonly end: number; readonly contentRange: string}
	| {readonly kind: 'unsatisfiable'; readonly contentRange: string};

/** What to do with a request. */
export type RequestDecision =
	| {readonly do: 'lookup'}
	| {readonly do: 'serve'; readonly view: View; readonly then?: 'revalidate'; readonly reason: Reason}
	| {readonly do: 'send'; readonly validators: Readonly<Record<string, string>>; readonly reason: Reason}
	| {readonly do: 'pass'; readonly storesFor?: 'GET'; readonly reason: Reason}
	| {readonly do: 'fail'; readonly statusCode: 504; readonly reason: Reason};

/** What to do with a response, or with the lack of one. */
export type ResponseDecision =
	| ({readonly do: 'store'; readonly reason: Reason} & StorageTerms)

	/** What becomes of what is stored: it is written with the news, only given with them, left without them, or given with them and dropped. */
	| ({readonly do: 'freshen'; readonly view: View; readonly keep: 'write' | 'leave' | 'give' | 'drop'; readonly reason: Reason} & StorageTerms)
	| {readonly do: 'serve'; readonly view: View; readonly reason: Reason}

	/** The request is sent once more, as it was. */
	| {readonly do: 'resend'; readonly reason: Reason}
	| {readonly do: 'fail'; readonly statusCode: 504; readonly reason: Reason}

	/** What of the stored response the origin's answer, which goes to the caller, says beside. */
	| {readonly do: 'pass'; readonly stored?: 'drop' | StorageTerms; readonly awaitsRetries?: true; readonly reason: Reason};
