import type {StoredResponse} from '../entry/stored-response.ts';
import {expiresAt} from '../policy/freshness.ts';
import {withExpiration} from './compose-response.ts';
import type {CacheCore} from './core.ts';
import {
	isFresh,
	isSelected,
	needsSearch,
	type LongTask,
	type Selection,
} from './criteria.ts';
import type {Effect, Invalidation} from './journal-records.ts';
import {listAll, listSelected, UnreachableEntryError} from './listing.ts';
import {newExpiredWith} from './entries.ts';
import type {StoredExpiration} from './saving.ts';

// The number of entries that are deleted at a time.
const batchSize = 100;

/**
Deletes the selected entries.

@returns The number of entries that were deleted one by one; entries that a tag deletes are not searched for.
*/
export async function deleteSelected(core: CacheCore, selection: Selection, task: LongTask): Promise<number> {
	await core.settleLate();
	await invalidateSelected(core, selection, 'deleted');
	let count = await deleteKeys(core, selection.keys);
	if (isIndexed(core, selection)) {
		count += await deleteByIndex(core, selection, task);
		if (!await core.unreachable.isSet()) {
			return count;
		}
	}

	// An index does not know of entries that a tag has expired; few are left to scan.
	if (needsSearch(selection)) {
		count += await deleteByScan(core, selection, task);
	}

	return count;
}

/**
Expires the selected entries. They stay, to be validated or to be served in place of an error.

@returns The number of entries that were expired one by one; entries that a tag expires are not searched for.
*/
export async function expireSelected(core: CacheCore, selection: Selection, task: LongTask): Promise<number> {
	await core.settleLate();
	await invalidateSelected(core, selection, 'expired');
	const byOtherCriteria = {...selection, tags: new Set<string>()};
	if (selection.keys.size === 0 && !needsSearch(selection)) {
		return 0;
	}

	let count = 0;
	const {now} = core.settings;
	for await (const {key, stored} of listSelected(core, byOtherCriteria, task)) {
		// A primary entry that has expired itself may have variants that have not.
		const canExpire = stored !== undefined && (isFresh(stored, now()) || isPrimary(stored));
		if (!canExpire || !await rewrite(core, key, expiredNow)) {
			continue;
		}

		core.events.removed('expired', {reason: 'expire', key});
		count++;
	}

	return count;
}

/**
Gives the selected entries another expiration, counted from now.

@returns The number of entries.
*/
export async function resetExpirations(core: CacheCore, expiration: StoredExpiration, selection: Selection, task: LongTask): Promise<number> {
	await core.settleLate();
	const reset: Change = async (entry, now) => {
		// An entry that a tag has deleted meanwhile stays deleted.
		const current = await core.applyInvalidations(entry);
		if (current === undefined) {
			return undefined;
		}

		const {expiredWith: _expiredWith, ...stored} = current;
		return core.withCurrentPosition(withExpiration(stored, expiresAt(expiration, now), now, core.settings));
	};

	let count = 0;
	for await (const {key, stored} of listSelected(core, selection, task)) {
		if (stored !== undefined && await rewrite(core, key, reset)) {
			count++;
		}
	}

	return count;
}

function expiredNow(stored: StoredResponse, now: number, core: CacheCore): StoredResponse {
	const expired = isFresh(stored, now) ? withExpiration(stored, now, now, core.settings) : stored;
	return isPrimary(stored) ? {...expired, expiredWith: newExpiredWith(now)} : expired;
}

type Change = (stored: StoredResponse, now: number, core: CacheCore) => StoredResponse | undefined | Promise<StoredResponse | undefined>;

async function rewrite(core: CacheCore, key: string, change: Change): Promise<boolean> {
	return core.writes.exclusively(key, async () => {
		const stored = await core.managedEntries.read(key);
		const changed = stored && await change(stored, core.settings.now(), core);
		if (changed === undefined) {
			return false;
		}

		await core.managedEntries.write(key, changed);
		return true;
	});
}

/** Invalidates the selected entries in the journal, so that responses that were requested before are not stored after it. */
async function invalidateSelected(core: CacheCore, {tags, keys, patterns, valid}: Selection, effect: Effect): Promise<void> {
	const matching: Invalidation = {kind: 'matching', concerns: ({url}) => valid === true || patterns.some(matches => matches(url))};
	const invalidations: Invalidation[] = [
		...Array.from(tags, tag => ({kind: 'tag', tag, effect}) as const),
		...Array.from(keys, key => ({kind: 'key', key}) as const),
		...(valid === true || patterns.length > 0 ? [matching] : []),
	];

	if (tags.size > 0) {
		await core.unreachable.set();
	}

	await core.journal.invalidate(invalidations);
	for (const tag of tags) {
		core.events.removed(effect, {reason: 'tags', tag});
	}
}

async function deleteKeys(core: CacheCore, keys: Iterable<string>): Promise<number> {
	let count = 0;
	for (const key of keys) {
		if (!await core.managed.delete(key)) { // eslint-disable-line no-await-in-loop -- One call at a time limits the load on the store.
			continue;
		}

		core.events.removed('deleted', {reason: 'keys', key});
		count++;
	}

	return count;
}

/** Deletes all entries for which a condition is true, by a search of the store. */
export async function deleteWhere(core: CacheCore, condition: (stored: StoredResponse) => boolean, reason: string): Promise<void> {
	await core.settleLate();
	for await (const {key, stored} of listAll(core, {})) {
		if (stored !== undefined && condition(stored)) {
			core.writes.delete(key, reason);
		}
	}

	await core.writes.settle();
}

/** Whether the store has an index that finds the selected entries. It also finds unreachable ones. */
function isIndexed(core: CacheCore, {patterns, valid, expired, invalid, olderThan}: Selection): boolean {
	return core.store.deleteFound !== undefined
		&& (expired === true || olderThan !== undefined) && valid === undefined && !invalid && patterns.length === 0;
}

async function deleteByIndex(core: CacheCore, {expired, olderThan}: Selection, {signal, onProgress}: LongTask): Promise<number> {
	const queries = [
		{reason: 'expired', query: expired === true ? {staleAt: core.settings.now()} : undefined},
		{reason: 'olderThan', query: olderThan === undefined ? undefined : {createdBefore: olderThan}},
	];
	let total = 0;
	for (const {reason, query} of queries) {
		signal?.throwIfAborted();
		const count = query === undefined ? 0 : await core.store.deleteFound!(query); // eslint-disable-line no-await-in-loop -- One after the other, so that no entry is counted twice.
		if (!(count > 0)) {
			continue;
		}

		total += count;
		core.events.removed('deleted', {reason, count});
		onProgress?.(total);
	}

	return total;
}

async function deleteByScan(core: CacheCore, selection: Selection, task: LongTask): Promise<number> {
	const {now} = core.settings;
	let count = 0;
	let batch: string[] = [];
	const flush = async (): Promise<void> => {
		const keys = batch;
		batch = [];
		await core.managed.deleteMany(keys);
	};

	for await (const {key, stored, error} of listAll(core, task)) {
		// Unreachable entries are deleted in passing; entries that cannot be read only with `invalid`.
		const isUnreachable = stored === undefined && error instanceof UnreachableEntryError;
		const isChosen = stored === undefined ? selection.invalid : isSelected(selection, key, stored, now());
		if (isChosen || isUnreachable) {
			batch.push(key);
		}

		if (isChosen) {
			core.events.removed('deleted', {reason: 'criteria', key});
			count++;
		}

		if (batch.length === batchSize) {
			await flush();
		}
	}

	await flush();
	return count;
}

function isPrimary({vary, primary}: StoredResponse): boolean {
	return vary !== undefined && primary === undefined;
}
