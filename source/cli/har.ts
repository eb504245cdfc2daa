import fs from 'node:fs/promises';
import type {Har} from '../cache/har.ts';
import type {LongTask} from '../cache/criteria.ts';
import type {HttpCache} from '../cache/http-cache.ts';
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
import {counted, printableJson} from './printable.ts';
import {
	criteriaOf,
	EntrySelection,
	expirationOf,
	type SelectionFlags,
} from './selection.ts';
import {writeFile} from './write-file.ts';

export type HarFlags = StoreFlags & SelectionFlags & {
	readonly import?: boolean;
	readonly expireAfter?: string;
};

/** Writes entries as an HTTP archive, or stores those of one. */
export async function archive(output: Output, store: string, file: string, flags: HarFlags, signal: AbortSignal): Promise<void> {
	checkFlags(flags);
	await (flags.import === true ? importArchive(output, store, file, flags, signal) : exportArchive(output, store, file, flags, signal));
}

/** The options that select entries of a store: an archive is imported as a whole. */
const selecting = {
	key: '--key', url: '--url', pattern: '--pattern', valid: '--valid', expired: '--expired', invalid: '--invalid', olderThan: '--older-than', all: '--all',
} as const;

function checkFlags(flags: HarFlags): void {
	const wrong = Object.entries(selecting).find(([name]) => flags[name as keyof typeof selecting] !== undefined)?.[1];
	if (wrong !== undefined && flags.import === true) {
		throw wrongUsage(`\`${wrong}\` does not go with \`--import\`, which stores all responses of the archive.`);
	}

	if (flags.import !== true && flags.expireAfter !== undefined) {
		throw wrongUsage('`--expire-after` needs `--import`.');
	}
}

async function exportArchive(output: Output, store: string, file: string, flags: HarFlags, signal: AbortSignal): Promise<void> {
	await withCache(store, flags, 'read', async cache => {
		const progress = new Progress(output, 'Reading');
		const task = {signal, onProgress: progress.update};
		const har = flags.all === true ? await archiveOfAll(cache, flags, task) : await cache.toHar(criteriaOf(flags), task);
		progress.end();
		if (file === '-') {
			await output.json(har);
		} else {
			await writeFile(file, `${printableJson(har)}\n`, cache);
			output.note(`Wrote ${counted(har.log.entries.length, 'entry', 'entries')} to ${file}.`);
		}

		noteUnreadable(output, har.log._unreadable ?? 0);
	});
}

/** Returns the entries that match all criteria. */
async function archiveOfAll(cache: HttpCache, flags: SelectionFlags, task: LongTask): Promise<Har> {
	const selected = await EntrySelection.of(cache, flags);
	const keys: string[] = [];
	for await (const {cacheKey} of selected.list({}, {signal: task.signal})) {
		keys.push(cacheKey);
	}

	const har = await cache.toHar({keys}, task);
	return {log: {...har.log, ...(selected.unreadable > 0 && {_unreadable: selected.unreadable})}};
}

async function importArchive(output: Output, store: string, file: string, flags: HarFlags, signal: AbortSignal): Promise<void> {
	const har = await readArchive(file);
	const options = {
		...(flags.tag !== undefined && {tags: flags.tag}),
		...(flags.expireAfter !== undefined && {expireAfter: expirationOf(flags.expireAfter)}),
	};
	const progress = new Progress(output, 'Storing', har.log?.entries?.length);
	const opened = await openCache(store, flags, await settingsOf(flags), 'make');
	const {saved, skipped} = await closing(opened, async cache => cache.fromHar(har, {...options, signal, onProgress: progress.update}));
	progress.end();
	await output.line(`Stored ${counted(saved, 'response', 'responses')}.`);
	for (const [reason, some] of Map.groupBy(skipped, entry => entry.reason)) {
		output.note(`Skipped ${some.length}: ${reason}`);
	}
}

async function readArchive(file: string): Promise<{readonly log?: Partial<Har['log']>}> {
	const text = await fs.readFile(file, 'utf8');
	try {
		return JSON.parse(text.replace(/^\u{FEFF}/v, '')) as object;
	} catch (error) {
		throw new Failure(`\`${file}\` is no HTTP archive: ${(error as Error).message}`);
	}
}
