import type {Store, StoredValue} from '../stores/types.ts';

/** A few words as a store holds them. */
export function encodeRecord(text: string, holds: Store['holds']): StoredValue {
	switch (holds) {
		case 'objects':
		case 'documents': {
			return {record: text};
		}

		case 'bytes': {
			return new TextEncoder().encode(text);
		}

		case 'text': {
			return text;
		}
	}
}

/** `undefined` for what is none. */
export function decodeRecord(value: StoredValue | undefined): string | undefined {
	const text: unknown = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
	const record = typeof text === 'object' && text !== null ? (text as {record?: unknown}).record : text;
	return typeof record === 'string' ? record : undefined;
}
