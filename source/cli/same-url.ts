import {coreOf, type HttpCache} from '../cache/http-cache.ts';
import {CachedResponse, storedOf} from '../entry/cached-response.ts';
import {redactUrl} from '../identity/references.ts';
import {EntrySelection} from './selection.ts';

const mostSimilar = 5;

export type EntriesOfUrl = {
	readonly same: readonly CachedResponse[];

	/** Some that have another query. */
	readonly similar: readonly CachedResponse[];

	/** The number of entries of the store that cannot be read, any of which may have the URL. */
	readonly unreadable: number;
};

/** Returns the entries that have a URL, whatever else is in their keys. The store is searched for them. */
export async function entriesOfUrl(cache: HttpCache, url: string, signal: AbortSignal): Promise<EntriesOfUrl> {
	const wanted = comparable(redactUrl(url, coreOf(cache).settings.ignoredParameters));
	const same: CachedResponse[] = [];
	const similar: CachedResponse[] = [];
	const selected = await EntrySelection.of(cache, {});
	for await (const response of selected.list({}, {signal})) {
		if (!(response instanceof CachedResponse)) {
			continue;
		}

		const known = comparable(response.url);
		if (known === wanted) {
			same.push(response);
		} else if (similar.length < mostSimilar && withoutQuery(known) === withoutQuery(wanted)) {
			similar.push(response);
		}
	}

	return {same, similar, unreadable: selected.unreadable};
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
