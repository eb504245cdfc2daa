import type {DescribedRequest} from '../identity/sent-request.ts';
import type {EvaluatedRule} from '../policy/facts.ts';
import type {Reason} from '../policy/types.ts';
import type {LiveSettings, RequestSettings} from '../settings/settings.ts';
import type {CircuitState, CallKind} from '../stores/circuits.ts';

/**
What the cache would do with a request, and why.
*/
export type Explanation = {
	/** Whether the cache would `'serve'` a stored response, `'send'` the request, let it `'pass'` without the cache, or `'fail'` with a 504. */
	readonly decision: 'serve' | 'send' | 'pass' | 'fail';

	/** The reason of the rule that decided. */
	readonly reason: Reason;

	/** The source of the rule that decided: a section of an RFC, or a setting. */
	readonly section: string;

	/** The rules that were asked, in order. The last one that held decided. */
	readonly rules: readonly EvaluatedRule[];

	/** `undefined` if the cache does not handle the request. */
	readonly key: string | undefined;

	/** The stored response that matches the request, if one does. */
	readonly stored: {
		/** When it was received, or last validated. */
		readonly createdAt: Date;

		/** When it expires; `undefined` if it never does. */
		readonly expires: Date | undefined;

		/** Its status code. */
		readonly statusCode: number;
	} | undefined;

	/** The validators that would be sent. */
	readonly validators: Readonly<Record<string, string>>;

	/** Whether the store is read and written: while it is not read, nothing counts as stored. */
	readonly circuit: {
		/** The state of the circuit of reads. */
		readonly reads: CircuitState;

		/** The state of the circuit of writes. */
		readonly writes: CircuitState;
	};

	/** The explanation in lines for people. */
	readonly text: string;
};

/**
What a cache needs of the client that uses it.
*/
export type AttachedClient = {
	readonly explain: (request: DescribedRequest, settings: RequestSettings | undefined) => Promise<Explanation>;

	/** Runs a function in whose call tree the requests of the cache have these settings. */
	readonly run: <Result>(settings: RequestSettings, action: () => Result) => Result;

	/** The settings of the client, which may be changed while it runs. */
	readonly settings: LiveSettings;
};

/** The events of an `HttpCache`. The same payloads are published on the diagnostics channels `got-cache-hooks:<event>`. */
export type CacheEvents = {
	/** A fresh stored response was served without a request. */
	hit: [AnswerEvent];

	/** An expired stored response was served. */
	stale: [AnswerEvent];

	/** A stored response was served after the origin validated it. */
	revalidated: [AnswerEvent];

	/** The caller got the response of the origin, or a 504 or an error if there was none. */
	miss: [AnswerEvent];

	/** The cache was not used for a request: it was not looked up. */
	bypassed: [AnswerEvent];

	/** A response was written to the store. */
	stored: [WriteEvent];

	/** A response of the origin was not stored. */
	refused: [WriteEvent];

	/** An entry, or all entries with a tag, were deleted. */
	deleted: [RemovalEvent];

	/** Entries were expired by `expire()`. */
	expired: [RemovalEvent];

	/** A bounded store deleted an entry to make room. */
	evicted: [RemovalEvent];

	/** A call of the store failed or took too long, or the store returned something that cannot be read. */
	storeError: [StoreErrorEvent];

	/** From now on the store is not read or not written (`open`), is tried by one call (`half-open`), or is used again (`closed`). While it is not read, it is not written either, without an event of its own. */
	circuit: [{
		/** The new state. */
		readonly state: CircuitState;

		/** Whether it is the circuit of `'reads'` or of `'writes'`. */
		readonly of: CallKind;
	}];

	/** A function in the settings failed; the request went on. */
	settingError: [{
		/** The name of the setting. */
		readonly setting: string;

		/** What the function has thrown; a `RedactedError` in its place if it may contain a credential. */
		readonly error: unknown;
	}];

	/** A refresh in the background failed; the stored response stays. */
	backgroundError: [{
		/** Why the refresh failed. */
		readonly error: unknown;
	}];

	/** A fault of this library, which did not harm the request: please report it. */
	internalError: [{
		/** The fault. */
		readonly error: unknown;
	}];
};

export type CacheEventName = keyof CacheEvents;

/** The answer to a request of a caller, or to a refresh in the background. */
export type AnswerEvent = {
	/** Why the response came from where it came. */
	readonly reason: Reason;

	/** The primary key; `undefined` if the cache was not used for the request. */
	readonly key: string | undefined;

	/** The method of the request. */
	readonly method: string;

	/** The URL without user info and fragment, with `REDACTED` in place of secret and ignored parameters. */
	readonly url: string;

	/** Whether the request was a refresh in the background. */
	readonly background: boolean;
};

/** A response of the origin that was stored or refused. */
export type WriteEvent = Omit<AnswerEvent, 'background'>;

/** Entries that were deleted or expired. */
export type RemovalEvent = {
	/** The criterion of the call, or what happened. */
	readonly reason: string;

	/** The key, if one entry was removed. */
	readonly key?: string;

	/** The tag, if all entries that have it were removed. */
	readonly tag?: string;

	/** The number of entries, if an index of the store deleted them. */
	readonly count?: number;
};

/** A fault of the store. The request went on without the store. */
export type StoreErrorEvent = {
	/** The call of the store that failed (`get`, `set`, …), or `decode` if what it gave cannot be read. */
	readonly operation: string;

	/** The key of the entry; absent if the call was for none. */
	readonly key?: string;

	/** What the store has thrown. */
	readonly error: unknown;
};

/**
What a cache of this process has done since it was made, or since `resetStats()`. Refreshes in the background do not count as answers. Each figure is a number of requests, responses or faults, unless it says otherwise.
*/
export type CacheStats = {
	/** The time from which the figures count. */
	readonly since: Date;

	/** The number of fresh stored responses that were served. */
	readonly hits: number;

	/** The number of expired stored responses that were served. */
	readonly stale: number;

	/** The number of stored responses that were served after the origin validated them by a 304. */
	readonly revalidated: number;

	/** The number of requests that the origin answered, or that ended with a 504 or an error, in all and by reason. */
	readonly misses: number;

	/** The number of misses by their reason. */
	readonly missesByReason: Readonly<Record<string, number>>;

	/** The number of requests for which the cache was not used. */
	readonly bypassed: number;

	/** The number of responses that were stored. */
	readonly stored: number;

	/** The number of responses that were not stored, in all and by reason. */
	readonly refused: number;

	/** The number of responses that were not stored by their reason. */
	readonly refusedByReason: Readonly<Record<string, number>>;

	/** The number of entries that bounded stores deleted to make room, if the store reports it. */
	readonly evicted: number;

	/** The number of faults of the store, of functions in the settings, of refreshes, and of this library. */
	readonly errors: number;

	/** Whether the store is used (`closed`), is not called after faults (`open`), or is tried by one call (`half-open`). */
	readonly circuit: CircuitState;

	/** Bytes of content that were served from the store. */
	readonly bytesSaved: number;

	/** The time that hits saved, in milliseconds: for each, how long the origin took to give the stored response. */
	readonly millisecondsSaved: number;
};
