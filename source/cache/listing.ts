import {CacheHooksError} from '../errors.ts';
import {identify} from '../identity/identify.ts';
import {redactUrl, resourceOf} from '../identity/references.ts';
import {connectionUrl, type SentRequest} from '../identity/sent-request.ts';
import type {StoredRequest} from '../identity/stored-request.ts';
import type {StoredResponse} from '../entry/stored-response.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {isAlias, targetFields} from './compose-response.ts';
import type {CacheCore} from './core.ts';
import type {Listed, ListedEntry} from './entries.ts';
import {
	checkedTarget,
	isFresh,
	isByKey,
	isSelected,
	type LongTask,
	type NamedRequest,
	type Selection,
	type SortKey,
	type Sorting,
	type Target,
} from './criteria.ts';

/**
Finds the entry of a target, fresh or not.

@throws {TypeError} If the target is invalid.
*/
export async function findTarget(core: CacheCore, target: Target): Promise<ListedEntry | undefined> {
	const named = checkedTarget(target);
	if (typeof named === 'string') {
		const stored = await readReachable(core, named);
		return stored && {key: named, stored};
	}

	const primary = await identify(named.request, core.settings).key(core.secret);
	return await firstMatch(core, primary === undefined ? [] : [primary], named) ?? firstMatch(core, await aliasKeys(core, [named]), named);
}

async function firstMatch(core: CacheCore, keys: readonly string[], {request}: NamedRequest): Promise<ListedEntry | undefined> {
	for (const key of keys) {
		const match = await core.managedVariants.match(key, request.fields); // eslint-disable-line no-await-in-loop -- Only the first match is needed.
		const stored = match.stored && await core.applyInvalidations(match.stored); // eslint-disable-line no-await-in-loop
		if (stored !== undefined && match.stored !== undefined) {
			return {key: match.key, stored};
		}
	}

	return undefined;
}

/** Returns the keys of the entries that answer one of the requests. */
export async function keysOf(core: CacheCore, named: readonly NamedRequest[]): Promise<string[]> {
	const keys = await Promise.all(named.map(async ({request}) => identify(request, core.settings).key(core.secret)));
	return [...keys.filter(key => key !== undefined), ...await aliasKeys(core, named)];
}

/**
Returns the keys of the entries that answer one of the requests, but have TLS settings that the request does not name, or, for a request by URL, came through another connection. The store is searched only if there may be any.
*/
async function aliasKeys(core: CacheCore, named: readonly NamedRequest[]): Promise<string[]> {
	if (named.length === 0 || !await core.aliases.isSet()) {
		return [];
	}

	const {settings, secret} = core;
	const byResource = Map.groupBy(named, ({request}) => resourceOf(redactUrl(request.targetUrl, settings.ignoredParameters)));
	const keys: string[] = [];
	for await (const {key, stored} of listAll(core, {})) {
		// A variant is found through its primary entry.
		if (stored?.request === undefined || stored.primary !== undefined || !isAlias(stored)) {
			continue;
		}

		for (const {request, isByUrl} of byResource.get(resourceOf(stored.url)) ?? []) {
			const alias = isByUrl ? throughItsConnection(request, stored.request) : {...request, trust: stored.request.trust};
			if (await identify(alias, settings).key(secret) === key) { // eslint-disable-line no-await-in-loop -- As the entries come.
				keys.push(key);
			}
		}
	}

	return keys;
}

/** Returns a request as it would be sent to the same target through the connection of a stored request. */
function throughItsConnection(request: SentRequest, stored: StoredRequest): SentRequest {
	return {
		...request,
		url: connectionUrl(request.targetUrl, stored.url),
		fields: {...request.fields, ...targetFields(stored)},
		trust: stored.trust,
	};
}

/** An entry that no request finds. */
export class UnreachableEntryError extends CacheHooksError {
	constructor() {
		super('ERR_UNREACHABLE_ENTRY', 'No request finds the entry any more, because it was deleted by a tag, or is a variant of a deleted entry.');
	}
}

/**
Lists all entries of the store, one at a time. An entry that cannot be read or that no request finds comes with the error.

@throws If the store fails, or `signal` ends the task.
*/
export async function * listAll(core: CacheCore, {signal, onProgress}: LongTask): AsyncGenerator<Listed, void> {
	let done = 0;
	for await (const entry of core.managedEntries.inspect()) {
		signal?.throwIfAborted();
		const stored = entry.stored && await reachable(core, entry.stored);
		if (entry.stored === undefined) {
			yield entry;
		} else {
			yield stored === undefined ? {key: entry.key, stored, error: new UnreachableEntryError()} : {key: entry.key, stored};
		}

		onProgress?.(++done);
	}
}

/** Lists the selected entries: by their keys if nothing else is given, else by a search of the store. */
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
function readReachable(core: CacheCore, key: string): MaybePromise<StoredResponse | undefined> {
	return then(core.managedEntries.read(key), stored => stored && reachable(core, stored));
}

function reachable(core: CacheCore, stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
	return then(core.managedVariants.findReachable(stored), reached => reached && core.applyInvalidations(reached));
}

const valueOf: Readonly<Record<SortKey, (key: string, stored: StoredResponse) => number | string>> = {
	createdAt: (_key, stored) => stored.createdAt,
	expires: (_key, stored) => stored.expires ?? Infinity,
	key: key => key,
	size: (_key, stored) => stored.byteLength,
};

/** The orders for which an index of a store suffices: it lacks entries that never expire, and the size of a body in another form. */
const indexed: ReadonlySet<string> = new Set(['createdAt', 'key']);

/**
Lists entries in order: by an index of the store if it suffices, else by keys and sort values that are held in memory. Bodies are read one at a time.
*/
export async function * listSorted(core: CacheCore, sorting: Sorting, task: LongTask): AsyncGenerator<ListedEntry, void> {
	const {limit = Infinity, expired = true} = sorting;
	const {now} = core.settings;
	if (limit === 0) {
		return;
	}

	let count = 0;

	for await (const entry of listInOrder(core, sorting, task)) {
		if (expired || isFresh(entry.stored, now())) {
			yield entry;
			count++;
		}

		if (count === limit) {
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
