import {Buffer, isAscii} from 'node:buffer';

// What the bytes from 0x80 are in windows-1252, for which the Web takes Latin-1 and ASCII as well. Written here, since decoders have not always agreed about it.
const windows1252 = '\u{20AC}\u{81}\u{201A}\u{192}\u{201E}\u{2026}\u{2020}\u{2021}\u{2C6}\u{2030}\u{160}\u{2039}\u{152}\u{8D}\u{17D}\u{8F}\u{90}\u{2018}\u{2019}\u{201C}\u{201D}\u{2022}\u{2013}\u{2014}\u{2DC}\u{2122}\u{161}\u{203A}\u{153}\u{9D}\u{17E}\u{178}';

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
	// eslint-disable-next-line unicorn/text-encoding-identifier-case -- The decoder's name for it.
	if (name === 'utf-8' || name === 'utf-16le') {
		const decoder = new TextDecoder(name, {fatal: true, ignoreBOM: true}); // eslint-disable-line @typescript-eslint/naming-convention
		return {decode: bytes => decoder.decode(bytes), encode: text => Buffer.from(text, name)};
	}

	return name === 'windows-1252' ? singleByte(windows1252 + characters(0xA0, 0xFF)) : ofTable(name);
}

/** By the decoder's own table, where each byte above ASCII is one character. */
function ofTable(name: string): Charset | undefined {
	const decoder = new TextDecoder(name, {ignoreBOM: true}); // eslint-disable-line @typescript-eslint/naming-convention
	const upper = Array.from({length: 128}, (_, index) => decoder.decode(Uint8Array.of(index + 128)));
	return upper.every(character => character.length === 1) && new Set(upper).size === 128 ? singleByte(upper.join('')) : undefined;
}

const one = Uint16Array.of(1);
const isLittleEndian = new Uint8Array(one.buffer, one.byteOffset, one.byteLength)[0] === 1;

/**
ASCII, and more above it. Not by a function for each character, which would take seconds for a large body.

@param upper - The characters of the bytes from 0x80.
*/
function singleByte(upper: string): Charset {
	const units = Uint16Array.from({length: 256}, (_, byte) => byte < 128 ? byte : upper[byte - 128]!.codePointAt(0)!);
	const toByte = new Map(Array.from(units, (unit, byte) => [unit, byte]));
	return {
		decode(bytes) {
			if (isAscii(bytes)) {
				return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
			}

			const text = new Uint16Array(bytes.length);
			// eslint-disable-next-line unicorn/no-for-loop -- An iterator takes ten times as long.
			for (let index = 0; index < bytes.length; index++) {
				text[index] = units[bytes[index]!]!;
			}

			const utf16 = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
			return (isLittleEndian ? utf16 : utf16.swap16()).toString('utf16le');
		},
		encode(text) {
			const bytes = Buffer.allocUnsafe(text.length);
			for (let index = 0; index < text.length; index++) {
				const unit = text.codePointAt(index)!;
				bytes[index] = unit < 128 ? unit : toByte.get(unit) ?? 0;
			}

			return bytes;
		},
	};
}

function characters(first: number, last: number): string {
	return Buffer.from(Array.from({length: last - first + 1}, (_, index) => first + index)).toString('latin1');
}
