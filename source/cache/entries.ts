import {crc32} from 'node:zlib';
import {Buffer} from 'node:buffer';
import type {StoredResponse} from '../model/stored-response.ts';
import {UnreadableError} from '../serializers/unreadable.ts';
import type {StoredValue, Store} from '../stores/types.ts';
import type {SerializerPipeline} from '../serializers/pipeline.ts';
import type {Serialized} from '../serializers/stage.ts';
import {within} from '../stores/time-limit.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {isRecordKey} from '../identity/key.ts';
import {withSharedStrings} from './shared-strings.ts';
import {fromStoredValue, toStoredValue} from './stored-values.ts';

export type EntriesOptions = {
	readonly store: Store;

	/** `undefined` for a store that keeps live objects. */
	readonly serializer: SerializerPipeline | undefined;

	/** The most bytes that a serialized entry may have. */
	readonly maxBytes: number;

	/** Milliseconds that an asynchronous serializer may take; 1 ms more for every 10 kB. */
	readonly timeout: number;

	/** What is to be in the store before anything else is. */
	readonly beforeWrite: (stored: StoredResponse) => MaybePromise<void>;

	/** Told of what could not be read. */
	readonly onRubbish: (key: string, error: unknown) => void;
};

/** An entry, or why it cannot be read. */
export type Inspected = {
	readonly key: string;
} & ({readonly stored: StoredResponse; readonly error?: undefined} | {readonly stored?: undefined; readonly error: unknown});

/**
Stored responses as a store holds them. What cannot be read is told, deleted, and as good as never stored.
*/
export class Entries {
	readonly #options: EntriesOptions;
	readonly #decoded = new DecodedEntries();

	/** Reads nothing yet. */
	constructor(options: EntriesOptions) {
		this.#options = options;
	}

	read(key: string): MaybePromise<StoredResponse | undefined> {
		const {store, serializer} = this.#options;
		return then(store.get(key), value => {
			if (value === undefined || (serializer === undefined && isLive(value))) {
				return value;
			}

			return this.#decoded.get(key, value) ?? this.#attempt<StoredResponse | undefined>(() => this.#kept(key, value), error => {
				this.#refuse(key, error);
				return undefined;
			});
		});
	}

	write(key: string, stored: StoredResponse): MaybePromise<void> {
		const {store, beforeWrite} = this.#options;
		return then(beforeWrite(stored), () => then(this.#encode(key, stored), value => store.set(key, value, {
			expires: stored.retainUntil,
			size: sizeOf(stored),
			indexed: {createdAt: stored.createdAt, freshUntil: stored.expires},
		})));
	}

	/** All entries, those that cannot be read as well. Nothing is told or deleted. */
	async * inspect(): AsyncGenerator<Inspected, void> {
		for await (const [key, value] of this.#options.store.iterate()) {
			if (!isRecordKey(key)) {
				yield this.#attempt<Inspected>(
					() => then(this.#verified(key, value), stored => ({key, stored})),
					error => ({key, error}),
				);
			}
		}
	}

	#encode(key: string, stored: StoredResponse): MaybePromise<StoredValue> {
		const {store, serializer, maxBytes} = this.#options;
		if (serializer === undefined) {
			return withSharedStrings(stored);
		}

		const value: MaybePromise<Serialized> = serializer.dumps({...stored, check: checkOf(key, stored)}, {key, maxBytes});
		return then(this.#inTime('encode', value, sizeOf(stored)), serialized => toStoredValue(serialized, store.holds));
	}

	#kept(key: string, value: StoredValue): MaybePromise<StoredResponse> {
		return then(this.#verified(key, value), stored => {
			this.#decoded.set(key, value, stored);
			return stored;
		});
	}

	#verified(key: string, value: StoredValue): MaybePromise<StoredResponse> {
		return then(this.#decode(key, value), stored => verify(key, stored));
	}

	#decode(key: string, value: StoredValue): MaybePromise<StoredResponse> {
		const {serializer, maxBytes} = this.#options;
		if (serializer !== undefined) {
			return this.#inTime('decode', serializer.loads(fromStoredValue(value, serializer.gives), {key, maxBytes}), (value as {readonly length?: number}).length ?? 0);
		}

		if (!isLive(value)) {
			throw new UnreadableError('format');
		}

		return value;
	}

	#inTime<T>(operation: string, answer: MaybePromise<T>, size: number): MaybePromise<T> {
		return answer instanceof Promise ? within(this.#options.timeout + Math.ceil(size / 10_000), operation, answer) : answer;
	}

	/** `recover` stands in for what is thrown, now or later. */
	#attempt<T>(run: () => MaybePromise<T>, recover: (error: unknown) => T): MaybePromise<T> {
		try {
			const answer = run();
			return answer instanceof Promise ? answer.catch(recover) : answer;
		} catch (error) {
			return recover(error);
		}
	}

	#refuse(key: string, error: unknown): void {
		this.#options.onRubbish(key, error);
		// One that was not read in time may be good.
		if (error instanceof UnreadableError) {
			void this.#discard(key);
		}
	}

	/** Nobody waits for it: where the store fails, whoever reads the entry next tries again. */
	async #discard(key: string): Promise<void> {
		try {
			await this.#options.store.delete(key);
		} catch (error) {
			this.#options.onRubbish(key, error);
		}
	}
}

/** Bytes that an entry stands for. */
function sizeOf({body, rawHeaders}: StoredResponse): number {
	return body.byteLength + JSON.stringify(rawHeaders).length;
}

function isLive(value: StoredValue): value is StoredResponse {
	const {body, fields, rawHeaders} = value as Partial<StoredResponse>;
	return body instanceof Uint8Array && typeof fields === 'object' && Array.isArray(rawHeaders);
}

/**
A checksum of an entry and of the key under which it lies: storage that flips a bit, or gives what lies elsewhere, is found out. It is none against those who mean harm, who can make one.
*/
export function checkOf(key: string, {url, method, statusCode, statusMessage, rawHeaders, createdAt, initialAge, expires, retainUntil, codings, decidedBy, generation, vary, primary, facts, body}: StoredResponse): string {
	// In an order of our own, for a store may have its own. The place of a member that is gone stays, so that older entries pass.
	const parts = [key, url, method, statusCode, statusMessage, rawHeaders, createdAt, initialAge, expires, retainUntil, codings, decidedBy, generation, vary?.names, vary?.digest, null, primary, ...inOrder(facts)];
	return crc32(body, crc32(JSON.stringify(parts))).toString(16);
}

/** None where there are none, as in what an older version wrote. */
function inOrder(facts: object | undefined): ReadonlyArray<readonly [string, unknown]> {
	return facts === undefined ? [] : Object.entries(facts).toSorted(([one], [other]) => one < other ? -1 : 1);
}

/**
Refuses what is not what was written under the key. What an older version wrote has no checksum, nor has a live object.

@returns The entry without its checksum, which would not be that of what is made of it.
@throws {UnreadableError} `format`
*/
export function verify(key: string, entry: StoredResponse): StoredResponse {
	if (entry.check === undefined) {
		return entry;
	}

	const {check, ...stored} = entry;
	if (check !== checkOf(key, stored)) {
		throw new UnreadableError('format', {cause: new TypeError('The entry is not what was written under its key')});
	}

	return stored;
}

type Decoded = {readonly value: string | Uint8Array; readonly stored: StoredResponse};

// What is read again and again is little; a large value takes longer to compare than its metadata to parse.
const longest = 65_536;
const mostBytes = 4_194_304;

/**
Entries that were decoded lately, with what they were decoded from: what a store gives once more, to the letter, need not be decoded once more.
*/
export class DecodedEntries {
	readonly #entries = new Map<string, Decoded>();
	#bytes = 0;

	/** The entry, if this is what it was decoded from. */
	get(key: string, value: StoredValue): StoredResponse | undefined {
		const known = this.#entries.get(key);
		return known !== undefined && isSame(known.value, value) ? known.stored : undefined;
	}

	set(key: string, value: StoredValue, stored: StoredResponse): void {
		if (!isPlain(value) || value.length > longest) {
			return;
		}

		this.delete(key);
		this.#entries.set(key, {value, stored});
		this.#bytes += value.length;
		for (const oldest of this.#entries.keys()) {
			if (this.#bytes <= mostBytes) {
				break;
			}

			this.delete(oldest);
		}
	}

	delete(key: string): void {
		const known = this.#entries.get(key);
		if (known === undefined) {
			return;
		}

		this.#entries.delete(key);
		this.#bytes -= known.value.length;
	}
}

function isPlain(value: StoredValue): value is string | Uint8Array {
	return typeof value === 'string' || value instanceof Uint8Array;
}

function isSame(known: string | Uint8Array, value: StoredValue): boolean {
	return typeof known === 'string' || !(value instanceof Uint8Array) ? known === value : Buffer.compare(known, value) === 0;
}
