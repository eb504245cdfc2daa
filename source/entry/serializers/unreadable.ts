import {CacheHooksError} from '../../errors.ts';

/**
Why an entry cannot be read.

- `format`: it was written by another serializer, or it is broken.
- `version`: it is of a version that this library does not know.
- `truncated`: something of it is missing, or is too much.
- `metadata`: what is written beside the body is incomplete.
- `key`: it is encrypted by a key that was not given.
- `signature`: it was changed, moved to another key of the store, or signed or encrypted with another secret.
- `too-large`: decompressed, it is larger than an entry may be, made of more values, or nested deeper.
*/
export type UnreadableReason = 'format' | 'version' | 'truncated' | 'metadata' | 'key' | 'signature' | 'too-large';

const meanings: Readonly<Record<UnreadableReason, string>> = {
	format: 'it is not of this format',
	version: 'it is of an unknown version',
	truncated: 'it is not as long as it was',
	metadata: 'its metadata is incomplete',
	key: 'it is encrypted by a key that was not given',
	signature: 'its signature is wrong',
	'too-large': 'it is larger or nested deeper than an entry may be',
};

/**
An entry that cannot be read. To the cache it is a miss.
*/
export class UnreadableError extends CacheHooksError {
	override readonly name = 'UnreadableError';
	readonly reason: UnreadableReason;

	constructor(reason: UnreadableReason, options?: ErrorOptions) {
		super('ERR_SERIALIZER_UNREADABLE', `The entry cannot be read: ${meanings[reason]}`, options);
		this.reason = reason;
	}
}
