import type {Attributes} from '@opentelemetry/api';
import {ATTR_ERROR_TYPE} from '@opentelemetry/semantic-conventions';
import type {
	AnswerEvent,
	CacheEvents,
	RemovalEvent,
	WriteEvent,
} from '../cache/types.ts';
import {errorTypeOf} from '../errors.ts';
import type {StoreCallEvent} from '../stores/store-calls.ts';
import {ActiveSpans} from './active-span.ts';
import {
	answerAttributes,
	cacheAttributes,
	httpAttributes,
	lowCardinalityAttributes,
	own,
} from './attributes.ts';
import type {Instruments} from './instruments.ts';

type Events = {readonly [Name in keyof CacheEvents]: CacheEvents[Name][0]} & {readonly storeCall: StoreCallEvent};

/** What happens on each event, by the name of its diagnostics channel. */
export type Handlers = {readonly [Name in keyof Events]: (event: Events[Name]) => void};

/**
Returns the handlers of all events.

@param instruments - Returns the instruments of the provider that counts now.
@param attributesOf - Returns the attributes that the user adds to those of an answer.
*/
export function createHandlers(instruments: () => Instruments, attributesOf: (event: AnswerEvent) => Attributes): Handlers {
	const spans = new ActiveSpans();

	const answered = (result: string) => (event: AnswerEvent): void => {
		const added = attributesOf(event);
		const answer = {...added, ...answerAttributes(result, event)};
		const attributes = {...answer, ...lowCardinalityAttributes(event)};
		// The span in which a refresh began is that of the request that was served meanwhile.
		if (event.background) {
			instruments().add('got_cache_hooks.refreshes', 1, attributes);
			return;
		}

		const {bytes} = event;
		instruments().add('got_cache_hooks.requests', 1, attributes);
		if (bytes !== undefined) {
			instruments().add('got_cache_hooks.served', bytes, attributes);
		}

		spans.describe(result, {...answer, ...(bytes !== undefined && {[own.bodySize]: bytes})}, httpAttributes(event));
	};

	const written = (result: string) => (event: WriteEvent): void => {
		instruments().add('got_cache_hooks.writes', 1, {[own.result]: result, [own.reason]: event.reason, ...cacheAttributes(event)});
		if (event.bytes !== undefined) {
			instruments().add('got_cache_hooks.stored', event.bytes, cacheAttributes(event));
		}
	};

	const removed = (result: string) => ({reason, count = 1}: RemovalEvent): void => {
		instruments().add('got_cache_hooks.removals', count, {[own.result]: result, [own.reason]: reason});
	};

	const failed = (kind: string, error: unknown, details: Attributes = {}): void => {
		instruments().add('got_cache_hooks.errors', 1, {[own.errorKind]: kind, ...details, [ATTR_ERROR_TYPE]: errorTypeOf(error)});
	};

	return {
		hit: answered('hit'),
		stale: answered('stale'),
		revalidated: answered('revalidated'),
		miss: answered('miss'),
		bypassed: answered('bypassed'),
		stored: written('stored'),
		refused: written('refused'),
		deleted: removed('deleted'),
		expired: removed('expired'),
		evicted: removed('evicted'),
		storeError({operation, error}) {
			failed('storeError', error, {[own.operation]: operation});
		},
		settingError({setting, error}) {
			failed('settingError', error, {[own.setting]: setting});
		},
		backgroundError({error}) {
			failed('backgroundError', error);
		},
		internalError({error}) {
			failed('internalError', error);
		},
		circuit({state, of}) {
			instruments().add('got_cache_hooks.circuit_changes', 1, {[own.circuit]: of, [own.circuitState]: state});
		},
		storeCall({milliseconds, operation, errorType, ...cache}) {
			instruments().recordStoreCall(milliseconds, {
				[own.operation]: operation,
				...cacheAttributes(cache),
				...(errorType !== undefined && {[ATTR_ERROR_TYPE]: errorType}),
			});
		},
	};
}
