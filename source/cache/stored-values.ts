import {constants, Buffer} from 'node:buffer';
import {crc32} from 'node:zlib';
import {SettingError} from '../errors.ts';
import {
	partsOfBody,
	type StoredResponse,
	storedSize,
	textSize,
} from '../entry/stored-response.ts';
import {initSerializer, type PipelineStage, type SerializerPipeline} from '../entry/serializers/pipeline.ts';
import {type Serialized, UnreadableError} from '../entry/serializers/stage.ts';
import type {Store, StoredValue} from '../stores/types.ts';

type Default = {
	readonly serializer: PipelineStage;
	readonly decodeContent: boolean;
};

/** For stores whose values people read. */
const readable: Default = {serializer: 'json', decodeContent: true};

/** For all other stores, by measurement (`bench/serializers.ts`). */
const defaults: Readonly<Record<Store['valueType'], Default | undefined>> = {
	objects: undefined,
	documents: {serializer: 'document', decodeContent: true},
	bytes: {serializer: 'binary', decodeContent: false},
	text: {serializer: 'binary', decodeContent: false},
};

export type SerializerSettings = {
	readonly serializer?: PipelineStage | SerializerPipeline | undefined;
	readonly decodeContent?: boolean | undefined;
};

/**
Returns the serializer that the settings name, or the best one for the store; `undefined` for a store that holds objects, which are not serialized.

@throws {SettingError} If the serializer is unknown, or its output is nothing that the store can hold.
@throws {CacheHooksError} `ERR_SERIALIZER_PACKAGE`, if the package of a format is not installed.
*/
export function serializerOf({name, valueType, isHumanReadable = false}: Pick<Store, 'name' | 'valueType' | 'isHumanReadable'>, {serializer, decodeContent}: SerializerSettings): SerializerPipeline | undefined {
	const byDefault = isHumanReadable && (valueType === 'bytes' || valueType === 'text') ? readable : defaults[valueType];
	const chosen = serializer ?? byDefault?.serializer;
	if (chosen === undefined) {
		return undefined;
	}

	const pipeline = initSerializer(chosen, {decodeContent: decodeContent ?? byDefault?.decodeContent});
	if (pipeline.gives === 'document' && (valueType === 'bytes' || valueType === 'text')) {
		throw new SettingError('cache.serializer', serializer, `a serializer that gives text or bytes, because the store \`${name}\` holds ${valueType}`);
	}

	return pipeline;
}

/**
Returns the most bytes that a serialized entry may have before it is compressed: room for the largest body in the longest likely form (base64, escapes), and for its metadata.
*/
export function maxSerializedBytes(maxEntryBytes: number): number {
	return Math.min((2 * maxEntryBytes) + (1024 * 1024), constants.MAX_LENGTH);
}

/**
Converts the output of a serializer to a value for the store.

| | `bytes` | `text` | `documents`, `objects` |
|---|---|---|---|
| text | as UTF-8 | unchanged | in an object |
| bytes | unchanged | as base64 | in an object |
| a document | – | – | unchanged |
*/
export function toStoredValue(value: Serialized, valueType: Store['valueType']): StoredValue {
	if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
		return value;
	}

	switch (valueType) {
		case 'bytes': {
			return typeof value === 'string' ? Buffer.from(value) : value;
		}

		case 'text': {
			return typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
		}

		case 'documents':
		case 'objects': {
			return {serialized: value};
		}
	}
}

/**
Converts a value of the store back to the output of a serializer. Text that is stored as bytes stays bytes, which the serializer reads.

@param gives - The kind of output of the serializer.
*/
export function fromStoredValue(value: StoredValue, gives: 'document' | 'text' | 'bytes'): unknown {
	if (gives === 'bytes' && typeof value === 'string') {
		return Buffer.from(value, 'base64');
	}

	return gives === 'document' || typeof value === 'string' || value instanceof Uint8Array ? value : (value as {readonly serialized?: unknown}).serialized;
}

/** Returns the bytes of serialized text or bytes; `undefined` for a document or an object that was not serialized. */
export function serializedSize(value: StoredValue): number | undefined {
	const serialized: unknown = typeof value === 'object' && 'serialized' in value ? value.serialized : value;
	if (typeof serialized === 'string') {
		return textSize(serialized);
	}

	return serialized instanceof Uint8Array ? serialized.byteLength : undefined;
}

/**
Returns a checksum of an entry and its key, which detects a store that changes a value, or returns that of another key. It does not protect against an attacker, who can compute one.
*/
export function checksumOf(key: string, {url, method, statusCode, statusMessage, rawHeaders, createdAt, initialAge, expires, retainUntil, codings, decidedBy, generation, vary, primary, facts, body}: StoredResponse): string {
	// The order is fixed here, since a store may change the order of members. `null` replaces a member of older versions, so that their entries still pass.
	const parts = [key, url, method, statusCode, statusMessage, rawHeaders, createdAt, initialAge, expires, retainUntil, codings, decidedBy, generation, vary?.names, vary?.digest, null, primary, ...Object.entries(facts ?? {}).toSorted(([one], [other]) => one < other ? -1 : 1)];
	let sum = crc32(JSON.stringify(parts));
	for (const part of partsOfBody(body)) {
		sum = crc32(part, sum);
	}

	return sum.toString(16);
}

/**
Verifies that an entry was written under the key. Entries of older versions, and those that are not serialized, have no checksum.

@returns The entry without its checksum, which would not hold for changed copies of it.
@throws {UnreadableError} `format`
*/
export function verify(key: string, entry: StoredResponse): StoredResponse {
	const {check, ...stored} = entry;
	if (check === undefined) {
		return entry;
	}

	if (check !== checksumOf(key, stored)) {
		throw new UnreadableError('format', {cause: new TypeError('The entry is not what was written under its key')});
	}

	return stored;
}

type Decoded = {readonly value: string | Uint8Array; readonly stored: StoredResponse; readonly bytes: number};

// A large value takes longer to compare than its metadata to parse.
const maxLength = 65_536;
const maxDecodedBytes = 8_388_608;

/**
The entries that were decoded most recently, with the values that they were decoded from. If a store returns an equal value again, it is not decoded again.
*/
export class DecodedEntries {
	readonly #entries = new Map<string, Decoded>();
	#bytes = 0;

	/** Returns the entry, if it was decoded from this value. */
	get(key: string, value: StoredValue): StoredResponse | undefined {
		const known = this.#entries.get(key);
		return known !== undefined && isSame(known.value, value) ? known.stored : undefined;
	}

	set(key: string, value: StoredValue, stored: StoredResponse): void {
		if (!(typeof value === 'string' || value instanceof Uint8Array) || value.length > maxLength) {
			return;
		}

		this.#delete(key);
		// The value may be compressed.
		const bytes = serializedSize(value)! + storedSize(stored);
		if (bytes > maxDecodedBytes / 8) {
			return;
		}

		this.#entries.set(key, {value, stored, bytes});
		this.#bytes += bytes;
		for (const oldest of this.#entries.keys()) {
			if (this.#bytes <= maxDecodedBytes) {
				break;
			}

			this.#delete(oldest);
		}
	}

	#delete(key: string): void {
		const known = this.#entries.get(key);
		if (known === undefined) {
			return;
		}

		this.#entries.delete(key);
		this.#bytes -= known.bytes;
	}
}

function isSame(known: string | Uint8Array, value: StoredValue): boolean {
	return typeof known === 'string' || !(value instanceof Uint8Array) ? known === value : Buffer.compare(known, value) === 0;
}
