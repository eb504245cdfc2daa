import test from 'ava';
import {expectTypeOf} from 'expect-type';
import {cacheHooks} from '../../../source/index.ts';
import {serializerOf} from '../../../source/cache/stored-values.ts';
import {compressed} from '../../../source/entry/serializers/compression.ts';
import {formatStage} from '../../../source/entry/serializers/formats.ts';
import {initSerializer, SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import type {EntryDocument, Stage} from '../../../source/entry/serializers/stage.ts';
import type {Store} from '../../../source/stores/types.ts';
import {context, response} from './samples.ts';

const upper: Stage<'text', 'text'> = {
	name: 'upper', takes: 'text', gives: 'text', dumps: text => text.toUpperCase(), loads: text => text.toLowerCase(),
};

test('whether text or bytes is in the type of a stage', t => {
	expectTypeOf<Parameters<Stage<'text', 'bytes'>['dumps']>[0]>().toEqualTypeOf<string>();
	expectTypeOf<Parameters<Stage<'document', 'bytes'>['dumps']>[0]>().toEqualTypeOf<EntryDocument>();
	expectTypeOf<Parameters<Stage<'text', 'bytes'>['loads']>[0]>().toEqualTypeOf<Uint8Array>();
	expectTypeOf<Stage<'text', 'bytes'>>().toExtend<Stage>();
	t.is(new SerializerPipeline(['json', upper]).gives, 'text');
});

test('what is no serializer, or does not fit, is refused with its path', t => {
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
		[() => cacheHooks({store: 'memory', serializer: 'pickle' as never}), /`serializer`/v],
		[() => cacheHooks({store: new Map(), serializer: 'document'}), /`cache\.serializer`.*holds text/v],
	] as const;
	for (const [make, message] of wrong) {
		t.throws(make, {instanceOf: TypeError, code: 'ERR_CACHE_SETTING', message});
	}
});

test('a package that is missing is told with the command that installs it', t => {
	const load = (): never => {
		throw Object.assign(new Error('Cannot find module'), {code: 'MODULE_NOT_FOUND'});
	};

	t.throws(() => formatStage('yaml', load), {code: 'ERR_SERIALIZER_PACKAGE', message: 'The serializer `\'yaml\'` needs the package `yaml`: npm install yaml'});
});

test('a pipeline\'s own decodeContent stands above the setting', t => {
	const text = (pipeline: SerializerPipeline): boolean => (pipeline.dumps(response('{"a":1}'), context) as string).includes('"a": 1');
	t.true(text(initSerializer('json', {decodeContent: true})));
	t.false(text(initSerializer('json')));
	t.true(text(initSerializer(new SerializerPipeline(['json']), {decodeContent: true})));
	t.false(text(initSerializer(new SerializerPipeline(['json'], {decodeContent: false}), {decodeContent: true})));
});

test('each store has a serializer by default', t => {
	const stores: ReadonlyArray<readonly [name: string, holds: Store['holds'], format: string | undefined, decodeContent: boolean | undefined]> = [
		['memory', 'objects', undefined, undefined],
		['sqlite', 'bytes', 'binary', false],
		['redis', 'bytes', 'binary', false],
		['gridfs', 'bytes', 'binary', false],
		['keyv', 'text', 'binary', false],
		['filesystem', 'bytes', 'json', true],
		['mongodb', 'documents', 'document', true],
		['dynamodb', 'documents', 'document', true],
		['filesystem', 'objects', undefined, undefined],
		['toString', 'bytes', 'binary', false],
	];
	for (const [name, holds, format, decodeContent] of stores) {
		const pipeline = serializerOf({name, holds}, {});
		t.is(pipeline?.stages[0]?.name, format, name);
		t.is(pipeline?.decodeContent, decodeContent, name);
	}

	t.false(serializerOf({name: 'filesystem', holds: 'bytes'}, {decodeContent: false})?.decodeContent);
	t.true(serializerOf({name: 'sqlite', holds: 'bytes'}, {serializer: 'yaml', decodeContent: true})?.decodeContent);
});
