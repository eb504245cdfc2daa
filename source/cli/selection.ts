import type {CacheCore} from '../cache/core.ts';
import {
	forListing,
	isByKey,
	isSelected,
	parseCriteria,
	type Criteria,
	type LongTask,
	type Selection,
	type Sorting,
} from '../cache/criteria.ts';
import type {Listed} from '../cache/entries.ts';
import {coreOf, type HttpCache} from '../cache/http-cache.ts';
import {
	keysOf,
	listAll,
	listSelected,
	listSorted,
	UnreachableEntryError,
} from '../cache/listing.ts';
import {CachedResponse, InvalidEntry} from '../entry/cached-response.ts';
import {NEVER_EXPIRE, parseExpiration, type ExpirationTime} from '../policy/expiration.ts';
import {wrongUsage} from './failure.ts';

/** The options of a command that select entries. */
export type SelectionFlags = {
	readonly key?: readonly string[];
	readonly url?: readonly string[];
	readonly pattern?: readonly string[];
	readonly tag?: readonly string[];
	readonly valid?: boolean;
	readonly expired?: boolean;
	readonly invalid?: boolean;
	readonly olderThan?: string;

	/** Whether an entry must match all criteria instead of any. */
	readonly all?: boolean;
};

/** Returns the criteria of the options, as `HttpCache.filter` takes them. */
export function criteriaOf({key, url, pattern, tag, valid, expired, invalid, olderThan}: SelectionFlags): Criteria {
	const criteria = {
		keys: key, urls: url, patterns: pattern, tags: tag, valid, expired, invalid, olderThan: olderThan === undefined ? undefined : ageOf(olderThan),
	};
	return Object.fromEntries(Object.entries(criteria).filter(([, value]) => value !== undefined));
}

function ageOf(text: string): string | number | Date {
	const time = timeOf(text);
	if (text.startsWith('-') || parseExpiration(time, Date.now()) === undefined) {
		throw wrongUsage(`\`--older-than ${text}\` is no time. Give seconds, a duration such as \`5m\` or \`7d\`, or a date such as \`2026-01-31\`.`);
	}

	return time;
}

/** Returns a time that a user has written: a date, a number of seconds, or a duration with units. */
export function timeOf(text: string): string | number | Date {
	if (/^\d+(?:\.\d+)?$/v.test(text)) {
		return Number(text);
	}

	return /^\d{4}-\d\d-\d\d(?:T|$)/v.test(text) ? new Date(text) : text;
}

/**
Returns an expiration that a user has written.

@throws {Failure} If it is none.
*/
export function expirationOf(text: string): ExpirationTime {
	const time = text === 'never' ? NEVER_EXPIRE : timeOf(text);
	if (parseExpiration(time, Date.now()) === undefined) {
		throw wrongUsage(`\`--expire-after ${text}\` is no time. Give seconds, a duration such as \`5m\` or \`7d\`, a date such as \`2026-01-31\`, or \`never\`.`);
	}

	return time;
}

/** An entry that matches, or that cannot be read and was asked for. */
export type Entry = CachedResponse | InvalidEntry;

type Order = Pick<Sorting, 'by' | 'descending' | 'limit'>;

/** The entries of a cache that the options of a command select. */
export class EntrySelection {
	/** The number of entries that were met so far and cannot be read. */
	unreadable = 0;
	readonly #core: CacheCore;

	/** An entry must match each. */
	readonly #selections: readonly Selection[];

	private constructor(core: CacheCore, selections: readonly Selection[]) {
		this.#core = core;
		this.#selections = selections;
	}

	/** Throws a `SettingError` for a wrong criterion. */
	static async of(cache: HttpCache, flags: SelectionFlags): Promise<EntrySelection> {
		const core = coreOf(cache);
		const criteria = criteriaOf(flags);
		const separate = flags.all === true ? Object.entries(criteria).map(([name, value]) => ({[name]: value})) : [];
		const parsed = await Promise.all((separate.length > 0 ? separate : [criteria]).map(async each => parseCriteria(each, async requests => keysOf(core, requests), core.settings.now())));
		return new EntrySelection(core, parsed.map(selection => forListing(selection)));
	}

	/** Lists the entries, in the order of the store unless `by` names another. Entries that cannot be read have no place in another order. */
	async * list({limit = Infinity, ...order}: Order = {}, task: LongTask = {}): AsyncGenerator<Entry, void> {
		const {now} = this.#core.settings;
		if (limit === 0) {
			return;
		}

		let count = 0;

		for await (const {key, stored, error} of this.#listed(order, task)) {
			if (stored === undefined && !(error instanceof UnreachableEntryError)) {
				this.unreadable++;
			}

			if (this.#selections.some(selection => !(stored === undefined ? selection.invalid : isSelected(selection, key, stored, now())))) {
				continue;
			}

			yield stored === undefined ? new InvalidEntry(key, error) : new CachedResponse(key, stored, now);
			count++;
			if (count === limit) {
				return;
			}
		}
	}

	#listed(order: Order, task: LongTask): AsyncGenerator<Listed, void> {
		const [only, ...others] = this.#selections as [Selection, ...Selection[]];
		if (order.by !== undefined) {
			return listSorted(this.#core, order, task);
		}

		return others.length === 0 && isByKey(only) ? listSelected(this.#core, only, task) : listAll(this.#core, task);
	}
}
