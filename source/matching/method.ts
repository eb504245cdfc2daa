import {fieldLines, type Fields} from '../policy/fields.ts';

// Servers that read one of these take it for the method (requests-cache does, too).
const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/**
The method that counts: that of an override header, if there is one.

@param headers - Lower-case names.
*/
export function effectiveMethod(method: string, headers: Fields): string {
	for (const name of overrides) {
		const lines = fieldLines(headers, name);
		if (lines.length === 1 && lines[0]!.trim() !== '') {
			return lines[0]!.trim().toUpperCase();
		}
	}

	return method.toUpperCase();
}

/** Header fields by lower-case name. */
export function lowerCaseNames(headers: Fields): Fields {
	const fields: Record<string, string | readonly string[] | undefined> = Object.create(null) as Record<string, string | readonly string[] | undefined>;
	for (const [name, value] of Object.entries(headers)) {
		fields[name.toLowerCase()] = value;
	}

	return fields;
}
