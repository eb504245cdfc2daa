import {CacheHooksError, SettingError} from '../errors.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {CacheCore} from './core.ts';
import {checkNames, isMeant, type Selection} from './criteria.ts';
import type {LongTask} from './recreate-keys.ts';

/** An entry as whoever asks for it finds it, or why nobody does. */
export type Listed =
	| {readonly key: string; readonly stored: StoredResponse; readonly error?: undefined}
	| {readonly key: string; readonly stored: undefined; readonly error: unknown};

type Found = Extract<Listed, {readonly stored: StoredResponse}>;

/** What is stored and found by nobody. */
export class HiddenEntryError extends CacheHooksError {
	constructor() {
		super('ERR_HIDDEN_ENTRY', 'Nobody finds it any more: it was deleted by a tag, or is a variant of what is gone');
	}
}

/**
Everything in the store, one at a time: what cannot be read or found any more comes with the reason.

@throws Where the store fails, or `signal` ends it.
*/
export async function * listAll(core: CacheCore, {signal, onProgress}: LongTask): AsyncGenerator<Listed, void> {
	let done = 0;
	for await (const entry of core.managedEntries.inspect()) {
		signal?.throwIfAborted();
		const stored = entry.stored === undefined ? undefined : await visible(core, entry.stored);
		if (stored === undefined) {
			yield {key: entry.key, stored, error: 'error' in entry ? entry.error : new HiddenEntryError()};
		} else {
			yield {key: entry.key, stored};
		}

		onProgress?.(++done);
	}
}

/** Those that are meant; by their keys alone where nothing else is given. */
export async function * listMeant(core: CacheCore, selection: Selection, task: LongTask): AsyncGenerator<Listed, void> {
	if (isByKey(selection)) {
		yield * listKeys(core, selection.keys, task);
		return;
	}

	const {now} = core.settings;
	for await (const entry of listAll(core, task)) {
		if (entry.stored === undefined ? selection.invalid : isMeant(selection, entry.key, entry.stored, now())) {
			yield entry;
		}
	}
}

async function * listKeys(core: CacheCore, keys: Iterable<string> | AsyncIterable<string>, {signal, onProgress}: LongTask): AsyncGenerator<Found, void> {
	let done = 0;
	// One at a time keeps the memory flat.
	for await (const key of keys) {
		signal?.throwIfAborted();
		const stored = await readVisible(core, key);
		if (stored !== undefined) {
			yield {key, stored};
		}

		onProgress?.(++done);
	}
}

/** An entry by its key, as whoever asks for it finds it. */
export function readVisible(core: CacheCore, key: string): MaybePromise<StoredResponse | undefined> {
	return then(core.managedEntries.read(key), stored => stored && visible(core, stored));
}

function visible(core: CacheCore, stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
	return then(core.managedVariants.reach(stored), reached => reached && core.judge(reached));
}

/** Whether nothing but keys is given. */
export function isByKey({keys, tags, patterns, valid, expired, invalid, olderThan, withoutValid, withoutExpired}: Selection): boolean {
	return keys.size > 0 && tags.size === 0 && patterns.length === 0 && !valid && !expired && !invalid && olderThan === undefined && !withoutValid && !withoutExpired;
}

type SortKey = 'createdAt' | 'expires' | 'key' | 'size';

export type Sorting = {
	/** `'size'` is that of `CachedResponse.size`: the bytes that are stored of the content. Default: `'createdAt'`. */
	readonly by?: SortKey | undefined;

	/** Default: `false`. */
	readonly descending?: boolean | undefined;

	/** How many there are at most. Default: all. */
	readonly limit?: number | undefined;

	/** Whether what has expired is among them. Default: `true`. */
	readonly expired?: boolean | undefined;
};

const valueOf: Readonly<Record<SortKey, (key: string, stored: StoredResponse) => number | string>> = {
	createdAt: (_key, stored) => stored.createdAt,
	expires: (_key, stored) => stored.expires ?? Infinity,
	key: key => key,
	size: (_key, stored) => stored.body.byteLength,
};

/** By what an index of a store sorts as we do: none has what never expires, nor the size of a body in any other form. */
const indexed: ReadonlySet<string> = new Set(['createdAt', 'key']);
const sortingNames: ReadonlySet<string> = new Set(['by', 'descending', 'limit', 'expired']);

/**
Checks how entries are to be sorted.

@throws {TypeError} Where an option is unknown or wrong: it names which, and what is allowed.
*/
export function checkSorting(sorting: Sorting): void {
	checkNames(sorting, 'sorting', sortingNames);
	const {by = 'createdAt', descending = false, limit = 0, expired = true} = sorting;
	if (!Object.hasOwn(valueOf, by)) {
		throw new SettingError('sorting.by', by, `one of \`'${Object.keys(valueOf).join('\'`, `\'')}'\``);
	}

	if (!Number.isSafeInteger(limit) || limit < 0) {
		throw new SettingError('sorting.limit', limit, 'a whole number from 0');
	}

	for (const [name, value] of Object.entries({descending, expired})) {
		if (typeof value !== 'boolean') {
			throw new SettingError(`sorting.${name}`, value, 'a boolean');
		}
	}
}

/**
Entries in order: by an index where the store has one that tells all, else by keys and what they are sorted by, which are held in memory; bodies are read one at a time.
*/
export async function * listSorted(core: CacheCore, sorting: Sorting, task: LongTask): AsyncGenerator<Found, void> {
	const {limit = Infinity, expired = true} = sorting;
	const {now} = core.settings;
	let left = limit;
	if (left === 0) {
		return;
	}

	for await (const found of listInOrder(core, sorting, task)) {
		if (!expired && found.stored.expires !== undefined && found.stored.expires <= now()) {
			continue;
		}

		yield found;
		left--;
		if (left === 0) {
			return;
		}
	}
}

async function * listInOrder(core: CacheCore, {by = 'createdAt', descending = false}: Sorting, task: LongTask): AsyncGenerator<Found, void> {
	if (indexed.has(by) && core.store.find !== undefined) {
		yield * listKeys(core, core.store.find({orderBy: by as 'createdAt' | 'key', descending}), task);
		return;
	}

	const order: Array<readonly [key: string, value: number | string]> = [];
	for await (const {key, stored} of listAll(core, {signal: task.signal})) {
		if (stored !== undefined) {
			order.push([key, valueOf[by](key, stored)]);
		}
	}

	const sign = descending ? -1 : 1;
	order.sort(([, one], [, other]) => one === other ? 0 : (one < other ? -sign : sign));
	yield * listKeys(core, order.map(([key]) => key), task);
}
