import fs from 'node:fs';
import path from 'node:path';
import {wrongUsage} from './failure.ts';

/**
Writes a file that a user has named, over an older one.

@throws {Failure} If it is a file of the store, which would be lost.
*/
export async function writeFile(file: string, content: string | Uint8Array, store: string): Promise<void> {
	const target = realPath(file);
	if (['', '-wal', '-shm', '-journal'].some(suffix => realPath(store + suffix) === target)) {
		throw wrongUsage(`\`${file}\` is the store itself. Name another file.`);
	}

	await fs.promises.writeFile(target, content);
}

function realPath(file: string): string {
	try {
		return fs.realpathSync.native(file);
	} catch {
		return path.resolve(file);
	}
}
