import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {inspect} from 'node:util';
import {GetItemCommand} from '@aws-sdk/client-dynamodb';
import test from 'ava';
import {fc} from '../../helpers/fast-check.ts';
import {DynamoDbStore} from '../../../source/stores/dynamodb/index.ts';
import {
	pack,
	packBytes,
	unpack,
	unpackBytes,
} from '../../../source/stores/packed.ts';
import {clientOf, dynamoDbServers} from '../../helpers/dynamodb-server.ts';
import {seed} from '../../helpers/seed.ts';

const kept = {expires: undefined} as const;

function nested(depth: number): unknown {
	let document: unknown = new Uint8Array([1]);
	for (let level = 0; level < depth; level++) {
		document = level % 2 === 0 ? {document, last: -0} : [document];
	}

	return document;
}

const documents: Readonly<Record<string, object>> = {
	'members in an order of their own': {zebra: 1, apple: {y: 1, x: 2}, mango: [{b: 1, a: 2}, {b: 1, between: 3, a: 2}]},
	'members in orders that contradict each other': [{a: 1, b: 2}, {b: 1, a: 2}, {b: 1, a: 2, c: {a: 1, b: 2}}],
	'an order in a circle': [{a: 1, b: 2}, {b: 1, c: 2}, {c: 1, a: 2}],
	'names that DynamoDB or JavaScript takes for something else': {
		'': 0, $: 1, $$: 2, $1: 3, $bytes: 'YQ==', $order: '[]', 'a.b': 4, ['__proto__']: {['__proto__']: 5}, constructor: 6, '\u{D800}': 7, 10: 8, 9: 9,
	},
	'objects that look like our own words': [{'(json)': '1'}, {'(v8)': 'x', a: 1}, {'(order)': '[]', a: 1}, {a: {'(json)': {}}}],
	'the empty name alone': {'': {'': ''}},
	'empty things': {
		text: '', list: [], object: {}, bytes: new Uint8Array(0),
	},
	numbers: {
		zero: 0, negativeZero: -0, smallest: 5e-324, small: 1e-130, below: 1e-131, large: 9.8e125, larger: 1e126,
		largest: Number.MAX_VALUE, digits: 0.1 + 0.2, whole: Number.MAX_SAFE_INTEGER, negative: -1.5e-7,
	},
	'numbers in a list': [1, -0, 5e-324, -1e300],
	strings: ['', ' ', '\0', '\u{FEFF}mark', '\u{D800} alone', 'a\u{DFFF}', '日本語', '🦄', '{"a":1}'],
	'truth and nothing': {yes: true, no: false, none: null},
	bytes: {all: Uint8Array.from({length: 256}, (_, index) => index), part: Buffer.from('abcdef').subarray(2, 4)},
	'60 levels': nested(60) as object,
	'1000 levels': nested(1000) as object,
};

/** Shows a value deeply, with the order of members. */
function shown(value: unknown): string {
	return inspect(asPlain(value), {depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity});
}

function asPlain(value: unknown): unknown {
	if (value instanceof Uint8Array) {
		return new Uint8Array(value);
	}

	if (Array.isArray(value)) {
		return value.map(item => asPlain(item));
	}

	return typeof value === 'object' && value !== null
		? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asPlain(member)]))
		: value;
}

for (const [name, document] of Object.entries(documents)) {
	test(`documents are restored unchanged from an item and from chunks: ${name}`, t => {
		t.is(shown(unpackBytes(packBytes(document))), shown(document));
		t.is(shown(unpack(pack(document))), shown(document));
	});
}

test('documents: values are packed as readable JSON text unless that would lose something', t => {
	t.is(pack({$ref: '#', list: [1, null, {'a.b': '\u{D800}'}]}), String.raw`{"$ref":"#","list":[1,null,{"a.b":"\ud800"}]}`);
	for (const value of [-0, {deep: [-0]}, [new Uint8Array(1)], Infinity]) {
		t.true(pack(value) instanceof Uint8Array);
		t.is(packBytes(value)[0], 0xFF);
	}
});

const leaf = fc.oneof(
	fc.string({unit: 'binary', maxLength: 8}),
	fc.double({noNaN: true, noDefaultInfinity: true}),
	fc.boolean(),
	fc.constant(null),
	fc.uint8Array({maxLength: 8}),
	fc.string({minLength: 4096, maxLength: 5000}),
);
const name = fc.oneof(fc.constantFrom('', '$', '__proto__', 'a', 'b', 'c', '1', '$a', '\u{D800}'), fc.string({unit: 'binary', maxLength: 4}));
const {document: anyDocument} = fc.letrec(tie => ({
	document: fc.oneof({depthSize: 'medium'}, leaf, fc.array(tie('document'), {maxLength: 5}), fc.array(fc.tuple(name, tie('document')), {maxLength: 6}).map(entries => Object.fromEntries(entries))),
}));

test('documents: any document comes back unchanged', t => {
	t.log(`Seed: ${seed}`);
	fc.assert(fc.property(anyDocument, document => {
		t.is(shown(unpack(pack(document))), shown(document));
		t.is(shown(unpackBytes(packBytes(document))), shown(document));
	}), {seed, numRuns: 150});
});

test('documents: values that are not plain data are refused, and `undefined` is left out', t => {
	for (const value of [new Date(0), new Map(), 1n, () => {}, Symbol('a'), /a/v]) {
		t.throws(() => pack({zero: -0, a: [{value}]}), {code: 'ERR_STORE_VALUE'});
	}

	t.is(shown(unpack(pack({a: undefined, b: [undefined]}))), '{ b: [ null ] }');
});

for (const server of dynamoDbServers(test)) {
	const client = clientOf(server.url);
	const tableName = `documents-${randomUUID()}`;

	test(`documents on ${server.name}: all documents come back unchanged`, async t => {
		const store = new DynamoDbStore({client, tableName});
		for (const [title, document] of Object.entries(documents)) {
			await store.set(title, document, kept);
			t.is(shown(await store.get(title)), shown(document), title);
		}

		const large = {...documents, padding: Object.fromEntries(Array.from({length: 20_000}, (_, index) => [`name ${index}`, 'a text of some length']))};
		await store.set('large', large, kept);
		t.true(shown(await store.get('large')) === shown(large));
	});

	test(`documents on ${server.name}: an item is readable in a console`, async t => {
		const store = new DynamoDbStore({client, tableName, cacheName: 'readable'});
		const response = {status: 200, headers: {etag: '"a"'}, body: {list: [1.5, true, null]}};
		await store.set('key', response, {expires: 4_102_444_800_000.5, indexed: {createdAt: 1000, freshUntil: 2000}});
		const {Item: item} = await client.send(new GetItemCommand({TableName: tableName, Key: {namespace: {S: 'readable'}, key: {S: 'key'}}}));
		t.deepEqual(item, {
			namespace: {S: 'readable'},
			key: {S: 'key'},
			value: {S: JSON.stringify(response)},
			expires: {N: '4102444800000.5'},
			ttl: {N: '4102444801'},
			createdAt: {N: '1000'},
			freshUntil: {N: '2000'},
		});
	});
}
