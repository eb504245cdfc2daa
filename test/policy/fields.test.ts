import test from 'ava';
import fc from 'fast-check';
import {isWhole} from '../../source/policy/completeness.ts';
import {deltaMilliseconds, parseDirectives} from '../../source/policy/directives.ts';
import {fieldLines, fieldTokens, fieldValue} from '../../source/policy/fields.ts';
import {
	always,
	decide,
	type AskedRule,
	type Rule,
} from '../../source/policy/rule.ts';
import {
	datedFields,
	freshenedFields,
	notModifiedFields,
	replaceField,
	storableFields,
} from '../../source/policy/stored-fields.ts';

const directives: ReadonlyArray<readonly [title: string, value: string | undefined, parsed: ReadonlyArray<readonly [string, string | true]>]> = [
	['no value has none', undefined, []],
	['an empty value has none', '', []],
	['names are read in any letter case', 'No-CACHE, MAX-age=5', [['no-cache', true], ['max-age', '5']]],
	['an argument may be quoted', 'max-age="5", no-cache="a, b"', [['max-age', '5'], ['no-cache', 'a, b']]],
	['a quoted comma parts nothing', 'private="x,no-store", max-age=1', [['private', 'x,no-store'], ['max-age', '1']]],
	['escapes are undone', String.raw`x="a\"b\\c"`, [['x', String.raw`a"b\c`]]],
	['two that differ are one that is no number', 'max-age=1, max-age=2, a, a=1, b=1, b', [['max-age', '1,2'], ['a', ',1'], ['b', '1,']]],
	['two that are equal are one', 'max-age=1, max-age="1", a, a', [['max-age', '1'], ['a', true]]],
	['empty members are passed over', ',, no-store ,,', [['no-store', true]]],
	['white space is passed over', '  max-age = 5 ,\tno-store', [['max-age', '5'], ['no-store', true]]],
	['an argument may be missing', 'max-age=', [['max-age', '']]],
	['a quote that is not closed has no argument', 'max-age="5', [['max-age', '']]],
	['a number in what is broken is none', 'max-age=5 6, no-store', [['max-age', ''], ['no-store', true]]],
	['a restriction in what is broken counts', 'max-age=5 no-store; no-cache', [['max-age', ''], ['no-store', true], ['no-cache', true]]],
	['a member that is quoted is broken', '"max-age=5", public', [['max-age', ''], ['public', true]]],
	['a quote that is not closed takes all that follows', 'a="b, max-age=5, no-store', [['max-age', ''], ['no-store', true]]],
	['a word that means nothing in what is broken is nothing', '=x, ;y, public', [['public', true]]],
];

for (const [title, value, parsed] of directives) {
	test(`RFC 9111 §5.2: ${title}`, t => {
		t.deepEqual([...parseDirectives(value)], parsed);
	});
}

test('parsing never throws and gives only lower-case names', t => {
	fc.assert(fc.property(fc.string({unit: 'binary'}), value => {
		for (const name of parseDirectives(value).keys()) {
			t.is(name, name.toLowerCase());
		}
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
	test(`RFC 9111 §1.2.2: ${argument === '' ? 'nothing' : argument} is ${milliseconds} ms, 42 for what is invalid`, t => {
		t.is(deltaMilliseconds(parseDirectives(argument), 'a', 42), milliseconds);
	});
}

test('RFC 9110 §5.3: several lines are one list', t => {
	const fields = {a: ['1', '2,3'], b: '4', c: undefined};
	t.deepEqual(fieldLines(fields, 'a'), ['1', '2,3']);
	t.is(fieldValue(fields, 'a'), '1, 2,3');
	t.is(fieldValue(fields, 'b'), '4');
	t.is(fieldValue(fields, 'c'), undefined);
	t.is(fieldValue(fields, 'constructor'), undefined);
	t.deepEqual(fieldTokens({a: ['X, ', 'y,,z']}, 'a'), ['x', 'y', 'z']);
	t.deepEqual(fieldTokens({}, 'a'), []);
});

test('RFC 9111 §3.1: what belongs to the connection is not stored', t => {
	const raw = [':status', '200', 'Date', 'd', 'Connection', 'close, X-Hop', 'x-hop', '1', 'Transfer-Encoding', 'chunked', 'X-Kept', '2', 'Content-Encoding', 'gzip', 'Content-Length', '9'];
	t.deepEqual(storableFields(raw, []), ['Date', 'd', 'X-Kept', '2', 'Content-Encoding', 'gzip', 'Content-Length', '9']);
	t.deepEqual(storableFields(raw, ['content-encoding', 'content-length']), ['Date', 'd', 'X-Kept', '2']);
});

test.serial('many fields that are not stored take time in proportion to their number', t => {
	const milliseconds = (count: number): number => {
		const names = Array.from({length: count}, (_, index) => `x-${index}`);
		const raw = ['Connection', names.join(','), ...names.flatMap(name => [`a${name}`, '1'])];
		return Math.min(...Array.from({length: 3}, () => {
			const start = performance.now();
			t.is(storableFields(raw, names).length, 2 * count);
			return performance.now() - start;
		}));
	};

	const small = milliseconds(300);
	const large = milliseconds(30_000);
	// If it took the square, it would be 10,000 times as long.
	t.true(large < Math.max(small, 0.3) * 1000, `${small.toFixed(2)} ms and ${large.toFixed(2)} ms for a hundred times as much`);
});

test('RFC 9111 §3.2: a 304 updates what is stored, but not what describes the stored bytes', t => {
	const stored = ['ETag', '"a"', 'Content-Length', '5', 'Link', 'one', 'Link', 'two', 'X-Old', '1'];
	const update = ['etag', '"b"', 'Content-Length', '0', 'Content-Encoding', 'gzip', 'Link', 'three', 'Connection', 'close', 'X-New', '2'];
	t.deepEqual(freshenedFields(stored, update, []), ['Content-Length', '5', 'X-Old', '1', 'etag', '"b"', 'Link', 'three', 'X-New', '2']);
});

const bodies: ReadonlyArray<readonly [title: string, method: string, statusCode: number, fields: Record<string, string>, byteLength: number, whole: boolean]> = [
	['without an announced length is whole', 'GET', 200, {}, 3, true],
	['of the announced length is whole', 'GET', 200, {'content-length': '3'}, 3, true],
	['that is shorter is not', 'GET', 200, {'content-length': '4'}, 3, false],
	['that is longer is not', 'GET', 200, {'content-length': '2'}, 3, false],
	['with a length that is no number is not', 'GET', 200, {'content-length': '3, 3'}, 3, false],
	['whose length a transfer coding overrides is whole', 'GET', 200, {'content-length': '4', 'transfer-encoding': 'chunked'}, 3, true],
	['of HEAD is empty whatever was announced', 'HEAD', 200, {'content-length': '4'}, 0, true],
	['of a 204 is empty whatever was announced', 'GET', 204, {'content-length': '4'}, 0, true],
];

for (const [title, method, statusCode, fields, byteLength, whole] of bodies) {
	test(`RFC 9112 §8: a body ${title}`, t => {
		t.is(isWhole(method, {statusCode, fields}, byteLength), whole);
	});
}

test('a table of rules that decides nothing is a fault', t => {
	t.throws(() => decide<object, string>([], {}), {message: /must end/v});
	t.true(always());
});

test('the rules that were asked are told in order, up to the one that holds', t => {
	const rule = (reason: 'fresh' | 'stale' | 'miss', held: boolean): Rule<undefined, string> => ({
		reason,
		section: `§${reason}`,
		when: () => held,
		then: (_facts, why) => why,
	});
	const asked: AskedRule[] = [];
	t.is(decide([rule('fresh', false), rule('stale', true), rule('miss', true)], undefined, asked), 'stale');
	t.deepEqual(asked, [{reason: 'fresh', section: '§fresh', held: false}, {reason: 'stale', section: '§stale', held: true}]);
});

test('RFC 9110 §15.4.5: a 304 has the fields that a cache wants, and no others', t => {
	t.deepEqual(notModifiedFields(['ETag', '"a"', 'Content-Type', 'x', 'Vary', 'accept', 'Cache-Control', 'max-age=1']), ['ETag', '"a"', 'Vary', 'accept', 'Cache-Control', 'max-age=1']);
});

test('a field is replaced by one line, whatever its letter case', t => {
	t.deepEqual(replaceField(['AGE', '1', 'Date', 'd', 'age', '2'], 'Age', '3'), ['Date', 'd', 'Age', '3']);
});

test('RFC 9110 §6.6.1: what came without a date is of the moment when it came', t => {
	t.deepEqual(datedFields(['ETag', '"a"'], 0), ['ETag', '"a"', 'Date', 'Thu, 01 Jan 1970 00:00:00 GMT']);
	t.deepEqual(datedFields(['DATE', 'x'], 0), ['DATE', 'x']);
});
