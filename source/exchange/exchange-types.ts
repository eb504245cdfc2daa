import type {MaybePromise} from '../maybe-promise.ts';
import type {NodeHeaders, StoredResponse} from '../model/stored-response.ts';
import type {SentRequest} from '../identity/sent-request.ts';
import type {Reason} from '../policy/reasons.ts';
import type {RawFields} from '../policy/stored-fields.ts';

export type OutgoingRequest = SentRequest;

/** What is known of the redirects that led to a request. */
export type Redirects = {
	/** Why a stored redirect must not be reused for the request, if it must not. */
	readonly judge: (stored: StoredResponse) => MaybePromise<'loop' | 'cookie' | undefined>;
};

export type IncomingHead = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: RawFields;
};

/**
A response that the cache gives. Its headers are the caller's; its body is what is stored, and must be copied.
*/
export type RenderedResponse = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: NodeHeaders;
	readonly rawHeaders: string[];
	readonly body: Uint8Array;
	readonly fromCache: boolean;
};

/** What to do with the request. */
export type Step =
	| {readonly do: 'serve'; readonly response: RenderedResponse; readonly revalidate: boolean}
	| {readonly do: 'send'; readonly validators: Readonly<Record<string, string>>};

/**
What to do with the response: give it, give the stored one, give it and hand in its body, or ask once more without conditions, since it is of nothing that is known. `status` is what `Cache-Status` says of it.
*/
export type Answer =
	| {readonly do: 'pass'; readonly status: string | undefined}
	| {readonly do: 'serve'; readonly response: RenderedResponse}
	| {readonly do: 'resend'}
	| {readonly do: 'collect'; readonly status: string | undefined};

/**
What can be said of an exchange so far.
*/
export type ExchangeInfo = {
	readonly key: string | undefined;

	/** Why the answer comes from where it comes. */
	readonly reason: Reason;

	/** What became of the origin's response; `undefined` where there was none, or not yet. */
	readonly stored: Reason | undefined;
	readonly createdAt: number | undefined;
	readonly expires: number | undefined;
	readonly fromCache: boolean;
	readonly revalidated: boolean;

	/** Whether another request, sent at the same time, got the answer. */
	readonly collapsed: boolean;
};
