/** One part of a multipart body. */
export type Part = {
	/** The `name` of its `Content-Disposition`; `undefined` where it has none. */
	readonly name: string | undefined;

	/** Its header lines and its content, without the delimiters around it. */
	readonly bytes: Uint8Array;
};

const decoder = new TextDecoder('latin1');

/**
The parts of a multipart body (RFC 2046 §5.1), with the preamble as the first and the epilogue as the last. The boundary is in none of them.
*/
export function splitMultipart(body: Uint8Array, boundary: string): readonly Part[] {
	return splitBytes(body, new TextEncoder().encode(`--${boundary}`)).map(bytes => ({name: nameOf(bytes), bytes}));
}

/** The name of a part (RFC 7578 §4.2), by its header lines alone. */
function nameOf(bytes: Uint8Array): string | undefined {
	const text = decoder.decode(bytes.subarray(0, 4096)).split('\r\n\r\n', 1)[0]!;
	const disposition = /(?:^|\n)content-disposition:(?<value>[^\n\r]*)/iv.exec(text)?.groups?.value;
	const groups = disposition === undefined ? undefined : /;\s*name=(?:"(?<quoted>[^"]*)"|(?<token>[^\s";]+))/iv.exec(disposition)?.groups;
	const name = groups?.quoted ?? groups?.token;
	return name === undefined ? undefined : unescaped(name);
}

/** Browsers and Node.js escape quotes and line breaks in names (HTML, “multipart/form-data encoding algorithm”). */
function unescaped(name: string): string {
	return name.replaceAll(/%(?:22|0a|0d)/giv, escape => decodeURIComponent(escape));
}

const lineFeed = 10;

/** RFC 2046 §5.1.1: a delimiter stands at the beginning of a line. */
function splitBytes(bytes: Uint8Array, delimiter: Uint8Array): Uint8Array[] {
	const parts: Uint8Array[] = [];
	let start = 0;
	for (let index = bytes.indexOf(delimiter[0]!); index !== -1; index = bytes.indexOf(delimiter[0]!, index + 1)) {
		const isDelimiter = (index === 0 || bytes[index - 1] === lineFeed) && isAt(bytes, index, delimiter);
		if (!isDelimiter) {
			continue;
		}

		parts.push(bytes.subarray(start, index));
		start = index + delimiter.length;
		index = start - 1;
	}

	return [...parts, bytes.subarray(start)];
}

function isAt(bytes: Uint8Array, index: number, part: Uint8Array): boolean {
	return part.every((byte, offset) => bytes[index + offset] === byte);
}
