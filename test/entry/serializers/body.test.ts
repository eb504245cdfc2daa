import {Buffer} from 'node:buffer';
import test from 'ava';
import {bytesOf, readableBody} from '../../../source/entry/serializers/body.ts';
import type {EntryBody} from '../../../source/entry/serializers/stage.ts';
import {bodyBytes} from '../../../source/entry/stored-response.ts';
import {response} from './samples.ts';

const json = 'application/json';
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

type Row = readonly [title: string, type: string, body: string | Uint8Array, readable: EntryBody | 'bytes'];

const rows: readonly Row[] = [
	['JSON is a value', json, '{"name":"Ada"}', {json: {name: 'Ada'}}],
	['JSON of a problem is a value', 'application/problem+json', '{"status":404}', {json: {status: 404}}],
	['a JSON array is a value', json, '[1,2.5,"x",null,true]', {json: [1, 2.5, 'x', null, true]}],
	['a JSON number is a value', json, '1.5', {json: 1.5}],
	['a JSON string is a value', json, '"x"', {json: 'x'}],
	['null is a value', json, 'null', {json: null}],
	['JSON with indentation is a value', json, '{\n  "a": 1\n}\n', {json: {a: 1}, indent: '  ', lineFeed: true}],
	['JSON of another charset is a value', 'application/json; charset=iso-8859-1', latin1('"\u{E9}"'), {json: '\u{E9}', charset: 'iso-8859-1'}],
	['a float that JSON would format differently is text', json, '{"a":1.0}', {text: '{"a":1.0}'}],
	['a large integer is text', json, '12345678901234567890', {text: '12345678901234567890'}],
	['a duplicate key is text', json, '{"a":1,"a":2}', {text: '{"a":1,"a":2}'}],
	['keys that would be reordered are text', json, '{"2":0,"1":0}', {text: '{"2":0,"1":0}'}],
	['__proto__ is text', json, '{"a":[{"__proto__":{"b":1}}]}', {text: '{"a":[{"__proto__":{"b":1}}]}'}],
	['constructor is text', json, '{"constructor":{"prototype":1}}', {text: '{"constructor":{"prototype":1}}'}],
	['a type of BSON is text', json, '{"_bsontype":"ObjectId"}', {text: '{"_bsontype":"ObjectId"}'}],
	['a reference of MongoDB is text', json, '{"$ref":"a","$id":1}', {text: '{"$ref":"a","$id":1}'}],
	['half of a surrogate pair is text', json, String.raw`"\ud800"`, {text: String.raw`"\ud800"`}],
	['JSON nested deeper than databases allow is text', json, '['.repeat(25) + ']'.repeat(25), {text: '['.repeat(25) + ']'.repeat(25)}],
	['invalid JSON is text', json, '{oops', {text: '{oops'}],
	['text is text', 'text/plain', 'd\u{E9}j\u{E0} vu', {text: 'd\u{E9}j\u{E0} vu'}],
	['a byte order mark is preserved', 'text/plain; charset=utf8', '\u{FEFF}x', {text: '\u{FEFF}x', charset: 'utf8'}],
	['windows-1252 is text', 'text/html; charset=windows-1252', Uint8Array.of(0x80, 0xE9, 0x81), {text: '\u{20AC}\u{E9}\u{81}', charset: 'windows-1252'}],
	['KOI8-R is text', 'text/html; charset="KOI8-R"', Uint8Array.of(0xF0), {text: '\u{41F}', charset: 'KOI8-R'}],
	['UTF-16 is text', 'text/plain; charset=utf-16le', Buffer.from('x\u{20AC}', 'utf16le'), {text: 'x\u{20AC}', charset: 'utf-16le'}],
	['text that is invalid in its charset is bytes', 'text/plain; charset=utf-8', latin1('\u{E9}'), 'bytes'],
	['text of a multi-byte charset is bytes', 'text/plain; charset=shift_jis', 'abc', 'bytes'],
	['text of an unknown charset is bytes', 'text/plain; charset=x-none', 'abc', 'bytes'],
	['an image is bytes', 'image/png', 'abc', 'bytes'],
	['an empty body is bytes', 'text/plain', '', 'bytes'],
];

for (const [title, type, body, readable] of rows) {
	test(title, t => {
		const stored = response(body, {rawHeaders: ['Content-Type', type]});
		const form = readableBody(stored);
		t.deepEqual(form, readable === 'bytes' ? {bytes: stored.body} : readable);
		t.is(Buffer.compare(bytesOf(form), bodyBytes(stored.body)), 0);
	});
}

test('a body with a content coding is bytes, so that its Content-Encoding and Content-Length stay valid', t => {
	const stored = response('{}', {rawHeaders: ['Content-Type', json, 'Content-Encoding', 'gzip', 'Content-Length', '2']});
	t.deepEqual(readableBody(stored), {bytes: stored.body});
});
