import {Buffer} from 'node:buffer';
import {
	createCipheriv,
	createDecipheriv,
	createHmac,
	randomBytes,
	timingSafeEqual,
} from 'node:crypto';
import {SettingError} from '../../errors.ts';
import {
	parseInput,
	parseOptions,
	secret as secretParser,
	type Parser,
	type Parsers,
} from '../../parse.ts';
import {
	UnreadableError,
	withHeader,
	withLength,
	withoutHeader,
	type Stage,
} from './stage.ts';

/** What `signed()` signs with. */
export type SignedOptions = {
	/** A string or bytes; must not be empty. */
	readonly secret: string | Uint8Array;
};

const digestLength = 32;

/**
Creates a stage that signs entries with HMAC-SHA-256. An entry that was changed in the store, or moved to another key, is a miss.

@throws {SettingError} If there is no secret.

@example
```ts
import {HttpCache, SerializerPipeline, signed} from 'got-cache-hooks';

const {CACHE_SECRET: secret = 'at least 16 bytes that nobody guesses'} = process.env;
const cache = new HttpCache({store: 'memory', serializer: new SerializerPipeline(['v8', signed({secret})])});
```
*/
export function signed(options: SignedOptions): Stage<'bytes', 'bytes'> {
	const given = parseOptions<Partial<SignedOptions>>({secret: secretParser}, options, 'signed');
	const secret = parseInput(secretParser, given.secret, 'signed.secret');
	const digest = (key: string, payload: Uint8Array): Uint8Array => createHmac('sha256', secret).update('got-cache-hooks:signed:1').update(withLength(key)).update(payload).digest();
	return {
		name: 'signed',
		takes: 'bytes',
		gives: 'bytes',

		dumps: (payload, {key}) => withHeader('S', digest(key, payload), payload),

		loads(value, {key}) {
			const bytes = withoutHeader('S', value);
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

/** 32 random bytes, or their 64 hex digits, or their base64. A passphrase is refused, since it can be guessed. */
export type EncryptionKey = string | Uint8Array;

/** The keys of `encrypted()`: one, or several of which the first encrypts. */
export type EncryptedOptions =
	| {
		/** The key that encrypts and decrypts. */
		readonly key: EncryptionKey;
	}
	| {
		/** The first key encrypts, and all keys decrypt. To rotate keys, add a new one at the start, and remove the old one once no entry uses it. */
		readonly keys: readonly EncryptionKey[];
	};

type Key = {readonly id: Uint8Array; readonly bytes: Uint8Array};

const keyLength = 32;
const algorithm = 'aes-256-gcm';

// The header is followed by the id of the key, the nonce, the authentication tag and the ciphertext.
const idLength = 8;
const nonceLength = 12;
const tagLength = 16;
const contentStart = idLength + nonceLength + tagLength;

/**
Creates a stage that encrypts entries, including their metadata, with AES-256-GCM and a random nonce. The entry contains the id of the encryption key (a digest of it), and is bound to its key in the store. An entry that was changed, or moved to another key, is a miss.

With random nonces, one key should not encrypt more than 2 ** 32 entries.

@throws {SettingError} If a key does not have 32 bytes.

@example
```ts
import {randomBytes} from 'node:crypto';
import {encrypted, HttpCache, SerializerPipeline} from 'got-cache-hooks';

const [newest, previous] = [randomBytes(32), randomBytes(32)];
const cache = new HttpCache({store: 'memory', serializer: new SerializerPipeline(['v8', encrypted({keys: [newest, previous]})])});
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
			return withHeader('E', newest.id, nonce, cipher.getAuthTag(), content);
		},

		loads(value, {key}) {
			const bytes = withoutHeader('E', value);
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
	return Buffer.concat([Buffer.from('got-cache-hooks:encrypted:1'), id, withLength(key)]);
}

const encryptionKey: Parser<Key> = {
	allowed: '32 bytes, or their 64 hex digits or base64',
	parse(value) {
		const bytes = typeof value === 'string' ? decodedKey(value) : value;
		return bytes instanceof Uint8Array && bytes.byteLength === keyLength
			? {bytes: Uint8Array.from(bytes), id: createHmac('sha256', bytes).update('got-cache-hooks:key-id').digest().subarray(0, idLength)}
			: undefined;
	},
	isSecret: true,
};

const encryptedParsers: Parsers<{readonly key?: Key; readonly keys?: readonly Key[]}> = {
	key: encryptionKey,
	keys: {
		allowed: 'an array with at least one key',
		parse: (value, path) => Array.isArray(value) && value.length > 0 ? value.map((key, index) => parseInput(encryptionKey, key, `${path}[${index}]`)) : undefined,
		isSecret: true,
	},
};

function checkedKeys(options: unknown): readonly Key[] {
	const {key, keys} = parseOptions(encryptedParsers, options, 'encrypted');
	if ((key === undefined) === (keys === undefined)) {
		throw new SettingError('encrypted', options, 'an object with either `key` or `keys`');
	}

	return keys ?? [key!];
}

function decodedKey(text: string): Uint8Array | undefined {
	if (/^[\da-f]{64}$/iv.test(text)) {
		return Buffer.from(text, 'hex');
	}

	return /^[\w+\-\/]{43}=?$/v.test(text) ? Buffer.from(text, 'base64') : undefined;
}
