import {hash} from 'node:crypto';
import {rmdirSync} from 'node:fs';
import {join} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {
	isThere,
	namesIn,
	readBeginning,
	removeFile,
	statFile,
} from './files.ts';
import {
	extensionOf,
	foreignFileError,
	isBegun,
	longestHead,
	readHead,
	type ReadHead,
} from './head.ts';

/** The extensions that `extensionOf` returns. If a key has several files, the first counts. */
const extensionsByValue = ['.json', '.yaml', '.bin'] as const;

const readableKey = /^[\da-z][\d\-:_a-z]{0,149}$/v;

/** Windows reserves these names for devices, with any extension. */
const deviceName = /^(?:con|prn|aux|nul|com\d|lpt\d)$/v;
const subfolderName = /^[\da-f]{2}$/v;
const entryName = /^(?:~[\da-f]{64}|[\da-z][\d+\-_a-z]{0,149})(?<extension>\.[\da-z]{1,16})$/v;
const passingName = /^(?:\.[\d\-a-f]{36}\.tmp|(?:~[\da-f]{64}|[\da-z][\d+\-_a-z]{0,149})\.lock~{1,2})$/v;

/** The maximum age of a temporary file or a lock file that is in use, in milliseconds. */
const longestPassingTime = 600_000;

/** The number of files that are removed in one turn of the event loop. Removing one takes up to 1 ms. */
export const removedPerTurn = 16;

/**
The folder of a cache. A file in it belongs to the store if it begins with a head of the store and has the name for the key in that head. All other files are left alone.
*/
export class CacheFolder {
	readonly #path: string;
	readonly #extensions: readonly string[];

	constructor(path: string, extension: string | undefined) {
		this.#path = path;
		this.#extensions = extension === undefined ? extensionsByValue : [extension];
	}

	/** Returns the possible paths of the file of a key. */
	pathsOf(key: string): string[] {
		const name = this.#nameOf(key);
		return this.#extensions.map(extension => name + extension);
	}

	/** Returns the path for a value, and those that older values of the key may have. */
	pathFor(key: string, value: Uint8Array): {readonly path: string; readonly others: readonly string[]} {
		const paths = this.pathsOf(key);
		const path = paths.length === 1 ? paths[0]! : paths[extensionsByValue.indexOf(extensionOf(value))]!;
		return {path, others: paths.filter(other => other !== path)};
	}

	/** Returns the path of the lock file for adding a key. */
	lockOf(key: string): string {
		return `${this.#nameOf(key)}.lock~`;
	}

	/** Returns the folders that have the files. */
	subfolders(): string[] {
		return namesIn(this.#path).filter(name => subfolderName.test(name)).map(name => join(this.#path, name));
	}

	/** Whether there is a file of the store. */
	hasFiles(): boolean {
		return this.subfolders().some(subfolder => this.entriesIn(subfolder).some(path => this.headOf(path) !== undefined));
	}

	/** Returns the head of a file, or `undefined` if there is no file of the store. */
	headOf(path: string): ReadHead | undefined {
		const beginning = readableBeginning(path);
		const head = beginning && readHead(beginning.bytes, beginning.fileSize);
		return head !== undefined && this.isOwn(path, head) ? head : undefined;
	}

	isOwn(path: string, {key}: ReadHead): boolean {
		return this.pathsOf(key).includes(path);
	}

	/** Removes a file of the store and returns its head. */
	remove(path: string): ReadHead | undefined {
		const head = this.headOf(path);
		return head !== undefined && removeFile(path) ? head : undefined;
	}

	/**
	To be called before a file is written.

	@throws {CacheHooksError} `ERR_STORE_FILE` if a file of another program has its name.
	*/
	expectOwn(path: string): void {
		if (!isThere(path) || this.headOf(path) !== undefined) {
			return;
		}

		const beginning = readableBeginning(path);
		// A power failure may leave a file of the store empty or filled with zeros.
		if (beginning?.bytes.every(byte => byte === 0) !== true) {
			throw foreignFileError(path);
		}
	}

	/** Returns the paths in a subfolder that are named like files of the store. Some may belong to other programs. */
	entriesIn(subfolder: string): string[] {
		return namesIn(subfolder).filter(name => this.#extensions.includes(entryName.exec(name)?.groups!.extension ?? '')).map(name => join(subfolder, name));
	}

	/** Iterates over all files of the store, damaged ones included, with a turn of the event loop for each subfolder. */
	async * files(): AsyncGenerator<{readonly path: string; readonly head: ReadHead}, void> {
		for (const subfolder of this.subfolders()) {
			await nextTurn(); // eslint-disable-line no-await-in-loop
			for (const path of this.entriesIn(subfolder)) {
				const head = this.headOf(path);
				if (head !== undefined) {
					yield {path, head};
				}
			}
		}
	}

	/** Removes all files of the store, files that killed writers have left, and the folders that become empty. */
	async clear(): Promise<void> {
		for (const subfolder of this.subfolders()) {
			await nextTurn(); // eslint-disable-line no-await-in-loop
			let removed = removeLeftOvers(subfolder);
			for (const [index, path] of this.entriesIn(subfolder).entries()) {
				removed += this.remove(path) === undefined ? 0 : 1;
				if (index % removedPerTurn === removedPerTurn - 1) {
					await nextTurn(); // eslint-disable-line no-await-in-loop
				}
			}

			if (removed > 0) {
				removeIfEmpty(subfolder);
			}
		}
	}

	/**
	Returns the path for a key without an extension. A short and simple key is readable in it (with `+` for `:`, which Windows forbids); for any other key it is a digest. No two keys have the same path, even where case makes no difference.

	There are 256 subfolders, since no folder is fast with 100,000 files.
	*/
	#nameOf(key: string): string {
		const digest = hash('sha256', key);
		const name = readableKey.test(key) && !deviceName.test(key) ? key.replaceAll(':', '+') : `~${digest}`;
		return join(this.#path, digest.slice(0, 2), name);
	}
}

/** Removes the temporary files and lock files of killed processes. Returns their number. */
export function removeLeftOvers(subfolder: string): number {
	return namesIn(subfolder).filter(name => {
		const path = join(subfolder, name);
		const stats = passingName.test(name) ? statFile(path) : undefined;
		// A time in the future is as wrong as an old one.
		const isOld = stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) > longestPassingTime;
		const beginning = isOld ? readableBeginning(path) : undefined;
		return beginning !== undefined && isBegun(beginning.bytes) && removeFile(path);
	}).length;
}

/** `undefined` for a file that may not be read, since it belongs to another program. */
function readableBeginning(path: string): ReturnType<typeof readBeginning> {
	try {
		return statFile(path) && readBeginning(path, longestHead);
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
		// It has a file of another program, or one that is being written.
	}
}
