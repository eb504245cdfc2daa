import {CacheHooksError} from '../../errors.ts';
import {DO_NOT_CACHE, EXPIRE_IMMEDIATELY, NEVER_EXPIRE} from '../../policy/expiration.ts';
import {
	resolveSettings,
	variableSettings,
	type CacheSettings,
	type VariableKind,
} from '../../settings/settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a text. A text that it does not understand is returned as it is, so that the message of the setting says what is allowed. */
type Read = (text: string) => unknown;

const prefix = 'GOT_CACHE_';

/** The variable that names the file of settings. It is not a setting. */
export const fileVariable = 'GOT_CACHE_CONFIG';

const truths: ReadonlyMap<string, boolean> = new Map([['true', true], ['1', true], ['false', false], ['0', false]]);
const constants: ReadonlyMap<string, unknown> = new Map<string, unknown>([
	['NEVER_EXPIRE', NEVER_EXPIRE],
	['EXPIRE_IMMEDIATELY', EXPIRE_IMMEDIATELY],
	['DO_NOT_CACHE', DO_NOT_CACHE],
]);

const flag: Read = text => truths.get(text.toLowerCase()) ?? text;
const number: Read = text => /^\d+(?:\.\d+)?$/v.test(text) ? Number(text) : text;
const list = (text: string): string[] => text.split(',').map(item => item.trim());
const duration: Read = text => constants.has(text) ? constants.get(text) : number(text);

const readers: Readonly<Record<VariableKind, Read>> = {
	text: text => text,
	flag,
	number,
	duration,
	// `1` and `0` are seconds.
	period: text => /^(?:true|false)$/iv.test(text) ? flag(text) : duration(text),
	list,
	numbers: text => list(text).map(item => number(item)),
	flagOrList: text => truths.get(text.toLowerCase()) ?? list(text),
};

/** Returns the variable of a setting: `expireAfter` is `GOT_CACHE_EXPIRE_AFTER`, `cacheName` is `GOT_CACHE_NAME`. */
export function variableOf(setting: string): string {
	return prefix + setting.replace(/^cache/v, '').replaceAll(/(?<!^)[A-Z]/gv, '_$&').toUpperCase();
}

const variables: ReadonlyMap<string, {readonly setting: string; readonly read: Read}> = new Map(variableSettings.entries().map(([setting, kind]) => [variableOf(setting), {setting, read: readers[kind]}]));

/**
Returns the settings that the environment gives. Empty variables are ignored.

@throws {CacheHooksError} `ERR_CACHE_CONFIG` when a variable that begins with `GOT_CACHE_` is unknown or has a wrong value. The message names the variable.
*/
export function settingsOfVariables(environment: Environment): CacheSettings {
	const given = Object.entries(environment).filter(([name, text]) => name.startsWith(prefix) && name !== fileVariable && text !== undefined && text !== '');
	return Object.assign({}, ...given.map(([name, text]) => settingOf(name, text!))) as CacheSettings;
}

function settingOf(name: string, text: string): CacheSettings {
	const variable = variables.get(name);
	if (variable === undefined) {
		const known = [fileVariable, ...variables.keys()];
		throw new CacheHooksError('ERR_CACHE_CONFIG', `Unknown variable \`${name}\`. The variables are \`${known.join('`, `')}\`.`);
	}

	const settings: CacheSettings = {[variable.setting]: variable.read(text)};
	try {
		resolveSettings(settings);
	} catch (error) {
		throw new CacheHooksError('ERR_CACHE_CONFIG', `${name}: ${(error as Error).message}`, {cause: error});
	}

	return settings;
}
