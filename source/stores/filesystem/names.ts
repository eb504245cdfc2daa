import {hash} from 'node:crypto';

/** One file's name is the folder's, the key's and an extension. */
const readableKey = /^[a-z\d][a-z\d_\-:]{0,149}$/v;

/** These name devices on Windows, with any extension. */
const deviceName = /^(?:con|prn|aux|nul|com\d|lpt\d)$/v;
const fanOutName = /^[\da-f]{2}$/v;
const entryName = /^(?<name>~[\da-f]{64}|[a-z\d][a-z\d_\-+]{0,149})(?<extension>\.[a-z\d]{1,16})$/v;
const temporaryName = /^\.[\da-f\-]{36}\.tmp$/v;
const claimName = /^(?:~[\da-f]{64}|[a-z\d][a-z\d_\-+]{0,149})\.claim~{1,2}$/v;

/**
Where the file of a key lies, without extension: a short and simple key can be read in it (with `+` for `:`, which Windows has not), of any other it is a digest. No two keys share one, also where case makes no difference.

The folder spreads the files, for no folder is fast with 100,000 of them.
*/
export function nameOf(key: string): {readonly fanOut: string; readonly name: string} {
	const digest = hash('sha256', key);
	return {
		fanOut: digest.slice(0, 2),
		name: readableKey.test(key) && !deviceName.test(key) ? key.replaceAll(':', '+') : `~${digest}`,
	};
}

export function isFanOut(folderName: string): boolean {
	return fanOutName.test(folderName);
}

/** The name of an entry's file without its extension, or `undefined` for a file that is none. */
export function entryNameOf(fileName: string, extensions: readonly string[]): string | undefined {
	const {name, extension} = entryName.exec(fileName)?.groups ?? {};
	return extension !== undefined && extensions.includes(extension) ? name : undefined;
}

/** Written by nobody any more, once it is old. */
export function isPassing(fileName: string): boolean {
	return temporaryName.test(fileName) || claimName.test(fileName);
}
