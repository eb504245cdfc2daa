import {statSync, utimesSync} from 'node:fs';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {ifThere, removeFile} from './files.ts';
import {headOf, type CacheFolder} from './folder.ts';

/** Milliseconds in which a file that is read again gets no new stamp. */
const stampPause = 60_000;

type BoundOptions = {
	readonly maxBytes: number;
	readonly now: () => number;

	/** Told the key of what was removed. */
	readonly onEvicted: (key: string) => void;
};

type Used = {readonly path: string; readonly bytes: number; readonly time: number};

/**
Keeps all files together below a number of bytes, by removing those that were not used for longest. A file's time of change says when that was.

What is there is measured by going over the folder, and then only what this process writes is added. It is measured again when a quarter of the room that was left is used up, for other processes write too; that happens beside the writes, in a turn of the event loop for each folder.
*/
export class Bound {
	readonly #folder: CacheFolder;
	readonly #maxBytes: number;
	/** So that a write after an eviction does not begin the next one. */
	readonly #target: number;
	readonly #now: () => number;
	readonly #onEvicted: (key: string) => void;
	#room = 0;
	#work: Promise<void> | undefined;
	readonly #stamped = new Set<string>();
	#stampsBegan = 0;

	constructor(folder: CacheFolder, {maxBytes, now, onEvicted}: BoundOptions) {
		this.#folder = folder;
		this.#maxBytes = maxBytes;
		this.#target = Math.floor(maxBytes * 0.9);
		this.#now = now;
		this.#onEvicted = onEvicted;
	}

	/** Never waits, and never throws. */
	afterSet(path: string, bytes: number): void {
		this.#stamped.delete(path);
		this.#room -= bytes;
		if (this.#room < 0) {
			this.#work ??= this.#measure();
		}
	}

	/** A read file is a used one; it is stamped once a minute at most. */
	afterGet(path: string): void {
		const now = this.#now();
		if (now - this.#stampsBegan >= stampPause) {
			this.#stamped.clear();
			this.#stampsBegan = now;
		}

		if (this.#stamped.has(path)) {
			return;
		}

		this.#stamped.add(path);
		try {
			utimesSync(path, now / 1000, now / 1000);
		} catch {
			// Another process has removed it, or owns it.
		}
	}

	/** Resolves when nothing is being measured or removed. */
	async idle(): Promise<void> {
		await this.#work;
	}

	async #measure(): Promise<void> {
		try {
			const files = await this.#list();
			let total = files.reduce((sum, {bytes}) => sum + bytes, 0);
			if (total > this.#maxBytes) {
				total = this.#evict(files, total);
			}

			this.#room = Math.max((this.#maxBytes - total) / 4, this.#maxBytes / 100);
		} catch {
			this.#room = this.#maxBytes / 100;
		} finally {
			this.#work = undefined;
		}
	}

	async #list(): Promise<Used[]> {
		const files: Used[] = [];
		for (const fanOut of this.#folder.fanOuts()) {
			await nextTurn(); // eslint-disable-line no-await-in-loop
			for (const path of this.#folder.entriesIn(fanOut)) {
				const stats = ifThere(() => statSync(path));
				if (stats !== undefined) {
					files.push({path, bytes: stats.size, time: stats.mtimeMs});
				}
			}
		}

		return files;
	}

	#evict(files: Used[], total: number): number {
		let left = total;
		const spared: Used[] = [];
		const evict = ({path, bytes}: Used, key: string | undefined): void => {
			left -= bytes;
			const wasThere = removeFile(path);
			if (wasThere && key !== undefined) {
				this.#onEvicted(key);
			}
		};

		for (const file of files.toSorted((a, b) => a.time - b.time)) {
			if (left <= this.#target) {
				return left;
			}

			// What was set without `indexed` leaves last: entries need it, and it is read more seldom than they.
			const head = headOf(file.path);
			if (head?.isEntry === false) {
				spared.push(file);
			} else {
				evict(file, head?.key);
			}
		}

		for (const file of spared) {
			if (left <= this.#target) {
				break;
			}

			evict(file, headOf(file.path)?.key);
		}

		return left;
	}
}
