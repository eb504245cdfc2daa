import fs from 'node:fs';
import path from 'node:path';
import {coreOf, type HttpCache} from '../cache/http-cache.ts';
import {wrongUsage} from './failure.ts';

/**
Writes a file that a user has named, over an older one.

@throws {Failure} If it is a file of the store, which would be lost.
*/
export async function writeFile(file: string, content: string | Uint8Array, cache: HttpCache): Promise<void> {
	const target = realPath(file);
	const {path: place} = coreOf(cache).store;
	if (place !== undefined && ['', '-wal', '-shm', '-journal'].some(suffix => realPath(place + suffix) === target)) {
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
