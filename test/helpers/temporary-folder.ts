import {mkdtempSync, rmSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {ExecutionContext} from 'ava';

const prefix = path.join(os.tmpdir(), 'got-cache-hooks-');

/** Creates a folder that is removed at the end of the block. */
export async function temporaryFolder(): Promise<{readonly path: string} & AsyncDisposable> {
	const folder = await mkdtemp(prefix);
	return {
		path: folder,
		async [Symbol.asyncDispose]() {
			await rm(folder, {recursive: true});
		},
	};
}

/** Creates a folder that is removed after the test. */
export function testFolder(t: ExecutionContext): string {
	const folder = mkdtempSync(prefix);
	t.teardown(() => {
		rmSync(folder, {recursive: true, force: true, maxRetries: 5});
	});
	return folder;
}

/** Creates a folder that is removed when the process ends. */
export function processFolder(): string {
	const folder = mkdtempSync(prefix);
	process.once('exit', () => {
		rmSync(folder, {recursive: true, force: true});
	});
	return folder;
}
