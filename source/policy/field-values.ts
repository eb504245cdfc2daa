import {fieldValue, trimSpace, type Fields} from './fields.ts';

/** Returns the normalized values of the nominated fields of a request (RFC 9111 §4.1), which select a variant. The value of an absent field is `undefined`. */
export function nominatedValues(names: readonly string[], request: Fields): ReadonlyArray<string | undefined> {
	return names.map(name => {
		const value = fieldValue(request, name);
		return value === undefined ? undefined : normalizeFieldValue(name, value);
	});
}

/**
Normalizes the value of a request field, so that values with the same meaning are equal (RFC 9111 §4.1). It takes linear time.

- Optional white space at the ends and around the commas of a list is removed, except in quoted strings and comments.
- `Accept-Encoding` is in lower case, without white space around `;`; its codings are sorted, each once (RFC 9110 §12.5.3).
- `Accept-Language` is in lower case (RFC 9110 §12.5.4), in its own order, since servers prefer the first language.

@param name - In lower case.
@param value - The value of the field; several lines are joined by commas.
*/
export function normalizeFieldValue(name: string, value: string): string {
	const isPlain = (name === 'accept-encoding' || name === 'accept-language') && plainList.test(value);
	const members = listMembers(isPlain ? value.toLowerCase() : value);
	return (isPlain && name === 'accept-encoding' ? normalizeCodings(members) : members).join(',');
}

// Tokens, parameters, commas and white space, without a quoted string or a comment.
const plainList = /^[\w\t !#$%\u{26}'*+,\-.;=^`\|~]*$/v;

function normalizeCodings(members: readonly string[]): readonly string[] {
	const codings = members.map(member => member.split(';').map(part => trimSpace(part)).join(';'));
	return [...new Set(codings)].filter(coding => coding !== '').toSorted();
}

const nesting: ReadonlyMap<string, number> = new Map([['(', 1], [')', -1]]);

/**
Splits a list at the commas that are neither in a quoted string nor in a comment (RFC 9110 §5.6.4, §5.6.5).

@returns One member if a quoted string or a comment is not closed.
*/
function listMembers(value: string): readonly string[] {
	if (!value.includes(',')) {
		return [trimSpace(value)];
	}

	const members: string[] = [];
	let start = 0;
	let isQuoted = false;
	let depth = 0;
	for (let index = 0; index < value.length; index++) {
		const character = value[index]!;
		if (isQuoted || depth > 0) {
			if (character === '\\') {
				index++;
			} else if (isQuoted) {
				isQuoted = character !== '"';
			} else {
				depth += nesting.get(character) ?? 0;
			}
		} else if (character === ',') {
			members.push(trimSpace(value.slice(start, index)));
			start = index + 1;
		} else {
			isQuoted = character === '"';
			depth = character === '(' ? 1 : 0;
		}
	}

	return isQuoted || depth > 0 ? [trimSpace(value)] : [...members, trimSpace(value.slice(start))];
}
