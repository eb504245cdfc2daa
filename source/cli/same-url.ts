import {coreOf, type HttpCache} from '../cache/http-cache.ts';
import {storedOf, type CachedResponse} from '../entry/cached-response.ts';
import {redactUrl} from '../identity/references.ts';

const mostSimilar = 5;

/** Returns the entries that have a URL, whatever else is in their keys, and some that have another query. The store is searched for them. */
export async function entriesOfUrl(cache: HttpCache, url: string, signal: AbortSignal): Promise<{readonly same: readonly CachedResponse[]; readonly similar: readonly CachedResponse[]}> {
	const wanted = comparable(redactUrl(url, coreOf(cache).settings.ignoredParameters));
	const same: CachedResponse[] = [];
	const similar: CachedResponse[] = [];
	const responses = cache.responses({signal});
	for await (const response of responses) {
		const known = comparable(response.url);
		if (known === wanted) {
			same.push(response);
		} else if (similar.length < mostSimilar && withoutQuery(known) === withoutQuery(wanted)) {
			similar.push(response);
		}
	}

	return {same, similar};
}

/** Two URLs whose parameters are in another order have one key. */
function comparable(text: string): string {
	if (!URL.canParse(text)) {
		return text;
	}

	const url = new URL(text);
	url.searchParams.sort();
	return url.href;
}

function withoutQuery(url: string): string {
	return url.split('?', 1)[0]!;
}

/** Says by what the key of an entry differs from that of a plain GET of its URL. */
export function whatDiffers(response: CachedResponse): string {
	const {method, request, vary, decidedBy} = storedOf(response);
	const secrets = request?.partition?.parts.map(([where, name]) => `${where} ${name}`.trim());
	const differences = [
		method === 'GET' ? undefined : method,
		secrets === undefined ? undefined : `for one value of ${secrets.join(', ')}`,
		vary === undefined ? undefined : `for ${vary.names.map(name => `\`${name}: ${valueOf(response, name)}\``).join(' and ')}, since it varies by that`,
		request?.body === undefined && request?.bodyParts === undefined ? undefined : 'for a request with a body',
		request?.trust === undefined ? undefined : 'for TLS settings of its own',
		decidedBy === 'origin' ? 'stored with `cacheControl: true`' : undefined,
	];
	const known = differences.filter(difference => difference !== undefined);
	return known.length > 0 ? known.join('; ') : 'a plain GET, so that other settings are part of its key';
}

/** Returns what the stored request had in a header; `REDACTED` for a credential. */
function valueOf({request}: CachedResponse, name: string): string {
	return [request?.headers[name] ?? ''].flat().join(', ');
}
