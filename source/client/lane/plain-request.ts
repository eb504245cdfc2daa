import diagnostics from 'node:diagnostics_channel';
import type {Options} from 'got';
import {sentRequest, type SentRequest} from '../../identity/sent-request.ts';
import type {ExchangeSettings} from '../../engine/exchange-settings.ts';
import {gotCopyOf} from '../got-copies.ts';
import {withTrust} from '../request-head.ts';
import {tlsOptionsOf} from '../trust.ts';

/** What Got tells of its requests to whoever wants to know. */
const channels = ['got:request:create', 'got:request:start', 'got:response:start', 'got:response:end', 'got:request:error'].map(name => diagnostics.channel(name));

/** Options of Got 15 and 16. What of them could show in the answer to a hit is asked for below. */
const knownOptions = new Set(['agent', 'allowAbsoluteUrls', 'allowGetBody', 'auth', 'body', 'cache', 'cacheOptions', 'context', 'cookieJar', 'copyPipedHeaders', 'createConnection', 'decompress', 'dnsCache', 'dnsLookup', 'dnsLookupIpVersion', 'enableUnixSockets', 'encoding', 'followRedirect', 'followRedirects', 'form', 'h2session', 'headers', 'hooks', 'http2', 'https', 'ignoreInvalidCookies', 'isStream', 'json', 'localAddress', 'maxHeaderSize', 'maxRedirects', 'method', 'methodRewriting', 'pagination', 'parseJson', 'password', 'prefixUrl', 'request', 'resolveBodyOnly', 'responseType', 'retry', 'searchParameters', 'searchParams', 'setHost', 'signal', 'strictContentLength', 'stringifyJson', 'throwHttpErrors', 'timeout', 'url', 'username']);

const responseTypes = new Set<unknown>(['text', 'json', 'buffer']);

/** By a copy's class of options: whether there is none but those. */
const areKnown = new WeakMap<object, boolean>();

/**
Whether nobody could tell if Got had made a request for a hit: nothing of the user's runs by the way, and Got only reads the body.
*/
export function isPlain(options: Options): boolean {
	const {url, hooks, responseType, encoding, signal, timeout} = options;
	return isPlainGet(options)
		&& !options.isStream
		&& options.cache === undefined
		&& options.cookieJar === undefined
		&& options.username === '' && options.password === ''
		&& options.decompress
		&& responseTypes.has(responseType)
		&& (encoding === undefined || encoding === 'utf8')
		&& options.parseJson === JSON.parse
		&& hooks.afterResponse.length === 0
		&& signal?.aborted !== true
		&& (timeout.request ?? 1) > 0
		&& url instanceof URL && isUsual(url)
		&& isKnown(options)
		&& channels.every(({hasSubscribers}) => !hasSubscribers);
}

/** What has a body must be Got's from the beginning: Got looks at bodies when it is called, and when it starts. */
export function isPlainGet({method, body, json, form}: Options): boolean {
	return method === 'GET' && body === undefined && json === undefined && form === undefined;
}

function isUsual({protocol, hostname}: URL): boolean {
	return (protocol === 'https:' || protocol === 'http:') && hostname !== 'unix';
}

function isKnown({constructor}: Options): boolean {
	const known = areKnown.get(constructor);
	if (known !== undefined) {
		return known;
	}

	const prototype = constructor.prototype as Options;
	const accessors = Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(([, {get}]) => get !== undefined);
	const all = accessors.every(([name]) => knownOptions.has(name)) && typeof prototype.isHeaderExplicitlySet === 'function' && typeof prototype.getInternalHeaders === 'function';
	areKnown.set(constructor, all);
	return all;
}

/**
The request as Got would send it, if it is not yet known.

@returns `undefined` where that is for Got to say.
*/
export function plainRequest(options: Options, settings: Pick<ExchangeSettings, 'mode' | 'trust'>): SentRequest | undefined {
	const {acceptEncoding} = gotCopyOf(options);
	if (acceptEncoding === undefined || !options.setHost) {
		return undefined;
	}

	const given = options.getInternalHeaders();
	const headers: Record<string, string> = {};
	for (const name in given) { // eslint-disable-line guard-for-in -- As Got does.
		const value = given[name];
		if (typeof value !== 'string') {
			return undefined;
		}

		headers[name] = value;
	}

	if (headers['accept-encoding'] === undefined) {
		if (options.isHeaderExplicitlySet('accept-encoding')) {
			return undefined;
		}

		headers['accept-encoding'] = acceptEncoding;
	}

	return withTrust(sentRequest('GET', options.url as URL, headers, undefined), tlsOptionsOf(options), options, settings);
}
