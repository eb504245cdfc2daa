import type {StoredResponse} from '../entry/stored-response.ts';
import type {Expiration} from '../policy/expiration.ts';
import {originFacts} from '../policy/facts.ts';
import {expiresAt, retained} from '../policy/freshness.ts';
import type {CacheCore} from './core.ts';
import {isMeant, type Selection} from './criteria.ts';
import {newMark} from './entries.ts';
import type {Deed, Invalidation} from './journal.ts';
import {
	HiddenEntryError,
	isByKey,
	listAll,
	listMeant,
} from './listing.ts';
import {policySettings} from './compose-response.ts';
import type {LongTask} from './recreate-keys.ts';

// So many are deleted at a time.
const batchSize = 100;

/**
Deletes what is meant.

@returns How many entries were deleted one by one; what is deleted by a tag is not looked for.
*/
export async function deleteMeant(core: CacheCore, selection: Selection, task: LongTask): Promise<number> {
	await core.settleLate();
	await note(core, selection, 'deleted');
	let count = await deleteKeys(core, selection.keys, 'keys');
	if (isIndexed(core, selection)) {
		count += await deleteByIndex(core, selection, task);
		if (!await core.hidden.isThere()) {
			return count;
		}
	}

	// What a tag has expired no index knows; few are left to look at.
	if (isScan(selection)) {
		count += await deleteByScan(core, selection, task);
	}

	return count;
}

/**
Marks what is meant as expired; it stays, to be validated or to stand in for an error.

@returns How many entries were marked one by one; what is expired by a tag is not looked for.
*/
export async function expireMeant(core: CacheCore, selection: Selection, task: LongTask): Promise<number> {
	await core.settleLate();
	await note(core, selection, 'expired');
	const byOthers = {...selection, tags: new Set<string>()};
	if (!isByKey(byOthers) && !isScan(byOthers)) {
		return 0;
	}

	let count = 0;
	const {now} = core.settings;
	for await (const {key, stored} of listMeant(core, byOthers, task)) {
		// A primary entry that has expired itself may have variants that have not.
		if (!(stored !== undefined && (isFresh(stored, now()) || isPrimary(stored)) && await rewrite(core, key, expiredNow))) {
			continue;
		}

		core.removed('expired', {reason: 'expire', key});
		count++;
	}

	return count;
}

/**
Gives each entry another expiration, counted from now.

@returns How many there were.
*/
export async function resetExpirations(core: CacheCore, expiration: Exclude<Expiration, {kind: 'do-not-cache'}>, selection: Selection, task: LongTask): Promise<number> {
	await core.settleLate();
	const reset = (entry: StoredResponse, now: number): StoredResponse => {
		const {expiredWith: _expiredWith, ...stored} = entry;
		return withExpiration(core, stored, expiresAt(expiration, now), now);
	};

	let count = 0;
	for await (const {key, stored} of listMeant(core, selection, task)) {
		if (stored !== undefined && await rewrite(core, key, async (entry, now) => {
			// One that a tag has deleted meanwhile stays so.
			const current = await core.judge(entry);
			return current && core.current(reset(current, now));
		})) {
			count++;
		}
	}

	return count;
}

/** An entry with another expiration, kept as long as that asks for. */
export function withExpiration(core: CacheCore, stored: StoredResponse, expires: number | undefined, now: number): StoredResponse {
	const settings = policySettings(core.settings);
	return {...stored, ...retained(expires, now, settings, originFacts(stored, settings))};
}

function expiredNow(stored: StoredResponse, now: number, core: CacheCore): StoredResponse {
	const expired = isFresh(stored, now) ? withExpiration(core, stored, now, now) : stored;
	return isPrimary(stored) ? {...expired, expiredWith: newMark(now)} : expired;
}

type Change = (stored: StoredResponse, now: number, core: CacheCore) => StoredResponse | undefined | Promise<StoredResponse | undefined>;

async function rewrite(core: CacheCore, key: string, change: Change): Promise<boolean> {
	return core.exclusively(key, async () => {
		const stored = await core.managedEntries.read(key);
		const changed = stored && await change(stored, core.settings.now(), core);
		if (changed === undefined) {
			return false;
		}

		await core.managedEntries.write(key, changed);
		return true;
	});
}

/** Notes what is done, so that what was asked for before is not stored after. */
async function note(core: CacheCore, {tags, keys, patterns, valid}: Selection, deed: Deed): Promise<void> {
	const matching: Invalidation = {kind: 'matching', concerns: ({url}) => valid || patterns.some(matches => matches(url))};
	const invalidations: Invalidation[] = [
		...Array.from(tags, tag => ({kind: 'tag', tag, deed}) as const),
		...Array.from(keys, key => ({kind: 'key', key}) as const),
		...(valid || patterns.length > 0 ? [matching] : []),
	];

	if (tags.size > 0) {
		await core.hidden.set();
	}

	await core.journal.note(invalidations);
	for (const tag of tags) {
		core.removed(deed, {reason: 'tags', tag});
	}
}

async function deleteKeys(core: CacheCore, keys: Iterable<string>, reason: string): Promise<number> {
	let count = 0;
	for (const key of keys) {
		if (!await core.managed.delete(key)) { // eslint-disable-line no-await-in-loop -- The store is not to be flooded.
			continue;
		}

		core.removed('deleted', {reason, key});
		count++;
	}

	return count;
}

/**
Deletes what is found to be of a kind, whatever the criteria of users can name. Everything stored is looked at.

@returns How many entries there were.
*/
export async function deleteWhere(core: CacheCore, isOfKind: (stored: StoredResponse) => boolean, reason: string): Promise<number> {
	await core.settleLate();
	let count = 0;
	for await (const {key, stored} of listAll(core, {})) {
		if (stored === undefined || !isOfKind(stored)) {
			continue;
		}

		core.delete(key, reason);
		count++;
	}

	await core.settle();
	return count;
}

/** Whether an index, where the store has one, tells what is asked; of what nobody finds any more it tells, too. */
function isIndexed(core: CacheCore, {patterns, valid, expired, invalid, olderThan}: Selection): boolean {
	return core.store.deleteFound !== undefined
		&& (expired || olderThan !== undefined) && !valid && !invalid && patterns.length === 0;
}

async function deleteByIndex(core: CacheCore, {expired, olderThan}: Selection, {signal, onProgress}: LongTask): Promise<number> {
	const queries = [
		{reason: 'expired', query: expired ? {staleAt: core.settings.now()} : undefined},
		{reason: 'olderThan', query: olderThan === undefined ? undefined : {createdBefore: olderThan}},
	];
	let total = 0;
	for (const {reason, query} of queries) {
		signal?.throwIfAborted();
		const count = query === undefined ? 0 : await core.store.deleteFound!(query); // eslint-disable-line no-await-in-loop -- One after the other, so that nothing is counted twice.
		if (count === 0) {
			continue;
		}

		total += count;
		core.removed('deleted', {reason, count});
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
		// What nobody finds goes in passing; so does what cannot be read, but only if that is asked for.
		const isGone = stored === undefined && error instanceof HiddenEntryError;
		const isChosen = stored === undefined ? selection.invalid : isMeant(selection, key, stored, now());
		if (isChosen || isGone) {
			batch.push(key);
		}

		if (isChosen) {
			core.removed('deleted', {reason: 'criteria', key});
			count++;
		}

		if (batch.length === batchSize) {
			await flush();
		}
	}

	await flush();
	return count;
}

function isScan({patterns, valid, expired, invalid, olderThan}: Selection): boolean {
	return patterns.length > 0 || valid || expired || invalid || olderThan !== undefined;
}

function isFresh({expires}: StoredResponse, now: number): boolean {
	return expires === undefined || expires > now;
}

function isPrimary({vary, primary}: StoredResponse): boolean {
	return vary !== undefined && primary === undefined;
}
