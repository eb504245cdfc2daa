import {Buffer} from 'node:buffer';
import fs from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
import {join} from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import type {Store} from '../../source/stores/types.ts';

/** Started by `file-modes.test.ts`: does the tasks that it gets messages for, one after the other. */
export type Task = {
	readonly folder: string;
	readonly umask: number;
	readonly name: 'sqlite' | 'filesystem';
	readonly options: object;
	/** Whether to call `keepRecordings`. */
	readonly isRecording?: boolean;
	/** When all processes begin, in milliseconds since the epoch. */
	readonly startTime?: number;
};

export type Modes = Readonly<Record<string, string>>;

export type Outcome = {
	/** The modes during a write and before `close`. */
	readonly during: Modes;
	readonly after: Modes;
	/** The mode of each path right after it was created. */
	readonly made: Modes;
	readonly values: readonly string[];
};

const octal = (mode: number): string => (mode % 0o1000).toString(8).padStart(4, '0');
let folder = '';
let made: Record<string, string> = {};
const nameOf = (path: string): string => path.slice(folder.length + 1).replaceAll(/[\d\-a-f]{36}/gv, 'UUID');

/** Returns the mode of each file and folder in the folder, by its name. */
function modes(): Record<string, string> {
	const paths = listed().map(path => join(folder, path));
	// Another process may have removed some meanwhile.
	const found = paths.map(path => [path, fs.lstatSync(path, {throwIfNoEntry: false})] as const).filter(([, stats]) => stats !== undefined);
	return Object.fromEntries(found.map(([path, stats]) => [nameOf(path), octal(stats!.mode)]));
}

/** Lists the folder. Another process may be creating a folder in it that has no permissions yet, or its name. */
function listed(): string[] {
	const end = Date.now() + 60_000;
	for (;;) {
		try {
			return fs.readdirSync(folder, {recursive: true}) as string[];
		} catch (error) {
			if (!['EACCES', 'ENOENT'].includes((error as {code: string}).code) || Date.now() > end) {
				throw error;
			}
		}
	}
}

function watched<Make extends (path: string, ...rest: never[]) => unknown>(make: Make): Make {
	return ((path: string, ...rest: never[]) => {
		const isNew = !fs.existsSync(path);
		const result = make(path, ...rest);
		const stats = isNew ? fs.lstatSync(path, {throwIfNoEntry: false}) : undefined;
		if (stats !== undefined) {
			made[nameOf(path)] = octal(stats.mode);
		}

		return result;
	}) as Make;
}

fs.openSync = watched(fs.openSync as never);
fs.mkdirSync = watched(fs.mkdirSync as never);
syncBuiltinESMExports();
/** Imports only the modules of the store, since this program is started dozens of times. */
async function open({name, options}: Task): Promise<Store> {
	if (name === 'sqlite') {
		const sqlite = await import('../../source/stores/sqlite/store.ts');
		return new sqlite.SqliteStore(options);
	}

	const filesystem = await import('../../source/stores/filesystem/store.ts');
	return new filesystem.FilesystemStore(options);
}

const noExpiry = {expires: undefined};

async function perform(task: Task): Promise<Outcome> {
	folder = task.folder;
	made = {};
	const store = await open(task);
	if (task.isRecording) {
		store.keepRecordings!();
	}

	const {startTime = 0} = task;
	// Not in a loop all the time, which would keep the others from starting.
	await delay(Math.max(0, startTime - Date.now() - 10));
	while (Date.now() < startTime) {
		// All processes begin in the same millisecond.
	}

	await store.set('small', Buffer.from('one'), noExpiry);
	await store.set('small', Buffer.from('two'), noExpiry);
	const writing = [async () => store.set('large', Buffer.alloc(1_500_000), noExpiry), async () => store.add!('added', Buffer.alloc(1_500_000), noExpiry)].map(async write => write());
	const during = modes();
	await Promise.all(writing);
	const values = await Promise.all(['small', 'large', 'added'].map(async key => String((await store.get(key) as Uint8Array | undefined)?.length)));
	Object.assign(during, modes());
	await store.close();
	return {
		during, after: modes(), made, values,
	};
}

async function answer(task: Task): Promise<void> {
	const before = process.umask(task.umask);
	const outcome = await perform(task);
	process.umask(before);
	process.send!(outcome);
}

process.on('message', (task: Task) => {
	void answer(task);
});
