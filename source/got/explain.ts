import type {Got} from 'got';
import type {Explanation} from '../cache/attached-client.ts';
import {explainRequest} from '../exchange/explain.ts';
import {parsedUrl} from '../identity/references.ts';
import {lowerCaseNames, sentRequest, type DescribedRequest} from '../identity/sent-request.ts';
import type {RequestSettings} from '../settings/settings.ts';
import {clientOfInstance} from './cache-hooks.ts';
import {headersOf, withTrust} from './native-request.ts';
import {tlsOptionsOf} from './trust.ts';

// The `Accept-Encoding` of Got on the Node.js versions that this library supports.
const acceptedCodings = 'gzip, deflate, br, zstd';

/**
Explains what the cache of a client would do with a request: returns the decision, the rule behind it with its source, and all rules that were evaluated. Reads the store; sends and writes nothing.

@param settings - The request's own settings, as in `context.cache`.
@throws {TypeError} If the instance has no cache, the URL is invalid, or a setting is wrong.

@example
```
const {decision, reason, text} = await explain(client, {url: 'https://example.com'});
//=> 'send', 'miss', 'GET https://example.com/: send, because of `miss` (RFC 9111 §4) …'
```
*/
export async function explain(client: Pick<Got, 'defaults'>, request: DescribedRequest, settings?: RequestSettings): Promise<Explanation> {
	const cacheClient = clientOfInstance(client).inScope;
	const {method = 'GET', url, headers = {}, body} = request;
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
