import {Buffer} from 'node:buffer';

/** What a file says of the value that it holds. */
type Head = {
	readonly key: string;

	/** Milliseconds since the epoch; `undefined` keeps it for good. */
	readonly expires: number | undefined;

	/** Whether it was set with `indexed`, and so counts. */
	readonly isEntry: boolean;
};

export type ReadHead = Head & {
	/** Where the value begins in the file. In JSON that is where the last byte before the rest of the object stands. */
	readonly start: number;

	/** Bytes of the value. */
	readonly size: number;

	/** Whether the whole value is there. */
	readonly isWhole: boolean;
	readonly isJson: boolean;
};

/** A head with the longest key, each character of it escaped. */
export const longestHead = 6500;

const usualHead = 300;

/** What the files that are no JSON begin with. */
export const mark = '# got-cache-hooks ';
const jsonMark = '{\n\t"key": ';
const brace = 0x7B;
const comma = 0x2C;
const jsonHead = /^\{\n\t"key": (?<key>"[^\n]*"),\n\t"storedUntil": (?<expires>\d+|null),\n\t"isEntry": (?<isEntry>true|false),\n\t"size": (?<size>\d+)/v;
const commentHead = /^# got-cache-hooks \{"key":(?<key>"[^\n]*"),"storedUntil":(?<expires>\d+|null),"isEntry":(?<isEntry>true|false),"size":(?<size>\d+)\}\n/v;

/**
What is written before the value, and the part of the value that follows. A JSON object gets the head as its first members, everything else as a first line that is a comment in YAML.
*/
export function framed({key, expires, isEntry}: Head, value: Uint8Array): readonly [head: Uint8Array, rest: Uint8Array] {
	const [quoted, until, size] = [JSON.stringify(key), expires ?? null, value.byteLength];
	if (value[0] !== brace) {
		return [Buffer.from(`# got-cache-hooks {"key":${quoted},"storedUntil":${until},"isEntry":${isEntry},"size":${size}}\n`), value];
	}

	const rest = value.subarray(1);
	const separator = isEmptyObject(rest) ? '' : ',';
	return [Buffer.from(`{\n\t"key": ${quoted},\n\t"storedUntil": ${until},\n\t"isEntry": ${isEntry},\n\t"size": ${size}${separator}`), rest];
}

/**
The head of a file, or `undefined` for a file that is not ours.

@param beginning - The file, or at least its first `longestHead` bytes.
@param fileSize - Bytes of the whole file.
*/
export function readHead(beginning: Uint8Array, fileSize: number): ReadHead | undefined {
	const isJson = beginning[0] === brace;
	const pattern = isJson ? jsonHead : commentHead;
	// Nearly every key is short, and what lies behind it need not become a string.
	const match = pattern.exec(textOf(beginning, usualHead)) ?? pattern.exec(textOf(beginning, longestHead));
	if (match === null) {
		return undefined;
	}

	const {key, expires, isEntry, size: digits} = match.groups as Record<'key' | 'expires' | 'isEntry' | 'size', string>;
	const size = Number(digits);
	const end = Buffer.byteLength(match[0]);
	const start = isJson ? end + (beginning[end] === comma ? 0 : -1) : end;
	try {
		return {
			key: JSON.parse(key) as string, expires: expires === 'null' ? undefined : Number(expires), isEntry: isEntry === 'true', start, size, isWhole: start + size === fileSize, isJson,
		};
	} catch {
		return undefined;
	}
}

/**
The value, as a view of the file's bytes, whose brace of the head it takes as its own.
*/
export function unframed(file: Uint8Array, {start, isJson}: ReadHead): Uint8Array {
	if (isJson) {
		file[start] = brace;
	}

	return file.subarray(start);
}

/** Whether a file may be one that we began to write: nothing else is in it. */
export function isBegun(beginning: Uint8Array): boolean {
	const text = textOf(beginning, mark.length);
	return mark.startsWith(text) || jsonMark.startsWith(text.slice(0, jsonMark.length));
}

/** Whether nothing is in a file, as after a power cut. */
export function isBlank(beginning: Uint8Array): boolean {
	return beginning.every(byte => byte === 0);
}

function isEmptyObject(rest: Uint8Array): boolean {
	const first = rest.find(byte => ![0x20, 0x09, 0x0A, 0x0D].includes(byte));
	// No member may follow a comma, nor in a value that ends here.
	return first === undefined || first === 0x7D;
}

/** The extension that tells what a value is. */
export function extensionOf(value: Uint8Array): '.json' | '.yaml' | '.bin' {
	if (value[0] === brace) {
		return '.json';
	}

	// The last character may be cut through.
	return /[\0\u{FFFD}]/v.test(textOf(value, 512).slice(0, -1)) ? '.bin' : '.yaml';
}

function textOf({buffer, byteOffset, byteLength}: Uint8Array, length: number): string {
	return Buffer.from(buffer, byteOffset, Math.min(byteLength, length)).toString('utf8');
}
