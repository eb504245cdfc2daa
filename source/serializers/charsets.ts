import {Buffer} from 'node:buffer';

// What the bytes from 0x80 are in windows-1252, for which the Web takes Latin-1 and ASCII as well. Written here, since decoders have not always agreed about it.
const windows1252 = '\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178';

type Charset = {
	/** Throws for bytes that are no text. */
	readonly decode: (bytes: Uint8Array) => string;
	readonly encode: (text: string) => Uint8Array;
};

const known = new Map<string, Charset | undefined>();

/**
How text of a charset is read and written again; `undefined` for one that is not known, or that has more than one way to write a character.

@param label - As in `Content-Type`, in any letter case.
*/
export function charsetOf(label: string): Charset | undefined {
	const name = nameOf(label);
	if (name === undefined) {
		return undefined;
	}

	if (!known.has(name)) {
		known.set(name, create(name));
	}

	return known.get(name);
}

function nameOf(label: string): string | undefined {
	try {
		return new TextDecoder(label).encoding;
	} catch {
		return undefined;
	}
}

function create(name: string): Charset | undefined {
	if (name === 'utf-8' || name === 'utf-16le') {
		const decoder = new TextDecoder(name, {fatal: true, ignoreBOM: true});
		return {decode: bytes => decoder.decode(bytes), encode: text => Buffer.from(text, name === 'utf-8' ? 'utf8' : 'utf16le')};
	}

	return name === 'windows-1252' ? singleByte(windows1252 + characters(0xA0, 0xFF)) : ofTable(name);
}

/** By the decoder's own table, where each byte above ASCII is one character. */
function ofTable(name: string): Charset | undefined {
	const decoder = new TextDecoder(name, {fatal: false, ignoreBOM: true});
	const upper = Array.from({length: 128}, (_, index) => decoder.decode(Uint8Array.of(index + 128)));
	return upper.every(character => character.length === 1) && new Set(upper).size === 128 ? singleByte(upper.join('')) : undefined;
}

/** @param upper - The characters of the bytes from 0x80. */
function singleByte(upper: string): Charset {
	const toByte = new Map([...upper].map((character, index) => [character, String.fromCodePoint(index + 128)]));
	return {
		decode: bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').replaceAll(/[\u0080-\u00FF]/gv, character => upper[character.codePointAt(0)! - 128]!),
		encode: text => Buffer.from(text.replaceAll(/[^\0-\u007F]/gv, character => toByte.get(character) ?? '\0'), 'latin1'),
	};
}

function characters(first: number, last: number): string {
	return Buffer.from(Array.from({length: last - first + 1}, (_, index) => first + index)).toString('latin1');
}
