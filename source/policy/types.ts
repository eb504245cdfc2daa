import type {Expiration} from './expiration.ts';
import type {Fields} from './fields.ts';
import type {Reason} from './reasons.ts';

/**
What the rules know of a request: as it will be sent, after all hooks.
*/
export type RequestHead = {
	/** The method that counts: an override header's, if there is one. */
	readonly method: string;
	readonly url: string;
	readonly fields: Fields;

	/** Whether the body, if any, can be part of a key; a stream's cannot. */
	readonly keyable: boolean;
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

	/** Fresh before this moment; `undefined` is for good. */
	readonly expires: number | undefined;
};

/**
The settings that rules ask, parsed and merged for one request. Periods are in milliseconds, `Infinity` without end, 0 off.
*/
export type PolicySettings = {
	readonly disabled: boolean;
	readonly readOnly: boolean;
	readonly onlyIfCached: boolean;
	readonly alwaysRevalidate: boolean;
	readonly refresh: boolean;
	readonly forceRefresh: boolean;
	readonly allowableCodes: ReadonlySet<number>;
	readonly allowableMethods: ReadonlySet<string>;
	readonly staleIfError: number;
	readonly staleWhileRevalidate: number;

	/** The client's. */
	readonly expireAfter: Expiration;

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
};

/** What to do with a request. */
export type RequestDecision =
	| {readonly do: 'lookup'}
	| {readonly do: 'serve'; readonly then?: 'revalidate'; readonly reason: Reason}
	| {readonly do: 'send'; readonly validators: Readonly<Record<string, string>>; readonly reason: Reason}
	| {readonly do: 'pass'; readonly reason: Reason}
	| {readonly do: 'fail'; readonly statusCode: 504; readonly reason: Reason};

/** What to do with a response, or with the lack of one. */
export type ResponseDecision =
	| ({readonly do: 'store'; readonly reason: Reason} & Lifetime)
	| ({readonly do: 'freshen'; readonly write: boolean; readonly reason: Reason} & Lifetime)
	| {readonly do: 'serve'; readonly reason: Reason}
	| {readonly do: 'pass'; readonly reason: Reason};
