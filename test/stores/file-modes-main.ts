import {Buffer} from 'node:buffer';
import fs from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
import {join} from 'node:path';
import process from 'node:process';
import type {Store} from '../../source/stores/types.ts';

export type Task = {
	readonly folder: string;
	readonly umask: number;
	readonly name: 'sqlite' | 'filesystem';
	readonly options: object;
	/** Whether the store is told that it keeps recordings. */
	readonly isRecording?: boolean;
	/** Milliseconds since the epoch at which all who are started begin. */
	readonly startTime?: number;
};

export type Modes = Readonly<Record<string, string>>;

export type Told = {
	/** While something is being written, and before closing. */
	readonly during: Modes;
	readonly after: Modes;
	/** Of each path at the moment at which it was made, before anything else was done to it. */
	readonly made: Modes;
	readonly values: readonly string[];
};

const {
	folder, umask, name, options, isRecording = false, startTime = 0,
} = JSON.parse(process.argv[2]!) as Task;

const octal = (mode: number): string => (mode % 0o1000).toString(8).padStart(4, '0');
const nameOf = (path: string): string => path.slice(folder.length + 1).replaceAll(/[\d\-a-f]{36}/gv, 'UUID');
const made: Record<string, string> = {};

/** Each file and folder of the store's tree, by what it is called. */
function modes(): Record<string, string> {
	const paths = (fs.readdirSync(folder, {recursive: true}) as string[]).map(path => join(folder, path));
	// What another process has removed meanwhile is left out.
	const found = paths.map(path => [path, fs.lstatSync(path, {throwIfNoEntry: false})] as const).filter(([, stats]) => stats !== undefined);
	return Object.fromEntries(found.map(([path, stats]) => [nameOf(path), octal(stats!.mode)]));
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
process.umask(umask);

/** Of all modules only those of the store: it is started dozens of times. */
async function open(): Promise<Store> {
	if (name === 'sqlite') {
		const sqlite = await import('../../source/stores/sqlite/store.ts');
		return new sqlite.SqliteStore(options);
	}

	const filesystem = await import('../../source/stores/filesystem/store.ts');
	return new filesystem.FilesystemStore(options);
}

const store = await open();
if (isRecording) {
	store.keepRecordings!();
}

while (Date.now() < startTime) {
	// All begin in the same millisecond.
}

const kept = {expires: undefined};
await store.set('small', Buffer.from('one'), kept);
await store.set('small', Buffer.from('two'), kept);
const writing = [async () => store.set('large', Buffer.alloc(1_500_000), kept), async () => store.add!('added', Buffer.alloc(1_500_000), kept)].map(async write => write());
const during = modes();
await Promise.all(writing);
const values = await Promise.all(['small', 'large', 'added'].map(async key => String((await store.get(key) as Uint8Array | undefined)?.length)));
Object.assign(during, modes());
await store.close();
console.log(JSON.stringify({
	during, after: modes(), made, values,
} satisfies Told));
