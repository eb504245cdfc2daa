import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {finished} from 'node:stream/promises';
import test, {type ExecutionContext, type TestFn} from 'ava';
import {GridFSBucket, ObjectId} from 'mongodb';
import {createStore} from '../../../source/stores/create-store.ts';
import {GridFsStore} from '../../../source/stores/mongodb/mongodb.ts';
import type {GridFsStoreOptions} from '../../../source/stores/mongodb/options.ts';
import {ServerProcess} from '../../helpers/server-process.ts';
import {mongoUrl, openMongo} from '../../helpers/servers.ts';
import {testStoreFaults} from '../contract-faults.ts';
import {listed, testStore, textOf} from '../contract.ts';
import {elsewhere} from '../open-elsewhere.ts';

const kept = {expires: undefined};
const timeout = 50_000;
const hour = 3_600_000;
const server = await openMongo(test, 'gridfs');
if (server !== undefined) {
	registerTests(server);
}

type OpenedServer = NonNullable<typeof server>;

function registerTests({url, command, version, database}: OpenedServer): void {
	const {databaseName} = database;

	/** Counts the documents of each collection of a bucket. */
	const counts = async (bucketName: string): Promise<number[]> => Promise.all(['entries', 'files', 'chunks']
		.map(async suffix => database.collection(`${bucketName}.${suffix}`).countDocuments()));

	const open = (t: ExecutionContext, options: GridFsStoreOptions = {}): GridFsStore => {
		const store = new GridFsStore({
			...options.client === undefined && {url}, databaseName, connectionTimeout: timeout, commandTimeout: timeout, largestDocument: 0, ...options,
		});
		t.teardown(async () => store.close());
		return store;
	};

	// The tests run serially, since FerretDB is slow.
	testStore(test.serial as TestFn, 'gridfs', {
		makePlace({now}) {
			const bucketName = randomUUID();
			return {
				open: cacheName => new GridFsStore({
					url, databaseName, bucketName, cacheName, now, connectionTimeout: timeout, commandTimeout: timeout,
				}),
				elsewhere: elsewhere('gridfs', {
					url, databaseName, bucketName, cacheName: '{namespace}', connectionTimeout: timeout, commandTimeout: timeout,
				}),
			};
		},
		hasOurClock: true,
		persists: true,
		offers: ['add', 'find', 'deleteFound', 'count'],
		replacesAtOnce: !version.startsWith('FerretDB'),
	});

	if (command !== undefined) {
		testStoreFaults(test.serial as TestFn, 'gridfs', {
			start: async () => ServerProcess.start(command()),
			open: port => new GridFsStore({url: mongoUrl(port)}),
			storeTimeout: 1000,
			isDurable: true,
		});
	}

	test('gridfs: a key has one file with its name however often it is set, and none after it was deleted', async t => {
		let now = Date.UTC(2030);
		const bucketName = 'revisions';
		const store = open(t, {bucketName, cacheName: 'n', now: () => now});
		const large = Buffer.alloc((2 * 1024 * 1024) + 1, 'x');
		for (const value of [large, Buffer.from('small'), large]) {
			await store.set('GET a', value, kept);
			t.deepEqual(await store.get('GET a'), value);
		}

		t.deepEqual(await counts(bucketName), [1, 1, 3]);
		const file = await database.collection(`${bucketName}.files`).findOne({});
		t.is(file!.filename, 'GET a');
		t.is(file!.length, large.length);
		await Promise.all(Array.from({length: 10}, async (_, index) => store.set('GET a', Buffer.from(String(index)), kept)));
		// FerretDB replaces in two steps, so that a file may be left over.
		now += hour + 1000;
		await store.purge();
		t.deepEqual(await counts(bucketName), [1, 1, 1]);
		t.false(await store.add('GET a', large, kept));
		t.deepEqual(await counts(bucketName), [1, 1, 1]);
		t.true(await store.delete('GET a'));
		await store.set('a', Buffer.from('a'), kept);
		await store.set('b', large, kept);
		await store.deleteMany(['a', 'c']);
		t.deepEqual(await listed(store), ['b']);
		await store.clear();
		t.deepEqual(await counts(bucketName), [0, 0, 0]);
	});

	test('gridfs: a reader gets the old or the new file completely', async t => {
		const store = open(t, {bucketName: 'readers'});
		const valueOf = (index: number) => Buffer.alloc(2 * 1024 * 1024, String(index));
		await store.set('key', valueOf(0), kept);
		let isWriting = true;
		const writing = (async () => {
			for (let index = 1; index < 6; index++) {
				await store.set('key', valueOf(index), kept);
			}

			isWriting = false;
		})();
		while (isWriting) { // eslint-disable-line no-unmodified-loop-condition
			const value = await store.get('key');
			t.true(valueOf(Number(String.fromCodePoint(value![0]!))).equals(value!));
		}

		await writing;
		t.deepEqual(await counts('readers'), [1, 1, 2]);
	});

	test('gridfs: an upload that fails leaves no chunks', async t => {
		const bucketName = 'failing';
		const store = open(t, {bucketName});
		await store.set('key', Buffer.from('old'), kept);
		const chunks = database.collection(`${bucketName}.chunks`);
		// The second chunk violates this index.
		await chunks.createIndex({data: 1}, {unique: true}, {});
		await t.throwsAsync(async () => store.set('key', Buffer.alloc(3 * 1024 * 1024, 'x'), kept), {message: /E11000/v});
		t.deepEqual(await counts(bucketName), [1, 1, 1]);
		t.is(textOf(await store.get('key')), 'old');
		await t.throwsAsync(async () => store.set('key', 'text', kept), {code: 'ERR_STORE_VALUE'});
	});

	test('gridfs: purging removes expired entries, and after an hour the files that have no entry', async t => {
		let now = Date.UTC(2030);
		const bucketName = 'purged';
		const store = open(t, {bucketName, cacheName: 'a', now: () => now});
		const other = open(t, {bucketName, cacheName: 'b', now: () => now});
		await other.set('kept', Buffer.from('kept'), kept);
		await store.set('brief', Buffer.from('brief'), {expires: now + 1000});
		for (const key of ['lost entry', 'lost file']) {
			await store.set(key, Buffer.from(key), kept);
		}

		await database.collection(`${bucketName}.entries`).deleteMany({key: {$in: ['lost entry', 'lost file']}});
		await database.collection(`${bucketName}.files`).deleteOne({filename: 'lost file'});
		t.deepEqual(await counts(bucketName), [2, 3, 4]);
		t.is(await store.purge(), 0);
		now += 1000;
		t.is(await store.get('brief'), undefined);
		t.is(await store.purge(), 1);
		t.deepEqual(await counts(bucketName), [1, 2, 3]);
		now += hour + 1000;
		t.is(await store.purge(), 2);
		t.deepEqual(await counts(bucketName), [1, 1, 1]);
		t.is(textOf(await other.get('kept')), 'kept');
		// A missing file is a miss.
		await database.collection(`${bucketName}.chunks`).deleteMany({});
		t.is(await other.get('kept'), undefined);
	});

	test('gridfs: writes purge at most once an hour', async t => {
		let now = Date.UTC(2030);
		const store = open(t, {bucketName: 'passing', now: () => now, largestDocument: 1000});
		await store.set('brief', Buffer.from('brief'), {expires: now + 1000});
		const write = async () => {
			for (let index = 0; index < 256; index++) {
				await store.set('key', Buffer.from('x'), kept);
			}
		};

		now += hour;
		await write();
		for (let attempt = 0; attempt < 200 && (await counts('passing'))[0] !== 1; attempt++) {
			await new Promise(resolve => {
				setTimeout(resolve, 20);
			});
		}

		t.is((await counts('passing'))[0], 1);
	});

	test('gridfs: files and documents of an application in the bucket stay, even when it is purged', async t => {
		let now = Date.now();
		const options = {bucketName: randomUUID(), now: () => now};
		const bucket = new GridFSBucket(database, {bucketName: options.bucketName});
		const upload = bucket.openUploadStreamWithId(ObjectId.createFromTime(1), 'key');
		upload.end('a file of theirs');
		await finished(upload);
		const entries = database.collection(`${options.bucketName}.entries`);
		await entries.insertOne({
			_id: 'theirs' as never, namespace: 'a', createdAt: new Date(0), expires: new Date(4e12),
		});

		const stores = ['a', 'a*', 'aa', 'a:'].map(cacheName => open(t, {...options, cacheName}));
		for (const store of stores) {
			await store.set('key', Buffer.from('ours'), kept);
		}

		t.deepEqual(await counts(options.bucketName), [5, 5, 5]);
		now += 2 * hour;
		for (const [index, store] of stores.entries()) {
			t.deepEqual(await listed(store), ['key']);
			t.is(await store.count(), 0);
			t.is(await store.purge(), 0);
			await store.clear();
			t.deepEqual(await counts(options.bucketName), [4 - index, 4 - index, 4 - index]);
		}

		t.is(Buffer.concat(await bucket.openDownloadStreamByName('key').toArray() as Uint8Array[]).toString(), 'a file of theirs');
	});

	test('gridfs: any program can read the files, which have the date at which they expire', async t => {
		const bucketName = randomUUID();
		const store = open(t, {bucketName});
		const expires = Date.UTC(2100);
		await store.set('GET key', Buffer.alloc(2_000_000, 'abc'), {expires});
		const read = new GridFSBucket(database, {bucketName}).openDownloadStreamByName('GET key');
		t.deepEqual(Buffer.concat(await read.toArray() as Uint8Array[]), Buffer.alloc(2_000_000, 'abc'));
		for (const suffix of ['entries', 'files', 'chunks']) {
			t.deepEqual(await database.collection(`${bucketName}.${suffix}`).distinct('expires'), [new Date(expires)]);
		}
	});

	test('gridfs: entries are found by their times and counted, and of many concurrent adds one succeeds', async t => {
		const store = open(t, {cacheName: 'found', bucketName: 'found'});
		for (const [index, freshUntil] of [3000, undefined, 1000].entries()) {
			await store.set(`k${index}`, Buffer.alloc(index), {expires: undefined, indexed: {createdAt: index, freshUntil}});
		}

		t.deepEqual(await Array.fromAsync(store.find({orderBy: 'size', descending: true})), ['k2', 'k1', 'k0']);
		t.is(await store.count(), 3);
		t.is(await store.deleteFound({staleAt: 3000}), 2);
		t.deepEqual(await counts('found'), [1, 1, 1]);
		const added = await Promise.all(Array.from({length: 20}, async () => store.add('key', Buffer.from('x'), kept)));
		t.is(added.filter(Boolean).length, 1);
		t.deepEqual(await counts('found'), [2, 2, 2]);
	});

	test('gridfs: a small value is in the document of its key, and may be replaced by a file and back', async t => {
		const bucketName = 'small';
		const store = open(t, {bucketName, largestDocument: 10});
		for (const [value, files] of [['ten bytes.', 0], ['eleven byte', 1], ['small', 0]] as const) {
			await store.set('key', Buffer.from(value), kept);
			t.is(textOf(await store.get('key')), value);
			t.deepEqual(await counts(bucketName), [1, files, files]);
		}
	});

	test('gridfs: wrong options are refused', t => {
		t.throws(() => createStore('gridfs', {bucketName: ''}), {instanceOf: TypeError, message: /bucketName/v});
		t.throws(() => createStore('gridfs', {largestDocument: -1}), {instanceOf: TypeError, message: /largestDocument/v});
	});
}
