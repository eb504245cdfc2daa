import {SettingError} from '../../errors.ts';
import {Place, type PlaceOptions} from '../place.ts';

export type FilesystemStoreOptions = PlaceOptions & {
	/**
	The folder, relative to the working directory or to the place that `useTemp` or `useCacheDir` names. It is made by the first write. Each cache has one of its own. Default: `'http_cache'`.
	*/
	readonly path?: string;

	/**
	What all file names end with. Default: by what the value is: `.json` for what begins with `{`, `.yaml` for other text, `.bin` for the rest.
	*/
	readonly extension?: string;

	/**
	Bytes that all files together may take. What makes room is what was not used for longest, and last what was set without `indexed`; that happens beside the writes, and other processes are seen now and then, so the bound is exceeded for a moment. An entry that alone is larger is not stored, and an older value under its key is removed. Default: no bound.
	*/
	readonly maxCacheBytes?: number;

	/**
	Whether the folder is only read: nothing in it is made, changed or removed, and a folder that is not there is an error. Use it for recordings, and for what others have prepared. Default: `false`.
	*/
	readonly readOnly?: boolean;

	/**
	The current time in milliseconds since the epoch. Default: `Date.now`.
	*/
	readonly now?: () => number;
};

export type FilesystemSettings = {
	readonly place: Place;
	readonly extension: string | undefined;
	readonly maxCacheBytes: number | undefined;
	readonly readOnly: boolean;
	readonly now: () => number;
};

export function filesystemSettings({path = 'http_cache', extension, maxCacheBytes, readOnly = false, now = Date.now, ...options}: FilesystemStoreOptions): FilesystemSettings {
	if (extension !== undefined && !/^\.[\da-z]{1,16}$/v.test(extension)) {
		throw new SettingError('extension', extension, 'a dot and up to 16 small letters or digits, as `\'.json\'`');
	}

	if (maxCacheBytes !== undefined && (!Number.isSafeInteger(maxCacheBytes) || maxCacheBytes < 1)) {
		throw new SettingError('maxCacheBytes', maxCacheBytes, 'a positive integer');
	}

	if (typeof readOnly !== 'boolean') {
		throw new SettingError('readOnly', readOnly, 'a boolean');
	}

	return {
		place: new Place(path, options, 'folder'), extension, maxCacheBytes, readOnly, now,
	};
}
