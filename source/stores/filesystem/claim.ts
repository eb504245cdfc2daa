import {randomUUID} from 'node:crypto';
import {closeSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {CacheHooksError} from '../../errors.ts';
import {isBeingMade} from '../file-modes.ts';
import type {Place} from '../place.ts';
import {isGone, processIdentity} from '../process-identity.ts';
import {
	fileAt,
	isThere,
	onceMade,
	readBeginning,
	removeFile,
} from './files.ts';
import {isBegun, mark} from './head.ts';

/** Milliseconds after which one who claims a key and does nothing is taken for dead, where it cannot be known. */
const abandonedAfter = 10_000;

const longestClaim = 1000;

/**
Runs an action that one process at a time may run: who makes the file first goes first.

The file names the process. Once that has ended, or after 10 s where it cannot be known (of another machine, or another container), another one takes the file away.

@throws {CacheHooksError} `ERR_STORE_FILE` where a file of somebody else has that name.
*/
export async function withClaim<T>(path: string, place: Place, action: () => Promise<T>): Promise<T> {
	const claim = `${mark}claim ${processIdentity()} ${randomUUID()}\n`;
	let met: string | undefined;
	let since = 0;
	while (!await onceMade(dirname(path), () => isClaimed(path, claim, place))) { // eslint-disable-line no-await-in-loop
		const other = claimAt(path);
		if (other !== met) {
			[met, since] = [other, performance.now()];
		}

		// The time of the file is not all that counts: clocks are set.
		const isOver = other !== undefined && (isAbandoned(path, other) || performance.now() - since > abandonedAfter);
		if (!isOver || !isRemoved(path, other, claim, place)) {
			await pause(2); // eslint-disable-line no-await-in-loop
		}
	}

	try {
		return await action();
	} finally {
		// After a long stop of this process, another one may have it.
		if (claimAt(path) === claim) {
			removeFile(path);
		}
	}
}

function isClaimed(path: string, claim: string, place: Place): boolean {
	let file: number;
	try {
		file = place.makeFile(path);
	} catch (error) {
		if ((error as {code?: unknown}).code === 'EEXIST') {
			return false;
		}

		throw error;
	}

	try {
		writeSync(file, claim);
		return true;
	} catch (error) {
		removeFile(path);
		throw error;
	} finally {
		closeSync(file);
	}
}

/** What a claim says; empty while it is being written, and in older versions. `undefined` where there is none. */
function claimAt(path: string): string | undefined {
	if (isBeingMade(path, 0o600)) {
		return '';
	}

	const beginning = readBeginning(path, longestClaim);
	if (beginning === undefined ? isThere(path) && fileAt(path) === undefined : !isBegun(beginning.bytes)) {
		throw new CacheHooksError('ERR_STORE_FILE', `\`${path}\` is not a file of this store, which would write one of that name: remove it, or use another folder`);
	}

	return beginning && new TextDecoder().decode(beginning.bytes);
}

function isRemoved(path: string, claim: string, own: string, place: Place): boolean {
	// One at a time, who asks again: else a second one would remove the claim of the first.
	const guard = `${path}~`;
	if (!isClaimed(guard, own, place)) {
		const other = claimAt(guard);
		return other !== undefined && isAbandoned(guard, other) && removeFile(guard);
	}

	try {
		return claimAt(path) === claim && removeFile(path);
	} finally {
		removeFile(guard);
	}
}

function isAbandoned(path: string, claim: string): boolean {
	const stats = fileAt(path);
	return isGone(claim.split(' ', 4)[3] ?? '') || (stats !== undefined && Date.now() - stats.mtimeMs > abandonedAfter);
}
