import {
	concealed,
	listed,
	SettingError,
	unknownOption,
} from './errors.ts';

/** Returns `undefined` for a value that is not allowed. Throws a `SettingError` when a part of it is wrong. */
export type Parse<Value> = (value: unknown, path: string) => Value | undefined;

/** How a setting or an argument is checked and parsed. */
export type Parser<Value> = {
	/** What a message says is allowed. */
	readonly allowed: string;
	readonly parse: Parse<Value>;

	/** Whether messages and `cacheSettings` conceal the value. Default: `false`. */
	readonly isSecret?: true;
};

/** The parsers of the members of an object with options. */
export type Parsers<Options> = {readonly [Key in keyof Options]-?: Parser<NonNullable<Options[Key]>>};

/**
Checks and parses a setting or an argument. `path` is its name in messages, as the caller would write it.

@throws {SettingError} When the value is not allowed.
*/
export function parseInput<Value>({parse, allowed, isSecret}: Parser<Value>, value: unknown, path: string): Value {
	const parsed = parse(value, path);
	if (parsed === undefined) {
		throw new SettingError(path, isSecret === true ? concealed(value) : value, allowed);
	}

	return parsed;
}

/**
Checks and parses an object with options. An option that is `undefined` counts as absent.

@throws {SettingError} When it is not an object, or an option is unknown or wrong.
*/
export function parseOptions<Options extends object>(parsers: Parsers<Options>, options: unknown, path: string): Options {
	const names = Object.keys(parsers);
	const allowed = `an object with ${names.length > 1 ? 'any of ' : ''}${listed(names, 'and')}`;
	// What is given in place of an object with a secret may be the secret itself.
	const isSecret = Object.values<Parser<unknown>>(parsers).some(parser => parser.isSecret === true);
	const given = parseInput({allowed, parse: asObject, ...(isSecret && {isSecret})}, options, path);
	const unknown = Object.keys(given).find(name => !Object.hasOwn(parsers, name));
	if (unknown !== undefined) {
		throw unknownOption(path, unknown, names);
	}

	return parseMembers(parsers, given, path) as Options;
}

/** Checks and parses the members of an object that have a parser, except those that are `undefined`. */
export function parseMembers<Members extends object>(parsers: Parsers<Members>, object: object, path: string): Partial<Members> {
	const members = object as Readonly<Record<string, unknown>>;
	const given = Object.entries<Parser<unknown>>(parsers).filter(([name]) => members[name] !== undefined);
	return Object.fromEntries(given.map(([name, parser]) => [name, parseInput(parser, members[name], `${path}.${name}`)])) as Partial<Members>;
}

/** Returns a value if it is an object, of a class or not, but no array. */
export function asObject(value: unknown): object | undefined {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

export const boolean: Parser<boolean> = {
	allowed: 'a boolean',
	parse: value => typeof value === 'boolean' ? value : undefined,
};

export const text: Parser<string> = {
	allowed: 'a string that is not empty',
	parse: value => typeof value === 'string' && value !== '' ? value : undefined,
};

/** Parses a secret, and copies bytes. */
export const secret: Parser<string | Uint8Array> = {
	allowed: 'a string or bytes that are not empty',
	parse: (value, path) => value instanceof Uint8Array ? (value.byteLength === 0 ? undefined : Uint8Array.from(value)) : text.parse(value, path),
	isSecret: true,
};

/** Parses a function of any kind. */
export const anyFunction: Parser<() => unknown> = functionOf('a function');

export function functionOf<Value>(allowed: string): Parser<Value> {
	return {allowed, parse: value => typeof value === 'function' ? value as Value : undefined};
}

export function listOf<Item>(allowed: string, parseItem: Parse<Item>): Parser<readonly Item[]> {
	return {
		allowed: `an array, each item ${allowed}`,
		parse: (value, path) => Array.isArray(value) ? Array.from<unknown, Item>(value, (item, index) => parseInput({allowed, parse: parseItem}, item, `${path}[${index}]`)) : undefined,
	};
}

export function setOf<Item>(allowed: string, parseItem: Parse<Item>): Parse<ReadonlySet<Item>> {
	const {parse} = listOf(allowed, parseItem);
	return (value, path) => {
		const items = parse(value instanceof Set ? [...value] : value, path);
		return items && new Set(items);
	};
}

export function oneOf<Value extends string>(...values: readonly Value[]): Parser<Value> {
	return {allowed: listed(values.map(value => `'${value}'`), 'or'), parse: value => values.find(known => known === value)};
}

export function wholeNumber(allowed: string, from: number, to: number = Number.MAX_SAFE_INTEGER): Parser<number> {
	return {allowed, parse: value => Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to ? value as number : undefined};
}

/** Returns whether a value is an object without a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
	if (typeof value !== 'object' || value === null) {
		return false;
	}

	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}

/** Returns the path of a member: `cache.store`, `cache["expire-after"]`. */
export function memberPath(path: string, key: string): string {
	return /^[$a-z_][\w$]*$/iv.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

// RFC 9110 §5.6.2: the characters of methods and header names.
export function isToken(value: unknown): value is string {
	return typeof value === 'string' && /^[\w!#$%\u{26}'*+\-.^`\|~]+$/v.test(value);
}

type HeaderFields = Readonly<Record<string, string | string[] | undefined>>;

/** Returns the parser of headers by name. Messages do not show values, since they may be credentials. */
export function headersOf(allowed: string, isLine: (line: unknown) => boolean): Parser<HeaderFields> {
	const value: Parser<string | string[]> = {
		allowed: `${allowed}, or an array of such values`,
		parse: lines => [lines].flat().every(line => isLine(line)) ? lines as string | string[] : undefined,
		isSecret: true,
	};
	return {
		allowed: 'an object with header names and values',
		parse(headers, path) {
			const fields = asObject(headers);
			for (const [name, lines] of Object.entries(fields ?? {})) {
				const linePath = `${path}[${JSON.stringify(name)}]`;
				// HTTP/2 has pseudo-headers such as `:authority`.
				if (!isToken(name.replace(/^:/v, ''))) {
					throw new SettingError(linePath, `\`${linePath}\` is not the name of a header. Remove it.`);
				}

				if (lines !== undefined) {
					parseInput(value, lines, linePath);
				}
			}

			return fields as HeaderFields | undefined;
		},
	};
}
