import type {CacheCore} from './core.ts';
import {listAll} from './listing.ts';
import type {LongTask} from './recreate-keys.ts';

/** What became of the entries of another cache. */
export type UpdatedCache = {
	readonly copied: number;

	/** What cannot be read or found there, what a tag of this cache has deleted or expired since, and what only the secret of the other cache finds. */
	readonly skipped: number;
};

/** Copies what another cache holds, one entry at a time, with its expirations. What lies under the same key is overwritten. */
export async function copyEntries(core: CacheCore, other: CacheCore, task: LongTask): Promise<UpdatedCache> {
	await Promise.all([core.settle(), other.settle()]);
	const isOneSecret = await core.secrets.adopt(await other.secret());
	let copied = 0;
	let skipped = 0;
	for await (const {key, stored} of listAll(other, task)) {
		const isFound = stored !== undefined && (isOneSecret || (stored.request?.partition === undefined && stored.vary === undefined));
		const judged = isFound ? await core.judgeForeign(stored) : undefined;
		const stamped = judged && await core.current(judged);
		if (stamped === undefined) {
			skipped++;
			continue;
		}

		if (stamped.primary !== undefined) {
			await core.hidden.set();
		}

		await core.exclusively(key, () => core.managedEntries.write(key, stamped));
		copied++;
	}

	return {copied, skipped};
}
