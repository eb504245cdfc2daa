import readline from 'node:readline/promises';
import type {LongTask} from '../cache/criteria.ts';
import type {HttpCache} from '../cache/http-cache.ts';
import {CachedResponse} from '../entry/cached-response.ts';
import {Failure, wrongUsage} from './failure.ts';
import {
	closing,
	openCache,
	settingsOf,
	withCache,
	type StoreFlags,
} from './open-cache.ts';
import {noteUnreadable} from './ls.ts';
import {Progress, type Output} from './output.ts';
import {counted} from './printable.ts';
import {criteriaOf, EntrySelection, type SelectionFlags} from './selection.ts';

export type RemoveFlags = StoreFlags & SelectionFlags & {readonly yes?: boolean};

/** Deletes entries. They are counted first, by a cache that is only read: whoever says no has changed nothing. */
export async function remove(output: Output, store: string, flags: RemoveFlags, signal: AbortSignal): Promise<void> {
	const criteria = criteriaOf(flags);
	if (Object.keys(criteria).length === 0) {
		throw wrongUsage('Say what to delete by `--url`, `--pattern`, `--tag`, `--key`, `--expired`, `--valid`, `--invalid` or `--older-than`. `--expired --valid` deletes everything.');
	}

	if (flags.yes !== true && !output.canAsk) {
		throw wrongUsage('There is no terminal to ask on. Add `--yes` to delete; `ls` with the same options shows what would be deleted.');
	}

	const found = await withCache(store, flags, 'read', async cache => findKeys(output, cache, flags, signal));
	if (found.keys.length === 0) {
		await output.line('No entry matches: nothing was deleted.');
		return;
	}

	const entries = counted(found.keys.length, 'entry', 'entries');
	if (flags.yes !== true && !await isAgreed(output, `Delete ${entries}${found.keys.length === 1 ? ` (${found.example})` : `, such as ${found.example}`}?`, signal)) {
		throw new Failure('Nothing was deleted.');
	}

	// By an index where the store has one, or by another search. What a tag deletes stays in the store until it is met, unless it is deleted by its key as well.
	const isByKey = flags.all === true || flags.tag !== undefined;
	const progress = isByKey ? new Progress(output, 'Deleting', found.keys.length) : new Progress(output, 'Searching and deleting');
	const task = {signal, onProgress: progress.update};
	const deleted = await closing(await openCache(store, flags, await settingsOf(flags), 'change'), async cache => isByKey
		? deleteKeys(cache, found.keys, {tags: flags.all === true ? undefined : flags.tag, task})
		: cache.delete(criteria, task));
	progress.end();
	await output.line(`Deleted ${counted(deleted, 'entry', 'entries')}.`);
}

type Found = {
	readonly keys: readonly string[];

	/** The first of them, for people. */
	readonly example: string;
};

async function findKeys(output: Output, cache: HttpCache, flags: SelectionFlags, signal: AbortSignal): Promise<Found> {
	const selected = await EntrySelection.of(cache, flags);
	const progress = new Progress(output, 'Searching');
	const keys: string[] = [];
	let example = '';
	for await (const entry of selected.list({}, {signal, onProgress: progress.update})) {
		keys.push(entry.cacheKey);
		example ||= entry instanceof CachedResponse ? `${entry.method} ${entry.url}` : entry.cacheKey;
	}

	progress.end();
	if (flags.invalid !== true) {
		noteUnreadable(output, selected.unreadable);
	}

	return {keys, example};
}

const keysAtOnce = 100;

/** Deletes entries by their keys, and with them what another process is about to store with one of the tags. */
async function deleteKeys(cache: HttpCache, keys: readonly string[], {tags, task: {signal, onProgress}}: {readonly tags: readonly string[] | undefined; readonly task: LongTask}): Promise<number> {
	if (tags !== undefined) {
		await cache.delete({tags});
	}

	let deleted = 0;
	for (let index = 0; index < keys.length; index += keysAtOnce) {
		signal?.throwIfAborted();
		deleted += await cache.delete({keys: keys.slice(index, index + keysAtOnce)}); // eslint-disable-line no-await-in-loop -- Between two of them the user may interrupt.
		onProgress?.(index);
	}

	return deleted;
}

async function isAgreed(output: Output, question: string, signal: AbortSignal): Promise<boolean> {
	const asking = readline.createInterface({input: output.stdin, output: output.stderr});
	// At the end of the input there is no answer.
	const ended = new Promise<undefined>(resolve => {
		asking.once('close', () => {
			resolve(undefined);
		});
	});
	try {
		const answer = await Promise.race([asking.question(`${question} [y/N] `, {signal}), ended]);
		if (answer === undefined) {
			output.note('');
		}

		return /^y(?:es)?$/iv.test(answer?.trim() ?? '');
	} finally {
		asking.close();
	}
}
