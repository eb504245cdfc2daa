import {Buffer} from 'node:buffer';
import v8 from 'node:v8';
import zlib from 'node:zlib';
import test from 'ava';
import {serialize} from 'bson';
import {fc} from '../../helpers/fast-check.ts';
import type {StoredResponse} from '../../../source/entry/stored-response.ts';
import {findCharset} from '../../../source/entry/serializers/body.ts';
import {compressed} from '../../../source/entry/serializers/compression.ts';
import {formatNames, type FormatName} from '../../../source/entry/serializers/formats.ts';
import {initSerializer, SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import {UnreadableError, type UnreadableReason} from '../../../source/entry/serializers/stage.ts';
import {cpuTime} from '../../helpers/cpu-time.ts';
import {context, facts, response} from './samples.ts';

const seed = 16_003;

// The maximum number of milliseconds until an entry is refused, on the slowest machine. Without a limit, each would take far longer, or end the process.
const hang = 5000;

const clone = (...parts: ReadonlyArray<Uint8Array | string | number[]>): Uint8Array => Buffer.concat(['GC8\u{1}\u{FF}\u{F}', ...parts].map(part => typeof part === 'string' ? Buffer.from(part, 'latin1') : Uint8Array.from(part)));
const binaryEntry = (metadata: string): Uint8Array => {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(metadata.length);
	return Buffer.concat([Buffer.from('GCH\u{1}'), length, Buffer.from(metadata)]);
};

/** Returns nested documents, each as long as the rest of the data. */
function nestedBson(depth: number): Uint8Array {
	const bytes = Buffer.alloc((depth * 8) + 5);
	for (let level = 0; level < depth; level++) {
		bytes.writeInt32LE(bytes.length - (level * 8), level * 7);
		bytes.write('\u{3}a\0', (level * 7) + 4, 'latin1');
	}

	bytes.writeInt32LE(5, depth * 7);
	return bytes;
}

const million = 1_000_000;
const plain = JSON.stringify(initSerializer('document', {decodeContent: true}).dumps(response('{}'), context)).slice(1, -1);
const deep = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;

const hostile: ReadonlyArray<readonly [format: FormatName, title: string, value: () => unknown, reason: UnreadableReason]> = [
	['json', 'a million arrays in each other', () => '['.repeat(million), 'too-large'],
	['json', 'a million arrays in each other, closed', () => '['.repeat(million) + ']'.repeat(million), 'too-large'],
	['json', 'a million arrays', () => `[${'[],'.repeat(million)}[]]`, 'too-large'],
	['json', 'a million members', () => `{${'"a":1,'.repeat(million)}"a":1}`, 'too-large'],
	['json', 'an entry with a body of a million levels', () => `{${plain},"body":{"json":${'['.repeat(million)}${']'.repeat(million)}}}`, 'too-large'],
	['json', 'an entry with a body of 100,000 levels', () => `{${plain},"body":{"json":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`, 'format'],
	['json', 'an entry with a deep member that it does not know', () => `{${plain},"later":${'['.repeat(million)}${']'.repeat(million)}}`, 'too-large'],
	['json', 'quotes that are escaped', () => `["${'"'.repeat(million)}"${',[]'.repeat(million)}]`, 'too-large'],
	['json', 'a string that does not end', () => `"${'"'.repeat(million)}`, 'format'],
	['binary', 'metadata of a million arrays in each other', () => binaryEntry('['.repeat(million)), 'too-large'],
	['binary', 'metadata of a million items', () => binaryEntry(`[${'1,'.repeat(million)}1]`), 'too-large'],
	['yaml', '400 objects as names of each other', () => '{'.repeat(400), 'too-large'],
	['yaml', '400 objects as names of each other, closed', () => '{'.repeat(400) + '}'.repeat(400), 'too-large'],
	['yaml', '400 lists and objects in each other', () => '[{'.repeat(400), 'too-large'],
	['yaml', '400 names of names', () => `${'? '.repeat(400)}x`, 'too-large'],
	['yaml', '400 names of names, on lines', () => Array.from({length: 400}, (_, index) => `${' '.repeat(index)}?\n`).join(''), 'too-large'],
	['yaml', '400 lists in each other', () => `${'- '.repeat(400)}x`, 'too-large'],
	['yaml', 'many objects that are names, not deep', () => `- ${'{'.repeat(50)}${'}'.repeat(50)}\n`.repeat(1000), 'format'],
	['yaml', 'many lists that are names', () => '[a]: 1\n'.repeat(10_000), 'format'],
	['yaml', 'an object that is a name', () => '? {a: 1}\n: 1', 'format'],
	['yaml', 'a million items', () => '- 1\n'.repeat(million), 'too-large'],
	['yaml', 'a million members', () => 'a: 1\n'.repeat(million), 'too-large'],
	['yaml', 'a million comments', () => '#\n'.repeat(million), 'too-large'],
	['yaml', 'a million empty lines', () => `[${'\n'.repeat(million)}]`, 'too-large'],
	['yaml', 'a million documents', () => '--- 1\n'.repeat(million), 'too-large'],
	['yaml', 'two documents', () => '--- {}\n--- {}\n', 'format'],
	['yaml', 'a million anchors', () => '- &a 1\n'.repeat(million), 'too-large'],
	['yaml', 'an alias', () => 'a: &a [1]\nb: *a\n', 'format'],
	['yaml', 'an alias that is a name', () => '&a a: 1\n*a : 1\n', 'format'],
	['yaml', 'a million errors', () => 'a: }\n'.repeat(million), 'too-large'],
	['yaml', 'a million errors in a string', () => `"${String.raw`\q`.repeat(million)}"`, 'format'],
	['yaml', 'a million errors in numbers of characters', () => `"${String.raw`\xZZ`.repeat(million)}"`, 'format'],
	['yaml', 'a million characters that there are not', () => `"${String.raw`\UFFFFFFFF`.repeat(million)}"`, 'format'],
	['yaml', 'what is no YAML', () => 'a: [1', 'format'],
	['yaml', 'nothing', () => '', 'format'],
	['bson', '100,000 documents in each other', () => nestedBson(100_000), 'format'],
	['bson', 'half a million items', () => serialize({a: Array.from({length: 500_000}, () => null)}), 'too-large'],
	['bson', 'a document that ends too early', () => nestedBson(10).subarray(0, -1), 'format'],
	['bson', 'a name that does not end', () => Buffer.from('\u{10}\0\0\0\u{8}aaaaaaaaaaaaaaaaaaa', 'latin1'), 'format'],
	['bson', 'a string of 4 GB', () => Buffer.from('\u{20}\0\0\0\u{2}a\0\u{FF}\u{FF}\u{FF}\u{FF}', 'latin1'), 'format'],
	['bson', 'a type that is none', () => Buffer.from('\u{20}\0\0\0\u{66}a\0\0\0', 'latin1'), 'format'],
	['v8', '200,000 arrays in each other, each as long as what is left', () => clone('A\u{C0}\u{84}\u{3D}'.repeat(200_000), Buffer.alloc(million, '_')), 'too-large'],
	['v8', '60 arrays in each other, each of 250,000', () => clone('A\u{90}\u{A1}\u{F}'.repeat(60), Buffer.alloc(million, '_')), 'too-large'],
	['v8', 'empty arrays of 30 million', () => clone('A\u{A}', 'a\u{80}\u{87}\u{A7}\u{E}@\0\u{80}\u{87}\u{A7}\u{E}'.repeat(10), '$\0\u{A}'), 'too-large'],
	['v8', 'a million arrays in each other', () => clone('A\u{1}'.repeat(million)), 'too-large'],
	['v8', 'a million objects in each other', () => clone('o"\u{1}a'.repeat(million)), 'too-large'],
	['v8', 'a string of 4 GB', () => clone('"\u{FF}\u{FF}\u{FF}\u{FF}\u{F}'), 'truncated'],
	['v8', 'a number that does not end', () => clone('I', Buffer.alloc(million, 0xFF)), 'truncated'],
	['v8', 'bytes of 4 GB', () => clone('\\\u{1}\u{FF}\u{FF}\u{FF}\u{FF}\u{F}'), 'truncated'],
	['v8', 'nothing', () => clone(''), 'truncated'],
	['v8', 'a map', () => clone(v8.serialize(new Map()).subarray(2)), 'format'],
	['v8', 'a clone of 64 levels and more', () => clone(v8.serialize(deep(65)).subarray(2)), 'too-large'],
	['v8', 'a clone of 64 levels', () => clone(v8.serialize(deep(64)).subarray(2)), 'format'],
];

for (const [format, title, value, reason] of hostile) {
	test.serial(`${format}: ${title}: is refused quickly`, t => {
		const given = value();
		const time = cpuTime(() => {
			const error = t.throws(() => initSerializer(format).loads(given, context), {instanceOf: UnreadableError});
			t.is(error?.reason, reason);
		}, 1);
		t.true(time < hang, `${time} ms`);
	});
}

for (const format of ['json', 'yaml', 'bson', 'v8', 'binary'] as const) {
	test(`${format}: an entry larger than the limit is not parsed`, t => {
		const entry = initSerializer(format).dumps(response('body'), context) as string | Uint8Array;
		t.notThrows(() => initSerializer(format).loads(entry, {...context, maxBytes: entry.length}));
		const error = t.throws(() => initSerializer(format).loads(entry, {...context, maxBytes: entry.length - 1}), {instanceOf: UnreadableError});
		t.is(error?.reason, 'too-large');
		t.notThrows(() => initSerializer(format).dumps(response('body'), {...context, maxBytes: entry.length}));
		t.throws(() => initSerializer(format).dumps(response('body'), {...context, maxBytes: entry.length - 1}), {instanceOf: RangeError});
	});
}

for (const [name, compress, id] of [['zstd', zlib.zstdCompressSync, 1], ['br', zlib.brotliCompressSync, 2], ['gzip', zlib.gzipSync, 3]] as const) {
	test(`a ${name} bomb of a few bytes is not decompressed on the event loop`, async t => {
		const few = Buffer.concat([Buffer.from('GCZ\u{1}'), Uint8Array.of(id), compress(Buffer.alloc(8 * 1024 * 1024, '['))]);
		const pipeline = new SerializerPipeline(['json', compressed('zstd')]);
		t.true(few.length < 16 * 1024);
		const answer = pipeline.loads(few, context);
		t.true(answer instanceof Promise);
		const later = await t.throwsAsync(answer as Promise<unknown>, {instanceOf: UnreadableError});
		const atOnce = t.throws(() => pipeline.loads(few, {...context, maxBytes: 1024}), {instanceOf: UnreadableError});
		t.deepEqual([later?.reason, atOnce?.reason], ['too-large', 'too-large']);
	});
}

const nestedJson = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const items = (count: number): string => JSON.stringify(Array.from({length: count}, () => 0));
const longNames = (count: number): string => JSON.stringify(Object.fromEntries(Array.from({length: count}, (_, index) => [`${index}${'x'.repeat(1100)}`, ['a\nb']])));

type Form = 'json' | 'text' | 'bytes';

/** Bodies near each limit, and the form in which they are stored, which may differ in YAML. */
const bodies: ReadonlyArray<readonly [title: string, body: string, form: Form, inYaml?: Form]> = [
	['24 levels', nestedJson(24), 'json'],
	['25 levels', nestedJson(25), 'text'],
	['a thousand levels', nestedJson(1000), 'text'],
	['a million levels', nestedJson(million), 'text'],
	['9,000 items', items(9000), 'json'],
	['10,000 items', items(10_000), 'json', 'text'],
	['131,000 items', items(131_000), 'json', 'text'],
	['132,000 items', items(132_000), 'text'],
	['a million items', items(million), 'text'],
	['a string of 256 KiB', JSON.stringify('x'.repeat((256 * 1024) - 2)), 'json'],
	['a longer string', JSON.stringify('x'.repeat((256 * 1024) - 1)), 'text'],
	['200 names of a thousand characters', longNames(200), 'json'],
	['text of a million braces', '{'.repeat(million), 'text'],
	['text of a million brackets on lines', '[{\n'.repeat(million), 'text'],
	['text of a million quotes', '"'.repeat(million), 'text'],
	['text of a million backslashes', '\\'.repeat(million), 'text'],
	['text of a million control characters', '\u{1}'.repeat(million), 'text'],
	['text that looks like YAML', '? {a: &a [*a]}\n--- !!b\n'.repeat(1000), 'text'],
	['a million bytes that are not text', '\u{FF}', 'bytes'],
];

const formOf = (document: unknown): Form => Object.keys((document as {body: object}).body).find(key => ['json', 'text'].includes(key)) as Form | undefined ?? 'bytes';

/** Returns the form of a body in formats that are readable. */
const formIn: Partial<Record<FormatName, (entry: unknown) => Form>> = {
	document: formOf,
	json: entry => formOf(JSON.parse(entry as string)),
	yaml: entry => (/^ {2}(?<form>json|text):/mv.exec((entry as string).split('\nbody:', 2)[1]!)?.groups!.form ?? 'bytes') as Form,
};

for (const format of formatNames) {
	test.serial(`${format}: a body near a limit is written in a form that can be read`, t => {
		for (const [title, text, form, inYaml = form] of bodies) {
			const original = response(form === 'bytes' ? Buffer.alloc(million, 0xFF) : text);
			const pipeline = initSerializer(format, {decodeContent: true});
			const entry = pipeline.dumps(original, context);
			t.deepEqual(facts(pipeline.loads(entry, context) as StoredResponse), facts(original), title);
			t.is(formIn[format]?.(entry) ?? form, format === 'yaml' ? inYaml : form, title);
		}
	});
}

const oddNames = fc.oneof(fc.string({unit: 'binary', maxLength: 5}), fc.constantFrom('', ' ', '?', '? ', '{', '[', '- ', '&a', '*a', '!a', '#', 'a: b', 'a\nb', '<<', '\u{FEFF}', '\u{85}', 'x'.repeat(1100), `x\n${'y'.repeat(1100)}`));
const oddTexts = fc.oneof(oddNames, fc.array(fc.constantFrom('\\', '"', '\'', '\n', ' ', '\t', '\r', '{', '[', '|', '>', '-', '#', '\u{1}', '\u{1F}', '\u{85}', '\u{2028}', 'x'), {maxLength: 30}).map(parts => parts.join('')));
const {value} = fc.letrec(tie => ({
	value: fc.oneof({maxDepth: 26, depthSize: 'large', withCrossShrink: true}, oddTexts, fc.constantFrom(0, -0, 1.5, null, true, [], {}), tie('list'), tie('object'), tie('value').map(inner => [inner]), tie('value').map(inner => ({a: inner}))),
	list: fc.array(tie('value'), {maxLength: 3}),
	object: fc.dictionary(oddNames, tie('value'), {maxKeys: 3}),
}));

for (const format of formatNames) {
	test(`${format}: unusual entries are restored unchanged`, t => {
		t.log(`seed ${seed}`);
		const pipeline = initSerializer(format, {decodeContent: true});
		fc.assert(fc.property(value, fc.constantFrom(undefined, '\t', 2), oddTexts, (body, indent, text) => {
			const original = response(JSON.stringify(body, undefined, indent), {
				statusMessage: text, tags: [text], request: {
					method: 'POST', url: text, rawHeaders: [text, text], body: text,
				},
			});
			t.deepEqual(facts(pipeline.loads(pipeline.dumps(original, context), context) as StoredResponse), facts(original));
		}), {seed, numRuns: 300});
	});
}

test('a readable body that would exceed the limit is stored as bytes', t => {
	const original = response('\u{1}'.repeat(1000), {rawHeaders: ['Content-Type', 'text/plain']});
	const pipeline = initSerializer('json', {decodeContent: true});
	t.is(formOf(JSON.parse(pipeline.dumps(original, {...context, maxBytes: 10_000}) as string)), 'text');
	const entry = pipeline.dumps(original, {...context, maxBytes: 3000});
	t.is(formOf(JSON.parse(entry as string)), 'bytes');
	t.deepEqual(facts(pipeline.loads(entry, {...context, maxBytes: 3000}) as StoredResponse), facts(original));
	t.throws(() => pipeline.dumps(original, {...context, maxBytes: 1000}), {instanceOf: RangeError});
});

test('an entry with more values than can be read is not written', t => {
	const many = (count: number): string[] => Array.from({length: count}, () => 'a');
	for (const format of formatNames) {
		const most = format === 'yaml' ? 10_000 : 250_000;
		t.throws(() => initSerializer(format).dumps(response('', {rawHeaders: many(most)}), context), {instanceOf: RangeError}, format);
		const fitting = response('', {rawHeaders: many(most - 100)});
		const pipeline = initSerializer(format);
		t.is((pipeline.loads(pipeline.dumps(fitting, context), context) as StoredResponse).rawHeaders.length, most - 100, format);
	}

	t.throws(() => initSerializer('json').dumps(response('', {later: deep(64)} as object), context), {instanceOf: RangeError});
	t.notThrows(() => initSerializer('json').dumps(response('', {later: deep(63)} as object), context));
});

test.serial('text of a single-byte charset is decoded about as fast as ASCII', t => {
	const charset = findCharset('iso-8859-1')!;
	const milliseconds = (byte: number): number => {
		const bytes = Buffer.alloc(million, byte);
		return cpuTime(() => {
			const text = charset.decode(bytes);
			t.is(charset.encode(text).length, million);
		});
	};

	const ascii = milliseconds(0x41);
	const upper = milliseconds(0xE9);
	t.true(upper < Math.max(ascii, 1) * 12, `${ascii.toFixed(1)} and ${upper.toFixed(1)} ms`);
});
