import {Buffer} from 'node:buffer';
import {readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {CacheHooksError} from '../errors.ts';
import {isBody, type StoredResponse} from '../entry/stored-response.ts';
import {isRecordKey} from '../identity/key.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {
	namesIn,
	removeFile,
	replaceFile,
	statFile,
} from '../stores/filesystem/files.ts';
import type {StoreLocation} from '../stores/location.ts';
import type {Store, StoredValue} from '../stores/types.ts';
import {formatRecording, parseRecording, type Recording} from './format.ts';
import {
	digest,
	nameOfKey,
	newFileName,
	parseName,
	type RecordingName,
} from './names.ts';
import {isSameResponse} from './same.ts';

/** The key of the secret of keyed digests, and its text. The folder is read by whoever has the program, so that a random secret in it would protect nothing, and would give each recording other names. */
const secretKey = 'got-cache:1:secret';
const secret = {serialized: `got-cache-secret:1:${'00'.repeat(32)}`};

const temporaryName = /^\.[\da-f]{8}-[\d\-a-f]{27}\.tmp$/v;

/** The maximum age of a temporary file that is in use, in milliseconds. */
const longestWrite = 600_000;

type File = Recording & {readonly name: string};

/**
The recordings of a `mode` in a folder: a file for each response, which people read, edit and put under version control. Its name begins with the method and the URL.

A response that equals the recorded one, but for what differs each time (`Date`, the id of a request), leaves its file as it is. The variants of a resource are equal: none of them stands for the others, so that the order of recording does not matter, and no process overwrites what another one records.

Records of the cache, such as its journal, are kept by the process and written nowhere.

Calls throw a `CacheHooksError`: `ERR_RECORDING_FILE` for a file that is no recording any more, which is neither replaced nor removed, and `ERR_STORE_OPEN` if a folder that is only read does not exist.
*/
export class RecordingStore implements Store {
	readonly name = 'filesystem';
	readonly valueType = 'objects';
	readonly scope = 'machine';
	readonly path: string;
	readonly #location: StoreLocation;
	readonly #isReadOnly: boolean;
	readonly #records = new Map<string, StoredValue>([[secretKey, secret]]);

	#isFolderThere = false;
	#areLeftOversRemoved = false;

	/** The names of the files by the digests in them. */
	#byPrimary = new Map<string, string[]>();
	#byVariant = new Map<string, string>();

	constructor(location: StoreLocation, isReadOnly: boolean) {
		location.keepRecordings();
		this.path = location.path;
		this.#location = location;
		this.#isReadOnly = isReadOnly;
	}

	get(key: string): StoredValue | undefined {
		this.#expectFolder();
		return isRecordKey(key) ? this.#records.get(key) : this.#find(key)?.stored;
	}

	set(key: string, value: StoredValue): MaybePromise<void> {
		if (isRecordKey(key)) {
			this.#records.set(key, value);
			return undefined;
		}

		if (!isResponse(value)) {
			throw new CacheHooksError('ERR_STORE_VALUE', 'A recording has the form of its file: leave out `serializer`.');
		}

		return this.#write(value.primary ?? key, value);
	}

	delete(key: string): boolean {
		if (isRecordKey(key)) {
			return this.#records.delete(key);
		}

		this.#scan();
		const variant = this.#byVariant.get(digest(key));
		return [...this.#filesOf(nameOfKey(key, undefined)), ...variant === undefined ? [] : [variant]].map(name => this.#remove(name)).some(Boolean);
	}

	deleteMany(keys: readonly string[]): void {
		for (const key of keys) {
			this.delete(key);
		}
	}

	clear(): void {
		for (const name of this.#scan()) {
			this.#remove(name);
		}

		this.#records.clear();
		this.#records.set(secretKey, secret);
	}

	/** A file that is no recording any more comes with its name in place of the key, and no response. */
	async * iterate(): AsyncGenerator<readonly [key: string, value: StoredValue], void> {
		for (const name of this.#scan()) {
			try {
				const file = this.#read(name);
				if (file !== undefined) {
					yield [file.key, file.stored];
				}
			} catch (error) {
				yield [name, {error}];
			}
		}
	}

	count(): number {
		return this.#scan().length;
	}

	size(): number {
		return this.#scan().reduce((sum, name) => sum + (statFile(this.#pathOf(name))?.size ?? 0), 0);
	}

	close(): void {
		this.#byPrimary.clear();
	}

	/** Finds the file of a key, or any variant if the response of the key varies. */
	#find(key: string): File | undefined {
		// Another process may have written or removed a file meanwhile.
		return this.#findKnown(key) ?? (this.#scan().length > 0 ? this.#findKnown(key) : undefined);
	}

	#findKnown(key: string): File | undefined {
		const [first] = this.#filesOf(nameOfKey(key, undefined));
		const name = first ?? this.#byVariant.get(digest(key));
		return name === undefined ? undefined : this.#read(name);
	}

	/** Returns the names of the files of a primary key: that of a response that does not vary first. */
	#filesOf(wanted: RecordingName): readonly string[] {
		return (this.#byPrimary.get(wanted.primary) ?? []).filter(name => parseName(name)!.number === wanted.number);
	}

	#write(primary: string, value: StoredResponse): MaybePromise<void> {
		this.#removeLeftOvers();
		const {vary} = value;
		const wanted = nameOfKey(primary, vary?.digest);
		this.#scan();
		const known = this.#filesOf(wanted);
		const files = known.map(name => this.#read(name)).filter(file => file !== undefined);
		const previous = files.find(({name}) => parseName(name)!.variant === wanted.variant);
		const names = vary?.names.join(',');
		const others = files.filter(file => file !== previous && (names === undefined || file.stored.vary?.names.join(',') !== names));
		const name = previous?.name ?? newFileName(value.method, value.url, wanted);
		const written = previous !== undefined && isSameResponse(previous.stored, value)
			? undefined
			: replaceFile(this.#pathOf(name), [Buffer.from(formatRecording(primary, {...value, primary}))], {
				time: Date.now(), location: this.#location, check() {}, // eslint-disable-line @typescript-eslint/no-empty-function -- `#read` has checked the file.
			});
		return then(written, () => {
			for (const other of others) {
				removeFile(this.#pathOf(other.name));
			}
		});
	}

	#read(name: string): File | undefined {
		const path = this.#pathOf(name);
		if (statFile(path) === undefined) {
			return undefined;
		}

		const recording = parseRecording(readFileSync(path, 'utf8'), path);
		const {primary, variant} = parseName(name)!;
		const actual = nameOfKey(recording.stored.primary ?? recording.key, recording.stored.vary?.digest);
		if (actual.primary !== primary || actual.variant !== variant) {
			throw new CacheHooksError('ERR_RECORDING_FILE', `The file \`${path}\` is not a recording: its \`key\` or its \`vary\` is another than its name says. Mend it, or remove it and record it again.`);
		}

		return {...recording, name};
	}

	/** Removes, once, the temporary files of writers that were killed. */
	#removeLeftOvers(): void {
		if (this.#areLeftOversRemoved) {
			return;
		}

		this.#areLeftOversRemoved = true;
		for (const name of namesIn(this.path)) {
			const stats = temporaryName.test(name) ? statFile(this.#pathOf(name)) : undefined;
			if (stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) > longestWrite) {
				removeFile(this.#pathOf(name));
			}
		}
	}

	/** Removes a file, unless it is no recording any more. */
	#remove(name: string): boolean {
		try {
			return this.#read(name) !== undefined && removeFile(this.#pathOf(name));
		} catch (error) {
			if (error instanceof CacheHooksError) {
				return false;
			}

			throw error;
		}
	}

	/** Checks that a folder which is only read is there. */
	#expectFolder(): void {
		this.#location.check();
		if (!this.#isReadOnly || this.#isFolderThere) {
			return;
		}

		this.#isFolderThere = statSync(this.path, {throwIfNoEntry: false})?.isDirectory() === true;
		if (!this.#isFolderThere) {
			throw new CacheHooksError('ERR_STORE_OPEN', `There is no folder \`${this.path}\` with recordings.`);
		}
	}

	/** Reads the names of all files, and returns them. */
	#scan(): readonly string[] {
		this.#expectFolder();
		const named = namesIn(this.path).map(name => [name, parseName(name)] as const).filter(pair => pair[1] !== undefined) as ReadonlyArray<readonly [string, RecordingName]>;
		const grouped = Map.groupBy(named, ([, {primary}]) => primary);
		this.#byPrimary = new Map(grouped.entries().map(([primary, files]) => [primary, files.toSorted(([, one], [, other]) => Number(one.variant !== undefined) - Number(other.variant !== undefined)).map(([name]) => name)]));
		this.#byVariant = new Map(named.flatMap(([name, {variant}]) => variant === undefined ? [] : [[variant, name] as const]));
		return named.map(([name]) => name);
	}

	#pathOf(name: string): string {
		return join(this.path, name);
	}
}

function isResponse(value: StoredValue): value is StoredResponse {
	const {body, rawHeaders} = value as Partial<StoredResponse>;
	return isBody(body) && Array.isArray(rawHeaders);
}
