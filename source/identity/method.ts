import {fieldLines, type Fields} from '../policy/fields.ts';

// Servers that read one of these take it for the method (requests-cache does, too).
const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/**
The method that an override header asks for, if there is one.

@param headers - Lower-case names.
*/
export function overridingMethod(headers: Fields): string | undefined {
	for (const name of overrides) {
		const lines = fieldLines(headers, name);
		if (lines.length === 1 && lines[0]!.trim() !== '') {
			return lines[0]!.trim().toUpperCase();
		}
	}

	return undefined;
}

/**
The method as it parts the key: a request that is to be taken for another is not the same as that other.
*/
export function matchedMethod(method: string, override: string | undefined): string {
	return override === undefined ? method.toUpperCase() : `${method.toUpperCase()}:${override}`;
}

/** Header fields by lower-case name. */
export function lowerCaseNames(headers: Fields): Fields {
	const fields: Record<string, string | readonly string[] | undefined> = Object.create(null) as Record<string, string | readonly string[] | undefined>;
	for (const [name, value] of Object.entries(headers)) {
		fields[name.toLowerCase()] = value;
	}

	return fields;
}
