import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {CacheHooksError, listed, SettingError} from '../../errors.ts';
import {parseInput} from '../../parse.ts';
import {DO_NOT_CACHE, EXPIRE_IMMEDIATELY, NEVER_EXPIRE} from '../../policy/expiration.ts';
import {settingsObject} from '../../settings/parsers.ts';
import {
	resolveSettings,
	variableSettings,
	type CacheSettings,
	type VariableKind,
} from '../../settings/settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Parses a text. Returns an invalid text unchanged, so that the check of the setting reports it. */
type Read = (text: string) => unknown;

const prefix = 'GOT_CACHE_';

/** The variable with the path of the configuration file. */
const fileVariable = 'GOT_CACHE_CONFIG';

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
Returns the settings from environment variables. Ignores empty variables.

@throws {CacheHooksError} `ERR_CACHE_CONFIG` if a variable that begins with `GOT_CACHE_` is unknown, or its value is wrong. The message names the variable.
*/
export function settingsOfVariables(environment: Environment): CacheSettings {
	const given = Object.entries(environment).filter(([name, text]) => name.startsWith(prefix) && name !== fileVariable && text !== undefined && text !== '');
	return Object.assign({}, ...given.map(([name, text]) => settingOf(name, text!))) as CacheSettings;
}

function settingOf(name: string, text: string): CacheSettings {
	const variable = variables.get(name);
	if (variable === undefined) {
		const known = [fileVariable, ...variables.keys()];
		throw new CacheHooksError('ERR_CACHE_CONFIG', `Unknown variable \`${name}\`. The variables are ${listed(known, 'and')}.`);
	}

	const settings: CacheSettings = {[variable.setting]: variable.read(text)};
	try {
		resolveSettings(settings);
	} catch (error) {
		throw wrong(name, error);
	}

	return settings;
}

const defaultFile = 'got-cache.config.js';

/**
Installs a cache with the settings of `got-cache.config.js` in the folder, or of the file in `GOT_CACHE_CONFIG`, and those of the other variables over them. Without a file and variables, does nothing.

@throws {CacheHooksError} `ERR_CACHE_CONFIG` if a setting is wrong, or the file cannot be run. The message names the file or the variable.
*/
export async function configure(environment: Environment, folder: string, install: (settings: CacheSettings) => unknown): Promise<void> {
	const ofVariables = settingsOfVariables(environment);
	const named = environment[fileVariable] ?? '';
	const file = path.resolve(folder, named === '' ? defaultFile : named);
	// The error of an import says in a way of each loader's own that a file is missing.
	const ofFile = named !== '' || fs.existsSync(file) ? await settingsOfFile(file) : undefined;
	if (ofFile === undefined && Object.keys(ofVariables).length === 0) {
		return;
	}

	try {
		install({...ofFile, ...ofVariables});
	} catch (error) {
		// Settings of the store are checked when it is opened. The path shows whether a variable or the file has set one.
		const setting = error instanceof SettingError ? /^cache\.(?<name>\w+)/v.exec(error.path)?.groups?.name : undefined;
		throw wrong(setting !== undefined && Object.hasOwn(ofVariables, setting) ? variableOf(setting) : file, error);
	}
}

/**
Returns the settings that a file has as its default export, or as JSON if its name ends with `.json`.

@throws {CacheHooksError} As `configure`.
*/
export async function settingsOfFile(file: string): Promise<CacheSettings> {
	let settings: unknown;
	try {
		// Bundlers cannot analyze the import attribute of a JSON module.
		settings = path.extname(file) === '.json' ? JSON.parse(fs.readFileSync(file, 'utf8')) : await defaultExportOf(file);
	} catch (error) {
		throw wrong(file, error);
	}

	try {
		parseInput(settingsObject, settings, 'export default');
		resolveSettings(settings as CacheSettings);
	} catch (error) {
		throw wrong(file, error);
	}

	return settings as CacheSettings;
}

async function defaultExportOf(file: string): Promise<unknown> {
	// eslint-disable-next-line no-restricted-syntax -- The user's file is not a module of this library.
	const module = await import(/* webpackIgnore: true */ pathToFileURL(file).href) as {readonly default?: unknown};
	return module.default;
}

function wrong(place: string, error: unknown): CacheHooksError {
	return new CacheHooksError('ERR_CACHE_CONFIG', `${place}: ${error instanceof Error ? error.message : String(error)}`, {cause: error});
}
