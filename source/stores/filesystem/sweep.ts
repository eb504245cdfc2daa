import {removeLeftOvers, type CacheFolder} from './folder.ts';

const setsBetweenSweeps = 64;
const filesPerSweep = 64;

/**
Removes what has expired or is damaged in passing: there is no index by time, so some files are looked at after some writes, folder by folder, for ever round.
*/
export class Sweep {
	readonly #folder: CacheFolder;
	#sets = 0;
	#fanOuts: string[] = [];
	#paths: string[] = [];

	constructor(folder: CacheFolder) {
		this.#folder = folder;
	}

	afterSet(now: number): void {
		this.#sets += 1;
		if (this.#sets % setsBetweenSweeps === 0) {
			try {
				this.#sweep(now);
			} catch {
				// The write before the sweep has done its work, and the next sweep may succeed.
			}
		}
	}

	#sweep(now: number): void {
		if (this.#paths.length === 0) {
			if (this.#fanOuts.length === 0) {
				this.#fanOuts = this.#folder.fanOuts();
			}

			const fanOut = this.#fanOuts.pop();
			if (fanOut !== undefined) {
				removeLeftOvers(fanOut);
				this.#paths = this.#folder.entriesIn(fanOut);
			}
		}

		for (const path of this.#paths.splice(-filesPerSweep)) {
			const head = this.#folder.headOf(path);
			if (head !== undefined && (!head.isWhole || (head.expires !== undefined && head.expires <= now))) {
				this.#folder.remove(path);
			}
		}
	}
}
