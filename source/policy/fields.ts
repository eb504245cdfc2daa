/**
Header fields by lower-case name. A field with several lines is a list, in the order received.
*/
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
An object without a prototype, for header fields. `Object.create(null)` gives a hash table instead, which has four times the size and takes several times as long to fill.
*/
export class BareFields { // eslint-disable-line @typescript-eslint/no-extraneous-class -- Its objects have fields.
	static {
		Object.setPrototypeOf(this.prototype, null);
		Reflect.deleteProperty(this.prototype, 'constructor');
	}
}

/**
Returns the lines of a field, in the order received.
*/
export function fieldLines(fields: Fields, name: string): readonly string[] {
	const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
	if (value === undefined) {
		return [];
	}

	return typeof value === 'string' ? [value] : value;
}

/**
Returns the value of a field. Several lines are joined to one list (RFC 9110 §5.3).
*/
export function fieldValue(fields: Fields, name: string): string | undefined {
	const lines = fieldLines(fields, name);
	return lines.length === 0 ? undefined : lines.join(', ');
}

/**
Returns the members of a list of tokens in lower case, without empty ones (RFC 9110 §5.6.1).
*/
export function fieldTokens(fields: Fields, name: string): readonly string[] {
	const value = fieldValue(fields, name);
	return value === undefined ? [] : value.split(',').map(token => trimSpace(token).toLowerCase()).filter(token => token !== '');
}

// RFC 9110 §5.6.2.
const token = /^[\w!#$%\u{26}'*+\-.^`\|~]+$/v;

/** Whether a text is a token, such as the name of a field, a method or a directive. */
export function isToken(text: string): boolean {
	return token.test(text);
}

/** Removes optional white space from both ends of a text: spaces and tabs only (RFC 9110 §5.6.3). */
export function trimSpace(text: string): string {
	let start = 0;
	let end = text.length;
	// A regular expression would take quadratic time on a long run of spaces.
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

/**
The maximum number of request fields by which a response may vary. Each of them is normalized for every request for the resource; real responses name up to a dozen.
*/
export const maxNominatedFields = 32;

/**
Returns the request fields that a response names in `Vary`, sorted, each once (RFC 9110 §12.5.5).

@returns `'*'` if `Vary` is `*`, has more than 32 names, or is malformed: no other request matches the response.
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
Returns the normalized values of the nominated fields of a request (RFC 9111 §4.1), which select a variant. The value of an absent field is `undefined`.
*/
export function nominatedValues(names: readonly string[], request: Fields): ReadonlyArray<string | undefined> {
	return names.map(name => {
		const value = fieldValue(request, name);
		return value === undefined ? undefined : normalizeFieldValue(name, value);
	});
}

/**
The maximum number of tags of one response, from its headers and the settings. Every hit looks up each of them. Akamai and Next.js have the same limit.
*/
export const maxTags = 128;

/** The maximum length of a tag in UTF-16 code units, as in Next.js. */
export const maxTagLength = 256;

/** Returns the tags in the headers of a response, each once. `Cache-Tag` separates them by commas, `Surrogate-Key` by white space. */
export function tagsOf(fields: Fields): readonly string[] {
	const names = [
		...fieldLines(fields, 'cache-tag').flatMap(line => line.split(',')),
		...fieldLines(fields, 'surrogate-key').flatMap(line => line.split(/[\t ]/v)),
	];
	return [...new Set(names.map(name => trimSpace(name)))].filter(name => name !== '');
}

/** Whether these tags are within the limits of number and length. */
export function areTagsBounded(tags: readonly string[]): boolean {
	return tags.every(tag => isTag(tag)) && (tags.length <= maxTags || new Set(tags).size <= maxTags);
}

/** Whether a value is a valid tag: a string of 1 to 256 characters. */
export function isTag(value: unknown): value is string {
	return typeof value === 'string' && value !== '' && value.length <= maxTagLength;
}

/**
Appends a member to a list, such as `Cache-Status` (RFC 9211 §2). The existing text stays as it is, even if it is malformed.
*/
export function appendMember(existing: string | undefined, member: string): string {
	return existing === undefined || trimSpace(existing) === '' ? member : `${existing}, ${member}`;
}
