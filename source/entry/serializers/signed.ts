import {createHmac, timingSafeEqual} from 'node:crypto';
import {SettingError} from '../../errors.ts';
import {headed, payloadOf} from './head.ts';
import {boundTo, checkMembers, hidden} from './secrets.ts';
import type {Stage} from './stage.ts';
import {UnreadableError} from './unreadable.ts';

export type SignedOptions = {
	/** A string or bytes, which must not be empty. */
	readonly secret: string | Uint8Array;
};

const digestLength = 32;

/**
A stage that signs entries by HMAC-SHA-256: what was changed in the store, or put under another key, is a miss.

@throws {SettingError} Where there is no secret.

@example
```
cacheHooks({serializer: new SerializerPipeline(['v8', signed({secret: process.env.CACHE_SECRET})])});
```
*/
export function signed(options: SignedOptions): Stage<'bytes', 'bytes'> {
	checkMembers(options, 'signed', ['secret']);
	const secret = checkedSecret(options.secret);
	const digest = (key: string, payload: Uint8Array) => createHmac('sha256', secret).update('got-cache-hooks:signed:1').update(boundTo(key)).update(payload).digest();
	return {
		name: 'signed',
		takes: 'bytes',
		gives: 'bytes',

		dumps(payload, {key}) {
			const {bytes, start} = headed('S', digestLength + payload.byteLength);
			bytes.set(digest(key, payload), start);
			bytes.set(payload, start + digestLength);
			return bytes;
		},

		loads(value, {key}) {
			const bytes = payloadOf('S', value);
			if (bytes.length < digestLength) {
				throw new UnreadableError('truncated');
			}

			const payload = bytes.subarray(digestLength);
			if (!timingSafeEqual(bytes.subarray(0, digestLength), digest(key, payload))) {
				throw new UnreadableError('signature');
			}

			return payload;
		},
	};
}

function checkedSecret(value: unknown): string | Uint8Array {
	if (value instanceof Uint8Array ? value.byteLength > 0 : typeof value === 'string' && value !== '') {
		return typeof value === 'string' ? value : Uint8Array.from(value as Uint8Array);
	}

	throw new SettingError('signed.secret', hidden(value), 'a string or bytes that are not empty');
}
