import {Buffer} from 'node:buffer';

/** A value with parameters, such as a media type (RFC 9110 §5.6.6). */
export type Parameterized = {
	/** What stands before the parameters, in lower case. */
	readonly value: string;

	/** What is neither, since the field is malformed. */
	readonly rest: string;
	readonly parameters: ReadonlyArray<readonly [name: string, value: string]>;
};

const parameter = /;\s*(?<name>[^\s";=]+)\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<token>[^\s";]*))/gv;

/** Reads a field value with parameters. Their names are in lower case, their values as they are meant. */
export function parseParameters(field: string): Parameterized {
	const [value = '', ...others] = field.replaceAll(parameter, ';').split(';');
	return {
		value: value.trim().toLowerCase(),
		rest: others.map(other => other.trim()).filter(other => other !== '').join(';'),
		parameters: field.matchAll(parameter).map(({groups}) => [
			groups!.name!.toLowerCase(),
			groups!.quoted?.replaceAll(/\\(?<escaped>.)/gv, '$<escaped>') ?? groups!.token!,
		] as const).toArray(),
	};
}

/** One part of a multipart body. */
export type Part = {
	/** The `name` of its `Content-Disposition`; `undefined` where it has none. */
	readonly name: string | undefined;

	/** Its header lines and its content, without the delimiters around it. */
	readonly bytes: Uint8Array;
};

// A body of more parts is matched as it is: each takes a digest.
const maxParts = 1000;

// Bytes of the header lines of a part. Servers have bounds of their own, of 8 to 80 KiB.
const maxHeaderLength = 16 * 1024;

/**
The parts of a multipart body (RFC 2046 §5.1), with the preamble as the first and the epilogue as the last. The boundary is in none of them.

@returns `undefined` where it is malformed, since servers differ in what they make of that, or where it has more than 1000 parts, or header lines of more than 16 KiB in a part.
*/
export function splitMultipart(body: Uint8Array, boundary: string): readonly Part[] | undefined {
	const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
	const delimiter = Buffer.from(`--${boundary}`);
	// It may stand in a line any number of times: only where a line begins, it counts.
	const next = (from: number): number => {
		const lineEnd = bytes.indexOf(`\n--${boundary}`, from);
		return lineEnd === -1 ? -1 : lineEnd + 1;
	};

	if (bytes.includes(`\r--${boundary}`)) {
		return undefined;
	}

	const parts: Uint8Array[] = [];
	const text = (start: number, end: number): string => bytes.toString('latin1', Math.max(0, start), end);
	let isClosed = false;
	let start = 0;
	for (let index = bytes.subarray(0, delimiter.length).equals(delimiter) ? 0 : next(0); index !== -1; index = next(index)) {
		const before = text(index - 2, index);
		const end = index + delimiter.length;
		const after = text(end, end + 2);
		if (isClosed || parts.length === maxParts || !(before === '' || before === '\r\n') || !(after === '\r\n' || after === '--')) {
			return undefined;
		}

		parts.push(bytes.subarray(start, index));
		start = end;
		isClosed = after === '--';
	}

	return isClosed ? named([...parts, bytes.subarray(start + 2)]) : undefined;
}

/** The parts with their names; `undefined` where the header lines of one are too long. */
function named(parts: readonly Uint8Array[]): readonly Part[] | undefined {
	const result: Part[] = [];
	for (const bytes of parts) {
		const header = headerOf(bytes);
		if (header === undefined) {
			return undefined;
		}

		result.push({name: nameIn(header), bytes});
	}

	return result;
}

/** The header lines of a part; all of it where no empty line ends them. `undefined` where they are too long. */
function headerOf(bytes: Uint8Array): string | undefined {
	const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, maxHeaderLength));
	const end = start.indexOf('\r\n\r\n');
	return end === -1 && bytes.byteLength > maxHeaderLength ? undefined : start.toString('utf8', 0, end === -1 ? start.length : end);
}

/** The name that header lines give a part (RFC 7578 §4.2). */
function nameIn(header: string): string | undefined {
	const disposition = /^content-disposition:(?<value>.*)$/imv.exec(header)?.groups?.value;
	const names = parseParameters(disposition ?? '').parameters.filter(([name]) => name === 'name' || name === 'name*').map(([, value]) => unescaped(value));
	return names.length === 0 ? undefined : names.join(' ');
}

/** Browsers and Node.js escape quotes and line breaks in names (HTML, “multipart/form-data encoding algorithm”). */
function unescaped(name: string): string {
	return name.replaceAll(/%(?:22|0a|0d)/giv, escape => decodeURIComponent(escape));
}
