import {Buffer} from 'node:buffer';
import v8 from 'node:v8';
import test, {type ExecutionContext} from 'ava';
import {Code, ObjectId, serialize} from 'bson';
import {initSerializer} from '../../../source/entry/serializers/pipeline.ts';
import type {FormatName} from '../../../source/entry/serializers/formats.ts';
import {UnreadableError, type UnreadableReason} from '../../../source/entry/serializers/stage.ts';
import {context, facts, response} from './samples.ts';

const stored = response('{"a":1}');
const plain = initSerializer('document', {decodeContent: true}).dumps(stored, context) as Readonly<Record<string, unknown>>;

function refused(t: ExecutionContext, format: FormatName, value: unknown, reason?: UnreadableReason): void {
	const error = t.throws(() => initSerializer(format).loads(value, context), {instanceOf: UnreadableError});
	if (reason !== undefined) {
		t.is(error?.reason, reason);
	}
}

const v8Entry = (value: unknown): Uint8Array => Buffer.concat([Buffer.from('GC8\u{1}'), v8.serialize(value)]);

// How each format writes a document, which may be invalid.
const writers: Readonly<Record<string, (document: object) => unknown>> = {
	json: document => JSON.stringify(document),
	yaml: document => JSON.stringify(document),
	bson: document => serialize(document),
	v8: v8Entry,
	document: document => document,
};

for (const [name, write] of Object.entries(writers)) {
	const format = name as FormatName;

	test(`${name}: only an entry of this version is read`, t => {
		t.deepEqual(facts(initSerializer(format).loads(write({...plain}), context) as typeof stored), facts(stored));
		refused(t, format, write({...plain, version: 2}), 'version');
		refused(t, format, write({...plain, version: 'x'}), 'format');
		refused(t, format, write({}), 'format');
		refused(t, format, write(name === 'bson' ? {} : []), 'format');
		refused(t, format, write({...plain, body: {}}), 'format');
		refused(t, format, write({...plain, body: {text: 'x', charset: 'x-none'}}), 'format');
		refused(t, format, write({...plain, byteLength: 8}), 'truncated');
		refused(t, format, write({...plain, statusCode: '200'}), 'metadata');
		refused(t, format, write({...plain, rawHeaders: ['a']}), 'metadata');
		refused(t, format, write({...plain, vary: {names: 'x', digest: 'x'}}), 'metadata');
		refused(t, format, write({...plain, request: {method: 'GET', rawHeaders: [1, 2]}}), 'metadata');
		refused(t, format, write({...plain, tags: [1]}), 'metadata');
		refused(t, format, write({...plain, facts: 'x'}), 'metadata');
		refused(t, format, write({...plain, facts: {noCache: 'yes'}}), 'metadata');
		refused(t, format, write({...plain, facts: {lastModified: '0'}}), 'metadata');
		refused(t, format, write({...plain, facts: {targets: [1]}}), 'metadata');
	});

	test(`${name}: unknown members are preserved`, t => {
		const later = {...plain, later: {of: [1, 'x']}};
		const restored = initSerializer(format).loads(write(later), context) as typeof stored;
		t.deepEqual(initSerializer('document', {decodeContent: true}).dumps(restored, context), later);
	});

	test(`${name}: no prototype is changed`, t => {
		for (const key of ['__proto__', 'constructor', 'prototype']) {
			const member = {[key]: {polluted: true}};
			refused(t, format, write({...plain, ...member}), 'metadata');
			const nested = initSerializer(format).loads(write({...plain, later: member, vary: {names: [], digest: '', ...member}}), context) as typeof stored;
			t.is((nested as unknown as {polluted?: boolean}).polluted, undefined);
			t.is((nested.vary as unknown as {polluted?: boolean}).polluted, undefined);
			t.is(Object.getPrototypeOf(nested.vary), Object.prototype);
		}

		t.false('polluted' in {});
	});
}

test('metadata is not read from a prototype', t => {
	refused(t, 'document', Object.create(plain), 'format');
	const {url: _url, ...incomplete} = plain;
	refused(t, 'document', Object.assign(Object.create({url: 'x'}) as object, incomplete), 'metadata');
});

test('aliases of YAML are not followed', t => {
	const bomb = ['a: &a [x, x, x, x]', ...Array.from({length: 12}, (_, index) => `${'b'.repeat(index + 1)}: &${'b'.repeat(index + 1)} [*${index === 0 ? 'a' : 'b'.repeat(index)}, *a]`)].join('\n');
	refused(t, 'yaml', `${bomb}\nversion: 1\nbody: {text: x}`, 'format');
});

test('types of YAML are not created', t => {
	for (const text of ['!!js/function "x"', '!!set {a}', '%YAML 1.1\n---\n!!timestamp 2001-01-01', '!!binary AA==']) {
		refused(t, 'yaml', text);
	}
});

test('a clone may contain the same value twice', t => {
	const part = ['x'];
	const restored = initSerializer('v8').loads(v8Entry({...plain, later: [part, part]}), context);
	t.deepEqual((restored as unknown as {later: unknown}).later, [part, part]);
});

test('a clone that is circular or not plain data is refused', t => {
	const self: unknown[] = [];
	self.push(self);
	const twice = ['x'];
	let deep: unknown = twice;
	for (let level = 0; level < 40; level++) {
		deep = [deep, deep];
	}

	const sparse: unknown[] = [];
	sparse[4_000_000_000] = 'x';
	refused(t, 'v8', v8Entry({...plain, later: sparse}), 'too-large');
	for (const value of [deep, self, new Map(), /x/v, new Date(0), 1n, new Uint16Array(1), new Error('x')]) {
		refused(t, 'v8', v8Entry({...plain, later: value}), 'format');
		refused(t, 'v8', v8Entry({...plain, body: {json: value}}), 'format');
	}
});

test('types of BSON are refused, and no code is run', t => {
	for (const value of [new Date(0), /x/v, new Code('globalThis.ran = true'), new ObjectId()]) {
		refused(t, 'bson', serialize({...plain, later: value}), 'format');
	}

	t.false('ran' in globalThis);
});

test('a forged length allocates nothing', t => {
	const entry = initSerializer('binary').dumps(stored, context) as Uint8Array;
	const forged = Buffer.from(entry);
	forged.writeUInt32BE(0xFF_FF_FF_FF, 4);
	refused(t, 'binary', forged, 'truncated');
	refused(t, 'binary', entry.subarray(0, 6), 'truncated');
	refused(t, 'binary', entry.subarray(0, -1), 'truncated');

	const bson = Buffer.from(serialize({...plain}));
	bson.writeInt32LE(0x7F_FF_FF_FF, 0);
	refused(t, 'bson', bson, 'format');

	// A dense array, a string and a buffer of 4 GB.
	for (const tag of ['A', 'S', 'B', '"', 'c']) {
		refused(t, 'v8', Buffer.concat([Buffer.from('GC8\u{1}'), Uint8Array.of(0xFF, 0x0F), Buffer.from(tag), Uint8Array.of(0xFF, 0xFF, 0xFF, 0xFF, 0x0F)]));
	}
});

test('an entry of another version or format is refused with that reason', t => {
	const entry = Buffer.from(initSerializer('binary').dumps(stored, context) as Uint8Array);
	refused(t, 'v8', entry, 'format');
	refused(t, 'json', entry, 'format');
	refused(t, 'binary', Buffer.from('{}'), 'format');
	refused(t, 'json', {}, 'format');
	refused(t, 'document', 'text', 'format');
	entry[3] = 2;
	refused(t, 'binary', entry, 'version');
});
