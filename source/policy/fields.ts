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
	return value === undefined ? [] : value.split(',').map(token => token.trim().toLowerCase()).filter(token => token !== '');
}
