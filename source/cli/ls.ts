import type {SortKey} from '../cache/criteria.ts';
import {
	CachedResponse,
	describeBytes,
	describeDuration,
} from '../entry/cached-response.ts';
import {messageOf} from './failure.ts';
import {withCache, type StoreFlags} from './open-cache.ts';
import type {Output} from './output.ts';
import {counted, printableLine} from './printable.ts';
import {EntrySelection, type Entry, type SelectionFlags} from './selection.ts';
import {holdsSeveralCaches} from './store-argument.ts';

export type ListFlags = StoreFlags & SelectionFlags & {
	readonly sort?: SortKey;
	readonly reverse?: boolean;
	readonly limit?: number;
	readonly json?: boolean;
};

/** The columns before the URL have a fixed width, so that a line is written as soon as its entry is read. */
const columns: ReadonlyArray<readonly [title: string, width: number]> = [['METHOD', 6], ['STATUS', 6], ['AGE', 6], ['FRESH UNTIL', 11], ['SIZE', 8]];

/** Lists entries, one a line. */
export async function list(output: Output, store: string, pattern: string | undefined, flags: ListFlags, signal: AbortSignal): Promise<void> {
	await withCache(store, flags, 'read', async cache => {
		const selected = await EntrySelection.of(cache, pattern === undefined ? flags : {...flags, pattern: [pattern, ...flags.pattern ?? []]});
		const entries = selected.list({by: flags.sort, descending: flags.reverse, limit: flags.limit}, {signal});
		const count = flags.json === true ? await printJson(output, entries) : await printTable(output, entries);
		if (count === 0) {
			const hint = holdsSeveralCaches(store) ? ' `--cache-name` says which cache of a server to read.' : '';
			output.note(await cache.count() === 0 ? `The store has no entries.${hint}` : 'No entry matches.');
		}

		if (flags.invalid !== true) {
			noteUnreadable(output, selected.unreadable);
		}
	});
}

/** Says that some entries cannot be read, which a program with other settings may be able to. */
export function noteUnreadable(output: Output, count: number): void {
	if (count > 0) {
		output.note(`${counted(count, 'entry', 'entries')} cannot be read. If the program has a \`serializer\` of its own, name its settings by \`--settings\`; \`ls --invalid\` shows why.`);
	}
}

async function printJson(output: Output, entries: AsyncIterable<Entry>): Promise<number> {
	let count = 0;
	await output.jsonArray((async function * () {
		for await (const entry of entries) {
			count++;
			yield jsonOf(entry);
		}
	})());
	return count;
}

/** Returns an entry as `--json` shows it. */
export function jsonOf(entry: Entry): object {
	return entry instanceof CachedResponse ? entry : {cacheKey: entry.cacheKey, error: messageOf(entry.error)};
}

async function printTable(output: Output, entries: AsyncIterable<Entry>): Promise<number> {
	let count = 0;
	for await (const entry of entries) {
		if (count === 0) {
			const titles = cells(columns.map(([title]) => title));
			await output.line(output.styled('bold', `${titles}  URL`));
		}

		await output.line(rowOf(output, entry));
		count++;
	}

	return count;
}

function rowOf(output: Output, entry: Entry): string {
	if (!(entry instanceof CachedResponse)) {
		return output.styled('red', printableLine(`${entry.cacheKey}  ${messageOf(entry.error)}`));
	}

	const {method, statusCode, size, url, tags, isExpired} = entry;
	const texts = [printableLine(method), String(statusCode), ageOf(entry), freshnessOf(entry), describeBytes(size)];
	const start = cells(texts);
	const shownTags = printableLine(`[${tags.join(', ')}]`);
	const end = tags.length === 0 ? '' : `  ${output.styled('cyan', shownTags)}`;
	return `${isExpired ? output.styled('dim', start) : start}  ${printableLine(url)}${end}`;
}

function cells(texts: readonly string[]): string {
	return texts.map((text, index) => text.padEnd(columns[index]![1])).join('  ');
}

/** Returns how long ago a response was received or validated. */
export function ageOf({createdAt}: CachedResponse): string {
	return describeDuration(Math.max(Date.now() - createdAt.getTime(), 0));
}

/** Returns when a response becomes stale, as a time from now. */
export function freshnessOf({expires}: CachedResponse): string {
	if (expires === undefined) {
		return 'forever';
	}

	const left = expires.getTime() - Date.now();
	return left > 0 ? `in ${describeDuration(left)}` : `${describeDuration(-left)} ago`;
}
