import {randomUUID} from 'node:crypto';
import {
	isRecordKey,
	variantKey,
	varyDigest,
	type Secret,
} from '../identity/key.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {
	isBody,
	type StoredResponse,
	storedSize,
	type Variation,
} from '../entry/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import type {SerializerPipeline} from '../entry/serializers/pipeline.ts';
import {UnreadableError, type Serialized} from '../entry/serializers/stage.ts';
import {within} from '../stores/time-limit.ts';
import type {SetResult, Store, StoredValue} from '../stores/types.ts';
import {randomName} from './random-name.ts';
import {
	checksumOf,
	DecodedEntries,
	fromStoredValue,
	serializedSize,
	toStoredValue,
	verify,
} from './stored-values.ts';

type EntriesOptions = {
	readonly store: Store;

	/** `undefined` for a store that holds objects, which are not serialized. */
	readonly serializer: SerializerPipeline | undefined;

	/** The most bytes that a serialized entry may have. */
	readonly maxBytes: number;

	/** Milliseconds that an asynchronous serializer may take; 1 ms more for every 10 kB. */
	readonly timeout: number;

	/** Whether the store may write entries some milliseconds later. Default: `false`. */
	readonly isDeferrable?: boolean;

	/** Writes what the store must have before the entry. */
	readonly beforeWrite: (stored: StoredResponse) => MaybePromise<void>;

	/** Called for each value that could not be read. */
	readonly onUnreadable: (key: string, error: unknown) => void;
};

export type ListedEntry = {readonly key: string; readonly stored: StoredResponse; readonly error?: undefined};

/** An entry, or why it cannot be read, or why no request finds it. */
export type Listed = ListedEntry | {readonly key: string; readonly stored: undefined; readonly error: unknown};

/**
Reads and writes stored responses as values of a store. An entry that cannot be read is reported and deleted, and counts as absent.
*/
export class Entries {
	readonly #options: EntriesOptions;
	readonly #decoded = new DecodedEntries();

	constructor(options: EntriesOptions) {
		this.#options = options;
	}

	/**
	Reads an entry.

	@param isReadOnly - Whether an entry that cannot be read is left in the store. Default: `false`.
	*/
	read(key: string, isReadOnly = false): MaybePromise<StoredResponse | undefined> {
		const value = this.#options.store.get(key);
		// A server answers each hit here: an asynchronous function would take more memory.
		return value instanceof Promise ? value.then(read => this.#read(key, read, isReadOnly)) : this.#read(key, value, isReadOnly);
	}

	#read(key: string, value: StoredValue | undefined, isReadOnly: boolean): MaybePromise<StoredResponse | undefined> {
		return value === undefined || (this.#options.serializer === undefined && isStoredResponse(value)) ? value : this.#readDecoded(key, value, isReadOnly);
	}

	#readDecoded(key: string, value: StoredValue, isReadOnly: boolean): MaybePromise<StoredResponse | undefined> {
		return this.#decoded.get(key, value) ?? recover<StoredResponse | undefined>(() => then(this.#decode(key, value), stored => {
			this.#decoded.set(key, value, stored);
			return stored;
		}), error => {
			this.#reportUnreadable(key, error, isReadOnly);
			return undefined;
		});
	}

	/** Writes an entry. Returns why the store has not taken it, if that is no error. */
	write(key: string, stored: StoredResponse): MaybePromise<SetResult> {
		const preparing = this.#options.beforeWrite(stored);
		return preparing instanceof Promise ? this.#writeAfter(preparing, key, stored) : this.#write(key, stored);
	}

	async #writeAfter(preparing: Promise<void>, key: string, stored: StoredResponse): Promise<SetResult> {
		await preparing;
		return this.#write(key, stored);
	}

	#write(key: string, stored: StoredResponse): MaybePromise<SetResult> {
		const {serializer} = this.#options;
		const value = serializer === undefined ? stored : this.#serialize(key, stored, serializer);
		return value instanceof Promise ? this.#setLater(key, value, stored) : this.#set(key, value, stored);
	}

	async #setLater(key: string, value: Promise<StoredValue>, stored: StoredResponse): Promise<SetResult> {
		return this.#set(key, await value, stored);
	}

	#set(key: string, value: StoredValue, stored: StoredResponse): MaybePromise<SetResult> {
		const {store, serializer, isDeferrable = false} = this.#options;
		return store.set(key, value, {
			expires: stored.retainUntil,
			size: (serializer === undefined ? undefined : serializedSize(value)) ?? storedSize(stored),
			indexed: {createdAt: stored.createdAt, freshUntil: stored.expires},
			isDeferrable,
		});
	}

	/** Lists all entries, also those that cannot be read. Nothing is reported or deleted. */
	async * inspect(): AsyncGenerator<Listed, void> {
		for await (const [key, value] of this.#options.store.iterate()) {
			if (!isRecordKey(key)) {
				yield recover<Listed>(
					() => then(this.#decode(key, value), stored => ({key, stored})),
					error => ({key, stored: undefined, error}),
				);
			}
		}
	}

	#serialize(key: string, stored: StoredResponse, serializer: SerializerPipeline): MaybePromise<StoredValue> {
		const {store, maxBytes} = this.#options;
		const value: MaybePromise<Serialized> = serializer.dumps({...stored, check: checksumOf(key, stored)}, {key, maxBytes});
		return then(this.#inTime('encode', value, stored.byteLength), serialized => toStoredValue(serialized, store.valueType));
	}

	#decode(key: string, value: StoredValue): MaybePromise<StoredResponse> {
		const {serializer, maxBytes} = this.#options;
		if (serializer === undefined) {
			if (!isStoredResponse(value)) {
				throw new UnreadableError('format');
			}

			return verify(key, value);
		}

		const decoded = serializer.loads(fromStoredValue(value, serializer.gives), {key, maxBytes});
		return then(this.#inTime('decode', decoded, (value as {readonly length?: number}).length ?? 0), stored => verify(key, stored));
	}

	#inTime<T>(operation: string, answer: MaybePromise<T>, size: number): MaybePromise<T> {
		return answer instanceof Promise ? within(this.#options.timeout + Math.ceil(size / 10_000), operation, answer) : answer;
	}

	#reportUnreadable(key: string, error: unknown, isReadOnly: boolean): void {
		const {store, onUnreadable} = this.#options;
		onUnreadable(key, error);
		// An entry that was not decoded in time may be intact. If the store fails, the next reader of the entry tries again.
		if (!isReadOnly && error instanceof UnreadableError) {
			void recover<unknown>(() => store.delete(key), fault => {
				onUnreadable(key, fault);
			});
		}
	}
}

function isStoredResponse(value: StoredValue): value is StoredResponse {
	const {body, fields, rawHeaders} = value as Partial<StoredResponse>;
	return isBody(body) && typeof fields === 'object' && Array.isArray(rawHeaders);
}

/**
A stored response and its key: the primary key, or that of a variant.
*/
export type Match = {
	readonly primary: string;
	readonly key: string;
	readonly stored: StoredResponse;
};

/** The result of a lookup that found no matching response. */
export type NoMatch = {
	readonly stored: undefined;

	/** Whether other variants of the resource are stored. */
	readonly varies: boolean;

	/** Set if the store could not be read, so that the request goes on without it. */
	readonly isUnread?: true;
};

export const noMatch: NoMatch = {stored: undefined, varies: false};

export const unread: NoMatch = {stored: undefined, varies: false, isUnread: true};

/**
The variants of a resource (RFC 9111 §4.1). The first one has the primary key; the key of each other one derives from the generation of the primary entry and from its own nominated header values. So deleting the primary entry makes all of them unreachable.
*/
export class Variants {
	readonly #entries: Entries;
	readonly #secret: () => MaybePromise<Secret>;
	readonly #beforeVariant: () => MaybePromise<void>;

	/**
	Creates the variants of entries.

	@param secret - Returns the secret of the digests of nominated values, which may include a cookie.
	@param beforeVariant - Writes what the store must have before a variant is written beside the primary entry.
	*/
	constructor(entries: Entries, secret: () => MaybePromise<Secret>, beforeVariant: () => MaybePromise<void>) {
		this.#entries = entries;
		this.#secret = secret;
		this.#beforeVariant = beforeVariant;
	}

	/**
	Finds the stored response for a primary key and the header fields of a request: by one read, or by two if it varies.
	*/
	match(primary: string, request: Fields, isReadOnly = false): MaybePromise<Match | NoMatch> {
		const stored = this.#entries.read(primary, isReadOnly);
		return stored instanceof Promise ? stored.then(read => this.#match(primary, request, read, isReadOnly)) : this.#match(primary, request, stored, isReadOnly);
	}

	#match(primary: string, request: Fields, stored: StoredResponse | undefined, isReadOnly: boolean): MaybePromise<Match | NoMatch> {
		if (stored === undefined) {
			return noMatch;
		}

		const match = {primary, key: primary, stored};
		return stored.vary === undefined ? match : this.#matchVariant(match, request, stored.vary, isReadOnly);
	}

	#matchVariant(match: Match, request: Fields, {names, digest}: Variation, isReadOnly: boolean): MaybePromise<Match | NoMatch> {
		return then(this.#secret(), secret => {
			const variant = varyDigest(secret, names, request);
			if (variant === digest) {
				return match;
			}

			const {primary, stored: {generation, expiredWith}} = match;
			const key = variantKey(generation, variant);
			return then(this.#entries.read(key, isReadOnly), stored => stored?.vary?.digest === variant
				? {primary, key, stored: withExpirationOfPrimary(stored, expiredWith)}
				: {stored: undefined, varies: true});
		});
	}

	/**
	Returns a stored response as a request finds it: a variant is found only through its primary entry, and expires with it.

	@returns `undefined` if no request finds it.
	*/
	findReachable(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		return stored.primary === undefined
			? stored
			: then(this.#entries.read(stored.primary), primary => primary?.vary === undefined || primary.generation !== stored.generation
				? undefined
				: withExpirationOfPrimary(stored, primary.expiredWith));
	}

	/**
	Writes a response under its primary key, or under a key of its own if another variant has the primary key.

	@returns Why the store has not taken it, if that is no error.
	*/
	save(key: string, request: Fields, stored: StoredResponse): MaybePromise<SetResult> {
		return stored.vary === undefined ? this.#entries.write(key, stored) : this.#saveVarying(key, request, stored, stored.vary.names);
	}

	#saveVarying(key: string, request: Fields, stored: StoredResponse, names: readonly string[]): MaybePromise<SetResult> {
		return then(this.#secret(), secret => then(this.#entries.read(key), primary => {
			const variation = {names, digest: varyDigest(secret, names, request)};
			if (primary?.vary?.names.join(',') !== variation.names.join(',')) {
				// Variants by other names must not be found through this one.
				return this.#entries.write(key, {...stored, vary: variation, generation: randomName()});
			}

			const {generation, vary, expiredWith} = primary;
			const variant = {
				...stored, ...(expiredWith !== undefined && {expiredWith}), generation, vary: variation,
			};
			return vary.digest === variation.digest
				? this.#entries.write(key, variant)
				: then(this.#beforeVariant(), () => this.#entries.write(variantKey(generation, variation.digest), {...variant, primary: key}));
		}));
	}
}

/** Returns a variant, expired if its primary entry was expired after the variant was written. */
function withExpirationOfPrimary(stored: StoredResponse, expiredWith: string | undefined): StoredResponse {
	return expiredWith === undefined || stored.expiredWith === expiredWith ? stored : {...stored, expires: Math.min(stored.expires ?? Infinity, Number(expiredWith.split(' ', 1)[0]))};
}

/** Makes the unique `expiredWith` of a primary entry, which says since when it and its variants are expired. */
export function newExpiredWith(now: number): string {
	return `${now} ${randomUUID()}`;
}
