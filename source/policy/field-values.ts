import {trimSpace} from './fields.ts';

// Field values of tokens, parameters, commas and white space: none of them has a quoted string or a comment.
const plainList = /^[\w\t !#$%\u{26}'*+,\-.;=^`\|~]*$/v;

/**
A value of a request field in the one form that all values of the same meaning have, as far as RFC 9111 §4.1 lets a cache know what a field means. It takes linear time.

- Optional white space (spaces and tabs) at the ends, and around the commas of a list, does not count. In quoted strings and comments it does, and a comma there is none of a list.
- `Accept-Encoding`: neither letter case, nor the order of codings, nor white space around `;`, nor a coding that is repeated counts (RFC 9110 §12.5.3).
- `Accept-Language`: letter case does not count (RFC 9110 §12.5.4). The order does: servers prefer the first.
- Anywhere else everything counts, letter case too.

@param name - In lower case.
@param value - Of several lines of a field, joined by commas.
*/
export function normalizeFieldValue(name: string, value: string): string {
	const isPlain = (name === 'accept-encoding' || name === 'accept-language') && plainList.test(value);
	const members = listMembers(isPlain ? value.toLowerCase() : value);
	return (isPlain && name === 'accept-encoding' ? normalizeCodings(members) : members).join(',');
}

function normalizeCodings(members: readonly string[]): readonly string[] {
	const codings = members.map(member => member.split(';').map(part => trimSpace(part)).join(';'));
	return [...new Set(codings)].filter(coding => coding !== '').toSorted();
}

const nesting: ReadonlyMap<string, number> = new Map([['(', 1], [')', -1]]);

/**
The members of a list, parted by commas that are neither in a quoted string nor in a comment (RFC 9110 §5.6.4, §5.6.5).

@returns One member where a quoted string or a comment is not closed: it cannot be known where it should end.
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
