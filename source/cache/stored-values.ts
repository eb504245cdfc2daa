import {Buffer} from 'node:buffer';
import {textSize} from '../entry/stored-response.ts';
import type {Serialized} from '../entry/serializers/stage.ts';
import type {Store, StoredValue} from '../stores/types.ts';

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
