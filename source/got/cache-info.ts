import type {Got, Options} from 'got';
import type {Explanation} from '../cache/types.ts';
import {explainRequest} from '../exchange/explain.ts';
import {parsedUrl} from '../identity/references.ts';
import {
	lowerCaseNames,
	parseRequest,
	sentRequest,
	type DescribedRequest,
} from '../identity/sent-request.ts';
import {resolveRequestSettings, type RequestSettings} from '../settings/settings.ts';
import {SettingError} from '../errors.ts';
import type {ExchangeInfo} from '../exchange/exchange.ts';
import type {Reason} from '../policy/types.ts';
import {clientOfInstance} from './cache-hooks.ts';
import {headersOf, withTrust} from './native-request.ts';
import {tlsOptionsOf} from './trust.ts';
import {infoOf} from './attempt-options.ts';

/** The `Accept-Encoding` of Got on the Node.js versions that this library supports. */
export const acceptedCodings = 'gzip, deflate, br, zstd';

/**
Explains what the cache of a client would do with a request: returns the decision, the rule behind it with its source, and all rules that were evaluated. Reads the store; sends and writes nothing.

@param settings - The request's own settings, as in `context.cache`.
@throws {TypeError} If the instance has no cache, the URL is invalid, or a setting is wrong.

@example
```ts
import got from 'got';
import {cacheHooks, explain} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory'}));
const {decision, reason, section} = await explain(client, {url: 'https://api.example.com/users/1'});
console.log(decision, reason, section);
//=> send miss RFC 9111 §4
```
*/
export async function explain(client: Pick<Got, 'defaults'>, request: DescribedRequest, settings?: RequestSettings): Promise<Explanation> {
	const cacheClient = clientOfInstance(client, 'client').inScope;
	const {method = 'GET', url, headers = {}, body} = parseRequest(request);
	if (settings !== undefined) {
		resolveRequestSettings(settings, 'settings');
	}

	const {options} = client.defaults;
	const native = {
		...tlsOptionsOf(options),
		setHost: options.setHost,
		headers: {
			...(options.decompress && {'accept-encoding': acceptedCodings}),
			...options.headers,
			...lowerCaseNames(headers) as Record<string, string | string[] | undefined>,
		},
	};
	const requestSettings = cacheClient.settingsFor(settings ?? options.context.cache);
	const described = sentRequest(method, parsedUrl(url), headersOf(native, options, requestSettings), body);
	return explainRequest(withTrust(described, native, options, requestSettings), requestSettings, cacheClient.cache);
}

/** Information about how the cache handled a response. */
export type CacheInfo = {
	/** The primary key; `undefined` if the cache did not handle the request. */
	readonly key: string | undefined;

	/** Whether the body comes from the cache, like Got's `isFromCache`. */
	readonly fromCache: boolean;

	/** Why the response comes from the cache or from the origin: `'fresh'`, `'miss'`, `'stale-if-error'`, … */
	readonly reason: Reason;

	/**
	What became of the origin's response: `'stored'`, or the reason why it is not stored (`'store-error'`: the store failed, did not answer in time, refused it, or is not used after faults).

	It is `'stored'` once the store has the response. Before that, it is `'stored'` from the end of the body on if the store is expected to take it, since it has answered this request and has taken the last write; if it does not, the reason replaces `'stored'`. Otherwise it is `undefined` until the write has ended. `await cache.idle()` waits for that. `Cache-Status` says the same by its `stored`.

	It is also `undefined` if no request was sent to the origin, if a 304 freshened the stored response, or while the body has not been read.
	*/
	readonly stored: Reason | undefined;

	/** When the response was received from the origin, or last validated; `undefined` if it is not stored. */
	readonly createdAt: Date | undefined;

	/** When the response expires; `undefined` if it never does, or is not stored. */
	readonly expires: Date | undefined;

	/** Whether the response has expired. */
	readonly isExpired: boolean;

	/** Whether the origin has validated the stored response for this request. */
	readonly revalidated: boolean;

	/** Whether the request waited for another request in flight, and got the response to that. */
	readonly collapsed: boolean;
};

const unknown: CacheInfo = {
	key: undefined,
	fromCache: false,
	reason: 'disabled',
	stored: undefined,
	createdAt: undefined,
	expires: undefined,
	isExpired: false,
	revalidated: false,
	collapsed: false,
};

/**
Returns information about how the cache handled a response: its key, the reason, and when it was received and expires.

Accepts the response of the promise API, `stream.response` of the stream API, and the `response` of an error. A response that no cache handled has the reason `'disabled'` and no dates.

@throws {TypeError} When it is given something that is not a response of Got.

@example
```ts
import got from 'got';
import {cacheHooks, cacheInfo} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', expireAfter: '1h'}));
await client('https://api.example.com/users/1');
const {fromCache, reason} = cacheInfo(await client('https://api.example.com/users/1'));
console.log(fromCache, reason);
//=> true fresh
```
*/
export function cacheInfo(response: {readonly request: {readonly options: Options}}): CacheInfo {
	const options = (response as {readonly request?: {readonly options?: Options}} | undefined | null)?.request?.options;
	if (typeof options !== 'object' || options === null) {
		throw new SettingError('response', response, 'a response of Got: what a request resolves to, or the `response` of a stream or of an error');
	}

	const info = infoOf(options);
	return info === undefined ? unknown : describe(info);
}

function describe({key, fromCache, reason, stored, createdAt, expires, revalidated, collapsed, now}: ExchangeInfo): CacheInfo {
	return {
		key,
		fromCache,
		reason,
		stored,
		createdAt: createdAt === undefined ? undefined : new Date(createdAt),
		expires: expires === undefined ? undefined : new Date(expires),
		isExpired: expires !== undefined && expires <= now(),
		revalidated,
		collapsed,
	};
}
