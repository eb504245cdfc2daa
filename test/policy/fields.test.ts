import {Buffer} from 'node:buffer';
import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {isComplete} from '../../source/policy/response-facts.ts';
import {
	datedFields,
	freshenedFields,
	notModifiedFields,
	replaceField,
	storableFields,
	fieldLines,
	fieldTokens,
	fieldValue,
} from '../../source/policy/fields.ts';
import {deltaMilliseconds, parseDirectives, qualifiedFields} from '../../source/policy/directives.ts';
import {
	always,
	decide,
	type EvaluatedRule,
	type Rule,
} from '../../source/policy/facts.ts';
import {cpuTime, isProportional} from '../helpers/cpu-time.ts';

const directives: ReadonlyArray<readonly [title: string, value: string | undefined, parsed: ReadonlyArray<readonly [string, string | true]>]> = [
	['no value has none', undefined, []],
	['an empty value has none', '', []],
	['names are case-insensitive', 'No-CACHE, MAX-age=5', [['no-cache', true], ['max-age', '5']]],
	['an argument may be quoted', 'max-age="5", no-cache="a, b"', [['max-age', '5'], ['no-cache', 'a, b']]],
	['a quoted comma does not separate members', 'private="x,no-store", max-age=1', [['private', 'x,no-store'], ['max-age', '1']]],
	['escapes are undone', String.raw`x="a\"b\\c"`, [['x', String.raw`a"b\c`]]],
	['two different arguments are an invalid number', 'max-age=1, max-age=2, a, a=1, b=1, b', [['max-age', '1,2'], ['a', ',1'], ['b', '1,']]],
	['two equal arguments are one', 'max-age=1, max-age="1", a, a', [['max-age', '1'], ['a', true]]],
	['empty members are ignored', ',, no-store ,,', [['no-store', true]]],
	['white space is ignored', '  max-age = 5 ,\tno-store', [['max-age', '5'], ['no-store', true]]],
	['an argument may be missing', 'max-age=', [['max-age', '']]],
	['a quoted string that is not closed is no argument', 'max-age="5', [['max-age', '']]],
	['a number in a malformed member is invalid', 'max-age=5 6, no-store', [['max-age', ''], ['no-store', true]]],
	['a restriction in a malformed member counts', 'max-age=5 no-store; no-cache', [['max-age', ''], ['no-store', true], ['no-cache', true]]],
	['a quoted member is malformed', '"max-age=5", public', [['max-age', ''], ['public', true]]],
	['a quoted string that is not closed includes all that follows', 'a="b, max-age=5, no-store', [['max-age', ''], ['no-store', true]]],
	['an argument ends where a token ends', 'max-age=60;no-store, a=b/c', [['max-age', ''], ['no-store', true]]],
	['a name is a token', 'no-store:, (no-cache), public?', [['no-store', true], ['no-cache', true]]],
	['an unknown word in a malformed member is ignored', '=x, ;y, public', [['public', true]]],
];

for (const [title, value, parsed] of directives) {
	test(`RFC 9111 §5.2: ${title}`, t => {
		t.deepEqual([...parseDirectives(value)], parsed);
	});
}

// RFC 9110 §5.6.2: what is no token may be read as white space by a server, but is none of HTTP's. Latin-1, as Node.js gives headers; and what other sources of headers may have.
const separators = [
	...Array.from({length: 256}, (_, code) => String.fromCodePoint(code)),
	...'\u{1680}\u{2000}\u{200B}\u{2028}\u{202F}\u{3000}\u{FEFF}',
	// What UTF-8 is, read as Latin-1.
	...['\u{A0}', '\u{FEFF}', '\u{2003}'].map(character => Buffer.from(character).toString('latin1')),
].filter(text => !/^[\w\t !#$%\u{26}'*+\-.=^`\|~]$/v.test(text));

test('RFC 9111 §5.2: a restriction counts with any separator', t => {
	for (const separator of separators) {
		for (const restriction of ['no-store', 'no-cache', 'must-revalidate', 'only-if-cached']) {
			for (const value of [`${separator}${restriction}`, `${restriction}${separator}`, `max-age=60,${separator}${restriction}`, `public${separator}${restriction}`, `max-age=60${separator}${restriction}`, `x=${separator}${restriction}`, `x${separator}=${restriction}, ${restriction}`]) {
				t.true(parseDirectives(value).has(restriction), JSON.stringify(value));
			}
		}
	}
});

test('RFC 9111 §5.2.2.4: an invalid field name does not limit a directive', t => {
	const others = separators.filter(text => !',"\\'.includes(text));
	for (const separator of others) {
		t.deepEqual(qualifiedFields(parseDirectives(`no-cache="x-a${separator}"`), 'no-cache'), [], JSON.stringify(separator));
	}

	t.deepEqual(qualifiedFields(parseDirectives('no-cache=" X-A ,\tx-b"'), 'no-cache'), ['x-a', 'x-b']);
});

test('RFC 9110 §7.6.1: a field that Connection lists is not stored, with any separator', t => {
	for (const separator of separators) {
		t.deepEqual(storableFields(['Connection', `close,${separator}X-Hop${separator}`, 'X-Hop', '1'], []), [], JSON.stringify(separator));
	}
});

test('RFC 9110 §5.6.3: optional white space is spaces and tabs', t => {
	t.deepEqual(fieldTokens({a: '\t gzip ,br\u{A0}'}, 'a'), ['gzip', 'br\u{A0}']);
});

test('parsing never throws and gives only lower-case names', t => {
	fc.assert(fc.property(fc.string({unit: 'binary'}), value => {
		const names = parseDirectives(value).keys().toArray();
		t.deepEqual(names, names.map(name => name.toLowerCase()));
	}));
});

const deltas: ReadonlyArray<readonly [argument: string, milliseconds: number | undefined]> = [
	['', undefined],
	['a=0', 0],
	['a=5', 5000],
	['a="5"', 5000],
	['a=-1', 42],
	['a=1.5', 42],
	['a', 42],
	['a=2147483649', 2_147_483_648_000],
];

for (const [argument, milliseconds] of deltas) {
	test(`RFC 9111 §1.2.2: ${argument === '' ? 'nothing' : argument} is ${milliseconds} ms (42 if it is invalid)`, t => {
		t.is(deltaMilliseconds(parseDirectives(argument), 'a', 42), milliseconds);
	});
}

test('RFC 9110 §5.3: several field lines are one list', t => {
	const fields = {a: ['1', '2,3'], b: '4', c: undefined};
	t.deepEqual(fieldLines(fields, 'a'), ['1', '2,3']);
	t.is(fieldValue(fields, 'a'), '1, 2,3');
	t.is(fieldValue(fields, 'b'), '4');
	t.is(fieldValue(fields, 'c'), undefined);
	t.is(fieldValue(fields, 'constructor'), undefined);
	t.deepEqual(fieldTokens({a: ['X, ', 'y,,z']}, 'a'), ['x', 'y', 'z']);
	t.deepEqual(fieldTokens({}, 'a'), []);
});

test('RFC 9111 §3.1: fields of the connection are not stored', t => {
	const raw = [':status', '200', 'Date', 'd', 'Connection', 'close, X-Hop', 'x-hop', '1', 'Transfer-Encoding', 'chunked', 'X-Kept', '2', 'Content-Encoding', 'gzip', 'Content-Length', '9'];
	t.deepEqual(storableFields(raw, []), ['Date', 'd', 'X-Kept', '2', 'Content-Encoding', 'gzip', 'Content-Length', '9']);
	t.deepEqual(storableFields(raw, ['content-encoding', 'content-length']), ['Date', 'd', 'X-Kept', '2']);
	t.deepEqual(storableFields(['Connection', 'Keep-Alive', 'Keep-Alive', 'timeout=5', 'Connection', '', 'X-Kept', '2'], []), ['X-Kept', '2']);
});

test.serial('many fields that are not stored take time in proportion to their number', async t => {
	await isProportional(t, [300, 30_000], 100, count => {
		const names = Array.from({length: count}, (_, index) => `x-${index}`);
		const raw = ['Connection', names.join(','), ...names.flatMap(name => [`a${name}`, '1'])];
		return cpuTime(() => {
			t.is(storableFields(raw, names).length, 2 * count);
		}, 3);
	});
});

test('RFC 9111 §3.2: a 304 updates the stored fields except those that describe the stored bytes', t => {
	const stored = ['ETag', '"a"', 'Content-Length', '5', 'Link', 'one', 'Link', 'two', 'X-Old', '1'];
	const update = ['etag', '"b"', 'Content-Length', '0', 'Content-Encoding', 'gzip', 'Link', 'three', 'Connection', 'close', 'X-New', '2'];
	t.deepEqual(freshenedFields(stored, update, []), ['Content-Length', '5', 'X-Old', '1', 'etag', '"b"', 'Link', 'three', 'X-New', '2']);
});

const bodies: ReadonlyArray<readonly [title: string, method: string, statusCode: number, fields: Record<string, string>, byteLength: number, whole: boolean]> = [
	['without an announced length is complete', 'GET', 200, {}, 3, true],
	['of the announced length is complete', 'GET', 200, {'content-length': '3'}, 3, true],
	['that is shorter is incomplete', 'GET', 200, {'content-length': '4'}, 3, false],
	['that is longer is not complete', 'GET', 200, {'content-length': '2'}, 3, false],
	['with a length that is not a number is incomplete', 'GET', 200, {'content-length': '3, 3'}, 3, false],
	['whose length a transfer coding overrides is complete', 'GET', 200, {'content-length': '4', 'transfer-encoding': 'chunked'}, 3, true],
	['of HEAD is empty with any Content-Length', 'HEAD', 200, {'content-length': '4'}, 0, true],
	['of a 204 is empty with any Content-Length', 'GET', 204, {'content-length': '4'}, 0, true],
	['that is longer than its Content-Length is not complete, even with a transfer coding', 'GET', 200, {'content-length': '2', 'transfer-encoding': 'chunked'}, 3, false],
	['of a 205 that is longer than announced is not complete', 'GET', 205, {'content-length': '0'}, 3, false],
	['with white space around the length is complete', 'GET', 200, {'content-length': ' 3\t'}, 3, true],
	['of HEAD is empty even if the announced length is not a number', 'HEAD', 200, {'content-length': 'x'}, 0, true],
	...['+3', '-3', '0x3', '3.0', '3e0', '3\u{A0}', '\u{B}3', '3, 4', '3;', '0b11'].map(length => [`with the length ${JSON.stringify(length)} is not complete`, 'GET', 200, {'content-length': length}, 3, false] as const),
	['with an empty length is not complete', 'GET', 200, {'content-length': ''}, 0, false],
];

for (const [title, method, statusCode, fields, byteLength, whole] of bodies) {
	test(`RFC 9112 §8: a body ${title}`, t => {
		t.is(isComplete(method, {statusCode, fields}, byteLength), whole);
	});
}

test('a rule table without a matching row throws', t => {
	t.throws(() => decide<object, string>([], {}), {message: /No rule holds/v});
	t.true(always());
});

test('the evaluated rules are reported in order, up to the first that matches', t => {
	const rule = (reason: 'fresh' | 'stale' | 'miss', held: boolean): Rule<undefined, string> => ({
		reason,
		section: `§${reason}`,
		when: () => held,
		then: (_facts, why) => why,
	});
	const asked: EvaluatedRule[] = [];
	t.is(decide([rule('fresh', false), rule('stale', true), rule('miss', true)], undefined, asked), 'stale');
	t.deepEqual(asked, [{reason: 'fresh', section: '§fresh', held: false}, {reason: 'stale', section: '§stale', held: true}]);
});

test('RFC 9110 §15.4.5: a 304 has the fields that a cache wants, and no others', t => {
	t.deepEqual(notModifiedFields(['ETag', '"a"', 'Content-Type', 'x', 'Vary', 'accept', 'Cache-Control', 'max-age=1']), ['ETag', '"a"', 'Vary', 'accept', 'Cache-Control', 'max-age=1']);
});

test('a field is replaced by one line, in any letter case', t => {
	t.deepEqual(replaceField(['AGE', '1', 'Date', 'd', 'age', '2'], 'Age', '3'), ['Date', 'd', 'Age', '3']);
});

test('RFC 9110 §6.6.1: a response without a Date gets the time when it was received', t => {
	t.deepEqual(datedFields(['ETag', '"a"'], 0), ['ETag', '"a"', 'Date', 'Thu, 01 Jan 1970 00:00:00 GMT']);
	t.deepEqual(datedFields(['DATE', 'x'], 0), ['DATE', 'x']);
});
