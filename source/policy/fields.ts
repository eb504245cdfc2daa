/**
Header fields as the rules read them: lower-case names; a field that came on several lines is a list, in order.
*/
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
An object whose only members are the fields that are put there. `Object.create(null)` gives the same, but as a hash table, which has four times the size and takes several times as long to fill.
*/
export class BareFields { // eslint-disable-line @typescript-eslint/no-extraneous-class -- Its objects have fields.
	static {
		Object.setPrototypeOf(this.prototype, null);
		Reflect.deleteProperty(this.prototype, 'constructor');
	}
}

/**
The lines of one field, in the order received.
*/
export function fieldLines(fields: Fields, name: string): readonly string[] {
	const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
	if (value === undefined) {
		return [];
	}

	return typeof value === 'string' ? [value] : value;
}

/**
The whole value of one field: several lines are one list (RFC 9110 §5.3).
*/
export function fieldValue(fields: Fields, name: string): string | undefined {
	const lines = fieldLines(fields, name);
	return lines.length === 0 ? undefined : lines.join(', ');
}

/**
The members of a list of tokens, lower-cased, empty ones dropped (RFC 9110 §5.6.1).
*/
export function fieldTokens(fields: Fields, name: string): readonly string[] {
	const value = fieldValue(fields, name);
	return value === undefined ? [] : value.split(',').map(token => trimSpace(token).toLowerCase()).filter(token => token !== '');
}

// RFC 9110 §5.6.2.
const token = /^[\w!#$%\u{26}'*+\-.^`\|~]+$/v;

/** Whether a text can be the name of a field, of a method or of a directive. */
export function isToken(text: string): boolean {
	return token.test(text);
}

/** The text without optional white space at its ends: spaces and tabs, and nothing else (RFC 9110 §5.6.3). */
export function trimSpace(text: string): string {
	let start = 0;
	let end = text.length;
	// A regular expression would look at each run of spaces as often as it is long.
	while (start < end && isSpace(text[start])) {
		start++;
	}

	while (end > start && isSpace(text[end - 1])) {
		end--;
	}

	return text.slice(start, end);
}

function isSpace(character: string | undefined): boolean {
	return character === ' ' || character === '\t';
}

/**
A value of a request field in the one form that all values of the same meaning have, as far as RFC 9111 §4.1 lets a cache know what a field means. It takes linear time.

- Optional white space (spaces and tabs) at the ends, and around the commas of a list, does not count. In quoted strings and comments it does, and a comma there is none of a list.
- `Accept-Encoding`: neither letter case, nor the order of codings, nor white space around `;`, nor a coding that is repeated counts (RFC 9110 §12.5.3).
- `Accept-Language`: letter case does not count (RFC 9110 §12.5.4). The order does: servers prefer the first.
- Anywhere else everything counts, letter case too.

@param name - In lower case.
@param value - The value of the field; several lines are joined by commas.
*/
export function normalizeFieldValue(name: string, value: string): string {
	const isPlain = (name === 'accept-encoding' || name === 'accept-language') && plainList.test(value);
	const members = listMembers(isPlain ? value.toLowerCase() : value);
	return (isPlain && name === 'accept-encoding' ? normalizeCodings(members) : members).join(',');
}

// Field values of tokens, parameters, commas and white space: none of them has a quoted string or a comment.
const plainList = /^[\w\t !#$%\u{26}'*+,\-.;=^`\|~]*$/v;

function normalizeCodings(members: readonly string[]): readonly string[] {
	const codings = members.map(member => member.split(';').map(part => trimSpace(part)).join(';'));
	return [...new Set(codings)].filter(coding => coding !== '').toSorted();
}

const nesting: ReadonlyMap<string, number> = new Map([['(', 1], [')', -1]]);

/**
The members of a list, separated by commas that are neither in a quoted string nor in a comment (RFC 9110 §5.6.4, §5.6.5).

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

/**
The most request fields by which a response may vary. Each is looked up and normalized for every request for the resource; real responses name up to a dozen.
*/
export const maxNominatedFields = 32;

/**
The request fields that a response names in `Vary`, sorted, each once (RFC 9110 §12.5.5).

@returns `'*'` where it varies by more than can be known: by `*`, by more than 32 fields, or by what is no name of a field.
*/
export function nominatedFields(response: Fields): readonly string[] | '*' {
	const value = fieldValue(response, 'vary');
	if (value === undefined) {
		return [];
	}

	const names = new Set<string>();
	for (const member of value.split(',')) {
		const name = trimSpace(member).toLowerCase();
		if (name === '') {
			continue;
		}

		names.add(name);
		if (name === '*' || !isToken(name) || names.size > maxNominatedFields) {
			return '*';
		}
	}

	return [...names].toSorted();
}

/**
The values of the nominated fields of a request (RFC 9111 §4.1), normalized: they tell which variant answers it. The value of an absent field is `undefined`, and not empty.
*/
export function nominatedValues(names: readonly string[], request: Fields): ReadonlyArray<string | undefined> {
	return names.map(name => {
		const value = fieldValue(request, name);
		return value === undefined ? undefined : normalizeFieldValue(name, value);
	});
}

/**
The most tags of one response, those of its headers and of the settings together, each counted once. Every hit looks each of them up; Akamai and Next.js have the same limit.
*/
export const maxTags = 128;

/** The most characters (UTF-16 code units) of one tag, as in Next.js. */
export const maxTagLength = 256;

/** The tags that a response names itself, each once: `Cache-Tag` separates them by commas, `Surrogate-Key` by white space. */
export function tagsOf(fields: Fields): readonly string[] {
	const names = [
		...fieldLines(fields, 'cache-tag').flatMap(line => line.split(',')),
		...fieldLines(fields, 'surrogate-key').flatMap(line => line.split(/[\t ]/v)),
	];
	return [...new Set(names.map(name => trimSpace(name)))].filter(name => name !== '');
}

/** Whether one response may have all of these tags. */
export function areTagsBounded(tags: readonly string[]): boolean {
	return tags.every(tag => isTag(tag)) && (tags.length <= maxTags || new Set(tags).size <= maxTags);
}

/** Whether a value is a tag: a string of 1 to 256 characters. */
export function isTag(value: unknown): value is string {
	return typeof value === 'string' && value !== '' && value.length <= maxTagLength;
}

/**
A list with a member at its end, as a cache adds itself to `Cache-Status`: caches stand in it from the origin to the user (RFC 9211 §2).

What came is kept letter by letter, whether it can be parsed or not.
*/
export function appendMember(existing: string | undefined, member: string): string {
	return existing === undefined || trimSpace(existing) === '' ? member : `${existing}, ${member}`;
}
