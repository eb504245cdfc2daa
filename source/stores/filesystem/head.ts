import {Buffer} from 'node:buffer';
import {CacheHooksError} from '../../errors.ts';

/** What a file says about its value. */
type Head = {
	readonly key: string;

	/** In milliseconds since the epoch; `undefined` for a value that is kept forever. */
	readonly expires: number | undefined;

	/** Whether the value was set with `indexed`, so that it counts. */
	readonly isEntry: boolean;
};

export type ReadHead = Head & {
	/** Where the value begins in the file. In a JSON file, the byte there belongs to the head, in place of the brace of the value. */
	readonly start: number;

	/** Whether the file has the whole value and nothing else. */
	readonly isWhole: boolean;
	readonly isJson: boolean;
};

/** The length of a head with the longest key, each character escaped. */
export const longestHead = 6500;

/** The length of most heads. */
const usualHead = 300;

/** The beginning of files that are not JSON, and of lock files. */
export const commentMark = '# got-cache-hooks ';
const jsonMark = '{\n\t"key": ';
const openingBrace = 0x7B;
const closingBrace = 0x7D;
const comma = 0x2C;
const jsonHead = /^\{\n\t"key": (?<key>"[^\n]*"),\n\t"storedUntil": (?<expires>\d+|null),\n\t"isEntry": (?<isEntry>true|false),\n\t"size": (?<size>\d+)/v;
const commentHead = /^# got-cache-hooks \{"key":(?<key>"[^\n]*"),"storedUntil":(?<expires>\d+|null),"isEntry":(?<isEntry>true|false),"size":(?<size>\d+)\}\n/v;

/**
Returns the head of a file, and the part of the value that follows it. A JSON object gets the head as its first members; any other value gets it as a first line, which is a comment in YAML.
*/
export function withHead({key, expires, isEntry}: Head, value: Uint8Array): readonly [head: Uint8Array, rest: Uint8Array] {
	const [quoted, until, size] = [JSON.stringify(key), expires ?? null, value.byteLength];
	if (value[0] !== openingBrace) {
		return [Buffer.from(`${commentMark}{"key":${quoted},"storedUntil":${until},"isEntry":${isEntry},"size":${size}}\n`), value];
	}

	const rest = value.subarray(1);
	const first = rest.find(byte => ![0x20, 0x09, 0x0A, 0x0D].includes(byte));
	const isEmptyObject = first === undefined || first === closingBrace;
	return [Buffer.from(`${jsonMark}${quoted},\n\t"storedUntil": ${until},\n\t"isEntry": ${isEntry},\n\t"size": ${size}${isEmptyObject ? '' : ','}`), rest];
}

/**
Returns the head of a file, or `undefined` for a file of another program.

@param beginning - The first `longestHead` bytes of the file, or more.
@param fileSize - The size of the whole file in bytes.
*/
export function readHead(beginning: Uint8Array, fileSize: number): ReadHead | undefined {
	const isJson = beginning[0] === openingBrace;
	const pattern = isJson ? jsonHead : commentHead;
	// Nearly all heads are short, so that the rest need not become a string.
	const match = pattern.exec(textOf(beginning, usualHead)) ?? pattern.exec(textOf(beginning, longestHead));
	if (match === null) {
		return undefined;
	}

	const {key, expires, isEntry, size} = match.groups as Record<'key' | 'expires' | 'isEntry' | 'size', string>;
	const end = Buffer.byteLength(match[0]);
	const start = isJson && beginning[end] !== comma ? end - 1 : end;
	try {
		return {
			key: JSON.parse(key) as string, expires: expires === 'null' ? undefined : Number(expires), isEntry: isEntry === 'true', start, isWhole: start + Number(size) === fileSize, isJson,
		};
	} catch {
		return undefined;
	}
}

/**
Returns the value of a file, as a view of its bytes. For JSON it writes the brace of the value over the last byte of the head.
*/
export function withoutHead(file: Uint8Array, {start, isJson}: ReadHead): Uint8Array {
	if (isJson) {
		file[start] = openingBrace;
	}

	return file.subarray(start);
}

/** Whether a file has a whole value that has not expired. */
export function isValid(head: ReadHead | undefined, now: number): head is ReadHead {
	return head?.isWhole === true && (head.expires === undefined || head.expires > now);
}

/** Whether a file may be one that the store began to write: it has a beginning of a head, or is empty. */
export function isBegun(beginning: Uint8Array): boolean {
	const text = textOf(beginning, commentMark.length);
	return commentMark.startsWith(text) || jsonMark.startsWith(text.slice(0, jsonMark.length));
}

/** Returns the extension for a kind of value. */
export function extensionOf(value: Uint8Array): '.json' | '.yaml' | '.bin' {
	if (value[0] === openingBrace) {
		return '.json';
	}

	// Without the last character, which may be incomplete.
	return /[\0\u{FFFD}]/v.test(textOf(value, 512).slice(0, -1)) ? '.bin' : '.yaml';
}

export function foreignFileError(path: string): CacheHooksError {
	return new CacheHooksError('ERR_STORE_FILE', `\`${path}\` is not a file of this store, which needs the name: remove it, or use another folder.`);
}

function textOf({buffer, byteOffset, byteLength}: Uint8Array, length: number): string {
	return Buffer.from(buffer, byteOffset, Math.min(byteLength, length)).toString('utf8');
}
