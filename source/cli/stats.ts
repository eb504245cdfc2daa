import fs from 'node:fs';
import {coreOf, type HttpCache} from '../cache/http-cache.ts';
import {describeBytes, describeDuration, type CachedResponse} from '../entry/cached-response.ts';
import {noteUnreadable} from './ls.ts';
import {withCache, type StoreFlags} from './open-cache.ts';
import {Progress, type Output} from './output.ts';
import {printableLine} from './printable.ts';
import {EntrySelection} from './selection.ts';
import {shownStore} from './store-argument.ts';

export type StatsFlags = StoreFlags & {readonly json?: boolean};

/** What is in a store. */
class Figures {
	entries = 0;
	fresh = 0;
	stale = 0;
	unreadable = 0;

	/** The bytes of all bodies, as they are stored. */
	bodyBytes = 0;
	oldest: Date | undefined;
	newest: Date | undefined;
	readonly statuses: Map<string, number> = new Map<string, number>();
	readonly methods: Map<string, number> = new Map<string, number>();
	readonly hosts: Map<string, number> = new Map<string, number>();
	readonly tags: Map<string, number> = new Map<string, number>();

	add({method, url, statusCode, size, createdAt, isExpired, tags}: CachedResponse): void {
		this.entries++;
		this.stale += isExpired ? 1 : 0;
		this.fresh += isExpired ? 0 : 1;
		this.bodyBytes += size;
		this.oldest = this.oldest === undefined || createdAt < this.oldest ? createdAt : this.oldest;
		this.newest = this.newest === undefined || createdAt > this.newest ? createdAt : this.newest;
		const host = URL.canParse(url) ? new URL(url).host : '';
		for (const [counts, name] of [[this.statuses, String(statusCode)], [this.methods, method], [this.hosts, host === '' ? url.split('?', 1)[0]! : host], ...tags.map(tag => [this.tags, tag] as const)] as const) {
			counts.set(name, (counts.get(name) ?? 0) + 1);
		}
	}
}

/** Shows what is in a store, in figures. */
export async function stats(output: Output, store: string, flags: StatsFlags, signal: AbortSignal): Promise<void> {
	await withCache(store, flags, 'read', async cache => {
		const figures = await count(output, cache, signal);
		const {name, path} = coreOf(cache).store;
		const place = path ?? shownStore(store);
		const bytes = await storedBytes(cache);
		if (flags.json === true) {
			await output.json({
				store: name, place, bytes, ...figures, statuses: sorted(figures.statuses), methods: sorted(figures.methods), hosts: sorted(figures.hosts), tags: sorted(figures.tags),
			});
			return;
		}

		await print(output, figures, [['store', `${name} ${place}${bytes === undefined ? '' : `, ${describeBytes(bytes)}`}`]]);
		noteUnreadable(output, figures.unreadable);
	});
}

async function count(output: Output, cache: HttpCache, signal: AbortSignal): Promise<Figures> {
	const figures = new Figures();
	const selected = await EntrySelection.of(cache, {});
	const progress = new Progress(output, 'Reading');
	for await (const entry of selected.list({}, {signal, onProgress: progress.update})) {
		figures.add(entry as CachedResponse);
	}

	progress.end();
	figures.unreadable = selected.unreadable;
	return figures;
}

/** Returns the size of what is stored, if the store measures it. */
async function storedBytes(cache: HttpCache): Promise<number | undefined> {
	const {store} = coreOf(cache);
	const isFile = store.path !== undefined && fs.statSync(store.path, {throwIfNoEntry: false})?.isFile() === true;
	return isFile ? fs.statSync(store.path).size : store.size?.();
}

async function print(output: Output, figures: Figures, rows: ReadonlyArray<readonly [name: string, text: string]>): Promise<void> {
	const {entries, fresh, stale, bodyBytes, oldest, newest, statuses, methods, hosts, tags} = figures;
	const all = [
		...rows,
		['entries', `${entries}: ${fresh} fresh, ${stale} stale`],
		['bodies', describeBytes(bodyBytes)],
		['received', oldest === undefined ? '' : `from ${moment(oldest)} to ${moment(newest!)}`],
		['methods', listed(methods)],
		['statuses', listed(statuses)],
		['hosts', listed(hosts)],
		['tags', listed(tags)],
	] as const;
	for (const [name, text] of all) {
		if (text !== '') {
			await output.line(`${output.styled('bold', name.padEnd(8))}  ${printableLine(text)}`); // eslint-disable-line no-await-in-loop
		}
	}
}

function moment(date: Date): string {
	return `${date.toISOString()} (${describeDuration(Math.max(Date.now() - date.getTime(), 0))} ago)`;
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
	return Object.fromEntries([...counts].toSorted(([, one], [, other]) => other - one));
}

const mostNames = 10;

function listed(counts: ReadonlyMap<string, number>): string {
	const names = Object.entries(sorted(counts));
	const shown = names.slice(0, mostNames).map(([name, number]) => `${name} (${number})`);
	return [...shown, ...(names.length > mostNames ? [`and ${names.length - mostNames} more`] : [])].join(', ');
}
