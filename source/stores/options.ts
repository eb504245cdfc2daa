import {SettingError, concealed, unknownOption} from '../errors.ts';

/** What an option of a store accepts. */
export type OptionType = {
	readonly isValid: (value: unknown) => boolean;

	/** What a message says is allowed. */
	readonly allowed: string;

	/** Whether messages conceal the value. Default: `false`. */
	readonly isSecret?: boolean;
};

/** All options of a store, by their names. */
export type OptionTypes<Options> = Readonly<Record<keyof Options, OptionType>>;

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

export const boolean: OptionType = {isValid: value => typeof value === 'boolean', allowed: 'a boolean'};
export const text: OptionType = {isValid: value => typeof value === 'string' && value !== '', allowed: 'a string that is not empty'};
export const milliseconds: OptionType = {isValid: value => typeof value === 'number' && value >= 0, allowed: 'a number of milliseconds from 0'};
export const positiveInteger: OptionType = integer({from: 1}, 'a positive integer');

export const commonOptions: OptionTypes<CommonOptions> = {
	cacheName: {isValid: value => typeof value === 'string' && value !== '' && value.isWellFormed(), allowed: 'a well-formed string that is not empty'},
	now: {isValid: value => typeof value === 'function', allowed: 'a function'},
};

export function integer({from, to = Number.MAX_SAFE_INTEGER}: {readonly from: number; readonly to?: number}, allowed: string): OptionType {
	return {isValid: value => Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to, allowed};
}

export function matching(pattern: RegExp, allowed: string): OptionType {
	return {isValid: value => typeof value === 'string' && pattern.test(value), allowed};
}

export function objectWith(methods: readonly string[], allowed: string): OptionType {
	return {isValid: value => typeof value === 'object' && value !== null && methods.every(name => typeof (value as Record<string, unknown>)[name] === 'function'), allowed};
}

/** The URL of a server. Messages do not show it, since it may contain a password. */
export function serverUrl(...schemes: readonly string[]): OptionType {
	const beginnings = schemes.map(scheme => `${scheme}://`);
	return {
		isValid: value => typeof value === 'string' && beginnings.some(beginning => value.startsWith(beginning) && value.length > beginning.length),
		allowed: `a URL that begins with \`${beginnings.join('` or `')}\``,
		isSecret: true,
	};
}

/**
Checks the options of a store. An option that is `undefined` has its default.

@param path - What the options belong to, such as `createStore('sqlite')`.
@throws {SettingError} For an option that does not exist or has a wrong value.
*/
export function checkOptions(path: string, options: unknown, types: Readonly<Record<string, OptionType>>): void {
	if (typeof options !== 'object' || options === null) {
		throw new SettingError(path, options, 'an object with options');
	}

	for (const [name, value] of Object.entries(options)) {
		if (!Object.hasOwn(types, name)) {
			throw unknownOption(path, name, Object.keys(types));
		}

		const {isValid, allowed, isSecret = false} = types[name]!;
		if (value !== undefined && !isValid(value)) {
			throw new SettingError(`${path}.${name}`, isSecret ? concealed(value) : value, allowed);
		}
	}
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
