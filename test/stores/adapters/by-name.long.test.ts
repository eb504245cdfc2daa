import {randomUUID} from 'node:crypto';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test, {type ExecutionContext, type TestFn} from 'ava';
import {expectTypeOf} from 'expect-type';
import {createStore} from '../../../source/index.ts';
import type {KeyvStore} from '../../../source/stores/keyv.ts';
import {
	mongoJavaServer,
	redisServer,
	type FoundServer,
} from '../../helpers/adapter-servers.ts';
import {ServerProcess} from '../../helpers/server-process.ts';
import {reportServer} from '../../helpers/servers.ts';
import {importSqliteFrom} from '../../helpers/sqlite-adapter.ts';
import {testStoreFaults} from '../contract-faults.ts';
import {testStore} from '../contract.ts';
import {elsewhere} from '../open-elsewhere.ts';
import {processFolder} from '../../helpers/temporary-folder.ts';
import {exitWhenDone} from './exit-when-done.ts';
import {limitsFor} from './limits.ts';
import {findPackage} from './packages.ts';

exitWhenDone();

const kept = {expires: undefined};

const redis = await redisServer();
const mongo = await mongoJavaServer();
const [runningRedis, runningMongo] = await Promise.all([start(redis), start(mongo)]);

test.after.always(async () => {
	await runningRedis?.stop();
	await runningMongo?.stop();
});

for (const separatedFile of [true, false]) {
	const name = `keyv-file${separatedFile ? ', separatedFile' : ''}`;
	testStore(test, `${name}, by name`, {
		makePlace({now}) {
			const filename = path.join(processFolder(), 'cache');
			const options = {filename, separatedFile, writeDelay: 1};
			// A single file can hold only one store.
			const open = (cacheName: string): KeyvStore => createStore('keyv-file', {
				...options, ...!separatedFile && {filename: filename + cacheName}, cacheName, now,
			});
			return {open, ...separatedFile && {elsewhere: elsewhere('keyv-file', {...options, cacheName: '{namespace}'})}};
		},
		hasOurClock: false,
		persists: true,
		limits: limitsFor(separatedFile ? 'keyv-file, separatedFile' : 'keyv-file', 'handed in raw'),
	});
}

if ('command' in mongo) {
	testStore(test, '@keyv/mongo, by name', {
		makePlace({now}) {
			const options = {url: `mongodb://127.0.0.1:${runningMongo!.port}/`, collection: randomUUID()};
			return {
				open: cacheName => createStore('@keyv/mongo', {...options, cacheName, now}),
				elsewhere: elsewhere('@keyv/mongo', {...options, cacheName: '{namespace}'}),
			};
		},
		hasOurClock: false,
		persists: true,
		limits: limitsFor('@keyv/mongo', 'handed in raw'),
	});
	testStoreFaults(test.serial as TestFn, '@keyv/mongo, by name', {
		start: async () => ServerProcess.start(mongo.command),
		open: port => createStore('@keyv/mongo', {url: `mongodb://127.0.0.1:${port}/`}),
		isDurable: false,
	});
	test('@keyv/mongo, by name: a server that starts after the store is used', async t => {
		await using server = await ServerProcess.start(mongo.command);
		await server.stop();
		const store = createStore('@keyv/mongo', {url: `mongodb://127.0.0.1:${server.port}/`, serverSelectionTimeoutMS: 10_000});
		await t.throwsAsync(async () => store.get('key'), {name: 'MongoServerSelectionError'});
		await server.start();
		await expectToKeep(t, store);
	});
} else {
	reportServer(test, '@keyv/mongo, by name', undefined, mongo.missing);
}

if ('command' in redis) {
	testStore(test, '@keyv/redis, by name', {
		makePlace({now}) {
			const place = randomUUID();
			const options = {url: `redis://127.0.0.1:${runningRedis!.port}`};
			return {
				open: namespace => createStore('@keyv/redis', {...options, cacheName: place + namespace, now}),
				elsewhere: elsewhere('@keyv/redis', {...options, cacheName: place + '{namespace}'}),
			};
		},
		hasOurClock: false,
		persists: true,
	});
	testStoreFaults(test.serial as TestFn, '@keyv/redis, by name', {
		start: async () => ServerProcess.start(redis.command),
		open: port => createStore('@keyv/redis', {url: `redis://127.0.0.1:${port}`}),
		isDurable: false,
	});
	test('@keyv/redis, by name: a server that starts after the store is used, and 20 concurrent first calls succeed', async t => {
		await using server = await ServerProcess.start(redis.command);
		await server.stop();
		const store = createStore('@keyv/redis', {url: `redis://127.0.0.1:${server.port}`, connectionTimeout: 2000});
		await t.throwsAsync(async () => store.get('key'));
		await server.start();
		await Promise.all(Array.from({length: 20}, async (_, index) => store.set(`key ${index}`, 'one', kept)));
		await expectToKeep(t, store);
	});
} else {
	reportServer(test, '@keyv/redis, by name', undefined, redis.missing);
}

const versions = [['@keyv/sqlite 4', 'test/adapters'], ['@keyv/sqlite 6', 'test/adapters/beta']] as const;
for (const [title, folder] of versions) {
	if (findPackage('@keyv/sqlite', folder) === undefined) {
		reportServer(test, `${title}, by name`, undefined, `package \`@keyv/sqlite\` in \`${folder}\`: \`npm ci\` there installs it`);
		continue;
	}

	test.serial(`${title}, by name: several stores share a file with a write-ahead log`, async t => {
		importSqliteFrom(folder);
		const file = path.join(processFolder(), 'cache.sqlite');
		const stores = Array.from({length: 4}, () => createStore('@keyv/sqlite', {uri: `sqlite://${file}`}));
		await Promise.all(stores.map(async (store, index) => store.set(`key ${index}`, 'one', kept)));
		const values = await Promise.all(stores.flatMap(store => stores.map(async (_, index) => store.get(`key ${index}`))));
		t.deepEqual(new Set(values), new Set(['one']));
		const database = new DatabaseSync(file);
		t.deepEqual({...database.prepare('PRAGMA journal_mode').get()}, {journal_mode: 'wal'});
		database.close();
		await Promise.all(stores.map(async store => store.close()));
	});
}

test('adapters by name have their own options and types', t => {
	expectTypeOf(createStore('keyv-file')).toEqualTypeOf<KeyvStore>();
	const wrong: ReadonlyArray<readonly [name: string, options: object, message: RegExp]> = [
		['keyv-file', {path: 'x'}, /Unknown option `createStore\('keyv-file'\)\.path`\. The options are .*`filename`/v],
		['keyv-file', {separatedFile: 'yes'}, /\.separatedFile`/v],
		['@keyv/sqlite', {busyTimeout: -1}, /\.busyTimeout`/v],
		['@keyv/mongo', {useGridFS: true}, /Unknown option `createStore\('@keyv\/mongo'\)\.useGridFS`/v],
		['@keyv/mongo', {serverSelectionTimeoutMS: '1'}, /\.serverSelectionTimeoutMS`/v],
		['@keyv/redis', {url: 'http://user:secret@localhost'}, /\.url`/v],
		['@keyv/redis', {cacheName: ''}, /\.cacheName`/v],
		['@keyv/postgres', {}, /`store` to be .*`'@keyv\/redis'`/v],
	];
	for (const [name, options, message] of wrong) {
		const error = t.throws(() => (createStore as (...given: readonly unknown[]) => unknown)(name, options), {instanceOf: TypeError, message});
		t.notRegex(error.message, /secret/v);
	}
});

async function start(found: FoundServer): Promise<ServerProcess | undefined> {
	return 'command' in found ? ServerProcess.start(found.command) : undefined;
}

async function expectToKeep(t: ExecutionContext, store: KeyvStore): Promise<void> {
	await store.set('key', 'one', kept);
	t.is(await store.get('key'), 'one');
	await store.close();
	await store.close();
	await t.throwsAsync(async () => store.get('key'), {message: /is closed/v});
}
