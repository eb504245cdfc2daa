import {constants, Buffer} from 'node:buffer';
import {SettingError} from '../errors.ts';
import {initSerializer, type PipelineStage, type SerializerPipeline} from '../entry/serializers/pipeline.ts';
import type {Store, StoredValue} from '../stores/types.ts';
import {textSize} from '../entry/stored-response.ts';
import type {Serialized} from '../entry/serializers/stage.ts';

type Default = {
	readonly serializer: PipelineStage;
	readonly decodeContent: boolean;
};

/** Of stores that people look into. */
const byName: Readonly<Record<string, Default>> = {
	filesystem: {serializer: 'json', decodeContent: true},
	mongodb: {serializer: 'document', decodeContent: true},
	dynamodb: {serializer: 'document', decodeContent: true},
};

/** Of all others, by measurement (`bench/serializers.ts`). */
const byHolds: Readonly<Record<Store['holds'], Default | undefined>> = {
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
How entries are written to a store: as the settings say, else as is best for it. `undefined` keeps live objects.

@throws {SettingError} Where the serializer is none, or gives what the store cannot hold.
@throws {CacheHooksError} `ERR_SERIALIZER_PACKAGE`, where the package of a format is not installed.
*/
export function serializerOf({name, holds}: Pick<Store, 'name' | 'holds'>, {serializer, decodeContent}: SerializerSettings): SerializerPipeline | undefined {
	const byDefault = holds !== 'objects' && Object.hasOwn(byName, name) ? byName[name] : byHolds[holds];
	const chosen = serializer ?? byDefault?.serializer;
	if (chosen === undefined) {
		return undefined;
	}

	const pipeline = initSerializer(chosen, {decodeContent: decodeContent ?? byDefault?.decodeContent});
	if (pipeline.gives === 'document' && (holds === 'bytes' || holds === 'text')) {
		throw new SettingError('cache.serializer', serializer, `one that gives text or bytes, since the store \`${name}\` holds ${holds}`);
	}

	return pipeline;
}

/**
The most bytes that a serialized entry may have, before it is compressed: room for the largest body in the longest way to write it that is likely (base64, escapes), and for its metadata.
*/
export function maxSerializedBytes(maxEntryBytes: number): number {
	return Math.min((2 * maxEntryBytes) + (1024 * 1024), constants.MAX_LENGTH);
}

/**
What a pipeline gave, as the store holds it.

| | `bytes` | `text` | `documents`, `objects` |
|---|---|---|---|
| text | as UTF-8 | as it is | in an object |
| bytes | as they are | as base64 | in an object |
| a document | – | – | as it is |
*/
export function toStoredValue(value: Serialized, holds: Store['holds']): StoredValue {
	if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
		return value;
	}

	switch (holds) {
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
What the pipeline gave, of what the store holds. Text in bytes is for the pipeline to read.

@param gives - What the pipeline gives.
*/
export function fromStoredValue(value: StoredValue, gives: 'document' | 'text' | 'bytes'): unknown {
	if (gives === 'bytes' && typeof value === 'string') {
		return Buffer.from(value, 'base64');
	}

	return gives === 'document' || typeof value === 'string' || value instanceof Uint8Array ? value : (value as {readonly serialized?: unknown}).serialized;
}

/** Bytes of what a pipeline gave, as the store holds it; `undefined` for a document or a live object. */
export function heldSize(value: StoredValue): number | undefined {
	const held: unknown = typeof value === 'object' && 'serialized' in value ? value.serialized : value;
	if (typeof held === 'string') {
		return textSize(held);
	}

	return held instanceof Uint8Array ? held.byteLength : undefined;
}
