import type {Match} from '../cache/entries.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import type {MaybePromise} from '../maybe-promise.ts';
import type {NodeHeaders, StoredResponse} from '../entry/stored-response.ts';
import type {Reason, WriteReason} from '../policy/types.ts';
import type {RawFields} from '../policy/storing.ts';
import type {InFlight, Outcome} from './in-flight.ts';

/** What is known of the redirects that led to a request. */
export type Redirects = {
	/** Why a stored redirect must not be reused for the request, if it must not. */
	readonly judge: (stored: StoredResponse) => MaybePromise<'loop' | 'cookie' | undefined>;
};

/** The head of a response of the origin, as it came. */
export type IncomingHead = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: RawFields;
};

/**
A response that the cache gives. Its headers are the caller's; its body is the stored one, and must be copied.
*/
export type RenderedResponse = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: NodeHeaders;
	readonly rawHeaders: string[];
	readonly body: Uint8Array;

	/** Whether the response is a stored one; a 504 is not. */
	readonly fromCache: boolean;
};

/** What a driver tells an exchange. */
export type Event =
	/** The request is ready to be sent. After Got has used up its retries, a stale response stands in before the origin is asked again. */
	| {readonly type: 'begin'; readonly areRetriesUsed?: boolean; readonly inFlight?: InFlight<Match>}

	/** The wait for another request has ended. */
	| {readonly type: 'joined'; readonly outcome: Outcome<Match>}

	/** The origin responded. `mayRetry` says whether Got may still try again, so that a stale response need not stand in for an error yet. */
	| {readonly type: 'response'; readonly head: IncomingHead; readonly mayRetry?: boolean}

	/** The body ended, whole as far as the connection can tell. */
	| {readonly type: 'end'; readonly body: Uint8Array}

	/** The body will not be stored. */
	| {readonly type: 'cut'; readonly reason: WriteReason; readonly isOwn?: boolean}

	/** No response came. `isOwn` says that the caller's own limits ended the request, and no fault of the origin. */
	| {readonly type: 'error'; readonly isOwn?: boolean; readonly mayRetry?: boolean}

	/** The request has come to an end, however it has; nothing else follows. */
	| {readonly type: 'released'; readonly isOwn?: boolean};

/** What the driver of an exchange is to do. */
export type Action =
	/** Give a stored response, or a 504; and renew it in the background where `refreshes` says so. */
	| {readonly do: 'serve'; readonly response: RenderedResponse; readonly refreshes: boolean}

	/** Send the request, with the validators among its headers. */
	| {readonly do: 'send'; readonly validators: Readonly<Record<string, string>>}

	/** Wait for another request, and tell how that ended, or `leave`. `hasResponse` says whether its response has begun. */
	| {readonly do: 'wait'; readonly outcome: Promise<Outcome<Match>>; readonly hasResponse: () => boolean; readonly leave: () => void}

	/** Give the origin's response. `collects` says whether its body is wanted here, `status` what `Cache-Status` says of it, `awaitsRetries` whether a stale response takes its place once Got has used up its retries. */
	| {readonly do: 'pass'; readonly status: string | undefined; readonly collects: boolean; readonly awaitsRetries: boolean}

	/** Send the request once more, without conditions. */
	| {readonly do: 'resend'}

	/** Nothing: an error is the caller's. `awaitsRetries` says that a stale response stands in once Got has used up its retries. */
	| {readonly do: 'done'; readonly awaitsRetries: boolean};

/**
What is known of an exchange so far. Times are milliseconds since the epoch.
*/
export type ExchangeInfo = {
	readonly key: string | undefined;

	/** Why the response comes from where it comes. */
	readonly reason: Reason;

	/** What became of the origin's response; `undefined` where there was none, or not yet. */
	readonly stored: Reason | undefined;

	/** When the stored response was received, or last validated. */
	readonly createdAt: number | undefined;

	/** When the stored response expires; `undefined` where it never does, or where nothing is stored. */
	readonly expires: number | undefined;
	readonly fromCache: boolean;

	/** Whether the origin has validated the stored response just now. */
	readonly revalidated: boolean;

	/** Whether another request, sent at the same time, got the response. */
	readonly collapsed: boolean;
};

export type {SentRequest} from '../identity/sent-request.ts';
