import {Buffer} from 'node:buffer';
import {fc} from '../../helpers/fast-check.ts';
import {
	bodyBytes,
	storedResponse,
	type StoredMetadata,
	type StoredResponse,
} from '../../../source/entry/stored-response.ts';
import {compressed} from '../../../source/entry/serializers/compression.ts';
import {encrypted, signed} from '../../../source/entry/serializers/cryptography.ts';
import {formatNames} from '../../../source/entry/serializers/formats.ts';
import {SerializerPipeline} from '../../../source/entry/serializers/pipeline.ts';
import type {Stage, StageContext} from '../../../source/entry/serializers/stage.ts';

export const context: StageContext = {key: 'http_cache:1:key', maxBytes: 64 * 1024 * 1024};
export const encryptionKey: Uint8Array = Buffer.alloc(32, 7);

/** Stages for bytes, by their name in test titles. */
export const stages: Readonly<Record<string, readonly Stage[]>> = {
	alone: [],
	zstd: [compressed('zstd', {threshold: 0})],
	br: [compressed('br', {threshold: 0})],
	gzip: [compressed('gzip', {threshold: 0})],
	signed: [signed({secret: 'secret'})],
	encrypted: [encrypted({key: encryptionKey})],
};

type Variant = {readonly name: string; readonly pipeline: SerializerPipeline};

/** Every format with every stage, with `decodeContent` and without. */
export const variants: readonly Variant[] = formatNames.flatMap(format => Object.entries(stages)
	.filter(([, following]) => format !== 'document' || following.length === 0)
	.flatMap(([stage, following]) => [false, true].map(decodeContent => ({
		name: `${format}, ${stage}${decodeContent ? ', decodeContent' : ''}`,
		pipeline: new SerializerPipeline([format, ...following], {decodeContent}),
	}))));

export function response(body: string | Uint8Array, metadata: Partial<StoredMetadata> = {}): StoredResponse {
	return storedResponse({
		method: 'GET',
		url: 'https://example.com/users/1',
		statusCode: 200,
		statusMessage: 'OK',
		rawHeaders: ['Content-Type', 'application/json', 'ETag', '"1"'],
		createdAt: 1_767_225_600_000,
		initialAge: 0,
		expires: undefined,
		retainUntil: undefined,
		decidedBy: 'user',
		generation: 'generation',
		...metadata,
	}, Buffer.from(body));
}

/** Returns a response in a form that can be compared: a `Buffer` equals a `Uint8Array`. */
export function facts({body, ...others}: StoredResponse): unknown {
	return {...others, fields: {...others.fields}, body: Buffer.from(bodyBytes(body)).toString('latin1')};
}

const text = fc.string({unit: 'binary', maxLength: 40});
const pairs = (names: fc.Arbitrary<string>): fc.Arbitrary<string[]> => fc.array(fc.tuple(names, text), {maxLength: 6}).map(lines => lines.flat());
const strings = fc.array(text, {maxLength: 3});
const time = fc.oneof(fc.nat(), fc.double({noNaN: true, noDefaultInfinity: true, min: 0}));
const type = fc.constantFrom('application/json', 'application/problem+json; charset=utf-8', 'text/plain', 'text/html; charset=ISO-8859-1', 'text/plain; charset="windows-1251"', 'text/plain; charset=utf-16le', 'text/plain; charset=shift_jis', 'text/x; charset=none', 'application/octet-stream', 'image/png');
const headerName = fc.constantFrom('Content-Type', 'content-encoding', 'Set-Cookie', 'X-A', 'x-a', 'constructor', '1', '__proto__', 'X-\u{E9}');

const json = fc.jsonValue({maxDepth: 5, stringUnit: 'binary'});
const oddJson = fc.dictionary(fc.constantFrom('__proto__', 'constructor', '$ref', '$id', '_bsontype', 'a.b', '', 'toJSON', '1', 'a'), fc.oneof(json, fc.constantFrom('ObjectId', 1.5, 2 ** 31, 2 ** 53, -0)), {maxKeys: 4});

const bodies = fc.oneof(
	fc.uint8Array({maxLength: 300}),
	fc.string({unit: 'binary', maxLength: 200}).map(value => Buffer.from(value)),
	fc.string({unit: 'binary-ascii', maxLength: 200}).map(value => Buffer.from(value)),
	fc.array(fc.constantFrom('a', ' ', '\n', '\t', '\r', '#', ':', '-', '"', '\'', '|', '\u{85}', '\u{2028}', '\u{FEFF}', '%', '&', '*', '\0'), {maxLength: 30}).map(parts => Buffer.from(parts.join(''))),
	fc.tuple(fc.oneof(json, oddJson), fc.constantFrom(undefined, 2, '\t', 4), fc.constantFrom('', '\n', ' ')).map(([value, indent, end]) => Buffer.from(JSON.stringify(value, undefined, indent) + end)),
	fc.constantFrom('1.0', '-0', '1e400', '12345678901234567890', '{"a":1,"a":2}', String.raw`"\u{41}"`, String.raw`"\ud800"`, '[1,\n2]', '{"2":0,"1":0}', '\u{FEFF}{}', '"\u{D83D}\u{DE00}"', 'null').map(value => Buffer.from(value)),
);

/** Generates any response that may be stored, with unknown members in the metadata. */
export const anyResponse: fc.Arbitrary<StoredResponse> = fc.record({
	metadata: fc.record({
		method: text,
		url: text,
		statusCode: fc.integer({min: 100, max: 599}),
		statusMessage: text,
		createdAt: time,
		initialAge: time,
		expires: fc.option(time, {nil: undefined}),
		retainUntil: fc.option(time, {nil: undefined}),
		decidedBy: fc.constantFrom('user' as const, 'origin' as const),
		generation: text,
	}),
	rawHeaders: pairs(headerName),
	type: fc.option(type, {nil: undefined}),
	optional: fc.record({
		codings: strings,
		vary: fc.record({names: strings, digest: text}),
		request: fc.record({
			method: text, url: text, rawHeaders: pairs(text), body: text, bodyParts: fc.array(text, {maxLength: 2}), trust: text, partition: fc.record({parts: fc.array(fc.tuple(text, text), {maxLength: 2}), digest: text}),
		}, {requiredKeys: ['method', 'url', 'rawHeaders']}),
		primary: text,
		tags: strings,
		facts: fc.record({
			noCache: fc.constant(true as const), staleIfError: fc.nat(), lastModified: time, isDateWeak: fc.constant(true as const), targets: strings,
		}, {requiredKeys: []}),
		later: fc.record({of: fc.array(fc.oneof(fc.integer(), text, fc.boolean(), fc.constant(null)), {maxLength: 3})}),
	}, {requiredKeys: []}),
	body: bodies,
}).map(({metadata, rawHeaders, type: contentType, optional, body}) => storedResponse({
	...metadata,
	rawHeaders: contentType === undefined ? rawHeaders : ['Content-Type', contentType, ...rawHeaders.filter((_, index) => !/^content-type$/iv.test(rawHeaders[index - (index % 2)]!))],
	...optional,
}, body));
