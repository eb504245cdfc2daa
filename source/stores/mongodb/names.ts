import {SettingError} from '../../errors.ts';

/** MongoDB's limit for a document, less what stands beside the value. */
export const mostOfMongoDb: number = (16 * 1024 * 1024) - (64 * 1024);

export function checkLargest(bytes: number, least: number): number {
	if (!Number.isSafeInteger(bytes) || bytes < least || bytes > mostOfMongoDb) {
		throw new SettingError('largestDocument', bytes, `a number of bytes from ${least} to ${mostOfMongoDb}`);
	}

	return bytes;
}

/** `$` and `system.` are the server's own. */
export function checkCollection(option: string, name: unknown): string {
	if (typeof name !== 'string' || name === '' || /\$|\0|^system\.|^\.|\.$|\.\./v.test(name)) {
		throw new SettingError(option, name, 'the name of a collection of MongoDB');
	}

	return name;
}
