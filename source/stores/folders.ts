import {mkdirSync} from 'node:fs';
import {dirname, resolve} from 'node:path';
import envPaths from 'env-paths';
import {SettingError} from '../errors.ts';

export type PlaceOptions = {
	/**
	Whether a relative `path` lies in the system's folder for temporary files, in one of this user's. Default: `false`.
	*/
	readonly useTemp?: boolean;

	/**
	Whether a relative `path` lies in the user's folder for caches (`~/.cache/got-cache-hooks-nodejs`, `~/Library/Caches/…`, `%LOCALAPPDATA%\…`). Default: `false`.
	*/
	readonly useCacheDir?: boolean;
};

/**
The absolute path. It is resolved when a store is made: the working directory may be another one at the first call.

@throws {SettingError} For an empty path, and for more than one place.
*/
export function placeOf(path: string, {useTemp = false, useCacheDir = false}: PlaceOptions, kind: 'file' | 'folder'): string {
	if (typeof path !== 'string' || path === '') {
		throw new SettingError('path', path, `the path of a ${kind}`);
	}

	if (useTemp && useCacheDir) {
		throw new SettingError('useTemp', useTemp, '`false` beside `useCacheDir`: they name two places');
	}

	if (!useTemp && !useCacheDir) {
		return resolve(path);
	}

	const paths = envPaths('got-cache-hooks');
	return resolve(useTemp ? paths.temp : paths.cache, path);
}

/**
Makes the folder of a file in a place that is ours to make, readable for this user alone: the system's folder for temporary files is everybody's.
*/
export function makeFolderOf(path: string): void {
	mkdirSync(dirname(path), {recursive: true, mode: 0o700});
}
