import {Buffer} from 'node:buffer';
import {randomUUID} from 'node:crypto';
import {inspect} from 'node:util';
import {GetItemCommand, type AttributeValue} from '@aws-sdk/client-dynamodb';
import test from 'ava';
import {fc} from '../../helpers/fast-check.ts';
import {DynamoDbStore} from '../../../source/stores/dynamodb/index.ts';
import {marshal, unmarshal} from '../../../source/stores/dynamodb/documents.ts';
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

/** Reorders the members of maps, as DynamoDB may. */
function withoutOrder({L: list, M: map, ...other}: AttributeValue): AttributeValue {
	if (list !== undefined) {
		return {L: list.map(item => withoutOrder(item))};
	}

	return map === undefined
		? other as AttributeValue
		: {M: Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => a < b ? 1 : -1).map(([name, member]) => [name, withoutOrder(member)]))};
}

function throughDynamoDb(value: unknown): unknown {
	const {value: held, order} = marshal(value, Infinity);
	return unmarshal(withoutOrder(held), order);
}

for (const [name, document] of Object.entries(documents)) {
	test(`documents are restored unchanged from an item, from chunks and packed: ${name}`, t => {
		t.is(shown(throughDynamoDb(document)), shown(document));
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

test('documents: names with `$` or `.` are stored as they are, and only what DynamoDB refuses is packed', t => {
	t.deepEqual(marshal({$schema: 'x', 'a.b': {'': 1}}, Infinity).value, {M: {$schema: {S: 'x'}, 'a.b': {M: {'(json)': {S: '{"":1}'}}}}});
});

test('documents: objects of a list that lack some members store no order of their own', t => {
	const list = [{id: 1, link: 'a'}, {id: 2, name: 'b', link: 'c'}, {id: 3, name: 'd'}];
	const {value, order} = marshal({list, last: true}, Infinity);
	t.is(order, '["list","last","id","name","link"]');
	t.false(JSON.stringify(value).includes('(order)'));
	t.true(JSON.stringify(marshal([{a: 1, b: 2}, {b: 1, a: 2}], Infinity).value).includes('(order)'));
});

test('documents: the size of an item is at most its upper bound', t => {
	const weight = ({S: text, N: number, B: bytes, L: list, M: map}: AttributeValue): number => Buffer.byteLength(text ?? '') + (number?.length ?? 0) + (bytes?.byteLength ?? 0)
		+ (list ?? []).reduce((sum, item) => sum + weight(item) + 1, 3)
		+ Object.entries(map ?? {}).reduce((sum, [name, item]) => sum + Buffer.byteLength(name) + weight(item) + 1, 0);
	for (const [name, document] of Object.entries(documents)) {
		const {value, order, bytes} = marshal(document, Infinity);
		t.true(weight(value) + Buffer.byteLength(order ?? '') <= bytes, name);
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

test('documents: any document comes back unchanged, however DynamoDB orders its members', t => {
	t.log(`Seed: ${seed}`);
	fc.assert(fc.property(anyDocument, document => {
		t.is(shown(throughDynamoDb(document)), shown(document));
		t.is(shown(unpackBytes(packBytes(document))), shown(document));
	}), {seed, numRuns: 150});
});

test('documents: values that are not plain data are refused, and `undefined` is left out', t => {
	for (const value of [new Date(0), new Map(), 1n, () => {}, Symbol('a'), /a/v]) {
		t.throws(() => marshal({a: [{value}]}, Infinity), {code: 'ERR_STORE_VALUE'});
		t.throws(() => pack({zero: -0, a: [{value}]}), {code: 'ERR_STORE_VALUE'});
		t.throws(() => marshal({'': -0, a: [{value}]}, Infinity), {code: 'ERR_STORE_VALUE'});
	}

	t.is(shown(throughDynamoDb({a: undefined, b: [undefined]})), '{ b: [ null ] }');
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
		const response = {
			status: 200, headers: {etag: '"a"', age: '1'}, body: {list: [1.5, true, null]}, raw: new Uint8Array([1, 2]),
		};
		await store.set('key', response, {expires: 4_102_444_800_000.5, indexed: {createdAt: 1000, freshUntil: 2000}});
		const {Item: item} = await client.send(new GetItemCommand({TableName: tableName, Key: {namespace: {S: 'readable'}, key: {S: 'key'}}}));
		t.deepEqual(item, {
			namespace: {S: 'readable'},
			key: {S: 'key'},
			value: {
				M: {
					status: {N: '200'},
					headers: {M: {etag: {S: '"a"'}, age: {S: '1'}}},
					body: {M: {list: {L: [{N: '1.5'}, {BOOL: true}, {NULL: true}]}}},
					raw: {B: new Uint8Array([1, 2])},
				},
			},
			order: {S: '["status","headers","body","raw","etag","age"]'},
			expires: {N: '4102444800000.5'},
			ttl: {N: '4102444801'},
			createdAt: {N: '1000'},
			freshUntil: {N: '2000'},
		});
	});
}
