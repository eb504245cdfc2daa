import {HttpCache} from '../cache/http-cache.ts';
import {SettingError} from '../errors.ts';
import type {ExpirationTime} from '../policy/expiration.ts';
import {resolveRequestSettings, type RequestSettings} from '../settings/settings.ts';
import type {AnyResultSettings, MethodSettings} from './settings-types.ts';

type Row = readonly [allowed: string, isAllowed: (value: unknown) => boolean];

const isFunction = (value: unknown): boolean => typeof value === 'function';
const both: Readonly<Record<string, Row>> = {
	result: ['a boolean', value => typeof value === 'boolean'],
	cache: ['a cache, as `getCache(client)` gives it', value => value instanceof HttpCache],
};
const ofResults: Readonly<Record<string, Row>> = {
	...both,
	scope: ['`\'class\'` or `\'instance\'`', value => value === 'class' || value === 'instance'],
	type: ['a class', isFunction],
	revive: ['a function that makes the result of a plain copy', isFunction],
	keyFn: ['a function `(self, ...arguments) => key`', isFunction],
	filterFn: ['a function `(value, self, ...arguments) => boolean`', isFunction],
	name: ['a string that is not empty', value => typeof value === 'string' && value !== ''],
};

/** They are about responses, and a result is none. */
const ofResponses = new Set(['allowableCodes', 'allowableMethods']);

export type Understood = {
	/** What holds for requests, or for the result. */
	readonly request: RequestSettings;
	readonly cache: HttpCache | undefined;
	readonly result: AnyResultSettings | undefined;

	/** As it was given, for frameworks. */
	readonly given: object;
};

/**
What a method's decorator was given, checked.

@throws {TypeError} Where something of it is wrong: it names the setting, what came, and what is allowed.
*/
export function understand(expireAfter: ExpirationTime | undefined, settings: MethodSettings | AnyResultSettings = {}, label = 'Cached'): Understood {
	if (typeof settings !== 'object' || settings === null) {
		throw new SettingError(label, settings, 'an object of settings');
	}

	const given = Object.fromEntries(Object.entries({expireAfter, ...settings}).filter(([, value]) => value !== undefined));
	if (expireAfter !== undefined && settings.expireAfter !== undefined) {
		throw new SettingError(`${label}.expireAfter`, settings.expireAfter, 'absent: it is the first argument already');
	}

	const table = given.result === true ? ofResults : both;
	const entries = Object.entries(given);
	for (const [name, value] of entries) {
		const row = Object.hasOwn(table, name) ? table[name] : undefined;
		if (row !== undefined && !row[1](value)) {
			throw new SettingError(`${label}.${name}`, value, row[0]);
		}

		if (name !== 'keyFn' && name !== 'filterFn' && row === undefined && Object.hasOwn(ofResults, name)) {
			throw new SettingError(`${label}.${name}`, value, 'absent where `result` is not `true`');
		}

		if (given.result === true && ofResponses.has(name)) {
			throw new SettingError(`${label}.${name}`, value, 'absent where `result` is `true`: it is about responses');
		}
	}

	const request = Object.fromEntries(entries.filter(([name]) => !Object.hasOwn(table, name)));
	resolveRequestSettings(request, label);
	return {
		request: Object.freeze(request),
		cache: given.cache as HttpCache | undefined,
		result: given.result === true ? Object.freeze(given) as unknown as AnyResultSettings : undefined,
		given,
	};
}
