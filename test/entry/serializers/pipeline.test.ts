import test from 'ava';
import {expectTypeOf} from 'expect-type';
import {cacheHooks, createStore} from '../../../source/index.ts';
import {serializerOf} from '../../../source/cache/stored-values.ts';
import {compressed} from '../../../source/entry/serializers/compression.ts';
import {formatStage} from '../../../source/entry/serializers/formats.ts';
import {signed} from '../../../source/entry/serializers/cryptography.ts';
import {initSerializer, SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import {UnreadableError, type EntryDocument, type Stage} from '../../../source/entry/serializers/stage.ts';
import {KeyvStore} from '../../../source/stores/keyv.ts';
import type {Store} from '../../../source/stores/types.ts';
import {context, facts, response} from './samples.ts';

const upper: Stage<'text', 'text'> = {
	name: 'upper', takes: 'text', gives: 'text', dumps: text => text.toUpperCase(), loads: text => text.toLowerCase(),
};

test('the type of a stage has its kinds of input and output', t => {
	expectTypeOf<Parameters<Stage<'text', 'bytes'>['dumps']>[0]>().toEqualTypeOf<string>();
	expectTypeOf<Parameters<Stage<'document', 'bytes'>['dumps']>[0]>().toEqualTypeOf<EntryDocument>();
	expectTypeOf<Parameters<Stage<'text', 'bytes'>['loads']>[0]>().toEqualTypeOf<Uint8Array>();
	expectTypeOf<Stage<'text', 'bytes'>>().toExtend<Stage>();
	t.is(new SerializerPipeline(['json', upper]).gives, 'text');
});

test('an invalid serializer, or a stage that does not fit, is an error with its path', t => {
	const wrongStage = {...upper, gives: 'json'};
	const wrong = [
		[() => initSerializer('pickle' as never), /`serializer`.*'binary'.*got string "pickle"/v],
		[() => initSerializer({} as never), /`serializer`/v],
		[() => new SerializerPipeline('json' as never), /`stages`/v],
		[() => new SerializerPipeline(['json', wrongStage as never]), /`stages\[1\]`/v],
		[() => new SerializerPipeline([compressed('zstd'), upper]), /`stages\[2\]`.*takes bytes/v],
		[() => new SerializerPipeline(['binary', upper]), /`stages\[1\]`.*takes bytes/v],
		[() => new SerializerPipeline(['document', compressed('zstd')]), /`stages\[1\]`.*takes document/v],
		[() => new SerializerPipeline(['json', 'yaml']), /`stages\[1\]`.*takes text/v],
		[() => cacheHooks({store: 'memory', serializer: 'pickle' as never}), /`cache\.serializer`/v],
		[() => cacheHooks({store: new Map(), serializer: 'document'}), /`cache\.serializer`.*holds text/v],
	] as const;
	for (const [make, message] of wrong) {
		t.throws(make, {instanceOf: TypeError, code: 'ERR_CACHE_SETTING', message});
	}
});

test('a missing package is an error with the command that installs it', t => {
	const load = (): never => {
		throw Object.assign(new Error('Cannot find module'), {code: 'MODULE_NOT_FOUND'});
	};

	t.throws(() => formatStage('yaml', load), {code: 'ERR_SERIALIZER_PACKAGE', message: 'The serializer `\'yaml\'` needs the package `yaml`. Install it by `npm install yaml`.'});
});

test('`decodeContent` of a pipeline takes precedence over the setting', t => {
	const text = (pipeline: SerializerPipeline): boolean => (pipeline.dumps(response('{"a":1}'), context) as string).includes('"a": 1');
	t.true(text(initSerializer('json', {decodeContent: true})));
	t.false(text(initSerializer('json')));
	t.true(text(initSerializer(new SerializerPipeline(['json']), {decodeContent: true})));
	t.false(text(initSerializer(new SerializerPipeline(['json'], {decodeContent: false}), {decodeContent: true})));
});

test('each store has a default serializer', t => {
	const stores: ReadonlyArray<readonly [store: Pick<Store, 'name' | 'valueType' | 'isHumanReadable'>, format: string | undefined, decodeContent: boolean | undefined]> = [
		[createStore('memory'), undefined, undefined],
		[createStore('sqlite'), 'binary', false],
		[createStore('filesystem'), 'json', true],
		[createStore('redis'), 'binary', false],
		[createStore('mongodb'), 'document', true],
		[createStore('gridfs'), 'binary', false],
		[createStore('dynamodb'), 'document', true],
		[new KeyvStore(new Map(), {cacheName: 'cache'}), 'binary', false],
		[{name: 'own', valueType: 'text', isHumanReadable: true}, 'json', true],
		[{name: 'own', valueType: 'objects', isHumanReadable: true}, undefined, undefined],
		[{name: 'filesystem', valueType: 'bytes'}, 'binary', false],
	];
	for (const [store, format, decodeContent] of stores) {
		const pipeline = serializerOf(store, {});
		t.is(pipeline?.stages[0]?.name, format, store.name);
		t.is(pipeline?.decodeContent, decodeContent, store.name);
	}

	t.false(serializerOf(createStore('filesystem'), {decodeContent: false})?.decodeContent);
	t.true(serializerOf(createStore('sqlite'), {serializer: 'yaml', decodeContent: true})?.decodeContent);
});

test('a custom stage may be asynchronous, and its errors make the entry unreadable', async t => {
	const reversed: Stage<'bytes', 'bytes'> = {
		name: 'reversed',
		takes: 'bytes',
		gives: 'bytes',
		dumps: async bytes => bytes.toReversed(),
		async loads(bytes, {key}) {
			if (key !== context.key) {
				throw new Error('no');
			}

			return bytes.toReversed();
		},
	};
	const stored = response('{"a":1}');
	const otherKey = {...context, key: 'http_cache:1:other'};
	const pipeline = new SerializerPipeline(['json', reversed, signed({secret: 'secret'})]);
	const bytes = await pipeline.dumps(stored, context);
	t.deepEqual(facts(await pipeline.loads(bytes, context)), facts(stored));
	const unsigned = new SerializerPipeline(['json', reversed]);
	const error = await t.throwsAsync(async () => unsigned.loads(await unsigned.dumps(stored, context), otherKey), {instanceOf: UnreadableError});
	t.is((error?.cause as Error).message, 'no');
});
