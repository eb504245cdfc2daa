import {normalizeFieldValue} from './field-values.ts';
import {
	fieldValue,
	isToken,
	trimSpace,
	type Fields,
} from './fields.ts';

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
The values that part variants (RFC 9111 §4.1), normalized; an absent field is not an empty one.
*/
export function nominatedValues(names: readonly string[], request: Fields): ReadonlyArray<string | undefined> {
	return names.map(name => {
		const value = fieldValue(request, name);
		return value === undefined ? undefined : normalizeFieldValue(name, value);
	});
}
