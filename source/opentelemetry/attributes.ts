import type {Attributes} from '@opentelemetry/api';
import {
	ATTR_ERROR_TYPE,
	ATTR_HTTP_REQUEST_METHOD,
	ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
	ATTR_HTTP_RESPONSE_STATUS_CODE,
	ATTR_SERVER_ADDRESS,
	ATTR_SERVER_PORT,
	ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions';
import type {AnswerEvent} from '../cache/types.ts';
import {errorTypeOf} from '../errors.ts';

/** The attributes for which there are no semantic conventions. */
export const own = {
	result: 'got_cache_hooks.result',
	reason: 'got_cache_hooks.reason',
	store: 'got_cache_hooks.store',
	cacheName: 'got_cache_hooks.cache_name',
	call: 'got_cache_hooks.call',
	bodySize: 'got_cache_hooks.body.size',
	operation: 'got_cache_hooks.operation',
	errorKind: 'got_cache_hooks.error_kind',
	setting: 'got_cache_hooks.setting',
	circuit: 'got_cache_hooks.circuit',
	circuitState: 'got_cache_hooks.circuit_state',
} as const;

/** The methods that the semantic conventions know. The others are `_OTHER`, since a caller can make up any number of them. */
const knownMethods: ReadonlySet<string> = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']);

const callScheme = 'call:';

/** Returns the attributes of a cache. */
export function cacheAttributes({store, cacheName}: Pick<AnswerEvent, 'store' | 'cacheName'>): Attributes {
	return {[own.store]: store, [own.cacheName]: cacheName};
}

/** Returns the attributes of an answer for which there are no semantic conventions. */
export function answerAttributes(result: string, event: AnswerEvent): Attributes {
	return {
		[own.result]: result,
		[own.reason]: event.reason,
		...cacheAttributes(event),
		...(isCall(event) && {[own.call]: decodeURIComponent(event.url.slice(callScheme.length))}),
	};
}

/** Returns the attributes of the semantic conventions that have few values: no URL, and nothing that a caller makes up. */
export function lowCardinalityAttributes(event: AnswerEvent): Attributes {
	const errorType = answerErrorType(event);
	return {
		...(!isCall(event) && {[ATTR_HTTP_REQUEST_METHOD]: knownMethod(event.method)}),
		...(errorType !== undefined && {[ATTR_ERROR_TYPE]: errorType}),
	};
}

/** Returns the attributes of the semantic conventions for the span of an HTTP client; `undefined` for a decorated call. */
export function httpAttributes(event: AnswerEvent): Attributes | undefined {
	const {method, url, statusCode} = event;
	if (isCall(event)) {
		return undefined;
	}

	const parsed = URL.parse(url);
	return {
		...lowCardinalityAttributes(event),
		...(knownMethod(method) !== method && {[ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method}),
		[ATTR_URL_FULL]: url,
		...(parsed !== null && serverAttributes(parsed)),
		...(statusCode !== undefined && {[ATTR_HTTP_RESPONSE_STATUS_CODE]: statusCode}),
	};
}

function isCall({url}: AnswerEvent): boolean {
	return url.startsWith(callScheme);
}

function knownMethod(method: string): string {
	return knownMethods.has(method) ? method : '_OTHER';
}

function serverAttributes({protocol, hostname, port}: URL): Attributes {
	const defaultPort = protocol === 'https:' ? 443 : 80;
	return {
		// The address of IPv6 has no brackets.
		[ATTR_SERVER_ADDRESS]: hostname.replaceAll(/[\[\]]/gv, ''),
		[ATTR_SERVER_PORT]: port === '' ? defaultPort : Number(port),
	};
}

/** Returns the `error.type` of an answer: the status code of an error, or the kind of what went wrong if no response came. */
function answerErrorType({statusCode, error}: AnswerEvent): string | undefined {
	if (statusCode !== undefined) {
		return statusCode >= 400 ? String(statusCode) : undefined;
	}

	return error === undefined ? undefined : errorTypeOf(error);
}
