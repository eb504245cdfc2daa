import {rmdirSync} from 'node:fs';
import {join} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {CacheHooksError} from '../../errors.ts';
import {
	fileAt,
	isLeftOver,
	isThere,
	namesIn,
	readBeginning,
	removeFile,
} from './files.ts';
import {
	extensionOf,
	isBegun,
	isBlank,
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

/** Removing a file takes up to 1 ms, and the event loop is to go on. */
export const removedPerTurn = 16;

/** A file of ours. */
export type OwnFile = {readonly path: string; readonly head: ReadHead};

/**
Which files are ours in the folder of a cache, and where the one of a key lies. Everything else in it is left alone: a file is ours if it has our head, and lies where that of its key does.
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

	/** What the file at a path says of its value; `undefined` where there is none of ours. */
	headOf(path: string): ReadHead | undefined {
		const beginning = readableBeginning(path);
		const head = beginning && readHead(beginning.bytes, beginning.fileSize);
		return head !== undefined && this.isOwn(path, head) ? head : undefined;
	}

	isOwn(path: string, {key}: ReadHead): boolean {
		return this.pathsOf(key).includes(path);
	}

	/** Removes a file, unless it is somebody else's. What it said of its value is given back. */
	remove(path: string): ReadHead | undefined {
		const head = this.headOf(path);
		return head !== undefined && removeFile(path) ? head : undefined;
	}

	/**
	To be called before a file is written.

	@throws {CacheHooksError} `ERR_STORE_FILE` where one of somebody else has its name.
	*/
	expectOwn(path: string): void {
		if (!isThere(path) || this.headOf(path) !== undefined) {
			return;
		}

		const beginning = readableBeginning(path);
		// A power cut may leave a file of ours without its content.
		if (beginning === undefined || !isBlank(beginning.bytes)) {
			throw new CacheHooksError('ERR_STORE_FILE', `\`${path}\` is not a file of this store, which would write one of that name: remove it, or use another folder`);
		}
	}

	/** The files of one of them, by their names: some may be somebody else's. */
	entriesIn(fanOut: string): string[] {
		return namesIn(fanOut).filter(file => entryNameOf(file, this.#extensions) !== undefined).map(file => join(fanOut, file));
	}

	/** All files by their names, folder by folder, with a turn of the event loop for each. */
	async * paths(): AsyncGenerator<string, void> {
		for (const fanOut of this.fanOuts()) {
			await nextTurn(); // eslint-disable-line no-await-in-loop
			yield * this.entriesIn(fanOut);
		}
	}

	/** All files that are ours, damaged ones included. */
	async * files(): AsyncGenerator<OwnFile, void> {
		for await (const path of this.paths()) {
			const head = this.headOf(path);
			if (head !== undefined) {
				yield {path, head};
			}
		}
	}

	/** Removes the files of all entries, and what writers that are gone have left; then the folders that are empty. */
	async clear(): Promise<void> {
		for (const fanOut of this.fanOuts()) {
			await nextTurn(); // eslint-disable-line no-await-in-loop
			let removed = removeLeftOvers(fanOut);
			for (const [index, path] of this.entriesIn(fanOut).entries()) {
				removed += this.remove(path) === undefined ? 0 : 1;
				if (index % removedPerTurn === removedPerTurn - 1) {
					await nextTurn(); // eslint-disable-line no-await-in-loop
				}
			}

			if (removed > 0) {
				removeIfEmpty(fanOut);
			}
		}
	}
}

/** Removes the files of writers that were killed, and says how many there were. */
export function removeLeftOvers(fanOut: string): number {
	return namesIn(fanOut).filter(name => {
		const path = join(fanOut, name);
		const beginning = isPassing(name) && isLeftOver(path) ? readableBeginning(path) : undefined;
		return beginning !== undefined && isBegun(beginning.bytes) && removeFile(path);
	}).length;
}

/** `undefined` for a file that we may not read: it is somebody else's. */
function readableBeginning(path: string): ReturnType<typeof readBeginning> {
	try {
		return fileAt(path) && readBeginning(path, longestHead);
	} catch (error) {
		if (['EACCES', 'EPERM'].includes((error as {code: string}).code)) {
			return undefined;
		}

		throw error;
	}
}

function removeIfEmpty(folder: string): void {
	try {
		rmdirSync(folder);
	} catch {
		// Somebody's file is in it, or one that is being written.
	}
}
