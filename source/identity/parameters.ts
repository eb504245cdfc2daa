/**
The parameters of a query or a form, escapes in one form, sorted by name if they are to be. Repeated ones keep their order; `a` and `a=` stay apart.

@param keeps - Whether a parameter is part of the result; its name is decoded, its value is not, and `undefined` where there is no `=`.
*/
export function normalizeParameters(text: string, keeps: (name: string, value: string | undefined) => boolean, isSorted = true): string {
	const kept: Array<readonly [name: string, part: string]> = [];
	for (const raw of text.split('&')) {
		if (raw === '' && isSorted) {
			continue;
		}

		const part = normalizeEscapes(raw);
		const [name, value] = split(part);
		if (keeps(decode(name), value)) {
			kept.push([name, part]);
		}
	}

	if (isSorted && kept.length > 1) {
		kept.sort(([a], [b]) => compare(a, b));
	}

	return kept.map(([, part]) => part).join('&');
}

/** RFC 3986 §6.2.2: escapes of unreserved characters are undone, the others written in upper case. */
export function normalizeEscapes(text: string): string {
	// A space has one form only, and texts have many of them.
	return text.includes('%') ? text.replaceAll(/%(?!20)[\da-f]{2}/giv, escape => normalEscapes[Number.parseInt(escape.slice(1), 16)]!) : text;
}

const normalEscapes: readonly string[] = Array.from({length: 256}, (_, code) => {
	const character = String.fromCodePoint(code);
	return /[\w\-.~]/v.test(character) ? character : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** By code unit, not by locale: keys are the same everywhere. */
export function compare(a: string, b: string): number {
	if (a === b) {
		return 0;
	}

	return a < b ? -1 : 1;
}

/** The name and the value of a parameter, as they are written. */
export function split(part: string): [name: string, value: string | undefined] {
	const index = part.indexOf('=');
	return index === -1 ? [part, undefined] : [part.slice(0, index), part.slice(index + 1)];
}

/** A name or a value of a parameter; as it is written where it cannot be decoded. */
export function decode(text: string): string {
	if (!/[%+]/v.test(text)) {
		return text;
	}

	try {
		return decodeURIComponent(text.replaceAll('+', ' '));
	} catch {
		return text;
	}
}
