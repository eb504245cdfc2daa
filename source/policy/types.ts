import type {Expiration} from './expiration.ts';
import type {Fields} from './fields.ts';
import type {RecordingRules} from './modes.ts';
import type {StoredFacts} from './response-facts.ts';
import type {UrlExpiration} from './url-patterns.ts';

/** A request as it will be sent, after all hooks. */
export type RequestHead = {
	/** The method that is sent. */
	readonly method: string;

	/** The method that an override header asks for. It counts for `allowableMethods`; whether a method is safe depends on both. */
	readonly override?: string | undefined;
	readonly url: string;
	readonly fields: Fields;

	/** Whether the body, if any, can be part of the cache key. The body of a stream cannot. */
	readonly keyable: boolean;

	/** Whether the body contains, or may contain, a credential. The response then answers no other request. */
	readonly hasSecretBody?: boolean;
};

export type ResponseHead = {
	readonly statusCode: number;
	readonly fields: Fields;
};

/** The metadata of a stored response. Times are in milliseconds since the epoch. */
export type StoredHead = ResponseHead & {
	/** When the response was received or last validated. */
	readonly createdAt: number;

	/** The age at `createdAt`, in milliseconds (RFC 9111 §4.2.3). */
	readonly initialAge: number;

	/** The response is fresh before this moment. `undefined` means that it never expires. */
	readonly expires: number | undefined;

	/** The method of the request that the response answered. */
	readonly method: string;

	/** The content codings that were decoded before the body was stored. Absent if the body is stored as it was received. */
	readonly codings?: readonly string[];

	/** The length of the body in bytes. */
	readonly byteLength: number;

	/** The tags by which responses are deleted or expired together. */
	readonly tags?: readonly string[];

	/** The facts that a hit needs from the headers. Absent if the response was stored without `cacheControl`, or by an older version. */
	readonly facts?: StoredFacts;
};

/** The settings that rules use, parsed and merged for one request. Periods are in milliseconds; `Infinity` has no limit, and 0 turns a setting off. */
export type PolicySettings = {
	/** What a mode changes beside the settings. */
	readonly recording: RecordingRules;
	readonly disabled: boolean;
	readonly readOnly: boolean;
	readonly onlyIfCached: boolean;
	readonly alwaysRevalidate: boolean;
	readonly refresh: boolean;
	readonly forceRefresh: boolean;

	/** Whether the cache follows the response headers (RFC 9111). */
	readonly cacheControl: boolean;

	/** `undefined` allows every status code that RFC 9111 allows. */
	readonly allowableCodes: ReadonlySet<number> | undefined;
	readonly allowableMethods: ReadonlySet<string>;
	readonly staleIfError: number;
	readonly staleWhileRevalidate: number;

	/** How long an expired response stays in the store at least, so that it can be validated. */
	readonly ttlOffset: number;

	/** The lower-case names of the targeted fields that override `Cache-Control` (RFC 9213), the most specific first. */
	readonly cacheControlTargets: readonly string[];

	/** The maximum fraction by which a freshness lifetime is shortened at random, so that not all responses expire at once. */
	readonly jitter: number;

	/** The expiration of the client. `undefined` leaves it to RFC 9111. */
	readonly expireAfter: Expiration | undefined;

	/** What the caller gets if the origin cannot be reached and no stored response may be used: Got's error, or a 504. */
	readonly gatewayTimeout: 'error' | 'respond';

	/** The expiration of the request. It overrides the URL patterns. */
	readonly requestExpireAfter: Expiration | undefined;
	readonly urlsExpireAfter: readonly UrlExpiration[];
};

/** How long a response is fresh, and how long it stays in the store. `undefined` means forever. */
export type Lifetime = {
	readonly expires: number | undefined;
	readonly retainUntil: number | undefined;

	/** The age of the response when it was received, in milliseconds. */
	readonly initialAge: number;
};

/** The terms on which a response is stored or updated. */
export type StorageTerms = Lifetime & {
	/** The fields that are not stored, since `no-cache="…"` forbids to use them without validation (RFC 9111 §5.2.2.4). */
	readonly excludedFields: readonly string[];

	/** The request fields that the response varies by, sorted. */
	readonly vary: readonly string[];

	/** Absent without `cacheControl`. */
	readonly facts?: StoredFacts;
};

/** What the caller gets from a stored response: all of it, a range (RFC 9110 §14), or a 304 for the copy that the caller has (RFC 9111 §4.3.2). */
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
	| {readonly do: 'pass'; readonly storeAs?: 'GET'; readonly reason: Reason}
	| {readonly do: 'fail'; readonly statusCode: 504; readonly reason: Reason};

/** What to do with a response, or when no response arrives. */
export type ResponseDecision =
	| ({readonly do: 'store'; readonly reason: Reason} & StorageTerms)

	/** Serves the stored response, which a 304 has validated. */
	| ({readonly do: 'freshen'; readonly view: View; readonly effect: FreshenEffect; readonly reason: Reason} & StorageTerms)
	| {readonly do: 'serve'; readonly view: View; readonly reason: Reason}

	/** Sends the request once more without changes. */
	| {readonly do: 'resend'; readonly reason: Reason}
	| {readonly do: 'fail'; readonly statusCode: 504; readonly reason: Reason}

	/** Passes the response of the origin to the caller. `stored` says what happens to the stored response: it is deleted, or freshened on these terms. */
	| {readonly do: 'pass'; readonly stored?: 'delete' | StorageTerms; readonly awaitsRetries?: true; readonly reason: Reason};

/**
The effect of a 304 on the stored response:
- `store`: the updated response is served and stored.
- `serve-only`: the updated response is served, and the store stays as it is (`readOnly`).
- `delete`: the updated response is served, and the stored one deleted, since the update must not be stored.
- `keep`: the stored response is served and stays as it is, since the 304 is about another response.
*/
export type FreshenEffect = 'store' | 'serve-only' | 'delete' | 'keep';

/**
The reason of a decision, as `cacheInfo`, `Cache-Status`, `explain` and events show it.

Reasons are part of the public API: a new one needs a minor version, a changed one a major version.
*/
export type Reason =
	| PassReason
	| ReadReason
	| WriteReason;

/** Why the cache is not used: nothing is read or written. */
export type PassReason =
	| 'disabled'
	| 'method'
	| 'request-no-store'
	| 'do-not-cache'
	| 'body-not-keyable'
	| 'key-refused'
	| 'error';

/** Why a request is answered from the cache or sent to the origin. */
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

/** Why a response of the origin is stored or not. */
export type WriteReason =
	| RefusalReason
	| 'stored'
	| 'read-only'
	| 'not-modified'
	| 'freshened-by-head'
	| 'outdated-by-head'
	| 'expired-without-validator'
	| 'invalidated'
	| 'incomplete'
	| 'too-large'
	| 'undecodable'
	| 'queue-full'
	| 'store-error'
	| 'awaits-retries'
	| 'no-response';

/** The reasons of the rules that forbid to store a response. */
export type RefusalReason =
	| 'partial'
	| 'status-code'
	| 'no-store'
	| 'must-understand'
	| 'vary-star'
	| 'too-many-tags'
	| 'secret-in-header'
	| 'do-not-cache'
	| 'method'
	| 'not-cacheable';
