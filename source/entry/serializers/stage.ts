import type {MaybePromise} from '../../maybe-promise.ts';
import type {StoredMetadata, StoredResponse} from '../stored-response.ts';

/**
The body of an entry: as it is (`bytes`; `base64` where only JSON is possible), or with `decodeContent` as text or as a JSON value that gives the same bytes again.
*/
export type EntryBody =
	| {readonly bytes: Uint8Array}
	| {readonly base64: string}
	| {readonly text: string; readonly charset?: string}
	| {
		readonly json: unknown;
		readonly charset?: string;

		/** Of each level, where the JSON had one. */
		readonly indent?: string;

		/** Whether a line feed followed. */
		readonly lineFeed?: true;
	};

/**
An entry as plain data: strings, finite numbers, booleans, `null`, arrays and plain objects, and in `body.bytes` a `Uint8Array`. What is `undefined` is absent.
*/
export type EntryDocument = StoredMetadata & {
	readonly version: 1;
	readonly byteLength: number;
	readonly body: EntryBody;
};

/**
What stages take and give.

- `document`: an `EntryDocument`.
- `json`: an `EntryDocument` of what JSON knows: bytes are `base64`.
- `text`: a string; one that a stage for bytes follows is given to it as UTF-8.
- `bytes`: a `Uint8Array`.
*/
type StageValues = {
	document: EntryDocument;
	json: EntryDocument;
	text: string;
	bytes: Uint8Array;
};

export type StageInput = keyof StageValues;
export type StageOutput = 'document' | 'text' | 'bytes';

/** What a pipeline gives. */
export type Serialized = EntryDocument | string | Uint8Array;

export type StageContext = {
	/** Under which the entry lies in the store. */
	readonly key: string;

	/** The most bytes that a serialized entry may have, before it is compressed. */
	readonly maxBytes: number;

	/** On writing: the header fields of the response, by lower-case name. */
	readonly fields?: StoredResponse['fields'];
};

/**
One step of a pipeline. The first of them is a format, which takes a document.

Either method may answer at once or by a promise. What `loads` throws makes the entry a miss.

@example
```
const reversed: Stage<'bytes', 'bytes'> = {
	name: 'reversed',
	takes: 'bytes',
	gives: 'bytes',
	dumps: bytes => bytes.toReversed(),
	loads: bytes => bytes.toReversed(),
};
```
*/
export type Stage<Takes extends StageInput = StageInput, Gives extends StageOutput = StageOutput> = {
	/** For messages. */
	readonly name: string;
	readonly takes: Takes;
	readonly gives: Gives;

	dumps(value: StageValues[Takes], context: StageContext): MaybePromise<StageValues[Gives]>;

	/** Undoes `dumps`. */
	loads(value: StageValues[Gives], context: StageContext): MaybePromise<StageValues[Takes]>;
};
