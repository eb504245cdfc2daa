import {CacheHooksError} from '../../errors.ts';
import {DO_NOT_CACHE, EXPIRE_IMMEDIATELY, NEVER_EXPIRE} from '../../policy/expiration.ts';
import {resolveSettings, type CacheSettings} from '../../settings/settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a text. What it does not understand it leaves as it is: the setting's own check says what is allowed. */
type Read = (text: string) => unknown;

const prefix = 'GOT_CACHE_';

/** Names the file of settings, and so is none itself. */
export const fileVariable = 'GOT_CACHE_CONFIG';

const truths: ReadonlyMap<string, boolean> = new Map([['true', true], ['1', true], ['false', false], ['0', false]]);
const constants: ReadonlyMap<string, unknown> = new Map<string, unknown>([
	['NEVER_EXPIRE', NEVER_EXPIRE],
	['EXPIRE_IMMEDIATELY', EXPIRE_IMMEDIATELY],
	['DO_NOT_CACHE', DO_NOT_CACHE],
]);

const plain: Read = text => text;
const flag: Read = text => truths.get(text.toLowerCase()) ?? text;
const number: Read = text => /^\d+(?:\.\d+)?$/v.test(text) ? Number(text) : text;
const list = (text: string): string[] => text.split(',').map(item => item.trim());
const duration: Read = text => constants.has(text) ? constants.get(text) : number(text);

/** A number of seconds here, where a flag could be meant. */
const period: Read = text => /^(?:true|false)$/iv.test(text) ? flag(text) : duration(text);

const readers: Partial<Readonly<Record<keyof CacheSettings, Read>>> = {
	allowableCodes: text => list(text).map(item => number(item)),
	allowableMethods: list,
	alwaysRevalidate: flag,
	cacheControl: flag,
	cacheName: plain,
	cacheStatus: flag,
	disabled: flag,
	expireAfter: duration,
	ignoredParameters: list,
	matchHeaders: text => truths.get(text.toLowerCase()) ?? list(text),
	onlyIfCached: flag,
	partitionSecret: plain,
	readOnly: flag,
	staleIfError: period,
	staleWhileRevalidate: period,
	store: plain,
	storeTimeout: number,
	ttlOffset: period,
};

/** The variable of a setting: `expireAfter` is `GOT_CACHE_EXPIRE_AFTER`, `cacheName` is `GOT_CACHE_NAME`. */
export function variableOf(setting: string): string {
	return prefix + setting.replace(/^cache/v, '').replaceAll(/(?<!^)[A-Z]/gv, '_$&').toUpperCase();
}

const variables: ReadonlyMap<string, {readonly setting: string; readonly read: Read}> = new Map(Object.entries(readers).map(([setting, read]) => [variableOf(setting), {setting, read}]));

/**
The settings that the environment gives. An empty variable gives none.

@throws {CacheHooksError} `ERR_CACHE_CONFIG` where a variable begins with `GOT_CACHE_` and is none of these, or its value is wrong: it names the variable.
*/
export function settingsOfVariables(environment: Environment): CacheSettings {
	const given = Object.entries(environment).filter(([name, text]) => name.startsWith(prefix) && name !== fileVariable && text !== undefined && text !== '');
	return Object.assign({}, ...given.map(([name, text]) => settingOf(name, text!))) as CacheSettings;
}

function settingOf(name: string, text: string): CacheSettings {
	const variable = variables.get(name);
	if (variable === undefined) {
		const known = [fileVariable, ...variables.keys()];
		throw new CacheHooksError('ERR_CACHE_CONFIG', `There is no variable \`${name}\`; there are \`${known.join('`, `')}\``);
	}

	const settings: CacheSettings = {[variable.setting]: variable.read(text)};
	try {
		resolveSettings(settings);
	} catch (error) {
		throw new CacheHooksError('ERR_CACHE_CONFIG', `${name}: ${(error as Error).message}`, {cause: error});
	}

	return settings;
}
