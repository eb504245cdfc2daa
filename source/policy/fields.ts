/**
Header fields as the rules read them: lower-case names; a field that came on several lines is a list, in order.
*/
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

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

/** Whether it can be the name of a field, of a method or of a directive. */
export function isToken(text: string): boolean {
	return token.test(text);
}

/** Without optional white space at its ends: spaces and tabs, and nothing else (RFC 9110 §5.6.3). */
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
