import {fieldTokens, fieldValue, type Fields} from './fields.ts';

/**
The request fields that a response names in `Vary`, sorted, each once (RFC 9110 §12.5.5).
*/
export function nominatedFields(response: Fields): readonly string[] {
	return [...new Set(fieldTokens(response, 'vary'))].toSorted();
}

/**
The values that part variants (RFC 9111 §4.1): white space around list members does not count, an absent field is not an empty one.
*/
export function nominatedValues(names: readonly string[], request: Fields): ReadonlyArray<string | undefined> {
	return names.map(name => fieldValue(request, name)?.split(',').map(part => part.trim()).join(','));
}
