import {statSync, type Stats} from 'node:fs';
import {CacheHooksError} from '../../errors.ts';
import {then, type MaybePromise} from '../../maybe-promise.ts';
import {
	boolean,
	checkOptions,
	commonOptions,
	matching,
	positiveInteger,
	text,
	type CommonOptions,
	type OptionTypes,
} from '../options.ts';
import {StoreLocation, locationOptions, type LocationOptions} from '../location.ts';
import {checkBytes, closedError} from '../server-options.ts';
import {
	EvictionListeners,
	type SetOptions,
	type SetResult,
	type Store,
	type StoredValue,
} from '../types.ts';
import {SizeLimit, Sweep} from './cleanup.ts';
import {readBytes, replaceFile, statFile} from './files.ts';
import {CacheFolder} from './folder.ts';
import {
	isValid,
	readHead,
	withHead,
	withoutHead,
} from './head.ts';
import {withLock} from './lock.ts';

export type FilesystemStoreOptions = CommonOptions & LocationOptions & {
	/**
	The folder, relative to the working directory or to the folder of `useTemp` or `useCacheDir`. The first write creates it. Each cache needs one of its own. Default: `cacheName`.
	*/
	readonly path?: string;

	/**
	The extension of all files. Default: by the value, `.json` for a value that begins with `{`, `.yaml` for other text, `.bin` for the rest.
	*/
	readonly extension?: string;

	/**
	The maximum size of all files in bytes. The least recently used files are removed to make room, values without `indexed` last. That happens beside the writes, and writes of other processes are noticed now and then, so that the bound may be exceeded for a moment. An entry that alone is larger is not stored, and an older value of its key is removed. Default: no bound.
	*/
	readonly maxCacheBytes?: number;

	/**
	Whether to only read the folder: nothing in it is created, changed or removed, and a missing folder is an error. Use it for recordings, and for entries that others prepare. Default: `false`.
	*/
	readonly readOnly?: boolean;
};

const optionTypes: OptionTypes<FilesystemStoreOptions> = {
	...commonOptions,
	...locationOptions,
	path: {...text, allowed: 'the path of a folder'},
	extension: matching(/^\.[\da-z]{1,16}$/v, 'a dot and 1 to 16 lowercase letters or digits, such as `\'.json\'`'),
	maxCacheBytes: positiveInteger,
	readOnly: boolean,
};

type Found = {readonly key: string; readonly value: Uint8Array};

/**
Stores each value in a file of its own, which any editor can open: a JSON object has `key`, `storedUntil`, `isEntry` and `size` as its first members, any other value has them in a first line that begins with `# got-cache-hooks`. Several processes may use a folder at once.

A value is written to a temporary file, which then gets its name, so that a crash leaves the old or the new value. No write waits for the disk: a power failure may damage a file. Damaged and expired files are misses. Reads leave them, and writes remove them now and then.

Files of other programs in the folder are never read, counted, replaced or removed, whatever their names: a file belongs to the store if it begins with a head of the store and has the name for the key in that head.

Values below 1 MB are read and written synchronously, larger ones asynchronously. There is no index: `find` is absent, and `count` reads the beginning of every file.

Calls throw a `CacheHooksError`: `ERR_STORE_PLACE` if `useTemp` or `useCacheDir` lead to a folder that belongs to another user or that others can write to, `ERR_STORE_OPEN` if the path is not a folder, `ERR_STORE_FILE` if a file of another program has a name that the store needs, `ERR_STORE_READ_ONLY` for writes with `readOnly`, `ERR_STORE_CLOSED` after `close`.

@throws {SettingError} For a wrong option.

@example
```ts
import {createStore} from 'got-cache-hooks';

const store = createStore('filesystem', {path: 'cache/http', maxCacheBytes: 100_000_000});
```
*/
export class FilesystemStore implements Store {
	readonly name = 'filesystem';
	readonly valueType = 'bytes';
	readonly scope = 'machine';
	readonly isHumanReadable = true;
	readonly path: string;

	/** Where the folder is, for a store that keeps files of another form in it. */
	readonly location: StoreLocation;
	readonly #readOnly: boolean;
	readonly maxBytes: number;
	readonly #now: () => number;
	readonly #folder: CacheFolder;
	readonly #sizeLimit: SizeLimit | undefined;
	readonly #sweep: Sweep;
	readonly #evictionListeners = new EvictionListeners();
	#isFolderThere = false;
	#isClosed = false;

	constructor(options: FilesystemStoreOptions = {}) {
		const owner = 'createStore(\'filesystem\')';
		checkOptions(owner, options, optionTypes);
		const {cacheName = 'http_cache', path = cacheName, extension, maxCacheBytes, readOnly = false, now = Date.now} = options;
		this.location = new StoreLocation(path, options, {owner, kind: 'folder'});
		this.path = this.location.path;
		this.#readOnly = readOnly;
		this.maxBytes = maxCacheBytes ?? Infinity;
		this.#now = now;
		this.#folder = new CacheFolder(this.path, extension);
		this.#sweep = new Sweep(this.#folder);
		if (maxCacheBytes !== undefined && !readOnly) {
			this.#sizeLimit = new SizeLimit(this.#folder, {
				maxBytes: maxCacheBytes,
				now,
				onEvicted: key => {
					this.#evictionListeners.emit(key);
				},
			});
		}
	}

	/** Whether the folder has files of this store, as far as it can be read. */
	hasFiles(): boolean {
		try {
			this.location.check();
			return this.#folder.hasFiles();
		} catch {
			// The first call throws the error.
			return false;
		}
	}

	get(key: string): MaybePromise<Uint8Array | undefined> {
		this.#expectUsable();
		for (const path of this.#folder.pathsOf(key)) {
			const found = this.#read(path, key);
			if (found !== undefined) {
				return then(found, value => {
					if (value !== undefined) {
						this.#sizeLimit?.afterGet(path);
					}

					return value?.value;
				});
			}
		}

		return undefined;
	}

	set(key: string, value: StoredValue, {expires, indexed}: SetOptions): MaybePromise<SetResult> {
		this.#expectWritable();
		const bytes = checkBytes('filesystem', value);
		const parts = withHead({key, expires: expires === undefined || !Number.isFinite(expires) ? undefined : Math.max(Math.ceil(expires), 0), isEntry: indexed !== undefined}, bytes);
		const fileBytes = parts[0].byteLength + parts[1].byteLength;
		if (fileBytes > this.maxBytes) {
			this.delete(key);
			return 'too-large';
		}

		const {path, others} = this.#folder.pathFor(key, bytes);
		const written = replaceFile(path, parts, {
			time: this.#now(),
			location: this.location,
			check: () => {
				this.#folder.expectOwn(path);
			},
		});
		return then(written, () => {
			for (const other of others) {
				this.#folder.remove(other);
			}

			this.#sizeLimit?.afterSet(path, fileBytes);
			this.#sweep.afterSet(this.#now());
		});
	}

	/**
	Calls that add the same key wait for each other, across processes. `set` does not wait for them.
	*/
	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		this.#expectWritable();
		if (this.#has(key)) {
			return false;
		}

		return withLock(this.#folder.lockOf(key), this.location, async () => {
			if (this.#has(key)) {
				return false;
			}

			await this.set(key, value, options);
			return this.#has(key);
		});
	}

	delete(key: string): boolean {
		this.#expectWritable();
		const removed = this.#folder.pathsOf(key).map(path => this.#folder.remove(path));
		return removed.some(head => isValid(head, this.#now()));
	}

	deleteMany(keys: readonly string[]): void {
		for (const key of keys) {
			this.delete(key);
		}
	}

	/** Files of other programs in the folder stay, and so do their folders. */
	async clear(): Promise<void> {
		this.#expectWritable();
		await this.#folder.clear();
	}

	/** Values that are removed before their turn are left out. Values that are added meanwhile may be included. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		this.#expectUsable();
		let last: string | undefined;
		for await (const {path} of this.#folder.files()) {
			const found = await this.#read(path);
			// A crash may leave two files of one key, which are next to each other.
			if (found === undefined || found.key === last) {
				continue;
			}

			last = found.key;
			yield [found.key, found.value];
		}
	}

	/** Iterates over the paths of all files, including those that have expired but are not removed yet. */
	async * paths(): AsyncGenerator<string, void> {
		this.#expectUsable();
		for await (const {path} of this.#folder.files()) {
			yield path;
		}
	}

	/** Reads the beginning of every file. */
	async count(): Promise<number> {
		this.#expectUsable();
		let count = 0;
		for await (const {head} of this.#folder.files()) {
			count += isValid(head, this.#now()) && head.isEntry ? 1 : 0;
		}

		return count;
	}

	async size(): Promise<number> {
		let bytes = 0;
		for await (const path of this.paths()) {
			bytes += statFile(path)?.size ?? 0;
		}

		return bytes;
	}

	keepRecordings(): void {
		this.location.keepRecordings();
	}

	watchEvictions(listener: (key: string) => void): () => void {
		return this.#evictionListeners.add(listener);
	}

	/** Waits for a running eviction. */
	async close(): Promise<void> {
		this.#isClosed = true;
		await this.#sizeLimit?.idle();
	}

	#expectUsable(): void {
		if (this.#isClosed) {
			throw closedError(`filesystem store \`${this.path}\``);
		}

		this.location.check();
		if (this.#isFolderThere) {
			return;
		}

		const stats = this.#statFolder();
		if (stats?.isDirectory() === false || (stats === undefined && this.#readOnly)) {
			throw new CacheHooksError('ERR_STORE_OPEN', `Cannot open the filesystem store: there is no folder \`${this.path}\`.`);
		}

		this.#isFolderThere = stats !== undefined;
	}

	#statFolder(): Stats | undefined {
		try {
			return statSync(this.path, {throwIfNoEntry: false});
		} catch (error) {
			if (this.#readOnly) {
				throw new CacheHooksError('ERR_STORE_OPEN', `Cannot open the filesystem store \`${this.path}\`: ${(error as Error).message}.`, {cause: error});
			}

			// Reading or writing in the folder throws a better error.
			return undefined;
		}
	}

	#expectWritable(): void {
		this.#expectUsable();
		if (this.#readOnly) {
			throw new CacheHooksError('ERR_STORE_READ_ONLY', `The filesystem store \`${this.path}\` was opened with \`readOnly\`.`);
		}
	}

	/** Finds nothing in a file that is not whole, has expired, or belongs to another key. */
	#read(path: string, key?: string): MaybePromise<Found | undefined> {
		return then(readBytes(path), bytes => {
			const head = bytes && readHead(bytes, bytes.byteLength);
			const isUsable = isValid(head, this.#now()) && (key === undefined ? this.#folder.isOwn(path, head) : head.key === key);
			return isUsable ? {key: head.key, value: withoutHead(bytes!, head)} : undefined;
		});
	}

	#has(key: string): boolean {
		return this.#folder.pathsOf(key).some(path => isValid(this.#folder.headOf(path), this.#now()));
	}
}
