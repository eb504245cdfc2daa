import type {StoredResponse} from '../model/stored-response.ts';
import type {SerializerPipeline} from '../serializers/pipeline.ts';
import type {Serialized} from '../serializers/stage.ts';
import {UnreadableError} from '../serializers/unreadable.ts';
import {within} from '../stores/time-limit.ts';
import type {Store, StoredValue} from '../stores/types.ts';
import {then, type MaybePromise} from '../maybe-promise.ts';
import {isRecordKey} from '../identity/key.ts';
import {checkOf, verify} from './entry-check.ts';
import {DecodedEntries} from './decoded-entries.ts';
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
