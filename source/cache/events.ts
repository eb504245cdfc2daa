import {channel, type Channel} from 'node:diagnostics_channel';
import type {EventEmitter} from 'node:events';
import process from 'node:process';
import {codeOf} from '../errors.ts';
import type {Reason} from '../policy/reasons.ts';
import type {CircuitState} from '../stores/breaker.ts';
import {isDebugged, printDecision} from './debug.ts';

/**
Tells listeners, diagnostics channels and `DEBUG`. Whoever listens harms no request.
*/
export class EventHub {
	readonly #emitter: EventEmitter;

	/**
	Tells nobody yet.

	@param emitter - Whose listeners are told.
	*/
	constructor(emitter: EventEmitter) {
		this.#emitter = emitter;
	}

	/** Whether anybody listens: what nobody hears need not be put together. */
	isHeard(event: CacheEventName): boolean {
		return isPrinted || channels[event].hasSubscribers || this.#emitter.listenerCount(event) > 0;
	}

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
	/** Stored, and fresh enough: nothing was sent. */
	hit: [AnswerEvent];

	/** Stored and expired, and given all the same. */
	stale: [AnswerEvent];

	/** Stored; the origin said that it is still right. */
	revalidated: [AnswerEvent];

	/** The origin's answer was given, or a 504 or an error for want of any. */
	miss: [AnswerEvent];

	/** The cache stood aside. */
	bypassed: [AnswerEvent];

	/** Handed to the store. */
	stored: [WriteEvent];

	/** A response of the origin's was not stored. */
	refused: [WriteEvent];

	/** Deleted, by whatever. */
	deleted: [RemovalEvent];

	/** Marked as expired, by `expire()`. */
	expired: [RemovalEvent];

	/** A bounded store made room. */
	evicted: [RemovalEvent];

	/** A store call failed or took too long, or what it gave could not be read. */
	storeError: [StoreErrorEvent];

	/** The store is left alone from now on (`open`), is tried again (`half-open`), or is used again (`closed`). */
	circuit: [{readonly state: CircuitState}];

	/** A function given in the settings failed; the request went on. */
	settingError: [{readonly setting: string; readonly error: unknown}];

	/** A refresh in the background failed; what is stored stays. */
	backgroundError: [{readonly error: unknown}];

	/** A fault of this library's, kept from the request: please report it. */
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

/** Shared by all caches of the process, as diagnostics channels are. */
const channels = Object.fromEntries(Object.keys(names).map(name => [name, channel(`got-cache-hooks:${name}`)])) as Readonly<Record<CacheEventName, Channel>>;

/** Read once: it is asked for at each request. */
const isPrinted = isDebugged(process.env.DEBUG);

/** An answer that a caller was given, or in the background the cache. */
export type AnswerEvent = {
	readonly reason: Reason;

	/** The primary key; `undefined` where the request was none for the cache. */
	readonly key: string | undefined;
	readonly method: string;

	/** As it may be shown: without user info and fragment, ignored parameters `REDACTED`. */
	readonly url: string;

	/** Whether nobody waits for it: a refresh. */
	readonly background: boolean;
};

/** What became of a response of the origin's. */
export type WriteEvent = {
	readonly reason: Reason;

	/** The primary key; `undefined` where there is none. */
	readonly key: string | undefined;
	readonly method: string;

	/** As it may be shown. */
	readonly url: string;
};

/** What is stored no longer, or no longer fresh. */
export type RemovalEvent = {
	/** What it was deleted or expired by: the criterion, or what happened. */
	readonly reason: string;

	/** Where one entry is meant. */
	readonly key?: string;

	/** Where a tag is meant: everything that has it. */
	readonly tag?: string;

	/** How many, where an index deleted them. */
	readonly count?: number;
};

/**
What happened in the store, and was kept from the request.
*/
export type StoreErrorEvent = {
	readonly operation: string;
	readonly key?: string;
	readonly error: unknown;
};

/** Counts. */
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

	/** Answers of the origin, and errors for want of any, in all and by reason. */
	readonly misses: number;
	readonly missesByReason: Readonly<Record<string, number>>;

	/** Requests for which the cache stood aside. */
	readonly bypassed: number;

	/** Responses handed to the store, and those that were not, by reason. */
	readonly stored: number;
	readonly refused: number;
	readonly refusedByReason: Readonly<Record<string, number>>;

	/** What bounded stores made room by, where they tell. */
	readonly evicted: number;

	/** Faults of the store, of functions in the settings, and of refreshes. */
	readonly errors: number;

	/** Whether the store is used (`closed`), left alone after faults (`open`), or tried again by one call (`half-open`). */
	readonly circuit: CircuitState;

	/** Content that did not come from the origin. */
	readonly bytesSaved: number;

	/** How long the origin took to give, when it was asked, what it was not asked for again. */
	readonly millisecondsSaved: number;
};

export type Answered = 'hit' | 'stale' | 'revalidated' | 'miss' | 'bypassed';

function count(counts: Map<string, number>, reason: string): void {
	counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
