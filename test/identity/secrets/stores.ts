import fs from 'node:fs/promises';
import path from 'node:path';
import v8 from 'node:v8';
import {Keyv} from 'keyv';
import {Keyv as Keyv5} from 'keyv5';
import type {CacheSettings} from '../../../source/index.ts';
import {MemoryStore} from '../../../source/stores/memory.ts';
import {textOf} from './words.ts';

export type Kept = {
	readonly settings: CacheSettings;

	/** All bytes and names that lie there, a sign for each byte. */
	readonly content: () => Promise<string>;
	readonly end?: () => Promise<void>;
};

/** A place where responses are kept, in a folder that is its own. */
export type Keeping = readonly [title: string, open: (folder: string) => Kept | Promise<Kept>];

const inFolder = (folder: string) => async (): Promise<string> => {
	const files = await fs.readdir(folder, {recursive: true, withFileTypes: true});
	const contents = await Promise.all(files.filter(file => file.isFile()).map(async file => fs.readFile(path.join(file.parentPath, file.name), 'latin1')));
	return [...files.map(({name}) => name), ...contents].join('\n');
};

const memory = (settings: CacheSettings = {}): Kept => {
	const store = new MemoryStore();
	return {
		settings: {store, ...settings},
		async content() {
			const entries = await Array.fromAsync(store.iterate());
			return textOf(entries) + v8.serialize(entries).toString('latin1');
		},
	};
};

const map = (): Kept => {
	const store = new Map<string, unknown>();
	return {settings: {store}, content: async () => textOf(store)};
};

const serializers = ['binary', 'v8', 'json', 'yaml', 'bson'] as const;

const keyv = (version: typeof Keyv): Kept => {
	const entries = new Map<string, unknown>();
	return {settings: {store: new version({store: entries, namespace: 'own'})}, content: async () => textOf(entries)}; // eslint-disable-line new-cap -- It is a class.
};

/** On this machine, without a server. */
export const keepings: readonly Keeping[] = [
	['memory', () => memory()],
	['memory, documents', () => memory({serializer: 'document', decodeContent: true})],
	['a Map', map],
	['Keyv 6', () => keyv(Keyv)],
	['Keyv 5', () => keyv(Keyv5 as unknown as typeof Keyv)],
	['SQLite', folder => ({settings: {store: 'sqlite', cacheName: path.join(folder, 'cache')}, content: inFolder(folder)})],
	...serializers.flatMap(serializer => [true, false].map((decodeContent): Keeping => [`files, ${serializer}${decodeContent ? ' with decoded content' : ''}`, folder => ({
		settings: {
			store: 'filesystem', cacheName: path.join(folder, 'cache'), serializer, decodeContent,
		},
		content: inFolder(folder),
	})])),
];
