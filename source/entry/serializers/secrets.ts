import {Buffer} from 'node:buffer';
import {hidden, SettingError, unknownOption} from '../../errors.ts';

export {hidden} from '../../errors.ts';

/** The length of the key of the store and the key, so that it cannot run into what follows. */
export function boundTo(key: string): Uint8Array {
	const text = Buffer.from(key);
	const bound = Buffer.allocUnsafe(4 + text.length);
	bound.writeUInt32BE(text.length);
	bound.set(text, 4);
	return bound;
}

/**
Refuses members that do not exist.

@throws {SettingError} Where the options are no object, or have another member.
*/
export function checkMembers(options: unknown, path: string, names: readonly string[]): void {
	const allowed = `an object of \`${names.join('` or `')}\``;
	if (typeof options !== 'object' || options === null) {
		throw new SettingError(path, hidden(options), allowed);
	}

	const unknown = Object.keys(options).find(name => !names.includes(name));
	if (unknown !== undefined) {
		throw unknownOption(path, unknown, names);
	}
}
