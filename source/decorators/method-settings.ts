import {HttpCache} from '../cache/http-cache.ts';
import {SettingError} from '../errors.ts';
import {
	boolean,
	functionOf,
	oneOf,
	parseInput,
	parseMembers,
	text,
	type Parser,
} from '../parse.ts';
import type {ExpirationTime} from '../policy/expiration.ts';
import {settingsObject} from '../settings/parsers.ts';
import {requestSettingNames, resolveRequestSettings, type RequestSettings} from '../settings/settings.ts';

/**
The settings of a method for the requests that it makes.
*/
export type MethodSettings = RequestSettings & {
	/**
	The cache for whose requests the settings apply. By default, they apply for every cache.

	@default undefined
	*/
	readonly cache?: HttpCache | undefined;

	/** Whether the result of the method is cached, and not the responses to its requests: `true` needs the settings of `ResultSettings`. Default: `false`. */
	readonly result?: false | undefined;
};

/**
The settings of a method for its own result, which is cached in the store of its class.
*/
export type ResultSettings<This, Inputs extends readonly unknown[], Value> = Omit<RequestSettings, 'allowableCodes' | 'allowableMethods' | 'filterFn' | 'keyFn'> & {
	/** Whether the result of the method is cached. */
	readonly result: true;

	/**
	Whether all instances of a class share results, or each instance has results of its own.

	@default 'class'
	*/
	readonly scope?: 'class' | 'instance' | undefined;

	/**
	The class of the result, or of its items if it is an array. A plain copy is stored, and becomes an instance again when it is read. Private fields are lost; see `revive`.

	@default undefined
	*/

	readonly type?: (abstract new (...inputs: any[]) => NoInfer<Value> extends ReadonlyArray<infer Item> ? Item : NoInfer<Value>) | undefined;

	/**
	Restores the result from the plain copy that is stored.

	@default undefined
	*/

	readonly revive?: ((plain: any) => NoInfer<Value> | Promise<NoInfer<Value>>) | undefined;

	/**
	Returns what is included in the key instead of the arguments: any plain data, or `undefined` to not cache the call.

	@default undefined
	*/
	readonly keyFn?: ((this: This, self: This, ...inputs: Inputs) => unknown) | undefined;

	/**
	Whether a result may be cached and used. Called before a result is written, and when it is read.

	@default undefined
	*/
	readonly filterFn?: ((this: This, value: Value, self: This, ...inputs: Inputs) => boolean | Promise<boolean>) | undefined;

	/**
	Replaces the names of the class and the method in the key, if those are not unique or a minifier changes them. It must be unique: calling another function with the same name in the same cache is an error (`ERR_CALL_NAME`).

	@default undefined
	*/
	readonly name?: string | undefined;

	/**
	The cache for the results, instead of that of the class.

	@default undefined
	*/
	readonly cache?: HttpCache | undefined;
};

export type AnyResultSettings = ResultSettings<any, any[], any>;

const commonRows: Readonly<Record<string, Parser<NonNullable<unknown>>>> = {
	result: boolean,
	cache: {allowed: 'a cache, as `getCache(client)` returns it', parse: value => value instanceof HttpCache ? value : undefined},
};
const resultRows: Readonly<Record<string, Parser<NonNullable<unknown>>>> = {
	...commonRows,
	scope: oneOf('class', 'instance'),
	type: functionOf('a class'),
	revive: functionOf('a function that restores the result from a plain copy'),
	keyFn: functionOf('a function `(self, ...arguments) => key`'),
	filterFn: functionOf('a function `(value, self, ...arguments) => boolean`'),
	name: text,
};

/** Settings that apply to HTTP responses only. */
const responseSettings = new Set(['allowableCodes', 'allowableMethods']);

export type ParsedSettings = {
	/** The settings for requests, or for the result. */
	readonly request: RequestSettings;
	readonly cache: HttpCache | undefined;
	readonly result: AnyResultSettings | undefined;

	/** The settings as given, for frameworks. */
	readonly given: object;
};

export function parseMethodSettings(expireAfter: ExpirationTime | undefined, settings: MethodSettings | AnyResultSettings = {}, label = 'Cached'): ParsedSettings {
	parseInput(settingsObject, settings, label);
	const given = Object.fromEntries(Object.entries({expireAfter, ...settings}).filter(([, value]) => value !== undefined));
	if (expireAfter !== undefined && settings.expireAfter !== undefined) {
		throw new SettingError(`${label}.expireAfter`, `\`${label}.expireAfter\` is the first argument already. Pass it only once.`);
	}

	const table = given.result === true ? resultRows : commonRows;
	parseMembers(table, given, label);
	for (const name of Object.keys(given)) {
		if (!Object.hasOwn(table, name) && Object.hasOwn(resultRows, name) && !requestSettingNames.has(name)) {
			throw new SettingError(`${label}.${name}`, `\`${label}.${name}\` has no effect unless \`result\` is \`true\`. Set \`result\` as well.`);
		}

		if (given.result === true && responseSettings.has(name)) {
			throw new SettingError(`${label}.${name}`, `\`${label}.${name}\` has no effect when \`result\` is \`true\`, because a result is not a response. Remove one of them.`);
		}
	}

	const request = Object.fromEntries(Object.entries(given).filter(([name]) => !Object.hasOwn(table, name)));
	resolveRequestSettings(request, label);
	return {
		request: Object.freeze(request),
		cache: given.cache as HttpCache | undefined,
		result: given.result === true ? Object.freeze(given) as unknown as AnyResultSettings : undefined,
		given,
	};
}
