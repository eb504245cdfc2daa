import {closeSync, statSync} from 'node:fs';
import {setTimeout as pause} from 'node:timers/promises';
import type {Place} from '../place.ts';
import {removeFile} from './files.ts';

/** Milliseconds after which one who claims a key and does nothing is taken for dead. */
const abandonedAfter = 10_000;

/**
Runs an action that one process at a time may run: who makes the file first goes first.

A process that was killed leaves its file. After 10 s another one takes it away.
*/
export async function withClaim<T>(path: string, place: Place, action: () => Promise<T>): Promise<T> {
	while (!isClaimed(path, place)) {
		removeAbandoned(path, place);
		await pause(2); // eslint-disable-line no-await-in-loop
	}

	try {
		return await action();
	} finally {
		removeFile(path);
	}
}

function isClaimed(path: string, place: Place): boolean {
	try {
		closeSync(place.makeFile(path));
		return true;
	} catch (error) {
		if ((error as {code?: unknown}).code === 'EEXIST') {
			return false;
		}

		throw error;
	}
}

function removeAbandoned(path: string, place: Place): void {
	// One at a time, who asks again: else a second one would remove the claim of the first.
	const guard = `${path}~`;
	if (!isAbandoned(path) || !isClaimed(guard, place)) {
		return;
	}

	try {
		if (isAbandoned(path)) {
			removeFile(path);
		}
	} finally {
		removeFile(guard);
	}
}

function isAbandoned(path: string): boolean {
	const stats = statSync(path, {throwIfNoEntry: false});
	return stats !== undefined && Date.now() - stats.mtimeMs > abandonedAfter;
}
