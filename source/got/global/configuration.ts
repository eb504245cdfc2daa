import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {CacheHooksError, describe, SettingError} from '../../errors.ts';
import {resolveSettings, type CacheSettings} from '../../settings/settings.ts';
import {
	fileVariable,
	settingsOfVariables,
	variableOf,
	type Environment,
} from './variables.ts';

const defaultFile = 'got-cache.config.js';

/**
Hands on the settings for programs that are only started: those of `got-cache.config.js` in the folder, or of the file that `GOT_CACHE_CONFIG` names, and above them those of the other variables. Where there is neither, nothing happens.

@throws {CacheHooksError} `ERR_CACHE_CONFIG`: it names the file or the variable, and says why.
*/
export async function configure(environment: Environment, folder: string, install: (settings: CacheSettings) => unknown): Promise<void> {
	const ofVariables = settingsOfVariables(environment);
	const named = environment[fileVariable] ?? '';
	const file = path.resolve(folder, named === '' ? defaultFile : named);
	const ofFile = await settingsOfFile(file, named !== '');
	if (ofFile === undefined && Object.keys(ofVariables).length === 0) {
		return;
	}

	try {
		install({...ofFile, ...ofVariables});
	} catch (error) {
		// What opens a store checks it: whose it was is known by its name.
		const setting = error instanceof SettingError ? /^cache\.(?<name>\w+)/v.exec(error.path)?.groups?.name : undefined;
		throw wrong(setting !== undefined && Object.hasOwn(ofVariables, setting) ? variableOf(setting) : file, error);
	}
}

async function settingsOfFile(file: string, isNamed: boolean): Promise<CacheSettings | undefined> {
	const {href} = pathToFileURL(file);
	let settings: unknown;
	try {
		// eslint-disable-next-line no-restricted-syntax -- The user's file is no part of the house.
		({default: settings} = await import(href) as {readonly default?: unknown});
	} catch (error) {
		const {code, url} = new Object(error) as {readonly code?: unknown; readonly url?: unknown};
		if (!isNamed && code === 'ERR_MODULE_NOT_FOUND' && url === href) {
			return undefined;
		}

		throw wrong(file, error);
	}

	if (typeof settings !== 'object' || settings === null) {
		throw wrong(file, new TypeError(`Expected its default export to be an object of settings, got ${describe(settings)}`));
	}

	try {
		resolveSettings(settings);
	} catch (error) {
		throw wrong(file, error);
	}

	return settings;
}

function wrong(place: string, error: unknown): CacheHooksError {
	return new CacheHooksError('ERR_CACHE_CONFIG', `${place}: ${error instanceof Error ? error.message : String(error)}`, {cause: error});
}
