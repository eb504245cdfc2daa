import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** A folder that goes with the block. */
export async function temporaryFolder(): Promise<{readonly path: string} & AsyncDisposable> {
	const folder = await mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-'));
	return {
		path: folder,
		async [Symbol.asyncDispose]() {
			await rm(folder, {recursive: true});
		},
	};
}
