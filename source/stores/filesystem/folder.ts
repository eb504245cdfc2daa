import {existsSync, rmdirSync} from 'node:fs';
import {join} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {
	isLeftOver,
	namesIn,
	readBeginning,
	removeFile,
} from './files.ts';
import {
	extensionOf,
	longestHead,
	readHead,
	type ReadHead,
} from './head.ts';
import {
	entryNameOf,
	isFanOut,
	isPassing,
	nameOf,
} from './names.ts';

/** The extensions that `extensionOf` chooses from. The first that is there counts. */
const extensionsByValue = ['.json', '.yaml', '.bin'] as const;

/**
Which files are ours in the folder of a cache, and where the one of a key lies. Everything else in it is left alone.
*/
export class CacheFolder {
	readonly #path: string;
	readonly #extensions: readonly string[];

	constructor(path: string, extension: string | undefined) {
		this.#path = path;
		this.#extensions = extension === undefined ? extensionsByValue : [extension];
	}

	/** Where the file of a key may lie. */
	pathsOf(key: string): string[] {
		const {fanOut, name} = nameOf(key);
		return this.#extensions.map(extension => join(this.#path, fanOut, name + extension));
	}

	/** Where a value is to lie, and where an older one under its key may. */
	pathFor(key: string, value: Uint8Array): {readonly path: string; readonly others: readonly string[]} {
		const paths = this.pathsOf(key);
		const path = paths.length === 1 ? paths[0]! : paths[extensionsByValue.indexOf(extensionOf(value))]!;
		return {path, others: paths.filter(other => other !== path)};
	}

	/** What says that somebody adds the key now. */
	claimOf(key: string): string {
		const {fanOut, name} = nameOf(key);
		return join(this.#path, fanOut, `${name}.claim~`);
	}

	/** The folders of the entries. */
	fanOuts(): string[] {
		return namesIn(this.#path).filter(isFanOut).map(name => join(this.#path, name));
	}

	/** The files of one of them. */
	entriesIn(fanOut: string): string[] {
		return namesIn(fanOut).filter(file => entryNameOf(file, this.#extensions) !== undefined).map(file => join(fanOut, file));
	}

	/** All files, folder by folder, with a turn of the event loop for each. */
	async * paths(): AsyncGenerator<string, void> {
		for (const fanOut of this.fanOuts()) {
			await nextTurn(); // eslint-disable-line no-await-in-loop
			yield * this.entriesIn(fanOut);
		}
	}

	/** Removes the files of all entries, and what writers that are gone have left; then the folders that are empty. */
	async clear(): Promise<void> {
		for (const fanOut of this.fanOuts()) {
			await nextTurn(); // eslint-disable-line no-await-in-loop
			for (const path of this.entriesIn(fanOut)) {
				removeFile(path);
			}

			removeLeftOvers(fanOut);
			removeIfEmpty(fanOut);
		}
	}
}

/** Files of writers that were killed. */
export function removeLeftOvers(fanOut: string): void {
	for (const name of namesIn(fanOut)) {
		const path = join(fanOut, name);
		if (isPassing(name) && isLeftOver(path)) {
			removeFile(path);
		}
	}
}

/** What the file at a path says of its value; `undefined` where there is none, or one that was not written whole. */
export function headOf(path: string): ReadHead | undefined {
	const beginning = existsSync(path) ? readBeginning(path, longestHead) : undefined;
	return beginning && readHead(beginning.bytes, beginning.fileSize);
}

function removeIfEmpty(folder: string): void {
	try {
		rmdirSync(folder);
	} catch {
		// Somebody's file is in it, or one that is being written.
	}
}
