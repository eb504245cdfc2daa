import {Keyv} from 'keyv';
import {Keyv as Keyv5} from 'keyv5';
import type {KeyvLike} from '../../../source/stores/keyv-instances.ts';
import {
	memcachedServer,
	mongoJavaServer,
	postgresServer,
	redisServer,
	type FoundServer,
} from '../../helpers/adapter-servers.ts';
import {findPackage, type Installed} from './packages.ts';

export type Adapter = KeyvLike & {
	disconnect?(): Promise<unknown>;
	on?(event: string, listener: (error: unknown) => void): unknown;
};

/** The place of an adapter's entries. No two places share entries. */
export type AdapterPlace = {
	/** A folder for adapters that write files. */
	readonly folder: string;

	/** A name for adapters that use tables, collections or namespaces. */
	readonly id: string;

	/** One of the 16 databases of a Redis server. */
	readonly database?: number;

	/** The port of the server on loopback. */
	readonly port: number;

	/** The number of milliseconds that connecting may take. Default: 20,000, which a busy machine needs. */
	readonly connectTimeout?: number;
};

type AdapterClass = new (...options: readonly unknown[]) => Adapter;

export type Subject = {
	readonly package: string;
	readonly installed: Installed;
	readonly server?: () => Promise<FoundServer>;
	readonly make: (module: Record<string, unknown>, place: AdapterPlace) => Adapter;

	/** Whether entries survive a kill of the server. */
	readonly isDurable?: boolean;

	/** The uncaught error with which the adapter ends the process when its server goes away. Absent if it does not. */
	readonly diesOf?: RegExp;

	/** Whether several processes may use one place. Default: `true`. */
	readonly isShared?: boolean;

	/** Whether two processes may open a new place at once. Default: `true`. */
	readonly mayBeginTogether?: boolean;

	/** Whether an adapter may be disconnected while others of its kind are in use. Default: `true`. */
	readonly isApart?: boolean;
};

export type SubjectName =
	| 'keyv-file'
	| 'keyv-file, separatedFile'
	| '@keyv/sqlite 4'
	| '@keyv/sqlite 6'
	| '@keyv/mongo'
	| '@keyv/mongo, useGridFS'
	| '@keyv/redis'
	| '@keyv/valkey'
	| '@keyv/postgres'
	| '@keyv/memcache';

/** The adapters that are tested, by the names that their tests' titles begin with. */
export const subjects: Readonly<Record<SubjectName, Subject>> = {
	'keyv-file': {
		package: 'keyv-file',
		installed: 'node_modules',
		make: (module, {folder}) => new (classOf(module, 'KeyvFile'))({filename: `${folder}/cache.json`, writeDelay: 1}),
		isShared: false,
	},
	'keyv-file, separatedFile': {
		package: 'keyv-file',
		installed: 'node_modules',
		make: (module, {folder}) => new (classOf(module, 'KeyvFile'))({filename: `${folder}/cache`, separatedFile: true}),
	},
	'@keyv/sqlite 4': {
		package: '@keyv/sqlite',
		installed: 'test/adapters',
		make: (module, {folder}) => new (classOf(module, 'KeyvSqlite'))({uri: `sqlite://${folder}/cache.sqlite`, busyTimeout: 10_000}),
	},
	'@keyv/sqlite 6': {
		package: '@keyv/sqlite',
		installed: 'test/adapters/beta',
		make: (module, {folder}) => new (classOf(module, 'KeyvSqlite'))({
			uri: `sqlite://${folder}/cache.sqlite`, driver: 'node:sqlite', wal: true, busyTimeout: 10_000,
		}),
		mayBeginTogether: false,
	},
	'@keyv/mongo': {
		package: '@keyv/mongo',
		installed: 'node_modules',
		server: mongoJavaServer,
		make: (module, {id, port, connectTimeout = 20_000}) => new (classOf(module, 'KeyvMongo'))({
			url: `mongodb://127.0.0.1:${port}/`, db: 'test', collection: id, serverSelectionTimeoutMS: connectTimeout,
		}),
	},
	'@keyv/mongo, useGridFS': {
		package: '@keyv/mongo',
		installed: 'node_modules',
		server: mongoJavaServer,
		make: (module, {id, port, connectTimeout = 20_000}) => new (classOf(module, 'KeyvMongo'))({
			url: `mongodb://127.0.0.1:${port}/`, db: 'test', collection: id, useGridFS: true, serverSelectionTimeoutMS: connectTimeout,
		}),
	},
	'@keyv/redis': {
		package: '@keyv/redis',
		installed: 'node_modules',
		server: redisServer,
		make: (module, {port, database = 0, connectTimeout = 20_000}) => new (classOf(module, 'default'))(`redis://127.0.0.1:${port}/${database}`, {connectionTimeout: connectTimeout, throwOnErrors: true}),
	},
	'@keyv/valkey': {
		package: '@keyv/valkey',
		installed: 'test/adapters',
		server: redisServer,
		make: (module, {port, database = 0}) => new (classOf(module, 'default'))(`redis://127.0.0.1:${port}/${database}`),
	},
	'@keyv/postgres': {
		package: '@keyv/postgres',
		installed: 'test/adapters',
		server: postgresServer,
		make: (module, {id, port}) => new (classOf(module, 'KeyvPostgres'))({
			uri: `postgresql://postgres@127.0.0.1:${port}/postgres`, table: id, keySize: 10_000,
		}),
		diesOf: /terminating connection|Connection terminated/v,
		isApart: false,
	},
	'@keyv/memcache': {
		package: '@keyv/memcache',
		installed: 'test/adapters',
		server: memcachedServer,
		make: (module, {port}) => new (classOf(module, 'KeyvMemcache'))(`127.0.0.1:${port}`),
	},
};

export type ShapeName = 'handed in raw' | 'in a Keyv 5' | 'in a Keyv 6';

/** The form in which an adapter is passed to the cache. */
export const shapes: Readonly<Record<ShapeName, (adapter: Adapter) => KeyvLike>> = {
	'handed in raw': adapter => adapter,
	'in a Keyv 5': adapter => new Keyv5({store: adapter, namespace: 'app'}) as KeyvLike,
	'in a Keyv 6': adapter => new Keyv({store: adapter, namespace: 'app'}) as KeyvLike,
};

export const shapeNames: readonly ShapeName[] = Object.keys(shapes) as ShapeName[];

export type Setting = {readonly adapter: Adapter; readonly setting: KeyvLike};

/** Makes adapters of that name in that shape. */
export async function makerOf(name: SubjectName, shape: ShapeName): Promise<(place: AdapterPlace) => Setting> {
	const subject = subjects[name];
	const module = await findPackage(subject.package, subject.installed)!.load();
	return place => {
		const adapter = subject.make(module, place);
		return {adapter, setting: shapes[shape](adapter)};
	};
}

function classOf(module: Record<string, unknown>, name: string): AdapterClass {
	return module[name] as AdapterClass;
}
