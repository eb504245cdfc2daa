import {statSync, type Stats} from 'node:fs';
import {dirname} from 'node:path';
import {CacheHooksError} from '../../errors.ts';
import {isPromise} from '../../maybe-promise.ts';
import type {
	MaybePromise,
	SetOptions,
	Store,
	StoredValue,
} from '../types.ts';
import {Evictions} from '../evictions.ts';
import {Bound} from './bound.ts';
import {withClaim} from './claim.ts';
import {
	fileAt,
	onceMade,
	readBytes,
	replaceFile,
} from './files.ts';
import {CacheFolder} from './folder.ts';
import {
	framed,
	readHead,
	unframed,
	type ReadHead,
} from './head.ts';
import {filesystemSettings, type FilesystemSettings, type FilesystemStoreOptions} from './options.ts';
import {Sweep} from './sweep.ts';

export type {FilesystemStoreOptions} from './options.ts';

type Found = {readonly key: string; readonly value: Uint8Array};

/**
Keeps each value in a file of its own, which can be read with any editor: a JSON object has `key`, `storedUntil`, `isEntry` and `size` as its first members, everything else has them in a first line that begins with `# got-cache-hooks`. Safe for several processes at once.

A file is written beside the old one and takes its name when it is whole, so that a crash leaves the old or the new one. Nothing waits for the disk: after a power cut a file may be damaged. A damaged file is a miss, as one that has expired; reading removes neither, but writing does in passing.

Files of others in the folder are never read, counted, replaced or removed, whatever their names: a file is the store's if it has the store's head, and lies where that of its key does.

Values below 1 MB are read and written at once, larger ones by a promise. There is no index: finding by time is not offered, and `count` reads the first bytes of every file.

Calls throw a `CacheHooksError`: `ERR_STORE_PLACE` where `useTemp` or `useCacheDir` lead to a folder that another user has or can write to, `ERR_STORE_OPEN` where the path is no folder, `ERR_STORE_FILE` where a file of somebody else has the name of one that is to be written, `ERR_STORE_READ_ONLY` for writes with `readOnly`, `ERR_STORE_CLOSED` after `close`.

@throws {SettingError} For a wrong option.

@example
```ts
const store = new FilesystemStore({path: 'cache/http', maxCacheBytes: 100_000_000});
```
*/
export class FilesystemStore implements Store {
	readonly name = 'filesystem';
	readonly holds = 'bytes';
	readonly path: string;
	readonly #settings: FilesystemSettings;
	readonly #folder: CacheFolder;
	readonly #bound: Bound | undefined;
	readonly #sweep: Sweep;
	readonly #evictions = new Evictions();
	#isFolderThere = false;
	#isClosed = false;

	constructor(options: FilesystemStoreOptions = {}) {
		this.#settings = filesystemSettings(options);
		const {place, extension, maxCacheBytes, readOnly, now} = this.#settings;
		this.path = place.path;
		this.#folder = new CacheFolder(place.path, extension);
		this.#bound = maxCacheBytes === undefined || readOnly
			? undefined
			: new Bound(this.#folder, {
				maxBytes: maxCacheBytes,
				now,
				onEvicted: key => {
					this.#evictions.tell(key);
				},
			});
		this.#sweep = new Sweep(this.#folder);
	}

	get(key: string): MaybePromise<Uint8Array | undefined> {
		this.#expectUsable();
		for (const path of this.#folder.pathsOf(key)) {
			const found = this.#read(path, key);
			if (isPromise(found)) {
				return found.then(large => this.#use(path, large));
			}

			if (found !== undefined) {
				return this.#use(path, found);
			}
		}

		return undefined;
	}

	set(key: string, value: StoredValue, {expires, indexed}: SetOptions): MaybePromise<void> {
		this.#expectWritable();
		if (!(value instanceof Uint8Array)) {
			throw new CacheHooksError('ERR_STORE_VALUE', 'The filesystem store holds bytes: expected a `Uint8Array`');
		}

		const parts = framed({key, expires: expires === undefined || !Number.isFinite(expires) ? undefined : Math.max(Math.ceil(expires), 0), isEntry: indexed !== undefined}, value);
		const bytes = parts[0].byteLength + parts[1].byteLength;
		if (bytes > (this.#settings.maxCacheBytes ?? Infinity)) {
			this.delete(key);
			return;
		}

		const {path, others} = this.#folder.pathFor(key, value);
		const finish = () => {
			for (const other of others) {
				this.#folder.remove(other);
			}

			this.#bound?.afterSet(path, bytes);
			this.#sweep.afterSet(this.#settings.now());
		};

		const written = onceMade(dirname(path), () => replaceFile(path, parts, {
			time: this.#settings.now(),
			place: this.#settings.place,
			check: () => {
				this.#folder.expectOwn(path);
			},
		}));
		if (isPromise(written)) {
			return written.then(finish);
		}

		finish();
	}

	/**
	Those who add one key go one after another, also in several processes; one who sets it meanwhile does not wait for them.
	*/
	async add(key: string, value: StoredValue, options: SetOptions): Promise<boolean> {
		this.#expectWritable();
		if (this.#isThere(key)) {
			return false;
		}

		return withClaim(this.#folder.claimOf(key), this.#settings.place, async () => {
			if (this.#isThere(key)) {
				return false;
			}

			await this.set(key, value, options);
			return this.#isThere(key);
		});
	}

	delete(key: string): boolean {
		this.#expectWritable();
		const removed = this.#folder.pathsOf(key).map(path => this.#folder.remove(path));
		return removed.some(head => this.#isLive(head));
	}

	deleteMany(keys: readonly string[]): void {
		for (const key of keys) {
			this.delete(key);
		}
	}

	/** Other files in the folder stay, and so do their folders. */
	async clear(): Promise<void> {
		this.#expectWritable();
		await this.#folder.clear();
	}

	/** What leaves before its turn is left out; what is added meanwhile may be met. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: Uint8Array], void> {
		this.#expectUsable();
		let last: string | undefined;
		for await (const {path} of this.#folder.files()) {
			const found = await this.#read(path);
			// Two files of one key, as a crash may leave them, follow each other.
			if (found === undefined || found.key === last) {
				continue;
			}

			last = found.key;
			yield [found.key, found.value];
		}
	}

	/** The files of all entries, those included whose time has passed and which nobody has removed yet. */
	async * paths(): AsyncGenerator<string, void> {
		this.#expectUsable();
		for await (const {path} of this.#folder.files()) {
			yield path;
		}
	}

	/** How many live values were set with `indexed`, by the first bytes of every file. */
	async count(): Promise<number> {
		this.#expectUsable();
		let count = 0;
		for await (const {head} of this.#folder.files()) {
			count += this.#isLive(head) && head.isEntry ? 1 : 0;
		}

		return count;
	}

	/** Bytes of all files. */
	async size(): Promise<number> {
		this.#expectUsable();
		let bytes = 0;
		for await (const {path} of this.#folder.files()) {
			bytes += fileAt(path)?.size ?? 0;
		}

		return bytes;
	}

	keepRecordings(): void {
		this.#settings.place.keepRecordings();
	}

	watchEvictions(listener: (key: string) => void): () => void {
		return this.#evictions.watch(listener);
	}

	/** Waits for the eviction that is under way. */
	async close(): Promise<void> {
		this.#isClosed = true;
		await this.#bound?.idle();
	}

	#expectUsable(): void {
		const {place, readOnly} = this.#settings;
		if (this.#isClosed) {
			throw new CacheHooksError('ERR_STORE_CLOSED', `The filesystem store \`${place.path}\` is closed`);
		}

		place.check();
		if (this.#isFolderThere) {
			return;
		}

		const stats = this.#statFolder();
		if (stats?.isDirectory() === false || (stats === undefined && readOnly)) {
			throw new CacheHooksError('ERR_STORE_OPEN', `Cannot open the filesystem store: there is no folder \`${place.path}\``);
		}

		this.#isFolderThere = stats !== undefined;
	}

	#statFolder(): Stats | undefined {
		try {
			return statSync(this.path, {throwIfNoEntry: false});
		} catch (error) {
			if (this.#settings.readOnly) {
				throw new CacheHooksError('ERR_STORE_OPEN', `Cannot open the filesystem store \`${this.path}\`: ${(error as Error).message}`, {cause: error});
			}

			// Another process may be about to make it; what is done in it says more.
			return undefined;
		}
	}

	#expectWritable(): void {
		this.#expectUsable();
		if (this.#settings.readOnly) {
			throw new CacheHooksError('ERR_STORE_READ_ONLY', `The filesystem store \`${this.path}\` was opened with \`readOnly\``);
		}
	}

	#read(path: string, key?: string): MaybePromise<Found | undefined> {
		const bytes = readBytes(path);
		return isPromise(bytes) ? bytes.then(large => this.#accept(path, large, key)) : this.#accept(path, bytes, key);
	}

	/** What is not whole, not of this key, or has expired, is no use to anybody. */
	#accept(path: string, bytes: Uint8Array | undefined, key: string | undefined): Found | undefined {
		const head = bytes && readHead(bytes, bytes.byteLength);
		const isUsable = this.#isLive(head) && (key === undefined ? this.#folder.isOwn(path, head) : head.key === key);
		return isUsable ? {key: head.key, value: unframed(bytes!, head)} : undefined;
	}

	#use(path: string, found: Found | undefined): Uint8Array | undefined {
		if (found !== undefined) {
			this.#bound?.afterGet(path);
		}

		return found?.value;
	}

	#isThere(key: string): boolean {
		return this.#folder.pathsOf(key).some(path => this.#isLive(this.#folder.headOf(path)));
	}

	#isLive(head: ReadHead | undefined): head is ReadHead {
		return head?.isWhole === true && (head.expires === undefined || head.expires > this.#settings.now());
	}
}
