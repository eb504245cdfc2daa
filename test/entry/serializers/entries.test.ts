import {Buffer} from 'node:buffer';
import {setImmediate} from 'node:timers/promises';
import test from 'ava';
import {serializerOf, type SerializerSettings} from '../../../source/cache/stored-values.ts';
import {Entries} from '../../../source/cache/entries.ts';
import {secretKey} from '../../../source/cache/partition-secret.ts';
import {compressed} from '../../../source/entry/serializers/compression.ts';
import {encrypted} from '../../../source/entry/serializers/cryptography.ts';
import {SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import type {Stage} from '../../../source/entry/serializers/stage.ts';
import {MemoryStore} from '../../../source/stores/memory.ts';
import type {Store, StoredValue} from '../../../source/stores/types.ts';
import {encryptionKey, facts, response} from './samples.ts';

type Rubbish = {readonly key: string; readonly error: unknown};

/** Creates entries in a memory store that holds a certain kind of values. */
function create(holds: Store['valueType'], settings: SerializerSettings = {}, isHumanReadable = false) {
	const store = Object.assign(new MemoryStore(), {valueType: holds, isHumanReadable});
	const rubbish: Rubbish[] = [];
	const entries = new Entries({
		store,
		serializer: serializerOf(store, settings),
		maxBytes: 10_000_000,
		timeout: 20,
		beforeWrite() {},
		onUnreadable(key, error) {
			rubbish.push({key, error});
		},
	});
	return {store, entries, rubbish};
}

const stored = response('{"name":"Ada"}');
const pipelines = ['binary', 'v8', 'json', 'yaml', 'bson', 'document', compressed('zstd'), new SerializerPipeline(['json', encrypted({key: encryptionKey})])] as const;
/** Returns the pipelines for a kind of store. Documents cannot be stored as bytes or text. */
const pipelinesFor = (holds: Store['valueType']) => [undefined, ...pipelines].filter(serializer => serializer !== 'document' || holds === 'objects' || holds === 'documents');

const kinds: Readonly<Record<Store['valueType'], (value: StoredValue) => boolean>> = {
	objects: value => typeof value === 'object',
	documents: value => typeof value === 'object' && !(value instanceof Uint8Array),
	bytes: value => value instanceof Uint8Array,
	text: value => typeof value === 'string',
};

for (const [holds, isHeld] of Object.entries(kinds) as ReadonlyArray<[Store['valueType'], (value: StoredValue) => boolean]>) {
	test(`the output of each serializer is adapted to a store that holds ${holds}`, t => {
		for (const serializer of pipelinesFor(holds)) {
			const {store, entries} = create(holds, {serializer});
			// A synchronous store needs no turn of the event loop.
			t.is(entries.write('key', stored), undefined);
			t.true(isHeld(store.get('key')!));
			const restored = entries.read('key');
			t.false(restored instanceof Promise);
			t.deepEqual(facts(restored as typeof stored), facts(stored));
		}
	});
}

for (const [title, given, isRead] of [
	['are restored', {mustRevalidate: true, staleIfError: 60_000}, true],
	['may be in another order', {staleIfError: 60_000, mustRevalidate: true}, true],
	['with a missing fact are detected', {staleIfError: 60_000}, false],
	['that were changed are detected', {mustRevalidate: true, staleIfError: 70_000}, false],
] as const) {
	test(`stored facts ${title}`, async t => {
		const {store, entries} = create('text', {serializer: 'json'});
		await entries.write('key', response('{}', {facts: {mustRevalidate: true, staleIfError: 60_000}}));
		const document = JSON.parse(store.get('key') as string) as {facts: unknown};
		t.deepEqual(document.facts, {mustRevalidate: true, staleIfError: 60_000});
		document.facts = given;
		store.set('key', JSON.stringify(document), {expires: undefined, size: 1, indexed: {createdAt: 0, freshUntil: undefined}});
		const restored = await entries.read('key');
		t.deepEqual(restored?.facts, isRead ? given : undefined);
		t.is(restored === undefined, !isRead);
	});
}

test('without a serializer, a store of objects gets the entry itself', t => {
	const {store, entries} = create('objects');
	void entries.write('key', stored);
	t.deepEqual(store.get('key'), stored);
	t.is((store.get('key') as typeof stored).body, stored.body);
	t.is(entries.read('key'), store.get('key') as typeof stored);
});

for (const holds of ['bytes', 'text'] as const) {
	test(`a store of ${holds} that people read gets readable JSON`, t => {
		const {store, entries} = create(holds, {}, true);
		void entries.write('key', stored);
		const value = store.get('key');
		const text = typeof value === 'string' ? value : Buffer.from(value as Uint8Array).toString();
		t.true(text.startsWith('{\n\t"version": 1,\n\t"method": "GET",\n\t"url": "https://example.com/users/1",\n'));
		t.true(text.endsWith('\n\t"body": {\n\t\t"json": {\n\t\t\t"name": "Ada"\n\t\t}\n\t}\n}'));
	});
}

test('a document is plain data with a JSON body as a value', t => {
	const {store, entries} = create('documents');
	void entries.write('key', stored);
	t.deepEqual((store.get('key') as {body?: unknown}).body, {json: {name: 'Ada'}});
});

test('an entry that cannot be read is a miss with a reason, and is deleted', async t => {
	const later: Stage<'bytes', 'bytes'> = {
		name: 'later', takes: 'bytes', gives: 'bytes', dumps: async bytes => bytes, loads: async bytes => bytes,
	};
	const rubbishOf: Readonly<Record<Store['valueType'], readonly StoredValue[]>> = {
		objects: [{}, {body: 'x'}],
		documents: [{}, {version: 2, body: {}}, new Uint8Array(3)],
		bytes: [new Uint8Array(0), Buffer.from('{}'), Buffer.from('GCH\u{2}')],
		text: ['', '{}', 'R0NI', '\u{FFFF}'],
	};
	for (const [holds, values] of Object.entries(rubbishOf) as ReadonlyArray<[Store['valueType'], readonly StoredValue[]]>) {
		for (const serializer of [...pipelinesFor(holds), later]) {
			const {store, entries, rubbish} = create(holds, {serializer});
			for (const value of values) {
				store.set('key', value, {expires: undefined});
				t.is(await entries.read('key'), undefined);
				t.is(store.get('key'), undefined);
			}

			t.deepEqual(rubbish.map(({key}) => key), values.map(() => 'key'));
			t.true(rubbish.every(({error}) => (error as {code?: unknown}).code === 'ERR_SERIALIZER_UNREADABLE'));
		}
	}
});

test('`inspect` distinguishes readable entries from unreadable ones, and deletes nothing', async t => {
	const {store, entries, rubbish} = create('bytes', {serializer: encrypted({key: encryptionKey})});
	await entries.write('good', stored);
	store.set('moved', store.get('good') as Uint8Array, {expires: undefined});
	store.set('other', Buffer.from('{}'), {expires: undefined});
	store.set(secretKey, Buffer.from('secret'), {expires: undefined});

	const found = await Array.fromAsync(entries.inspect());
	t.deepEqual(new Map(found.map(({key, error}) => [key, (error as {reason?: string} | undefined)?.reason])), new Map([['good', undefined], ['moved', 'signature'], ['other', 'format']]));
	t.is(found.find(({key}) => key === 'good')?.stored?.url, stored.url);
	t.deepEqual(rubbish, []);
	t.true(store.get('moved') !== undefined);
});

test('if an unreadable entry cannot be deleted, both errors are reported', async t => {
	const {store, entries, rubbish} = create('bytes');
	store.set('key', Buffer.from('rubbish'), {expires: undefined});
	const gone = new Error('gone');
	Object.assign(store, {
		async delete() {
			throw gone;
		},
	});
	t.is(await entries.read('key'), undefined);
	await setImmediate();
	t.is(rubbish.length, 2);
	t.is(rubbish[1]!.error, gone);
});

test('a serializer that takes too long is a miss, and the entry is kept', async t => {
	const endless: Stage<'bytes', 'bytes'> = {
		name: 'endless', takes: 'bytes', gives: 'bytes', dumps: bytes => bytes, loads: async () => new Promise<never>(() => {}),
	};
	const {store, entries, rubbish} = create('bytes', {serializer: endless});
	await entries.write('key', stored);
	t.is(await entries.read('key'), undefined);
	t.is((rubbish[0]?.error as {code?: unknown}).code, 'ERR_STORE_TIMEOUT');
	t.true(store.get('key') !== undefined);
});
