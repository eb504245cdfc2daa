import {coreOf, type HttpCache} from '../cache/http-cache.ts';
import type {Explanation} from '../cache/types.ts';
import {explainRequest} from '../exchange/explain.ts';
import {exchangeSettings} from '../exchange/settings.ts';
import {acceptedCodings} from '../got/cache-info.ts';
import {describedRequest, parseRequest, type DescribedRequest} from '../identity/sent-request.ts';
import {resolveRequestSettings, resolveSettings, type CacheSettings} from '../settings/settings.ts';
import {wrongUsage} from './failure.ts';
import {noteUnreadable} from './ls.ts';
import {withCache, type StoreFlags} from './open-cache.ts';
import type {Output} from './output.ts';
import {printableLine} from './printable.ts';
import {entriesOfUrl, whatDiffers, type EntriesOfUrl} from './same-url.ts';

export type RequestFlags = {
	/** Lines such as `accept: application/json`. */
	readonly header?: readonly string[];
	readonly request?: string;
};

export type ExplainFlags = StoreFlags & RequestFlags & {readonly json?: boolean};

/** Explains what would be done with a request, and what was assumed for that. */
export async function explain(output: Output, store: string, url: string, flags: ExplainFlags, signal: AbortSignal): Promise<void> {
	const {headers, ...described} = requestOf(url, flags);
	const request = {...described, headers: {...headersOfGot, ...headers}};
	await withCache(store, flags, 'read', async (cache, settings) => {
		// A store that fails would be a miss.
		await cache.ready();
		const {explanation, assumed} = await explainWith(cache, request, flags.settings === undefined ? undefined : settings);
		const others = explanation.stored === undefined ? await entriesOfUrl(cache, url, signal) : {same: [], similar: [], unreadable: 0};
		await (flags.json === true ? printJson(output, explanation, assumed, others) : print(output, explanation, assumed, others));
		noteUnreadable(output, others.unreadable);
	});
}

/** What Got sends by itself, and many a response varies by. */
const headersOfGot = {'accept-encoding': acceptedCodings, 'user-agent': 'got (https://github.com/sindresorhus/got)'};

/** Returns the request that the options describe. */
export function requestOf(url: string, {header = [], request: method}: RequestFlags): DescribedRequest {
	const headers: Record<string, string[]> = {};
	for (const line of header) {
		const {name, value} = /^(?<name>[^\s:]+):(?<value>.*)$/sv.exec(line)?.groups ?? {};
		if (name === undefined || value === undefined) {
			throw wrongUsage('A `--header` has another form than `name: value`, such as `--header "accept: application/json"`.');
		}

		(headers[name.toLowerCase()] ??= []).push(value.trim());
	}

	const fields: Record<string, string | string[]> = Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.length === 1 ? values[0]! : values]));
	return parseRequest({url, headers: fields, ...(method !== undefined && {method})});
}

type Explained = {
	readonly explanation: Explanation;

	/** What stands in place of the settings of the program; `undefined` if they are given. */
	readonly assumed: CacheSettings | undefined;
};

/** Explains by the settings of the program. Without them, by the defaults, and by RFC 9111 where a response is stored by it. */
async function explainWith(cache: HttpCache, request: DescribedRequest, settings: CacheSettings | undefined): Promise<Explained> {
	if (settings !== undefined) {
		return {explanation: await explainBy(cache, request, settings), assumed: undefined};
	}

	const candidates: readonly CacheSettings[] = [{cacheControl: false}, {cacheControl: true}];
	const explained: Explained[] = [];
	for (const assumed of candidates) {
		const explanation = await explainBy(cache, request, assumed); // eslint-disable-line no-await-in-loop -- The second only if the first finds nothing.
		if (explanation.stored !== undefined) {
			return {explanation, assumed};
		}

		explained.push({explanation, assumed});
	}

	return explained[0]!;
}

async function explainBy(cache: HttpCache, request: DescribedRequest, settings: CacheSettings): Promise<Explanation> {
	const core = coreOf(cache);
	const resolved = resolveSettings(settings);
	const ofRequest = exchangeSettings(resolved, resolveRequestSettings({}), core);
	// The cache is only read here, which says nothing about the cache of the program.
	return explainRequest(describedRequest(request), {...ofRequest, readOnly: resolved.readOnly}, core);
}

/** What the answer depends on, with the defaults that were taken. */
function assumptions({cacheControl}: CacheSettings): readonly string[] {
	return [
		cacheControl === true ? '`cacheControl: true`, since the stored response was stored so' : '`cacheControl: false`: the settings decide, and not the headers of the origin',
		'no `matchHeaders`, no `keyFn`, `partitionBy: \'credentials\'` and the default `ignoredParameters`: they make the key',
		'the headers that Got sends by itself, and those of `--header`',
		'no `alwaysRevalidate`, `onlyIfCached`, `staleWhileRevalidate` or `mode`, and no settings of the request',
	];
}

async function print(output: Output, {text, rules, stored, reason}: Explanation, assumed: CacheSettings | undefined, {same, similar, unreadable}: EntriesOfUrl): Promise<void> {
	const [decision = '', ...lines] = text.split('\n');
	await output.line(output.styled('bold', printableLine(decision)));
	// The last ones are the rules.
	await printLines(output, lines.slice(0, -rules.length));
	if (same.length > 0) {
		await printLines(output, ['', 'Other responses are stored for this URL:', ...same.map(entry => `- ${String(entry)}, ${whatDiffers(entry)} (key ${entry.cacheKey})`)]);
	} else if (similar.length > 0) {
		await printLines(output, ['', 'Nothing is stored for this URL, but for others with the same path:', ...similar.map(entry => `- ${String(entry)}`)]);
	} else if (unreadable > 0) {
		await printLines(output, ['', 'No entry that can be read is of this URL.']);
	} else if (stored === undefined && reason === 'miss') {
		await printLines(output, ['', 'Nothing is stored for this URL, whatever the request: no response has come so far, it could not be stored, or it has been deleted.']);
	}

	await printLines(output, ['', 'The rules, in their order; the last one that held decided:', ...lines.slice(-rules.length)]);
	if (assumed !== undefined) {
		await printLines(output, ['', 'Assumed, since no `--settings` names those of the program:', ...assumptions(assumed).map(assumption => `- ${assumption}`)]);
	}
}

async function printLines(output: Output, lines: readonly string[]): Promise<void> {
	for (const line of lines) {
		await output.line(printableLine(line)); // eslint-disable-line no-await-in-loop -- In their order.
	}
}

async function printJson(output: Output, {text: _text, ...explanation}: Explanation, assumed: CacheSettings | undefined, {same, similar}: EntriesOfUrl): Promise<void> {
	await output.json({
		...explanation,
		assumed: assumed === undefined ? [] : assumptions(assumed),
		others: same.map(entry => ({...entry.toJSON(), differs: whatDiffers(entry)})),
		similar: similar.map(({url}) => url),
	});
}
