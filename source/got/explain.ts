import type {Got} from 'got';
import type {Explanation} from '../cache/attached-client.ts';
import {explainRequest} from '../exchange/explain.ts';
import {parsedUrl} from '../identity/references.ts';
import {lowerCaseNames, sentRequest, type DescribedRequest} from '../identity/sent-request.ts';
import type {RequestSettings} from '../settings/settings.ts';
import {clientOfInstance} from './cache-hooks.ts';
import {headersOf, withTrust} from './native-request.ts';
import {tlsOptionsOf} from './trust.ts';

// What Got asks for on the Node.js versions that this library runs on.
const acceptedCodings = 'gzip, deflate, br, zstd';

/**
What the cache of a client would do with a request, and why: the decision, the rule that made it with its source, and every rule that was asked. It reads the store, and neither sends nor writes anything.

@param settings - The request's own settings, as in `context.cache`.
@throws {TypeError} Where the instance has no cache, the URL is none, or a setting is wrong.

@example
```
const {decision, reason, text} = await explain(client, {url: 'https://example.com'});
//=> 'send', 'miss', 'GET https://example.com/: send, because of `miss` (RFC 9111 §4) …'
```
*/
export async function explain(client: Pick<Got, 'defaults'>, request: DescribedRequest, settings?: RequestSettings): Promise<Explanation> {
	const exchanges = clientOfInstance(client).inScope;
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
	const requestSettings = exchanges.settingsFor(settings ?? options.context.cache);
	const asked = sentRequest(method, parsedUrl(url), headersOf(native, options, requestSettings), body);
	return explainRequest(withTrust(asked, native, options, requestSettings), requestSettings, exchanges.cache);
}
