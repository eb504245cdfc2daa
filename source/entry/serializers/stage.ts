import {Buffer} from 'node:buffer';
import {
	CacheHooksError,
} from '../../errors.ts';
import type {MaybePromise} from '../../maybe-promise.ts';
import {isMissing} from '../../optional-package.ts';
import type {StoredMetadata, StoredResponse} from '../stored-response.ts';

/**
The body of an entry: the bytes (`base64` in JSON), or with `decodeContent` text or a JSON value from which the same bytes can be restored.
*/
export type EntryBody =
	| {
		/** The bytes. */
		readonly bytes: Uint8Array;
	}
	| {
		/** The bytes, in base64. */
		readonly base64: string;
	}
	| {
		/** The text. */
		readonly text: string;

		/** How the text is encoded; absent for UTF-8. */
		readonly charset?: string;
	}
	| {
		/** The value. */
		readonly json: unknown;

		/** How the text of the JSON is encoded; absent for UTF-8. */
		readonly charset?: string;

		/** The indentation of one level, if the JSON was indented. */
		readonly indent?: string;

		/** Whether the JSON ended with a line feed; absent if it did not. */
		readonly lineFeed?: true;
	};

/**
An entry as plain data: strings, finite numbers, booleans, `null`, arrays, plain objects, and a `Uint8Array` in `body.bytes`. No member is `undefined`.
*/
export type EntryDocument = StoredMetadata & {
	/** The version of the form. */
	readonly version: 1;

	/** The number of bytes of the body. */
	readonly byteLength: number;

	/** The body. */
	readonly body: EntryBody;
};

/**
What stages take and give.

- `document`: an `EntryDocument`.
- `json`: an `EntryDocument` that JSON can represent: bytes are `base64`.
- `text`: a string. A stage for bytes that follows gets it as UTF-8.
- `bytes`: a `Uint8Array`.
*/
type StageValues = {
	document: EntryDocument;
	json: EntryDocument;
	text: string;
	bytes: Uint8Array;
};

/** What a stage can take: `document`, `json`, `text` or `bytes`. */
export type StageInput = keyof StageValues;
/** What a stage can give: `document`, `text` or `bytes`. */
export type StageOutput = 'document' | 'text' | 'bytes';

/** The output of a pipeline. */
export type Serialized = EntryDocument | string | Uint8Array;

/** What a stage knows of an entry beside its value. */
export type StageContext = {
	/** The key of the entry in the store. */
	readonly key: string;

	/** The maximum number of bytes of a serialized entry before compression. */
	readonly maxBytes: number;

	/** The header fields of the response by lower-case name; absent when reading. */
	readonly fields?: StoredResponse['fields'];
};

/**
One step of a serializer pipeline. The first step is a format, which takes a document.

Both methods may return their result or a promise of it. If `loads` throws, the entry is a miss.

@example
```ts
import {HttpCache, SerializerPipeline, type Stage} from 'got-cache-hooks';

const reversed: Stage<'bytes', 'bytes'> = {
	name: 'reversed',
	takes: 'bytes',
	gives: 'bytes',
	dumps: bytes => bytes.toReversed(),
	loads: bytes => bytes.toReversed(),
};
const cache = new HttpCache({store: new Map(), serializer: new SerializerPipeline(['v8', reversed])});
await cache.save({url: 'https://api.example.com/'}, {body: 'Hello'});
console.log((await cache.get({url: 'https://api.example.com/'}))?.text());
//=> Hello
```
*/
export type Stage<Takes extends StageInput = StageInput, Gives extends StageOutput = StageOutput> = {
	/** The name of the stage in error messages. */
	readonly name: string;

	/** What `dumps` takes: the output of the stage before. */
	readonly takes: Takes;

	/** What `dumps` gives. */
	readonly gives: Gives;

	/** Whether `dumps` of a format omits members that are `undefined`, as JSON does. Default: `false`, and there are none. */
	readonly omitsUndefined?: boolean;

	/** Converts a value when an entry is written. */
	dumps(value: StageValues[Takes], context: StageContext): MaybePromise<StageValues[Gives]>;

	/** Undoes `dumps`. */
	loads(value: StageValues[Gives], context: StageContext): MaybePromise<StageValues[Takes]>;
};

/**
Why an entry cannot be read.

- `format`: another serializer wrote it, or it is corrupted.
- `version`: its version is unknown to this version of the library.
- `truncated`: it is shorter or longer than it was.
- `metadata`: its metadata is incomplete or invalid.
- `key`: it is encrypted with a key that was not given.
- `signature`: it was changed, moved to another key of the store, or signed or encrypted with another secret.
- `too-large`: it is larger than an entry may be once decompressed, has too many values, or is nested too deeply.
*/
export type UnreadableReason = 'format' | 'version' | 'truncated' | 'metadata' | 'key' | 'signature' | 'too-large';

const explanations: Readonly<Record<UnreadableReason, string>> = {
	format: 'it is corrupted, or another serializer wrote it',
	version: 'its version is unknown',
	truncated: 'its length is wrong',
	metadata: 'its metadata is incomplete or invalid',
	key: 'it is encrypted with a key that was not given',
	signature: 'its signature is wrong',
	'too-large': 'it is larger, or nested more deeply, than an entry may be',
};

/**
Thrown for an entry that cannot be read. The cache treats it as a miss.

@example
```ts
import {HttpCache, InvalidEntry, SerializerPipeline, signed, UnreadableError} from 'got-cache-hooks';

const store = new Map();
const cacheWith = (secret: string) => new HttpCache({store, serializer: new SerializerPipeline(['v8', signed({secret})])});
await cacheWith('the first secret of all').save({url: 'https://api.example.com/'}, {body: 'Hello'});
for await (const entry of cacheWith('another secret than before').filter({invalid: true})) {
	console.log(entry instanceof InvalidEntry && entry.error instanceof UnreadableError && entry.error.reason);
}
//=> signature
```
*/
export class UnreadableError extends CacheHooksError {
	/** The name of the class. */
	override readonly name = 'UnreadableError';

	/** Why the entry cannot be read. */
	readonly reason: UnreadableReason;

	constructor(reason: UnreadableReason, options?: ErrorOptions) {
		super('ERR_SERIALIZER_UNREADABLE', `The entry cannot be read, because ${explanations[reason]}.`, options);
		this.reason = reason;
	}
}

/** Returns the error of the import of the package of a format, with the command that installs it if it is not installed. */
export function packageError(name: string, cause: unknown): unknown {
	return isMissing(cause) ? new CacheHooksError('ERR_SERIALIZER_PACKAGE', `The serializer \`'${name}'\` needs the package \`${name}\`. Install it by \`npm install ${name}\`.`, {cause}) : cause;
}

/** A letter for each of the library's own formats and stages whose output is bytes. */
type HeaderLetter = 'H' | '8' | 'Z' | 'S' | 'E';

/** The bytes of a header. */
export const headerLength = 4;

// Each stage has a version of its own; all are at their first.
const headerVersion = 1;

/** Writes a header at the beginning of a buffer: `GC`, the letter of the stage, its version. */
// eslint-disable-next-line @typescript-eslint/no-restricted-types -- Only a Buffer writes text.
export function writeHeader(letter: HeaderLetter, bytes: Buffer): void {
	bytes.write(`GC${letter}`, 'latin1');
	bytes[headerLength - 1] = headerVersion;
}

/** Returns the content after a header. */
export function withHeader(letter: HeaderLetter, ...content: readonly Uint8Array[]): Uint8Array {
	const header = Buffer.alloc(headerLength);
	writeHeader(letter, header);
	return Buffer.concat([header, ...content]);
}

/**
Returns the content after the header.

@throws {UnreadableError} If the header is that of another stage or version.
*/
// eslint-disable-next-line @typescript-eslint/no-restricted-types -- Callers read numbers and text from it.
export function withoutHeader(letter: HeaderLetter, value: Uint8Array): Buffer {
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
	if (bytes.length < headerLength || bytes.toString('latin1', 0, headerLength - 1) !== `GC${letter}`) {
		throw new UnreadableError('format');
	}

	if (bytes[headerLength - 1] !== headerVersion) {
		throw new UnreadableError('version');
	}

	return bytes.subarray(headerLength);
}

/** Returns a text as UTF-8 after its length in bytes, which makes the end of the text unambiguous. */
export function withLength(text: string): Uint8Array {
	const bytes = Buffer.from(text);
	const length = Buffer.alloc(4);
	length.writeUInt32BE(bytes.length);
	return Buffer.concat([length, bytes]);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null;
}
