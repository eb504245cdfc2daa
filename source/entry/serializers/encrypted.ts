import {Buffer} from 'node:buffer';
import {
	createCipheriv,
	createDecipheriv,
	createHmac,
	randomBytes,
} from 'node:crypto';
import {SettingError} from '../../errors.ts';
import {headed, payloadOf} from './head.ts';
import {boundTo, checkMembers, hidden} from './secrets.ts';
import type {Stage} from './stage.ts';
import {UnreadableError} from './unreadable.ts';

/** 32 random bytes, or their 64 hex digits, or their base64. No passphrase: it would be guessed. */
export type EncryptionKey = string | Uint8Array;

export type EncryptedOptions =
	| {readonly key: EncryptionKey}
	| {
		/** The first encrypts, all decrypt: to rotate, put a new one in front, and take the old one away when nothing by it is left. */
		readonly keys: readonly EncryptionKey[];
	};

type Key = {readonly id: Uint8Array; readonly bytes: Uint8Array};

const keyLength = 32;
const algorithm = 'aes-256-gcm';

// After the head: the id of the key, the nonce, the authentication tag, the ciphertext.
const idLength = 8;
const nonceLength = 12;
const tagLength = 16;
const contentStart = idLength + nonceLength + tagLength;

const label = Buffer.from('got-cache-hooks:encrypted:1');

/**
A stage that encrypts entries, metadata included, by AES-256-GCM with a random nonce. The id of the key lies beside them (a digest of it), and the key under which they lie in the store is bound to them: what was changed, or put under another key, is a miss.

With random nonces, one key should not encrypt more than 2 ** 32 entries.

@throws {SettingError} Where a key is not 32 bytes.

@example
```
encrypted({keys: [process.env.CACHE_KEY, process.env.LAST_CACHE_KEY]});
```
*/
export function encrypted(options: EncryptedOptions): Stage<'bytes', 'bytes'> {
	const keys = checkedKeys(options);
	const [newest] = keys as readonly [Key];
	return {
		name: 'encrypted',
		takes: 'bytes',
		gives: 'bytes',

		dumps(payload, {key}) {
			const nonce = randomBytes(nonceLength);
			const cipher = createCipheriv(algorithm, newest.bytes, nonce, {authTagLength: tagLength});
			cipher.setAAD(associatedData(newest.id, key));
			const content = cipher.update(payload);
			cipher.final();
			const {bytes, start} = headed('E', contentStart + content.length);
			bytes.set(newest.id, start);
			bytes.set(nonce, start + idLength);
			bytes.set(cipher.getAuthTag(), start + idLength + nonceLength);
			bytes.set(content, start + contentStart);
			return bytes;
		},

		loads(value, {key}) {
			const bytes = payloadOf('E', value);
			if (bytes.length < contentStart) {
				throw new UnreadableError('truncated');
			}

			const id = bytes.subarray(0, idLength);
			const known = keys.find(candidate => id.equals(candidate.id));
			if (known === undefined) {
				throw new UnreadableError('key');
			}

			const decipher = createDecipheriv(algorithm, known.bytes, bytes.subarray(idLength, idLength + nonceLength), {authTagLength: tagLength});
			decipher.setAAD(associatedData(id, key));
			decipher.setAuthTag(bytes.subarray(idLength + nonceLength, contentStart));
			const payload = decipher.update(bytes.subarray(contentStart));
			try {
				decipher.final();
			} catch (error) {
				throw new UnreadableError('signature', {cause: error});
			}

			return payload;
		},
	};
}

function associatedData(id: Uint8Array, key: string): Uint8Array {
	return Buffer.concat([label, id, boundTo(key)]);
}

const allowed = '32 bytes, or 64 hex digits or the base64 of them';

function checkedKeys(options: EncryptedOptions): readonly Key[] {
	checkMembers(options, 'encrypted', ['key', 'keys']);
	const {key, keys} = options as {readonly key?: unknown; readonly keys?: unknown};
	if ((key === undefined) === (keys === undefined)) {
		throw new SettingError('encrypted', options, 'an object of either `key` or `keys`');
	}

	if (keys === undefined) {
		return [checkedKey(key, 'encrypted.key')];
	}

	if (!Array.isArray(keys) || keys.length === 0) {
		throw new SettingError('encrypted.keys', hidden(keys), 'an array of keys that is not empty');
	}

	return keys.map((each, index) => checkedKey(each, `encrypted.keys[${index}]`));
}

function checkedKey(value: unknown, path: string): Key {
	const bytes = typeof value === 'string' ? decodedKey(value) : value;
	if (!(bytes instanceof Uint8Array) || bytes.byteLength !== keyLength) {
		throw new SettingError(path, hidden(value), allowed);
	}

	return {bytes: Uint8Array.from(bytes), id: createHmac('sha256', bytes).update('got-cache-hooks:key-id').digest().subarray(0, idLength)};
}

function decodedKey(text: string): Uint8Array | undefined {
	if (/^[\da-f]{64}$/iv.test(text)) {
		return Buffer.from(text, 'hex');
	}

	return /^[\w+\-\/]{43}=?$/v.test(text) ? Buffer.from(text, 'base64') : undefined;
}
