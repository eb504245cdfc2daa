import type {StoredResponse} from '../model/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import type {Reason} from '../policy/reasons.ts';
import type {RawFields} from '../policy/stored-fields.ts';

/**
A request as it will be sent.
*/
export type OutgoingRequest = {
	/** The method that counts: an override header's, if there is one. */
	readonly method: string;
	readonly url: string;
	readonly fields: Fields;

	/** `'unknown'` for one that can be read only once. */
	readonly body: string | Uint8Array | undefined | 'unknown';
};

export type IncomingHead = {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly rawHeaders: RawFields;
};

/** What to do with the request. */
export type Step =
	| {readonly do: 'serve'; readonly stored: StoredResponse; readonly revalidate: boolean}
	| {readonly do: 'send'; readonly validators: Readonly<Record<string, string>>}
	| {readonly do: 'fail'; readonly statusCode: 504};

/** What to do with the response: give it, give the stored one, or give it and hand in its body. */
export type Answer =
	| {readonly do: 'pass'}
	| {readonly do: 'serve'; readonly stored: StoredResponse}
	| {readonly do: 'collect'};

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
};
