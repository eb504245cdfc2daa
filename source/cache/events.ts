import {channel, type Channel} from 'node:diagnostics_channel';
import type {EventEmitter} from 'node:events';
import process from 'node:process';
import {codeOf} from '../errors.ts';
import type {Reason} from '../policy/reasons.ts';
import type {CircuitState, CallKind} from '../stores/circuits.ts';
import {isDebugged, printDecision} from './debug.ts';

/**
Reports events to listeners and diagnostics channels, and prints them where `DEBUG` asks for it. A listener that throws harms no request.
*/
export class EventHub {
	readonly #emitter: EventEmitter;

	/**
	Reports nothing yet.

	@param emitter - The emitter whose listeners get the events.
	*/
	constructor(emitter: EventEmitter) {
		this.#emitter = emitter;
	}

	/** Whether anybody listens: the payload of an event that nobody hears need not be made. */
	isHeard(event: CacheEventName): boolean {
		return isPrinted || channels[event].hasSubscribers || this.#emitter.listenerCount(event) > 0;
	}

	/** Reports an event. */
	report<Event extends CacheEventName>(event: Event, payload: CacheEvents[Event][0]): void {
		try {
			this.#emitter.emit(event, payload);
		} catch (error) {
			process.emitWarning(error instanceof Error ? error : String(error));
		}

		if (channels[event].hasSubscribers) {
			channels[event].publish(payload);
		}

		if (isPrinted) {
			printDecision(event, payload);
		}
	}
}

export type CacheEvents = {
	/** A stored response that is fresh enough was served: no request was sent. */
	hit: [AnswerEvent];

	/** A stored response that has expired was served. */
	stale: [AnswerEvent];

	/** A stored response was served after the origin had validated it. */
	revalidated: [AnswerEvent];

	/** The caller got the origin's response, or a 504 or an error where there was none. */
	miss: [AnswerEvent];

	/** The cache was not used to answer a request: nothing was looked up. */
	bypassed: [AnswerEvent];

	/** A response was written to the store. */
	stored: [WriteEvent];

	/** A response of the origin's was not stored. */
	refused: [WriteEvent];

	/** An entry, or all entries with a tag, were deleted. */
	deleted: [RemovalEvent];

	/** Entries were marked as expired by `expire()`. */
	expired: [RemovalEvent];

	/** A bounded store deleted an entry to make room. */
	evicted: [RemovalEvent];

	/** A call of the store failed or took too long, or what it gave could not be read. */
	storeError: [StoreErrorEvent];

	/** From now on the store is not read or not written (`open`), is tried by one call (`half-open`), or is used again (`closed`). While it is not read, it is not written either, without an event of its own. */
	circuit: [{readonly state: CircuitState; readonly of: CallKind}];

	/** A function given in the settings failed; the request went on. */
	settingError: [{readonly setting: string; readonly error: unknown}];

	/** A refresh in the background failed; what is stored stays. */
	backgroundError: [{readonly error: unknown}];

	/** A fault of this library, which did not harm the request: please report it. */
	internalError: [{readonly error: unknown}];
};

export type CacheEventName = keyof CacheEvents;

const names: Readonly<Record<CacheEventName, true>> = {
	hit: true,
	stale: true,
	revalidated: true,
	miss: true,
	bypassed: true,
	stored: true,
	refused: true,
	deleted: true,
	expired: true,
	evicted: true,
	storeError: true,
	circuit: true,
	settingError: true,
	backgroundError: true,
	internalError: true,
};

/** The diagnostics channels, which all caches of the process share. */
const channels = Object.fromEntries(Object.keys(names).map(name => [name, channel(`got-cache-hooks:${name}`)])) as Readonly<Record<CacheEventName, Channel>>;

/** Whether `DEBUG` asks for events. It is read once, since each request would ask for it. */
const isPrinted = isDebugged(process.env.DEBUG);

/** An answer that a caller got, or the cache for a refresh in the background. */
export type AnswerEvent = {
	readonly reason: Reason;

	/** The primary key; `undefined` where the cache was not used for the request. */
	readonly key: string | undefined;
	readonly method: string;

	/** The URL without user info and fragment, with `REDACTED` in place of secret and ignored parameters. */
	readonly url: string;

	/** Whether the request was a refresh in the background. */
	readonly background: boolean;
};

/** A response of the origin that was stored, or was not. */
export type WriteEvent = {
	readonly reason: Reason;

	/** The primary key; `undefined` where there is none. */
	readonly key: string | undefined;
	readonly method: string;

	/** The URL without user info and fragment, with `REDACTED` in place of secret and ignored parameters. */
	readonly url: string;
};

/** Entries that were deleted, or marked as expired. */
export type RemovalEvent = {
	/** Why: the criterion of the call, or what happened. */
	readonly reason: string;

	/** The key, where it is about one entry. */
	readonly key?: string;

	/** The tag, where it is about all entries that have it. */
	readonly tag?: string;

	/** The number of entries, where an index of the store deleted them. */
	readonly count?: number;
};

/**
A fault of the store, which the request did not see.
*/
export type StoreErrorEvent = {
	readonly operation: string;
	readonly key?: string;
	readonly error: unknown;
};

/** Counts what `CacheStats` says. */
export class Figures {
	#since: number;
	#answered: Record<Answered, number> = {
		hit: 0, stale: 0, revalidated: 0, miss: 0, bypassed: 0,
	};

	#misses = new Map<string, number>();
	#refused = new Map<string, number>();
	#bytes = 0;
	#milliseconds = 0;
	stored = 0;
	evicted = 0;
	errors = 0;

	constructor(now: number) {
		this.#since = now;
	}

	answer(how: Answered, reason: string): void {
		this.#answered[how]++;
		if (how === 'miss') {
			count(this.#misses, reason);
		}
	}

	refuse(reason: string): void {
		count(this.#refused, reason);
	}

	save(bytes: number, milliseconds: number): void {
		this.#bytes += bytes;
		this.#milliseconds += milliseconds;
	}

	get all(): Omit<CacheStats, 'circuit'> {
		const {hit, stale, revalidated, miss, bypassed} = this.#answered;
		return {
			since: new Date(this.#since),
			hits: hit,
			stale,
			revalidated,
			misses: miss,
			missesByReason: Object.fromEntries(this.#misses),
			bypassed,
			stored: this.stored,
			refused: this.#refused.values().reduce((sum, number) => sum + number, 0),
			refusedByReason: Object.fromEntries(this.#refused),
			evicted: this.evicted,
			errors: this.errors,
			bytesSaved: this.#bytes,
			millisecondsSaved: this.#milliseconds,
		};
	}

	reset(now: number): void {
		this.#since = now;
		this.#answered = {
			hit: 0, stale: 0, revalidated: 0, miss: 0, bypassed: 0,
		};
		this.#misses = new Map();
		this.#refused = new Map();
		this.#bytes = 0;
		this.#milliseconds = 0;
		this.stored = 0;
		this.evicted = 0;
		this.errors = 0;
	}
}

/**
What a cache of this process has done since it was made, or since `resetStats()`.
*/
export type CacheStats = {
	readonly since: Date;

	/** Answers from the store that were fresh. */
	readonly hits: number;

	/** Answers from the store that had expired. */
	readonly stale: number;

	/** Answers from the store after the origin's 304. */
	readonly revalidated: number;

	/** Answers of the origin, and 504s and errors where there was none, in all and by reason. */
	readonly misses: number;
	readonly missesByReason: Readonly<Record<string, number>>;

	/** Requests for which the cache was not used. */
	readonly bypassed: number;

	/** Responses that were stored, and those that were not, in all and by reason. */
	readonly stored: number;
	readonly refused: number;
	readonly refusedByReason: Readonly<Record<string, number>>;

	/** Entries that bounded stores deleted to make room, where the store tells. */
	readonly evicted: number;

	/** Faults of the store, of functions in the settings, of refreshes, and of this library. */
	readonly errors: number;

	/** Whether the store is used (`closed`), is not called after faults (`open`), or is tried by one call (`half-open`). */
	readonly circuit: CircuitState;

	/** Bytes of content that were served from the store. */
	readonly bytesSaved: number;

	/** The time that hits saved, in milliseconds: for each, how long the origin took when it gave the stored response. */
	readonly millisecondsSaved: number;
};

export type Answered = 'hit' | 'stale' | 'revalidated' | 'miss' | 'bypassed';

function count(counts: Map<string, number>, reason: string): void {
	counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
