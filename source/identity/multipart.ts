import {Buffer} from 'node:buffer';

/** A value with parameters, such as a media type (RFC 9110 §5.6.6). */
export type Parameterized = {
	/** The text before the parameters, in lower case. */
	readonly value: string;

	/** The rest of a malformed field. */
	readonly rest: string;
	readonly parameters: ReadonlyArray<readonly [name: string, value: string]>;
};

const parameter = /;\s*(?<name>[^\s";=]+)\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<token>[^\s";]*))/gv;

/** Parses a field value with parameters. Their names are in lower case, their values unquoted. */
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
	/** The `name` of its `Content-Disposition`, if there is one. */
	readonly name: string | undefined;

	/** The header lines and the content, without the delimiters. */
	readonly bytes: Uint8Array;
};

// Each part needs a digest, so that a body of more parts counts as unreadable.
const maxParts = 1000;

// The maximum bytes of the header lines of a part. Servers have limits of 8 to 80 KiB.
const maxHeaderLength = 16 * 1024;

/**
Splits a multipart body into its parts (RFC 2046 §5.1). The first one is the preamble, the last one the epilogue.

@returns `undefined` if the body is malformed, since servers differ in how they read it, or exceeds the limits.
*/
export function splitMultipart(body: Uint8Array, boundary: string): readonly Part[] | undefined {
	const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
	const delimiter = Buffer.from(`--${boundary}`);
	// The delimiter counts only at the beginning of a line.
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

/** Adds the names of the parts; `undefined` if the header lines of one are too long. */
function named(parts: readonly Uint8Array[]): readonly Part[] | undefined {
	const headers = parts.map(bytes => headerOf(bytes));
	return headers.includes(undefined) ? undefined : parts.map((bytes, index) => ({name: nameIn(headers[index]!), bytes}));
}

/** Returns the header lines of a part, or all of it if no empty line ends them; `undefined` if they are too long. */
function headerOf(bytes: Uint8Array): string | undefined {
	const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, maxHeaderLength));
	const end = start.indexOf('\r\n\r\n');
	return end === -1 && bytes.byteLength > maxHeaderLength ? undefined : start.toString('utf8', 0, end === -1 ? start.length : end);
}

/** Returns the name of a part (RFC 7578 §4.2). */
function nameIn(header: string): string | undefined {
	const disposition = /^content-disposition:(?<value>.*)$/imv.exec(header)?.groups?.value;
	const names = parseParameters(disposition ?? '').parameters.filter(([name]) => name === 'name' || name === 'name*').map(([, value]) => unescaped(value));
	return names.length === 0 ? undefined : names.join(' ');
}

/** Unescapes quotes and line breaks, which browsers and Node.js escape in names (HTML, “multipart/form-data encoding algorithm”). */
function unescaped(name: string): string {
	return name.replaceAll(/%(?:22|0a|0d)/giv, escape => decodeURIComponent(escape));
}
