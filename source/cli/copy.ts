import {coreOf} from '../cache/http-cache.ts';
import {wrongUsage} from './failure.ts';
import {
	closing,
	openCache,
	withCache,
	type StoreFlags,
} from './open-cache.ts';
import {Progress, type Output} from './output.ts';
import {counted} from './printable.ts';

export type CopyFlags = StoreFlags & {
	readonly toCacheName?: string;
	readonly toOption?: readonly string[];
};

/** Copies all entries to another store, which is made if it is not there. */
export async function copy(output: Output, from: string, to: string, flags: CopyFlags, signal: AbortSignal): Promise<void> {
	await withCache(from, flags, 'read', async (source, settings) => {
		// Fails before the other store is made.
		const total = await source.count();
		const opened = await openCache(to, {cacheName: flags.toCacheName, option: flags.toOption} as StoreFlags, settings, 'make');
		await closing(opened, async target => {
			const {path} = coreOf(source).store;
			if (isSame(from, to, flags) || (path !== undefined && path === coreOf(target).store.path)) {
				throw wrongUsage('Both stores are the same. Name another one to copy to.');
			}

			const progress = new Progress(output, 'Copying', total);
			const {copied, skipped} = await target.update(source, {signal, onProgress: progress.update});
			progress.end();
			await output.line(`Copied ${counted(copied, 'entry', 'entries')}.${skipped === 0 ? '' : ` Skipped ${skipped}, which cannot be read, or which only the secret of the other store finds.`}`);
		});
	});
}

function isSame(from: string, to: string, {cacheName, toCacheName, option, toOption}: CopyFlags): boolean {
	return from === to && (toCacheName ?? cacheName) === cacheName && String(toOption) === String(option);
}
