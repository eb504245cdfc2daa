import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {finished} from 'node:stream/promises';
import {serialize} from 'node:v8';
import test, {type ExecutionContext, type TestFn} from 'ava';
import {
	Binary,
	GridFSBucket,
	MongoClient,
	MongoServerError,
	ObjectId,
	type Document,
} from 'mongodb';
import {createStore} from '../../../source/stores/create-store.ts';
import {MongoDbStore} from '../../../source/stores/mongodb/mongodb.ts';
import type {MongoDbStoreOptions} from '../../../source/stores/mongodb/options.ts';
import {ServerProcess} from '../../helpers/server-process.ts';
import {mongoUrl, openMongo} from '../../helpers/servers.ts';
import {testStoreFaults} from '../contract-faults.ts';
import {listed, testStore} from '../contract.ts';
import {elsewhere} from '../open-elsewhere.ts';

const kept = {expires: undefined};
const timeout = 50_000;
const server = await openMongo(test, 'mongodb');
if (server !== undefined) {
	registerTests(server);
}

type OpenedServer = NonNullable<typeof server>;

function registerTests({url, command, version, database}: OpenedServer): void {
	const {databaseName} = database;
	const isAtomic = !version.startsWith('FerretDB');
	const open = (t: ExecutionContext, options: MongoDbStoreOptions = {}): MongoDbStore => {
		const store = new MongoDbStore({
			...options.client === undefined && {url}, databaseName, collectionName: randomUUID(), connectionTimeout: timeout, commandTimeout: timeout, ...options,
		});
		t.teardown(async () => store.close());
		return store;
	};

	// The tests run serially, since FerretDB is slow.
	testStore(test.serial as TestFn, 'mongodb', {
		makePlace({now}) {
			const collectionName = randomUUID();
			return {
				open: cacheName => new MongoDbStore({
					url, databaseName, collectionName, cacheName, now, connectionTimeout: timeout, commandTimeout: timeout,
				}),
				elsewhere: elsewhere('mongodb', {
					url, databaseName, collectionName, cacheName: '{namespace}', connectionTimeout: timeout, commandTimeout: timeout,
				}),
			};
		},
		hasOurClock: true,
		persists: true,
		offers: ['add', 'find', 'deleteFound', 'count'],
		replacesAtOnce: isAtomic,
	});

	if (command !== undefined) {
		testStoreFaults(test.serial as TestFn, 'mongodb', {
			start: async () => ServerProcess.start(command()),
			open: port => new MongoDbStore({url: mongoUrl(port)}),
			storeTimeout: 1000,
			isDurable: true,
		});
	}

	test('mongodb: the store works on a server that lacks features of MongoDB', async t => {
		const collection = database.collection(randomUUID());
		await collection.insertOne({_id: 'a' as never, value: 1});
		const probes: Record<string, () => Promise<unknown>> = {
			'TTL indexes, so that expired documents are there, but not read, until `purge`': async () => collection.createIndex({expires: 1}, {expireAfterSeconds: 0}, {}),
			'a part of a document from `findAndModify`, so that a replaced document is sent back whole': async () => collection.findOneAndUpdate({_id: 'a' as never}, {$set: {value: 2}}, {projection: {_id: 1}}),
			'arrays in arrays, so that a document with some is text as a whole': async () => collection.insertOne({value: [[1]]}),
		};
		const lacks = [];
		for (const [name, probe] of Object.entries(probes)) {
			try {
				await probe();
			} catch (error) {
				if (!(error instanceof MongoServerError)) {
					throw error;
				}

				lacks.push(name);
			}
		}

		if (!isAtomic) {
			lacks.push('steps that find and write at once, so that of many that `add` in place of an expired document several may succeed');
		}

		t.log(`${version} lacks ${lacks.length === 0 ? 'nothing that is used here' : lacks.join('; ')}.`);
		const store = open(t, {collectionName: collection.collectionName});
		await store.set('key', {list: [[1], [[2]]]}, kept);
		await store.set('key', {list: [[1], [[3]]]}, {expires: Date.now() + 1e6});
		t.deepEqual(await store.get('key'), {list: [[1], [[3]]]});
		const indexes = await collection.indexes();
		t.is(indexes.some(index => index.expireAfterSeconds === 0), lacks.every(name => !name.startsWith('TTL')));
	});

	test('mongodb: documents are readable in the collection', async t => {
		const store = open(t, {cacheName: 'read', collectionName: 'readable'});
		const value = {
			status: 200, headers: {etag: '"1"'}, body: {list: [1, 2.5, null, true, {deep: ['x']}]}, raw: new Uint8Array([1, 255]),
		};
		const expires = Date.UTC(2100, 0, 1, 0, 0, 0, 123);
		await store.set('GET key', value, {expires, size: 10, indexed: {createdAt: 1000, freshUntil: 2000}});
		const {size, ...found} = (await database.collection('readable').findOne({key: 'GET key'}))!;
		t.deepEqual(found as unknown, {
			_id: 'read::GET key',
			namespace: 'read',
			key: 'GET key',
			expires: new Date(expires),
			createdAt: new Date(1000),
			freshUntil: new Date(2000),
			value: {...value, raw: new Binary(Buffer.from([1, 255]))},
		});
		t.true(size > 50);
		t.deepEqual(await store.get('GET key'), value);
	});

	test('mongodb: values that MongoDB cannot store are restored in order, and only these are packed', async t => {
		let deep: unknown = new Uint8Array([7]);
		for (let level = 0; level < 300; level++) {
			deep = level % 2 === 0 ? {deep} : [deep];
		}

		const hostile = {
			z: 1,
			a: {$ref: 'x', $id: -0, bytes: new Uint8Array([0, 255])},
			'b.c': 'kept in the text',
			nested: {
				'': {'(special)': ['bytes', 'YQ==']}, y: 1, x: 2,
			},
			proto: JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}') as object,
			marker: {'(json)': '{"no":"json"}', '(v8)': 'no bytes'},
			type: {_bsontype: 'ObjectId'},
			call: {toBSON: 'x'}, // eslint-disable-line @typescript-eslint/naming-convention
			half: 'a\u{D800}b',
			'\u{DC00}': 1,
			zero: [-0, 0, 1.5, 1e300, 2 ** 31, 2 ** 53, -(2 ** 40)],
			nul: {'a\0b': 'a\0b'},
			empty: [{}, [], '', null, new Uint8Array(0)],
			numbers: {
				2: 'b', 10: 'c', 1: 'a', x: 'd',
			},
			deep,
		};
		const store = open(t, {collectionName: 'hostile'});
		for (const value of [hostile, ...Object.entries(hostile).map(([name, part]) => ({name, part, after: 1}))]) {
			await store.set('key', value, kept);
			const found = await store.get('key');
			t.deepEqual(found, value);
			t.is(shape(found), shape(value));
		}

		await store.set('key', {readable: {a: 1}, $odd: 1}, kept);
		await store.set('other', {readable: {a: 1}, odd: {$odd: 1}, zero: -0}, kept);
		const {value} = (await database.collection('hostile').findOne({key: 'other'}))!;
		t.deepEqual(value, {readable: {a: 1}, odd: {'(json)': '{"$odd":1}'}, zero: {'(v8)': new Binary(serialize(-0))}});
		await t.throwsAsync(async () => store.set('key', 'text', kept), {code: 'ERR_STORE_VALUE'});
		await t.throwsAsync(async () => store.set('key', new Uint8Array(1), kept), {code: 'ERR_STORE_VALUE'});
	});

	test('mongodb: a reader of a large value gets one complete version, and old chunks are deleted', async t => {
		const store = open(t, {cacheName: 'large', collectionName: 'large', largestDocument: 20_000});
		const chunks = database.collection('large.chunks');
		const valueOf = (letter: string) => ({letter, body: letter.repeat(90_000)});
		await store.set('key', valueOf('a'), {expires: Date.UTC(2100)});
		t.is(await chunks.countDocuments(), 5);
		t.deepEqual(await chunks.distinct('expires'), [new Date(Date.UTC(2100))]);
		let isWriting = true;
		const writing = (async () => {
			for (const letter of ['b', 'x', 'y', 'z', 'c']) {
				await store.set('key', valueOf(letter), kept);
			}

			isWriting = false;
		})();
		while (isWriting) { // eslint-disable-line no-unmodified-loop-condition
			const {letter, body} = await store.get('key') as {letter: string; body: string};
			t.true(body === letter.repeat(90_000));
		}

		await writing;
		t.is((await store.get('key') as {letter: string}).letter, 'c');
		t.is(await chunks.countDocuments(), 5);
		t.is(await chunks.countDocuments({expires: {$exists: true}}), 0);
		t.false(await store.add('key', valueOf('d'), kept));
		t.is(await chunks.countDocuments(), 5);
		await store.set('key', {small: true}, kept);
		t.is(await chunks.countDocuments(), 0);
		t.true(await store.add('other', valueOf('d'), kept));
		await store.clear();
		t.is(await chunks.countDocuments(), 0);
	});

	test('mongodb: purging removes expired entries, and the files of a killed writer after an hour', async t => {
		let now = Date.UTC(2030);
		const store = open(t, {
			cacheName: 'orphans', collectionName: 'orphans', now: () => now, largestDocument: 20_000,
		});
		const [heads, chunks] = [database.collection('orphans'), database.collection('orphans.chunks')];
		const large = {body: 'x'.repeat(90_000)};
		await store.set('lost', large, kept);
		// As if the writer had been killed before it wrote the document.
		await heads.deleteOne({key: 'lost'});
		await store.set('whole', large, kept);
		await store.set('brief', {small: true}, {expires: now + 1000});
		t.is(await chunks.countDocuments(), 10);
		t.is(await store.purge(), 0);
		now += 3_602_000;
		t.is(await heads.countDocuments(), 2);
		t.is(await store.purge(), 2);
		t.is(await heads.countDocuments(), 1);
		t.is(await chunks.countDocuments(), 5);
		t.deepEqual(await store.get('whole'), large);
		// Missing chunks are a miss.
		await chunks.deleteOne({});
		t.is(await store.get('whole'), undefined);
	});

	test('mongodb: of 50 concurrent adds one succeeds, even if the entry has expired', async t => {
		let now = 1e12;
		const options = {cacheName: 'add', collectionName: 'add', now: () => now};
		const stores = [open(t, options), open(t, options)];
		const race = async (count: number) => {
			const added = await Promise.all(Array.from({length: count}, async (_, index) => stores[index % 2]!.add('key', {index}, {expires: now + 1000})));
			t.is(added.filter(Boolean).length, 1);
			t.deepEqual(await stores[0]!.get('key'), {index: added.indexOf(true)});
		};

		await race(50);
		now += 1000;
		t.is(await stores[0]!.get('key'), undefined);
		await race(isAtomic ? 50 : 1);

		t.false(await stores[0]!.add('key', {}, {expires: now}));
		t.true(await stores[0]!.add('none', {}, {expires: now}));
		t.is(await stores[0]!.get('none'), undefined);
	});

	test('mongodb: entries are found, sorted, counted and deleted by their times', async t => {
		const now = 1e12;
		const store = open(t, {cacheName: 'found', now: () => now});
		const other = open(t, {cacheName: 'foundation', now: () => now});
		for (const [index, freshUntil] of [3000, undefined, 1000, 2000, Infinity].entries()) {
			await store.set(`k${index}`, {index}, {expires: undefined, size: 100 - index, indexed: {createdAt: index * 10, freshUntil}});
		}

		await store.set('no entry', {}, kept);
		await store.set('expired', {}, {expires: now - 1, indexed: {createdAt: 0, freshUntil: 0}});
		await other.set('k9', {}, {expires: undefined, indexed: {createdAt: 0, freshUntil: 0}});
		const find = async (query: Parameters<typeof store.find>[0]) => Array.fromAsync(store.find(query));
		t.deepEqual(await find({orderBy: 'createdAt'}), ['k0', 'k1', 'k2', 'k3', 'k4']);
		t.deepEqual(await find({orderBy: 'key', descending: true}), ['k4', 'k3', 'k2', 'k1', 'k0']);
		t.deepEqual(await find({orderBy: 'freshUntil'}), ['k2', 'k3', 'k0', 'k1', 'k4']);
		t.deepEqual(await find({staleAt: 2000, orderBy: 'key'}), ['k2', 'k3']);
		t.deepEqual(await find({staleAt: Infinity, orderBy: 'key'}), ['k0', 'k2', 'k3']);
		t.deepEqual(await find({createdBefore: 10}), ['k0']);
		t.is(await store.count(), 5);
		t.is(await store.deleteFound({staleAt: 2000, createdBefore: 30}), 1);
		t.is(await store.deleteFound({}), 4);
		t.deepEqual(await listed(store), ['no entry']);
		t.deepEqual(await listed(other), ['k9']);
	});

	test('mongodb: only our entries are read, counted and deleted in the collection and the bucket of an application', async t => {
		const handed = new MongoClient(url);
		t.teardown(async () => handed.close());
		let now = Date.now();
		const options = {
			client: handed, collectionName: randomUUID(), largestDocument: 20_000, now: () => now,
		};
		const own = database.collection(options.collectionName);
		const foreign: Document[] = [
			{_id: 1, expires: new Date(0), body: 'x'},
			{
				_id: 'a', namespace: 'a', createdAt: new Date(1), expires: new Date(4e12),
			},
			{
				_id: 'a:b', namespace: 'a', key: 3, createdAt: new Date(1),
			},
			{_id: 'a*::key', namespace: 'users', key: 'key'},
		];
		await own.insertMany(foreign);
		const bucket = new GridFSBucket(database, {bucketName: options.collectionName});
		const upload = bucket.openUploadStreamWithId(ObjectId.createFromTime(1), 'theirs');
		upload.end('a file of theirs');
		await finished(upload);

		const store = open(t, {...options, cacheName: 'a'});
		const others = ['aa', 'a:', 'a?', '[a]', 'A'].map(cacheName => open(t, {...options, cacheName}));
		for (const one of [store, ...others]) {
			await one.set('small', {a: 1}, kept);
			await one.set('large', {body: 'x'.repeat(50_000)}, {expires: now + 1000, indexed: {createdAt: now, freshUntil: now}});
		}

		t.deepEqual(await listed(store), ['large', 'small']);
		t.is(await store.count(), 1);
		t.deepEqual(await Array.fromAsync(store.find({orderBy: 'key'})), ['large']);
		t.is(await store.deleteFound({}), 1);
		await store.clear();
		t.deepEqual(await listed(store), []);
		now += 7_200_000;
		for (const other of others) {
			t.deepEqual(await listed(other), ['small']);
			await other.purge();
			t.true(await other.delete('small'));
			await other.clear();
		}

		t.deepEqual(await own.find({}).toArray(), foreign);
		t.is(Buffer.concat(await bucket.openDownloadStreamByName('theirs').toArray() as Uint8Array[]).toString(), 'a file of theirs');
		for (const suffix of ['', '.files', '.chunks']) {
			const indexes = await database.collection(`${options.collectionName}${suffix}`).indexes();
			t.true(indexes.every(index => index.expireAfterSeconds === undefined || index.partialFilterExpression !== undefined));
		}
	});

	test('mongodb: large values are files of GridFS, which any program can read', async t => {
		const collectionName = randomUUID();
		const store = open(t, {collectionName, largestDocument: 20_000});
		const value = {body: 'é'.repeat(50_000)};
		await store.set('GET key', value, kept);
		const read = new GridFSBucket(database, {bucketName: collectionName}).openDownloadStreamByName('GET key');
		t.deepEqual(JSON.parse(Buffer.concat(await read.toArray() as Uint8Array[]).toString()), value);
		await store.set('GET key', {...value, bytes: new Uint8Array([1]), zero: -0}, kept);
		t.deepEqual(await store.get('GET key'), {...value, bytes: new Uint8Array([1]), zero: -0});
	});

	test('mongodb: a client that is handed in is used and stays open', async t => {
		const handed = new MongoClient(url);
		t.teardown(async () => handed.close());
		const store = open(t, {client: handed});
		await store.set('key', {a: 1}, kept);
		await store.close();
		t.is((await handed.db(databaseName).command({ping: 1})).ok, 1);
		await t.throwsAsync(async () => store.get('key'), {code: 'ERR_STORE_CLOSED'});
	});

	if (command !== undefined) {
		test('mongodb: every call settles within its time limit while the server is paused or away', async t => {
			await using other = await ServerProcess.start(command());
			const handed = new MongoClient(mongoUrl(other.port));
			t.teardown(async () => handed.close());
			// Less than the driver waits by itself.
			const limits = {connectionTimeout: 4000, commandTimeout: 3000};
			const stores = [open(t, {url: mongoUrl(other.port), ...limits}), open(t, {client: handed, ...limits})];
			const settleAll = async (store: MongoDbStore): Promise<string[]> => {
				const settled = await Promise.allSettled([
					store.get('key'),
					store.set('key', {a: 1}, kept),
					store.add('key', {a: 1}, kept),
					store.delete('key'),
					store.deleteMany(['key']),
					store.clear(),
					store.count(),
					store.purge(),
					listed(store),
					Array.fromAsync(store.find({})),
				]);
				return settled.map(({status}) => status);
			};

			for (const store of stores) {
				await store.set('key', {a: 1}, kept);
			}

			for (const [harm, repair] of [
				[async () => other.suspend(), () => {
					other.resume();
				}],
				[async () => other.stop(), async () => other.start()],
			] as const) {
				await harm();
				for (const store of stores) {
					t.false((await settleAll(store)).includes('fulfilled'));
				}

				await repair();
				for (const store of stores) {
					let settled: string[] = [];
					for (let attempt = 0; attempt < 10 && (settled.length === 0 || settled.includes('rejected')); attempt++) {
						settled = await settleAll(store);
					}

					t.false(settled.includes('rejected'));
				}
			}
		});
	}

	test('mongodb: a server that does not exist is an error within the time limit that shows no password', async t => {
		const store = new MongoDbStore({url: 'mongodb://user:secret@127.0.0.1:1/', connectionTimeout: 200});
		const error = await t.throwsAsync(async () => store.get('key'));
		t.false(String(error.stack).includes('secret'));
		await store.close();
		await store.close();
		const refusal = t.throws(() => createStore('mongodb', {url: 'http://user:secret@host'}), {instanceOf: TypeError});
		t.false(refusal.message.includes('secret'));
		t.throws(() => createStore('mongodb', {collectionName: '$x'}), {message: /collectionName/v});
		t.throws(() => createStore('mongodb', {largestDocument: 2 ** 24}), {message: /largestDocument/v});
		t.throws(() => createStore('mongodb', {databaseName: 'a.b'}), {message: /databaseName/v});
	});
}

/** Shows the order of names, which deep equality ignores. */
function shape(value: unknown): string {
	return JSON.stringify(value, (_name, part: unknown) => part instanceof Uint8Array ? [...part] : part);
}
