export type BodyType = 'text' | 'json' | 'buffer';

const decoder = new TextDecoder();

/**
A body as Got reads it.

@throws {SyntaxError} Where it is to be JSON, and is none.
*/
export function readBody(rawBody: Uint8Array, type: BodyType): unknown {
	if (type === 'buffer') {
		return rawBody;
	}

	const text = decoder.decode(rawBody);
	return type === 'json' && rawBody.byteLength > 0 ? JSON.parse(text) : text;
}
