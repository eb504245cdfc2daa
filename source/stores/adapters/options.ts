import {SettingError} from '../../errors.ts';

/** The options of every store of a Keyv adapter. */
export type AdapterOptions = {
	/**
	The current time in milliseconds since the epoch, from which the time to live is taken. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

/**
Refuses what is no text, number or switch; `undefined` stands for the default.

@throws {TypeError} Where a value is wrong.
*/
export function checkTypes(options: object, types: Readonly<Record<string, 'text' | 'milliseconds' | 'count' | 'switch'>>): void {
	for (const [name, type] of Object.entries(types)) {
		const value = (options as Readonly<Record<string, unknown>>)[name];
		if (value !== undefined && !checks[type].holds(value)) {
			throw new SettingError(name, value, checks[type].allowed);
		}
	}
}

const checks = {
	text: {holds: (value: unknown) => typeof value === 'string' && value !== '', allowed: 'a text'},
	milliseconds: {holds: (value: unknown) => typeof value === 'number' && value >= 0, allowed: 'a number of milliseconds'},
	count: {holds: (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0, allowed: 'a whole number above 0'},
	switch: {holds: (value: unknown) => typeof value === 'boolean', allowed: '`true` or `false`'},
} as const;
