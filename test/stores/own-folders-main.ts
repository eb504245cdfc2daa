import {Buffer} from 'node:buffer';
import process from 'node:process';
import {FilesystemStore} from '../../source/stores/filesystem/store.ts';
import {SqliteStore} from '../../source/stores/sqlite/store.ts';

export type Outcome = {
	readonly store: 'sqlite' | 'filesystem';
	readonly setting: 'useTemp' | 'useCacheDir';
	/** `undefined` if all calls succeeded. */
	readonly code: string | undefined;
	readonly message: string;
};

/** Tries each store in each default place, in a process with its own environment. */
const {fileMode, umask = 0o022, isRecording = false} = JSON.parse(process.argv[2]!) as {readonly fileMode?: number; readonly umask?: number; readonly isRecording?: boolean};
process.umask(umask);
const outcomes: Outcome[] = [];
for (const setting of ['useTemp', 'useCacheDir'] as const) {
	const options = {[setting]: true, ...fileMode !== undefined && {fileMode}};
	for (const store of [new SqliteStore({...options, path: 'deep/cache.db'}), new FilesystemStore({...options, path: 'deep/files'})]) {
		if (isRecording) {
			store.keepRecordings();
		}

		const failures: unknown[] = [];
		for (const action of [
			() => store.get('key'),
			() => store.set('key', Buffer.from('one'), {expires: undefined}),
			() => store.add('key', Buffer.from('two'), {expires: undefined}),
			() => store.count(),
			() => store.delete('key'),
			() => store.set('key', Buffer.from('one'), {expires: undefined}),
			() => store.get('key'),
		]) {
			try {
				await action();
			} catch (error) {
				failures.push(error);
			}
		}

		const [failure] = failures as Array<Error & {code: string}>;
		outcomes.push({
			store: store.name, setting, code: failure?.code, message: String(failure?.message),
		});
		// Either all calls fail or none.
		if (failures.length % 7 !== 0) {
			throw new AggregateError(failures, `${failures.length} of 7 calls failed`);
		}

		await store.close();
	}
}

console.log(JSON.stringify(outcomes));
