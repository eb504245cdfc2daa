import {CacheHooksError, listed} from '../errors.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {
	boolean,
	functionOf,
	parseOptions,
	type Parsers,
} from '../parse.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import type {CacheCore} from './core.ts';
import {
	isByKey,
	isFresh,
	isSelected,
	type Selection,
} from './criteria.ts';

export type LongTask = {
	/** Ends the task between two entries; what is done stays done. */
	readonly signal?: AbortSignal | undefined;

	/** Called after each entry with the number of entries that are done. */
	readonly onProgress?: ((done: number) => void) | undefined;
};

export type ListedEntry = {readonly key: string; readonly stored: StoredResponse; readonly error?: undefined};

/** An entry as a request finds it, or why no request finds it. */
export type Listed =
	| ListedEntry
	| {readonly key: string; readonly stored: undefined; readonly error: unknown};

/** An entry that no request finds. */
export class UnreachableEntryError extends CacheHooksError {
	constructor() {
		super('ERR_UNREACHABLE_ENTRY', 'No request finds the entry any more, because it was deleted by a tag, or is a variant of a deleted entry.');
	}
}

export const taskParsers: Parsers<LongTask> = {
	signal: {allowed: 'an AbortSignal', parse: value => value instanceof AbortSignal ? value : undefined},
	onProgress: functionOf('a function `(done) => void`'),
};

/**
Checks the options of a task.

@throws {SettingError} When one is unknown or wrong.
*/
export function checkTask(task: unknown): void {
	parseOptions(taskParsers, task, 'task');
}

/**
Lists all entries of the store, one at a time. An entry that cannot be read or that no request finds comes with the error.

@throws Where the store fails, or `signal` ends the task.
*/
export async function * listAll(core: CacheCore, {signal, onProgress}: LongTask): AsyncGenerator<Listed, void> {
	let done = 0;
	for await (const entry of core.managedEntries.inspect()) {
		signal?.throwIfAborted();
		const stored = entry.stored === undefined ? undefined : await reachable(core, entry.stored);
		if (stored === undefined) {
			yield {key: entry.key, stored, error: 'error' in entry ? entry.error : new UnreachableEntryError()};
		} else {
			yield {key: entry.key, stored};
		}

		onProgress?.(++done);
	}
}

/** Lists the selected entries: by their keys where nothing else is given, else by a search of the store. */
export async function * listSelected(core: CacheCore, selection: Selection, task: LongTask): AsyncGenerator<Listed, void> {
	if (isByKey(selection)) {
		yield * listKeys(core, selection.keys, task);
		return;
	}

	const {now} = core.settings;
	for await (const entry of listAll(core, task)) {
		if (entry.stored === undefined ? selection.invalid : isSelected(selection, entry.key, entry.stored, now())) {
			yield entry;
		}
	}
}

async function * listKeys(core: CacheCore, keys: Iterable<string> | AsyncIterable<string>, {signal, onProgress}: LongTask): AsyncGenerator<ListedEntry, void> {
	let done = 0;
	// One at a time, so that memory does not grow.
	for await (const key of keys) {
		signal?.throwIfAborted();
		const stored = await readReachable(core, key);
		if (stored !== undefined) {
			yield {key, stored};
		}

		onProgress?.(++done);
	}
}

/** Reads an entry by its key, as a request finds it. */
export function readReachable(core: CacheCore, key: string): MaybePromise<StoredResponse | undefined> {
	return then(core.managedEntries.read(key), stored => stored && reachable(core, stored));
}

function reachable(core: CacheCore, stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
	return then(core.managedVariants.reach(stored), reached => reached && core.applyInvalidations(reached));
}

type SortKey = 'createdAt' | 'expires' | 'key' | 'size';

export type Sorting = {
	/** `'size'` is that of `CachedResponse.size`: the stored bytes of the content. Default: `'createdAt'`. */
	readonly by?: SortKey | undefined;

	/** Default: `false`. */
	readonly descending?: boolean | undefined;

	/** The maximum number of responses. Default: all. */
	readonly limit?: number | undefined;

	/** Whether to include expired responses. Default: `true`. */
	readonly expired?: boolean | undefined;
};

const valueOf: Readonly<Record<SortKey, (key: string, stored: StoredResponse) => number | string>> = {
	createdAt: (_key, stored) => stored.createdAt,
	expires: (_key, stored) => stored.expires ?? Infinity,
	key: key => key,
	size: (_key, stored) => stored.body.byteLength,
};

/** The orders for which an index of a store suffices: it lacks entries that never expire, and the size of a body in another form. */
const indexed: ReadonlySet<string> = new Set(['createdAt', 'key']);

const sortingParsers: Parsers<Sorting> = {
	by: {
		allowed: listed(Object.keys(valueOf).map(name => `'${name}'`), 'or'),
		parse: value => typeof value === 'string' && Object.hasOwn(valueOf, value) ? value as SortKey : undefined,
	},
	descending: boolean,
	limit: {
		allowed: 'a whole number from 0',
		parse: value => Number.isSafeInteger(value) && (value as number) >= 0 ? value as number : undefined,
	},
	expired: boolean,
};

/**
Checks the options of `sorted`.

@throws {SettingError} When an option is unknown or wrong.
*/
export function checkSorting(sorting: unknown): void {
	parseOptions(sortingParsers, sorting, 'sorting');
}

/**
Lists entries in order: by an index of the store where it suffices, else by keys and sort values that are held in memory. Bodies are read one at a time.
*/
export async function * listSorted(core: CacheCore, sorting: Sorting, task: LongTask): AsyncGenerator<ListedEntry, void> {
	const {limit = Infinity, expired = true} = sorting;
	const {now} = core.settings;
	let left = limit;
	if (left === 0) {
		return;
	}

	for await (const entry of listInOrder(core, sorting, task)) {
		if (!expired && !isFresh(entry.stored, now())) {
			continue;
		}

		yield entry;
		left--;
		if (left === 0) {
			return;
		}
	}
}

async function * listInOrder(core: CacheCore, {by = 'createdAt', descending = false}: Sorting, task: LongTask): AsyncGenerator<ListedEntry, void> {
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
