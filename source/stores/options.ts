import {SettingError} from '../errors.ts';
import {
	functionOf,
	parseOptions,
	type Parser,
	type Parsers,
} from '../parse.ts';

export {boolean, text} from '../parse.ts';

/** The parsers of all options of a store, by their names. */
export type OptionTypes<Options> = Parsers<Options>;

/** The options that every store has. */
export type CommonOptions = {
	/**
	The name of the cache: the file of `'sqlite'` (with or without `.sqlite`, `.sqlite3` or `.db`) and the folder of `'filesystem'` unless `path` is set, and elsewhere a namespace: stores with different names do not see each other's entries. `'memory'` ignores it. Default: `'http_cache'`.
	*/
	readonly cacheName?: string;

	/**
	Returns the current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

export const milliseconds: Parser<number> = checked(value => typeof value === 'number' && value >= 0, 'a number of milliseconds from 0');
export const positiveInteger: Parser<number> = integer({from: 1}, 'a positive integer');

export const commonOptions: OptionTypes<CommonOptions> = {
	cacheName: checked(value => typeof value === 'string' && value !== '' && value.isWellFormed(), 'a well-formed string that is not empty'),
	now: functionOf('a function'),
};

/** Returns the parser of an option that is taken as it is. */
export function checked<Value>(isValid: (value: unknown) => boolean, allowed: string): Parser<Value> {
	return {allowed, parse: value => isValid(value) ? value as Value : undefined};
}

export function integer({from, to = Number.MAX_SAFE_INTEGER}: {readonly from: number; readonly to?: number}, allowed: string): Parser<number> {
	return checked(value => Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to, allowed);
}

export function matching(pattern: RegExp, allowed: string): Parser<string> {
	return checked(value => typeof value === 'string' && pattern.test(value), allowed);
}

export function objectWith<Value>(methods: readonly string[], allowed: string): Parser<Value> {
	return checked(value => typeof value === 'object' && value !== null && methods.every(name => typeof (value as Record<string, unknown>)[name] === 'function'), allowed);
}

/** The URL of a server. Messages do not show it, since it may contain a password. */
export function serverUrl(...schemes: readonly string[]): Parser<string> {
	const beginnings = schemes.map(scheme => `${scheme}://`);
	const isUrl = (value: unknown): boolean => typeof value === 'string' && beginnings.some(beginning => value.startsWith(beginning) && value.length > beginning.length);
	return {...checked<string>(isUrl, `a URL that begins with \`${beginnings.join('` or `')}\``), isSecret: true};
}

/**
Checks the options of a store. An option that is `undefined` has its default.

@param path - What the options belong to, such as `createStore('sqlite')`.
@throws {SettingError} For an option that does not exist or has a wrong value.
*/
export function checkOptions<Options extends object>(path: string, options: Options, types: OptionTypes<Options>): void {
	parseOptions(types, options, path);
}

/**
Refuses options that contradict each other.

@throws {SettingError} If the first option is set, and one of the others too. `false` counts as not set.
*/
export function refuseTogether(path: string, options: object, first: string, others: readonly string[]): void {
	const isSet = (name: string): boolean => ![undefined, false].includes((options as Record<string, undefined>)[name]);
	const other = isSet(first) ? others.find(name => isSet(name)) : undefined;
	if (other !== undefined) {
		throw contradiction(`${path}.${other}`, `\`${first}\``);
	}
}

export function contradiction(path: string, other: string): SettingError {
	return new SettingError(path, `\`${path}\` contradicts ${other}. Leave one of them out.`);
}
