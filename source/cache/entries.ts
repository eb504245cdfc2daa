import {Buffer} from 'node:buffer';
import {randomFillSync, randomUUID} from 'node:crypto';
import {
	isRecordKey,
	variantKey,
	varyDigest,
	type Secret,
} from '../identity/key.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {
	storedSize,
	withSharedStrings,
	type StoredResponse,
	type Variation,
} from '../entry/stored-response.ts';
import type {Fields} from '../policy/fields.ts';
import type {SerializerPipeline} from '../entry/serializers/pipeline.ts';
import {UnreadableError, type Serialized} from '../entry/serializers/stage.ts';
import {within} from '../stores/time-limit.ts';
import type {Store, StoredValue} from '../stores/types.ts';
import {checkOf, DecodedEntries, verify} from './decoded-entries.ts';
import {fromStoredValue, heldSize, toStoredValue} from './stored-values.ts';

/**
The variants of a resource (RFC 9111 §4.1): the first lies under the primary key, each other under a key that derives from the primary's generation and its own nominated values. So deleting the primary unhooks them all.
*/
export class Variants {
	readonly #entries: Entries;
	readonly #secret: () => MaybePromise<Secret>;
	readonly #beforeVariant: () => MaybePromise<void>;

	/**
	Reads nothing yet.

	@param secret - Gives the secret of the digests of nominated values: a cookie may be among them.
	@param beforeVariant - Writes what must be in the store before a variant beside the primary entry is.
	*/
	constructor(entries: Entries, secret: () => MaybePromise<Secret>, beforeVariant: () => MaybePromise<void>) {
		this.#entries = entries;
		this.#secret = secret;
		this.#beforeVariant = beforeVariant;
	}

	/**
	The stored response for a primary key and the request's header fields: one read, or two where it varies.
	*/
	match(primary: string, request: Fields, isReadOnly = false): MaybePromise<Match | NoMatch> {
		return then(this.#entries.read(primary, isReadOnly), stored => {
			if (stored === undefined) {
				return {stored, varies: false};
			}

			const match = {primary, key: primary, stored};
			if (stored.vary === undefined) {
				return match;
			}

			return then(this.#secret(), secret => {
				const variant = varyDigest(secret, stored.vary!.names, request);
				return variant === stored.vary!.digest ? match : then(this.#readVariant(match, variant, isReadOnly), found => found ?? {stored: undefined, varies: true});
			});
		});
	}

	#readVariant({primary, stored: {generation, expiredWith}}: Match, variant: string, isReadOnly: boolean): MaybePromise<Match | undefined> {
		const key = variantKey(generation, variant);
		return then(this.#entries.read(key, isReadOnly), stored => stored?.vary?.digest === variant ? {primary, key, stored: asMarked(stored, expiredWith)} : undefined);
	}

	/**
	A stored response as a request would find it: a variant is found through its primary entry only, and is stale where that was marked as expired.

	@returns `undefined` where no request finds it.
	*/
	reach(stored: StoredResponse): MaybePromise<StoredResponse | undefined> {
		return stored.primary === undefined
			? stored
			: then(this.#entries.read(stored.primary), primary => primary?.vary === undefined || primary.generation !== stored.generation
				? undefined
				: asMarked(stored, primary.expiredWith));
	}

	/**
	Writes a response under its primary key, or where another variant lies there, under its own.
	*/
	save(key: string, request: Fields, stored: StoredResponse): MaybePromise<void> {
		return stored.vary === undefined
			? this.#entries.write(key, stored)
			: then(this.#secret(), secret => this.#saveVarying(key, stored, withDigest(stored.vary!, secret, request)));
	}

	#saveVarying(key: string, stored: StoredResponse, {names, digest}: Variation): MaybePromise<void> {
		return then(this.#entries.read(key), primary => {
			if (primary?.vary?.names.join(',') !== names.join(',')) {
				// Variants by other names must not be found through this one.
				return this.#entries.write(key, {...stored, vary: {names, digest}, generation: newGeneration()});
			}

			const {generation, vary, expiredWith} = primary;
			const marked = expiredWith === undefined ? stored : {...stored, expiredWith};
			if (vary.digest === digest) {
				return this.#entries.write(key, {...marked, generation, vary: {names, digest}});
			}

			return then(this.#beforeVariant(), () => this.#entries.write(variantKey(generation, digest), {
				...marked, generation, vary: {names, digest}, primary: key,
			}));
		});
	}
}

/**
A stored response and where it lies: under the primary key, or under its variant's.
*/
export type Match = {
	readonly primary: string;
	readonly key: string;
	readonly stored: StoredResponse;
};

/** Nothing stored matches; `varies` says whether other variants of the resource are stored, `isUnread` that the store could not be read, so that the request does without it. */
export type NoMatch = {
	readonly stored: undefined;
	readonly varies: boolean;
	readonly isUnread?: true;
};

export const unread: NoMatch = {stored: undefined, varies: false, isUnread: true};

function withDigest({names}: Variation, secret: Secret, request: Fields): Variation {
	return {names, digest: varyDigest(secret, names, request)};
}

/** A variant, expired if its primary entry was marked as expired after the variant was written. */
function asMarked(stored: StoredResponse, mark: string | undefined): StoredResponse {
	return mark === undefined || stored.expiredWith === mark ? stored : {...stored, expires: Math.min(stored.expires ?? Infinity, Number(mark.split(' ', 1)[0]))};
}

/** Makes a mark that a primary entry, and with it its variants, is expired from a moment on. */
export function newMark(now: number): string {
	return `${now} ${randomUUID()}`;
}

/** Makes the name of a generation of a primary entry: variants of one generation are not found through the next. */
export function newGeneration(): string {
	if (position === random.byteLength) {
		randomFillSync(random);
		position = 0;
	}

	position += generationBytes;
	return random.toString('base64url', position - generationBytes, position);
}

// `randomUUID` would not do: V8 keeps its strings as trees of single bytes, which take as much memory as everything else that is stored beside a body.
const generationBytes = 16;
const random = Buffer.alloc(64 * generationBytes);
let position = random.byteLength;

/**
Stored responses as a store holds them. An entry that cannot be read is reported and deleted, and counts as absent.
*/
export class Entries {
	readonly #options: EntriesOptions;
	readonly #decoded = new DecodedEntries();

	/** Reads nothing yet. */
	constructor(options: EntriesOptions) {
		this.#options = options;
	}

	/**
	Reads an entry.

	@param isReadOnly - Whether one that cannot be read stays. Default: `false`.
	*/
	read(key: string, isReadOnly = false): MaybePromise<StoredResponse | undefined> {
		const {store, serializer} = this.#options;
		return then(store.get(key), value => {
			if (value === undefined || (serializer === undefined && isLive(value))) {
				return value;
			}

			return this.#decoded.get(key, value) ?? this.#attempt<StoredResponse | undefined>(() => this.#kept(key, value), error => {
				this.#refuse(key, error, isReadOnly);
				return undefined;
			});
		});
	}

	write(key: string, stored: StoredResponse): MaybePromise<void> {
		const {store, beforeWrite} = this.#options;
		return then(beforeWrite(stored), () => then(this.#encode(key, stored), value => store.set(key, value, {
			expires: stored.retainUntil,
			size: (this.#options.serializer === undefined ? undefined : heldSize(value)) ?? storedSize(stored),
			indexed: {createdAt: stored.createdAt, freshUntil: stored.expires},
		})));
	}

	/** Gives all entries, those that cannot be read included. Nothing is reported or deleted. */
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
		return then(this.#inTime('encode', value, storedSize(stored)), serialized => toStoredValue(serialized, store.holds));
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

	/** Runs an action; `recover` gives the value in place of an error that is thrown, now or later. */
	#attempt<T>(run: () => MaybePromise<T>, recover: (error: unknown) => T): MaybePromise<T> {
		try {
			const answer = run();
			return answer instanceof Promise ? answer.catch(recover) : answer;
		} catch (error) {
			return recover(error);
		}
	}

	#refuse(key: string, error: unknown, isReadOnly: boolean): void {
		this.#options.onUnreadable(key, error);
		// An entry that was not read in time may be intact.
		if (!isReadOnly && error instanceof UnreadableError) {
			void this.#discard(key);
		}
	}

	/** Deletes an entry while nobody waits: where the store fails, the next reader of the entry tries again. */
	async #discard(key: string): Promise<void> {
		try {
			await this.#options.store.delete(key);
		} catch (error) {
			this.#options.onUnreadable(key, error);
		}
	}
}

type EntriesOptions = {
	readonly store: Store;

	/** `undefined` for a store that keeps live objects. */
	readonly serializer: SerializerPipeline | undefined;

	/** The most bytes that a serialized entry may have. */
	readonly maxBytes: number;

	/** Milliseconds that an asynchronous serializer may take; 1 ms more for every 10 kB. */
	readonly timeout: number;

	/** Writes what must be in the store before the entry is. */
	readonly beforeWrite: (stored: StoredResponse) => MaybePromise<void>;

	/** Called for each value that could not be read. */
	readonly onUnreadable: (key: string, error: unknown) => void;
};

/** An entry, or why it cannot be read. */
type Inspected = {
	readonly key: string;
} & ({readonly stored: StoredResponse; readonly error?: undefined} | {readonly stored?: undefined; readonly error: unknown});

function isLive(value: StoredValue): value is StoredResponse {
	const {body, fields, rawHeaders} = value as Partial<StoredResponse>;
	return body instanceof Uint8Array && typeof fields === 'object' && Array.isArray(rawHeaders);
}
