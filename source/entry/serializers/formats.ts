import {Buffer} from 'node:buffer';
import {
	bodyLength,
	isBody,
	partsOfBody,
	type Body,
} from '../stored-response.ts';
import {bytesOf} from './body.ts';
import {bson} from './bson.ts';
import {maxValues, ValueCounter} from './limits.ts';
import {
	isObject,
	packageError,
	UnreadableError,
	headerLength,
	withoutHeader,
	writeHeader,
	type EntryBody,
	type EntryDocument,
	type Stage,
} from './stage.ts';
import {v8Format} from './v8.ts';
import {yaml} from './yaml.ts';

/**
- `'binary'`: the library's own format, compact and the fastest. The default of stores that hold bytes.
- `'v8'`: a structured clone, by Node.js. The counterpart of Python's pickle, but for data only.
- `'json'`: JSON, indented with tabs.
- `'yaml'`: YAML 1.2, by the package `yaml`.
- `'bson'`: BSON, by the package `bson`.
- `'document'`: the data itself, for stores that hold documents or objects.
*/
export type FormatName = 'binary' | 'v8' | 'json' | 'yaml' | 'bson' | 'document';

// The number of bytes that hold the length of the metadata.
const lengthBytes = 4;

/**
The header, the length of the metadata (big-endian), the metadata as JSON, and the body. The metadata can be read without the body, and the body without a copy.
*/
const binary: Stage<'document', 'bytes'> = {
	name: 'binary',
	takes: 'document',
	gives: 'bytes',
	omitsUndefined: true,

	dumps(document) {
		const metadata = JSON.stringify({...document, version: undefined, body: undefined});
		const body = bodyOf(document.body);
		const length = Buffer.byteLength(metadata);
		// One buffer, since an entry is written with each miss.
		const start = headerLength + lengthBytes + length;
		const bytes = Buffer.allocUnsafe(start + bodyLength(body));
		writeHeader('H', bytes);
		bytes.writeUInt32BE(length, headerLength);
		bytes.write(metadata, headerLength + lengthBytes);
		let position = start;
		for (const part of partsOfBody(body)) {
			bytes.set(part, position);
			position += part.byteLength;
		}

		return bytes;
	},

	loads(value) {
		const bytes = withoutHeader('H', value);
		const end = bytes.length < lengthBytes ? Infinity : lengthBytes + bytes.readUInt32BE(0);
		if (end > bytes.length) {
			throw new UnreadableError('truncated');
		}

		const metadata = parseJson(bytes.toString('utf8', lengthBytes, end));
		if (!isObject(metadata)) {
			throw new UnreadableError('format');
		}

		return {...metadata, version: 1, body: {bytes: bytes.subarray(end)}} as unknown as EntryDocument;
	},
};

/** Returns the body of a document, which has its parts for this format only. */
function bodyOf(body: EntryBody): Body {
	const {bytes} = body as {readonly bytes?: unknown};
	return isBody(bytes) ? bytes : bytesOf(body);
}

const json: Stage<'json', 'text'> = {
	name: 'json',
	takes: 'json',
	gives: 'text',
	dumps: document => JSON.stringify(document, undefined, '\t'),
	loads: text => parseJson(text) as EntryDocument,
};

const documentFormat: Stage<'document', 'document'> = {
	name: 'document',
	takes: 'document',
	gives: 'document',
	dumps: value => value,
	loads: value => value,
};

const formats: Readonly<Record<FormatName, () => Stage>> = {
	binary: () => binary,
	v8: () => v8Format,
	json: () => json,
	yaml,
	bson,
	document: () => documentFormat,
};

export const formatNames: readonly FormatName[] = Object.keys(formats) as FormatName[];

/**
Returns the stage of a format.

@throws {CacheHooksError} `ERR_SERIALIZER_PACKAGE` if the format needs a package of the same name that is not installed.
*/
export function formatStage(name: FormatName, create: () => Stage = formats[name]): Stage {
	try {
		return create();
	} catch (error) {
		throw packageError(name, error);
	}
}

/**
Parses JSON that has at most as many values as an entry may have, and counts them first.

@throws {UnreadableError} `too-large` if there are more, or they are nested too deeply.
@throws {SyntaxError} If the text is not JSON.
*/
function parseJson(text: string): unknown {
	// A shorter text cannot have more values.
	if (text.length > maxValues) {
		checkValues(text);
	}

	return JSON.parse(text) as unknown;
}

function checkValues(text: string): void {
	const values = new ValueCounter();
	for (let index = 0; index < text.length; index++) {
		const character = text[index]!;
		if (character === '"') {
			index = endOfString(text, index);
		} else {
			countCharacter(character, values);
		}
	}
}

function countCharacter(character: string, values: ValueCounter): void {
	if (character === ',') {
		values.add(1);
	} else if ('[{'.includes(character)) {
		values.open();
	} else if (']}'.includes(character)) {
		values.close();
	}
}

/** Returns the index of the closing quote, before which is an even number of backslashes. */
function endOfString(text: string, start: number): number {
	for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
		let before = end;
		while (text[before - 1] === '\\') {
			before--;
		}

		if ((end - before) % 2 === 0) {
			return end;
		}
	}

	return text.length;
}
