import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {listed, shownText} from '../errors.ts';
import {
	createStore,
	storeNameOf,
	storeNames,
	type StoreName,
} from '../stores/create-store.ts';
import {FilesystemStore} from '../stores/filesystem/store.ts';
import type {Store} from '../stores/types.ts';
import {Failure, wrongUsage} from './failure.ts';

/** What a command does with a store: it reads it, changes one that is there, or makes it if it is not there. */
export type Access = 'read' | 'change' | 'make';

/** A store as the command line names it. */
export type NamedStore = {
	/** A path, the name of a store, or its URL. */
	readonly text: string;
	readonly cacheName?: string | undefined;

	/** Options of `createStore`, each as `name=value`. */
	readonly options?: readonly string[] | undefined;
};

/** The stores that can be read without a change. A Keyv adapter makes its file or its table when it connects. */
const kinds: ReadonlySet<string> = new Set<StoreName>(['sqlite', 'filesystem', 'redis', 'mongodb', 'gridfs', 'dynamodb']);

type Kind = {
	/** What `createStore` takes. */
	readonly store: string;

	/** The path, if the text is one. */
	readonly path?: string;
};

/**
Checks that a file or a folder is there, unless it may be made. A store is opened by its first call.

@param defaultName - The name of the cache if the command names none, for a server that has several.
@throws {Failure} If it is not there, or the text does not name a store.
@throws {SettingError} If an option is unknown or wrong.
*/
export async function openNamedStore(named: NamedStore, access: Access, defaultName?: string): Promise<Store> {
	const kind = kindOf(named.text);
	const name = storeNameOf(kind.store)!;
	const isOnDisk = name === 'sqlite' || name === 'filesystem';
	if (isOnDisk && named.cacheName !== undefined && (kind.path !== undefined || kind.store !== name)) {
		throw wrongUsage(`\`${shownStore(named.text)}\` holds one cache only. Leave out \`--cache-name\`.`);
	}

	if (access === 'read' && isInMemory(kind.store)) {
		throw new Failure(`There is no store at \`${kind.store}\`: a database in memory ends with its process.`);
	}

	const cacheName = named.cacheName ?? (isOnDisk ? undefined : defaultName);
	const options = {
		...(kind.path !== undefined && {path: kind.path}),
		...(cacheName !== undefined && {cacheName}),
		...optionsOf(named.options ?? []),
		...(isOnDisk && access === 'read' && {readOnly: true}),
		...(name === 'dynamodb' && access !== 'make' && {createTable: false}),
	};
	const store: Store = createStore(kind.store as StoreName, options as object);
	if (access !== 'make') {
		await expectThere(store);
	}

	const file = named.options === undefined && !kind.store.includes('?') ? store.path : kind.path;
	return access === 'read' && name === 'sqlite' && file !== undefined && fs.existsSync(`${file}-shm`)
		? createStore('sqlite', {...options, path: withReadOnlyIndex(file)})
		: store;
}

/** Returns the URI of an SQLite file whose last process was killed. Without the parameter, a reader would write the index of its log anew. */
function withReadOnlyIndex(file: string): string {
	const url = pathToFileURL(file);
	url.searchParams.set('readonly_shm', '1');
	return url.href;
}

function isInMemory(text: string): boolean {
	return /^sqlite:(?:\/\/)?(?::memory:|file:.*\bmode=memory\b|file::memory:)/v.test(text);
}

/** Returns a store as messages show it: without the password of a URL. */
export function shownStore(text: string): string {
	return isUrl(text) ? shownText(text) : text;
}

/** Whether a store holds several caches, as servers and tables do. A file and a folder hold one. */
export function holdsSeveralCaches(text: string): boolean {
	const name = storeNameOf(kindOf(text).store);
	return name !== 'sqlite' && name !== 'filesystem';
}

function isUrl(text: string): boolean {
	return text.includes(':') && storeNameOf(text) !== undefined;
}

/** The scheme distinguishes a URL from a path: none has one letter only, as drives of Windows do. */
function kindOf(text: string): Kind {
	if (text === '') {
		throw wrongUsage('Name a store: the path of an SQLite file or a folder, or the URL of a store.');
	}

	if (isUrl(text)) {
		return {store: text};
	}

	const stats = fs.statSync(text, {throwIfNoEntry: false});
	if (stats !== undefined) {
		return {store: stats.isDirectory() ? 'filesystem' : 'sqlite', path: path.resolve(text)};
	}

	if ((storeNames as readonly string[]).includes(text)) {
		if (!kinds.has(text)) {
			throw wrongUsage(`The store \`${text}\` cannot be read from a command line. Those that can are ${listed(kinds, 'and')}.`);
		}

		return {store: text};
	}

	if (/^[a-z][\w+\-.]+:\/\//iv.test(text)) {
		throw wrongUsage(`\`${shownText(text)}\` is not the URL of a store. URLs of stores begin with \`redis:\`, \`rediss:\`, \`valkey:\`, \`valkeys:\`, \`mongodb:\`, \`mongodb+srv:\`, \`dynamodb:\`, \`sqlite:\` or \`file:\`.`);
	}

	return {store: /\.(?:sqlite3?|db)$/iv.test(text) ? 'sqlite' : 'filesystem', path: path.resolve(text)};
}

function optionsOf(given: readonly string[]): Record<string, unknown> {
	return Object.fromEntries(given.map(text => {
		const {name, value} = /^(?<name>\w+)=(?<value>.*)$/sv.exec(text)?.groups ?? {};
		if (name === undefined || value === undefined) {
			throw wrongUsage(`\`--option ${shownText(text)}\` has another form than \`name=value\`, such as \`--option collectionName=pages\`.`);
		}

		return [name, /^(?:true|false|\d+)$/v.test(value) ? JSON.parse(value) as unknown : value];
	}));
}

async function expectThere(store: Store): Promise<void> {
	const {path: place} = store;
	if (place === undefined) {
		return;
	}

	const stats = fs.statSync(place, {throwIfNoEntry: false});
	if (stats === undefined) {
		throw new Failure(`There is no store at \`${place}\`. ${hintFor(path.dirname(place))}`);
	}

	if (store instanceof FilesystemStore && stats.isDirectory() && await isOther(store)) {
		throw new Failure(`\`${place}\` is not the folder of a store. ${hintFor(place)}`);
	}
}

/** Whether a folder has files, and none of them is of a store. */
async function isOther(store: FilesystemStore): Promise<boolean> {
	const first = await store.paths().next();
	return first.done === true && fs.readdirSync(store.path).length > 0;
}

/** Says which stores lie in a folder. */
function hintFor(folder: string): string {
	const names = fs.statSync(folder, {throwIfNoEntry: false})?.isDirectory() === true ? fs.readdirSync(folder) : [];
	const stores = names.filter(name => /\.(?:sqlite3?|db)$/iv.test(name)).slice(0, 3);
	return stores.length > 0 ? `Did you mean ${listed(stores.map(name => path.join(folder, name)), 'or')}?` : 'Name the SQLite file or the folder that the `cacheName` of the program says, `http_cache.sqlite` by default.';
}
