import {AsyncLocalStorage} from 'node:async_hooks';
import type {EventEmitter} from 'node:events';
import {CacheHooksError} from '../errors.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import {redactUrl} from '../identity/references.ts';
import type {Reason} from '../policy/types.ts';
import type {ResolvedSettings} from '../settings/settings.ts';
import {isReadOnlyError} from '../stores/read-only.ts';
import {channels, isPrinted, print} from './event-output.ts';
import {redactError, warnOfFault, warnOfListener} from './faults.ts';
import type {
	CacheEventName,
	CacheEvents,
	CacheStats,
	AnswerEvent,
	RemovalEvent,
	StoreErrorEvent,
} from './types.ts';

type AnswerKind = 'hit' | 'stale' | 'revalidated' | 'miss' | 'bypassed';

const answerKinds: Partial<Record<Reason, AnswerKind>> = {
	fresh: 'hit',
	revalidated: 'revalidated',
	'max-stale': 'stale',
	'stale-while-revalidate': 'stale',
	'stale-if-error': 'stale',
};

/** Runs a function in an async context. */
export type AsyncContext = ReturnType<typeof AsyncLocalStorage.snapshot>;

/** A request, as events name it. */
type ReportedRequest = {
	readonly key: string | undefined;
	readonly request: {readonly method: string; readonly targetUrl: string};

	/** The context in which the request was made, if its events are to be emitted there. */
	readonly context: AsyncContext | undefined;
};

type AnsweredRequest = ReportedRequest & {
	/** Whether the request is a refresh in the background. */
	readonly background: boolean;

	/** The status code of the answer; `undefined` if no response came. */
	readonly statusCode: number | undefined;

	/** The bytes of stored content that were served; `undefined` if no stored response was. */
	readonly servedBytes: number | undefined;

	/** Why no response came. */
	readonly failure: unknown;
};

type ReporterOptions = {
	/** The emitter whose listeners get the events. */
	readonly emitter: EventEmitter;
	readonly settings: () => Pick<ResolvedSettings, 'cacheName' | 'failFast' | 'ignoredParameters' | 'now'>;
	readonly storeName: () => string;

	/** Whether the store refuses writes, so that a refused write is no fault. */
	readonly isReadOnly: () => boolean;
};

/** What computes the size of a response in bytes when it is asked. */
type SizedWrite = {readonly size: {readonly bytes: number}};

/**
Emits the events of a cache to listeners and diagnostics channels, prints them if `DEBUG` asks for it, and counts them. A listener that throws harms no request.
*/
export class Reporter {
	readonly #options: ReporterOptions;
	#counts: Counts;

	constructor(options: ReporterOptions) {
		this.#options = options;
		this.#counts = noCounts(options.settings().now());
	}

	get stats(): Omit<CacheStats, 'circuit'> {
		return structuredClone(this.#counts);
	}

	resetStats(): void {
		this.#counts = noCounts(this.#options.settings().now());
	}

	/** Returns the current async context for the events of a request that begins; `undefined` if nobody listens to them. */
	captureContext(): AsyncContext | undefined {
		return requestEvents.some(event => this.#hasListeners(event)) ? AsyncLocalStorage.snapshot() : undefined;
	}

	/**
	Reports the answer to a request.

	@param stored - The stored response that was served, if one was.
	*/
	answered(request: AnsweredRequest, reason: Reason, stored?: StoredResponse): void {
		const {background} = request;
		const kind = stored === undefined ? 'miss' : answerKinds[reason] ?? 'hit';
		if (!background) {
			this.#countAnswer(kind, reason);
			if (stored !== undefined) {
				this.#counts.bytesSaved += stored.byteLength;
				this.#counts.millisecondsSaved += kind === 'revalidated' ? 0 : stored.took ?? 0;
			}
		}

		this.#emitAnswer(kind, request, reason);
	}

	/** Reports a request for which the cache was not used. */
	bypassed(request: AnsweredRequest, reason: Reason): void {
		this.#countAnswer('bypassed', reason);
		this.#emitAnswer('bypassed', request, reason);
	}

	/** Reports a response of the origin that was stored, with its write, or refused. The size of a write is computed only if somebody listens. */
	written(event: 'stored' | 'refused', request: ReportedRequest, reason: Reason, write?: SizedWrite): void {
		if (event === 'stored') {
			this.#counts.stored++;
		} else {
			this.#counts.refused++;
			increment(this.#counts.refusedByReason, reason);
		}

		if (this.#hasListeners(event)) {
			this.#emitFor(event, request, reason, write === undefined ? {} : {bytes: write.size.bytes});
		}
	}

	/** Reports a deletion or an expiration. */
	removed(event: 'deleted' | 'expired' | 'evicted', payload: RemovalEvent): void {
		if (event === 'evicted') {
			this.#counts.evicted++;
		}

		if (this.#hasListeners(event)) {
			this.emit(event, payload);
		}
	}

	/**
	Reports a fault of the store without which a request goes on.

	@throws The fault, with `failFast`.
	*/
	tolerate(operation: StoreErrorEvent['operation'], key: string, error: unknown): void {
		if (this.#options.settings().failFast) {
			throw error;
		}

		this.emit('storeError', {operation, key, error});
	}

	/** Emits an event, without the credentials that an error may contain. */
	emit<Event extends CacheEventName>(event: Event, payload: CacheEvents[Event][0]): void {
		if (event === 'storeError' && this.#isExpected(payload as StoreErrorEvent)) {
			return;
		}

		if (event.endsWith('Error')) {
			this.#counts.errors++;
		}

		const shown = 'error' in payload ? {...payload, error: this.redacted(payload.error)} : payload;
		if (!this.#hasListeners(event)) {
			warnOfFault(event, shown);
		}

		try {
			this.#options.emitter.emit(event, shown);
		} catch (error) {
			warnOfListener(event, error, this.#options.settings().ignoredParameters);
		}

		if (channels[event].hasSubscribers) {
			channels[event].publish(shown);
		}

		if (isPrinted) {
			print(event, shown);
		}
	}

	/** Returns an error as an event may contain it: without the credentials of a request. */
	redacted(error: unknown): unknown {
		return redactError(error, this.#options.settings().ignoredParameters);
	}

	#countAnswer(kind: AnswerKind, reason: Reason): void {
		this.#counts[counters[kind]]++;
		if (kind === 'miss') {
			increment(this.#counts.missesByReason, reason);
		}
	}

	#emitAnswer(kind: AnswerKind, request: AnsweredRequest, reason: Reason): void {
		if (!this.#hasListeners(kind)) {
			return;
		}

		const {background, statusCode, servedBytes, failure} = request;
		this.#emitFor(kind, request, reason, {
			background,
			...(statusCode !== undefined && {statusCode}),
			...(servedBytes !== undefined && {bytes: servedBytes}),
			...(failure !== undefined && {error: failure}),
		});
	}

	#emitFor(event: RequestEventName, {key, request: {method, targetUrl}, context}: ReportedRequest, reason: Reason, details: Partial<AnswerEvent>): void {
		const {storeName, settings} = this.#options;
		const {ignoredParameters, cacheName} = settings();
		const emit = (): void => {
			this.emit(event, {
				reason, key, method, url: redactUrl(targetUrl, ignoredParameters), store: storeName(), cacheName, ...details,
			});
		};

		if (context === undefined) {
			emit();
		} else {
			context(emit);
		}
	}

	/** Whether anybody listens: otherwise the payload need not be made. */
	#hasListeners(event: CacheEventName): boolean {
		return isPrinted || channels[event].hasSubscribers || this.#options.emitter.listenerCount(event) > 0;
	}

	/** Whether a call was not made at all: the circuit is open, which was reported once, or the store is read only. */
	#isExpected({operation, error}: StoreErrorEvent): boolean {
		const isCircuitOpen = operation !== 'circuit' && error instanceof CacheHooksError && error.code === 'ERR_STORE_CIRCUIT';
		return isCircuitOpen || (this.#options.isReadOnly() && isReadOnlyError(error));
	}
}

/** The events of a request. */
const requestEvents = ['hit', 'stale', 'revalidated', 'miss', 'bypassed', 'stored', 'refused'] as const satisfies CacheEventName[];

type RequestEventName = typeof requestEvents[number];

const counters = {
	hit: 'hits', stale: 'stale', revalidated: 'revalidated', miss: 'misses', bypassed: 'bypassed',
} as const;

type Counts = ReturnType<typeof noCounts>;

function noCounts(now: number) {
	return {
		since: new Date(now),
		hits: 0,
		stale: 0,
		revalidated: 0,
		misses: 0,
		missesByReason: noReasons(),
		bypassed: 0,
		stored: 0,
		refused: 0,
		refusedByReason: noReasons(),
		evicted: 0,
		errors: 0,
		bytesSaved: 0,
		millisecondsSaved: 0,
	} satisfies Omit<CacheStats, 'circuit'>;
}

function noReasons(): Record<string, number> {
	return {};
}

function increment(counts: Record<string, number>, reason: string): void {
	counts[reason] = (counts[reason] ?? 0) + 1;
}
