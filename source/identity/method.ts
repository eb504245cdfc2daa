import {fieldLines, type Fields} from '../policy/fields.ts';

// Servers that read one of these take it for the method (requests-cache does, too).
const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/**
The method that override headers ask for, if there are any. Where they ask for several, it is a list, which is no method that anybody allows: nobody knows which of them the origin takes.

@param headers - Lower-case names.
*/
export function overridingMethod(headers: Fields): string | undefined {
	if (overrides.every(name => headers[name] === undefined)) {
		return undefined;
	}

	const asked = new Set<string>();
	for (const name of overrides) {
		for (const line of fieldLines(headers, name)) {
			asked.add(line.trim().toUpperCase());
		}
	}

	asked.delete('');
	return asked.size === 0 ? undefined : [...asked].join(',');
}

/**
The method as it is part of the key: a request that asks for another method is not the same as a request by that method.
*/
export function matchedMethod(method: string, override: string | undefined): string {
	return override === undefined ? method.toUpperCase() : `${method.toUpperCase()}:${override}`;
}

/**
The method as the key is made of it: a server may know one override header, and not another.

@param method - As `matchedMethod` gives it.
@param headers - Lower-case names.
*/
export function methodParts(method: string, headers: Fields): unknown {
	return method.includes(':') ? [method, overrides.filter(name => headers[name] !== undefined)] : method;
}

/** An object of which nothing is a field but what was put there. `Object.create(null)` is the same, but takes several times as long to fill. */
class BareFields { // eslint-disable-line @typescript-eslint/no-extraneous-class -- Its objects have fields.
	static {
		Object.setPrototypeOf(this.prototype, null);
		Reflect.deleteProperty(this.prototype, 'constructor');
	}
}

/** Header fields by lower-case name. Names that differ in letter case alone are one field with several lines. */
export function lowerCaseNames(headers: Fields): Fields {
	const fields = new BareFields() as Record<string, string | readonly string[] | undefined>;
	for (const [name, value] of Object.entries(headers)) {
		const key = name.toLowerCase();
		const known = fields[key];
		fields[key] = value === undefined || known === undefined ? value ?? known : [known, value].flat();
	}

	return fields;
}
