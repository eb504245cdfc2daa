import {
	parseInput,
	parseOptions,
	asObject,
	type Parser,
	type Parsers,
} from '../parse.ts';
import {cookieFields, fieldValue, type Fields} from '../policy/fields.ts';
import {normalizeFieldValue} from '../policy/field-values.ts';
import {normalizeBody as normalizedBody} from './body.ts';
import type {IdentitySettings} from './key-parts.ts';
import {defaultIdentitySettings, type KeySettings} from './key.ts';
import {keyParsers} from './key-settings.ts';
import {
	normalizeParameters,
	parsedUrl,
	redactParameters,
	redactUrl,
	resourceOf,
} from './references.ts';
import {
	absoluteUrl,
	describedRequest,
	knownBody,
	lowerCaseNames,
	matchedMethod,
	requestParsers,
	type DescribedRequest,
} from './sent-request.ts';
import {mayUpdate, redactHeaders} from './stored-request.ts';

/** The client settings that say what is replaced. Each may be left out, and then has the default of the client setting of that name. */
export type NormalizeSettings = Pick<KeySettings, 'ignoredParameters' | 'contentRootKey'>;

/** A request in the form in which equal ones are the same, with `REDACTED` in place of credentials and ignored parameters. */
export type NormalizedRequest = {
	/** The method in upper case, followed by a colon and the method of an override header. */
	readonly method: string;

	/** The URL, as `normalizeUrl` returns it. */
	readonly url: string;

	/** The header fields, as `normalizeHeaders` returns them. */
	readonly headers: Readonly<Record<string, string>>;

	/** The body, as `normalizeBody` returns it; absent if there is none. */
	readonly body?: string | Uint8Array;
};

/**
Normalizes a request and replaces its credentials and ignored parameters by `REDACTED`, like requests-cache's `normalize_request`. Use it for logs, snapshots and comparisons.

It makes no key: requests of two users can become the same. In a `keyFn`, call `createKey`.

@param request - A request as it will be sent. Other members are ignored.
@throws {TypeError} If the request or a setting is wrong.

@example
```ts
import {normalizeRequest} from 'got-cache-hooks';

console.log(normalizeRequest({method: 'get', url: 'https://EXAMPLE.com/?b=2&api_key=abc&a=1', headers: {Authorization: 'Bearer abc'}}));
//=> {
//=>   method: 'GET',
//=>   url: 'https://example.com/?a=1&api_key=REDACTED&b=2',
//=>   headers: { authorization: 'REDACTED' }
//=> }
```
*/
export function normalizeRequest(request: DescribedRequest, settings: NormalizeSettings = {}): NormalizedRequest {
	return normalized(request, 'request', identitySettings(settings));
}

function normalized(request: unknown, path: string, settings: IdentitySettings): NormalizedRequest {
	const sent = describedRequest(request, path);
	const body = knownBody(sent);
	return {
		method: matchedMethod(sent.method, sent.override),
		url: normalUrl(sent.url, settings),
		headers: normalHeaders(sent.fields, settings),
		...(body !== undefined && {body: normalizedBody({headers: sent.fields, body}, settings)}),
	};
}

/**
Normalizes a URL and replaces the values of its credentials and ignored parameters by `REDACTED`, like requests-cache's `normalize_url`: scheme and host in lower case, no default port, dot segments, user info and fragment, escapes in one form, parameters sorted by name.

@throws {TypeError} If it is no absolute URL, or a setting is wrong.

@example
```ts
import {normalizeUrl} from 'got-cache-hooks';

console.log(normalizeUrl('https://me:pass@EXAMPLE.com:443/a/../%7Eb?token=abc&page=2#top'));
//=> https://example.com/~b?page=2&token=REDACTED
```
*/
export function normalizeUrl(url: string | URL, settings: NormalizeSettings = {}): string {
	return normalUrl(parsedUrl(url).href, identitySettings(settings));
}

function normalUrl(href: string, {ignoredParameters}: IdentitySettings): string {
	return resourceOf(redactUrl(href, ignoredParameters));
}

/**
Normalizes the parameters of a query, and replaces the values of its credentials and ignored parameters by `REDACTED`, like requests-cache's `normalize_params`: escapes in one form, sorted by name. Repeated ones keep their order.

@throws {TypeError} If it is no string, or a setting is wrong.

@example
```ts
import {normalizeParams} from 'got-cache-hooks';

console.log(normalizeParams('b=%7e&token=abc&a'));
//=> a&b=~&token=REDACTED
```
*/
export function normalizeParams(parameters: string, settings: NormalizeSettings = {}): string { // eslint-disable-line unicorn/name-replacements -- The name in requests-cache.
	const {ignoredParameters} = identitySettings(settings);
	return normalizeParameters(redactParameters(parseInput(anyText, parameters, 'parameters'), ignoredParameters), () => true);
}

/**
Normalizes the header fields of a request and replaces credentials and ignored headers by `REDACTED`, like requests-cache's `normalize_headers`: names in lower case and sorted, the lines of a field joined, no white space around commas, `Accept-Encoding` and `Accept-Language` in lower case.

@throws {TypeError} If it is no object with headers, or a setting is wrong.

@example
```ts
import {normalizeHeaders} from 'got-cache-hooks';

console.log(normalizeHeaders({Cookie: 'session=abc', 'Accept-Encoding': 'gzip ,  BR'}));
//=> { 'accept-encoding': 'br,gzip', cookie: 'REDACTED' }
```
*/
export function normalizeHeaders(headers: NonNullable<DescribedRequest['headers']>, settings: NormalizeSettings = {}): Record<string, string> {
	return normalHeaders(lowerCaseNames(parseInput(requestParsers.headers, headers, 'headers')), identitySettings(settings));
}

function normalHeaders(fields: Fields, {ignoredParameters}: IdentitySettings): Record<string, string> {
	const lines = redactHeaders(fields, ignoredParameters);
	const redacted = new Map<string, string[]>();
	for (let index = 0; index < lines.length; index += 2) {
		redacted.set(lines[index]!, [...redacted.get(lines[index]!) ?? [], lines[index + 1]!]);
	}

	return Object.fromEntries(redacted.keys().toArray().toSorted().map(name => [name, normalizeFieldValue(name, fieldValue({[name]: redacted.get(name)}, name)!)]));
}

/**
Normalizes the body of a request, like requests-cache's `normalize_body`. JSON is without white space, its members sorted; the parameters of a form are sorted by name; in both, credentials and ignored parameters are `REDACTED`. Any other body, JSON that is invalid or longer than 256 KiB, and a form of more than 1 MiB or 1,000 parameters is `REDACTED` as a whole if it may contain credentials, and returned as it is otherwise.

@param request - Its `Content-Type` says how the body is read.
@returns `undefined` if there is no body.
@throws {TypeError} If the request or a setting is wrong.

@example
```ts
import {normalizeBody} from 'got-cache-hooks';

const headers = {'content-type': 'application/json'};
console.log(normalizeBody({url: 'https://example.com', headers, body: '{"password": "abc", "name": "Ada"}'}));
//=> {"name":"Ada","password":"REDACTED"}
```
*/
export function normalizeBody(request: DescribedRequest, settings: NormalizeSettings = {}): string | Uint8Array | undefined {
	const {fields, ...sent} = describedRequest(request);
	const body = knownBody(sent);
	const parsed = identitySettings(settings);
	return body === undefined ? undefined : normalizedBody({headers: fields, body}, parsed);
}

/** A response to redact, such as a `CachedResponse`. Other members are ignored. */
export type ResponseToRedact = {
	/** The absolute URL. */
	readonly url: string | URL;

	/** The header fields of the response. */
	readonly headers: NonNullable<DescribedRequest['headers']>;

	/** The request that the response answers. Absent if nothing is to be shown of it. */
	readonly request?: DescribedRequest | undefined;
};

/** What may be shown of a response. */
export type RedactedResponse = {
	/** The URL without user info and fragment, with `REDACTED` in place of credentials and ignored parameters. */
	readonly url: string;

	/** The header fields in lower case, without those that are ignored or hand out a credential. */
	readonly headers: Record<string, string[] | string>;

	/** The request, as `normalizeRequest` returns it; absent if none was given. */
	readonly request?: NormalizedRequest;
};

/**
Redacts a response, like requests-cache's `redact_response`: its URL, its headers and its request. Headers that hand out a credential, such as `Set-Cookie` or a `Location` with a token, are left out, as in what is stored.

What the cache has stored is redacted already, by its own settings. Use it for other responses before they are logged or written to a file.

@throws {TypeError} If the response or a setting is wrong.

@example
```ts
import got from 'got';
import {redactResponse} from 'got-cache-hooks';

const {url, headers} = await got('https://api.example.com/users/1?api_key=abc');
console.log(redactResponse({url, headers: {...headers, 'set-cookie': ['session=abc']}}).url);
//=> https://api.example.com/users/1?api_key=REDACTED
```
*/
export function redactResponse(response: ResponseToRedact, settings: NormalizeSettings = {}): RedactedResponse {
	const given = parseInput({allowed: 'an object with a `url` and `headers`', parse: asObject}, response, 'response');
	const {url, headers, request} = given as ResponseToRedact;
	const parsed = identitySettings(settings);
	const {href} = parsedUrl(parseInput(absoluteUrl, url, 'response.url'));
	const fields = lowerCaseNames(parseInput(requestParsers.headers, headers, 'response.headers'));
	return {
		url: redactUrl(href, parsed.ignoredParameters),
		headers: storableHeaders(fields, href, parsed),
		...(request !== undefined && {request: normalized(request, 'response.request', parsed)}),
	};
}

function storableHeaders(fields: Fields, url: string, {ignoredParameters}: IdentitySettings): Record<string, string[] | string> {
	const headers: Record<string, string[] | string> = {};
	for (const [name, value] of Object.entries(fields)) {
		// RFC 9113 §8.3: pseudo-headers are no fields.
		if (name.startsWith(':') || cookieFields.includes(name)) {
			continue;
		}

		const lines = [value ?? []].flat().filter(line => mayUpdate(name, line, url, ignoredParameters));
		if (lines.length > 0) {
			Object.defineProperty(headers, name, {
				value: typeof value === 'string' ? value : lines, enumerable: true, writable: true, configurable: true,
			});
		}
	}

	return headers;
}

const anyText: Parser<string> = {allowed: 'a string', parse: value => typeof value === 'string' ? value : undefined};

const settingsParsers: Parsers<Pick<IdentitySettings, 'ignoredParameters' | 'contentRootKey'>> = {
	ignoredParameters: keyParsers.ignoredParameters,
	contentRootKey: keyParsers.contentRootKey,
};

function identitySettings(settings: NormalizeSettings): IdentitySettings {
	return {...defaultIdentitySettings, ...parseOptions(settingsParsers, settings, 'settings')};
}
