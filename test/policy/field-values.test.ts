import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {normalizeFieldValue} from '../../source/policy/field-values.ts';
import {cpuTime, isProportional} from '../helpers/cpu-time.ts';

const seed = 16_008;

type Row = readonly [title: string, name: string, values: readonly string[]];

const same: readonly Row[] = [
	['white space at the ends', 'x-a', ['a', ' a', 'a\t', ' \t a \t ']],
	['white space around commas', 'x-a', ['a,b', 'a, b', 'a ,b', ' a\t,\tb ']],
	['white space around the commas between quoted strings', 'x-a', ['"a, b","c"', '"a, b" , "c"']],
	['white space around the commas between comments', 'user-agent', ['a (b, c),d (e)', 'a (b, c) , d (e)']],
	['white space around commas after an escaped quote', 'x-a', [String.raw`"\"",a`, String.raw`"\"" , a`]],
	['white space around commas after a quote in a comment', 'x-a', ['("),a', '(") , a']],
	['white space around commas after a parenthesis in a quoted string', 'x-a', ['"(",a', '"(" , a']],
	['white space around commas after what closes nothing', 'x-a', ['),a', ') , a']],
	['white space around commas after a backslash', 'x-a', [String.raw`\,a`, String.raw`\ , a`]],
	['nothing', 'x-a', ['', ' ', '\t']],
	['the order of codings', 'accept-encoding', ['gzip, br', 'br, gzip']],
	['the letter case of codings', 'accept-encoding', ['gzip', 'GZip']],
	['white space among codings', 'accept-encoding', ['gzip;q=0.5,br', 'br , gzip ; q=0.5', ' br,gzip;\tQ=0.5 ']],
	['a coding that is repeated', 'accept-encoding', ['gzip, br', 'gzip, br, gzip', 'gzip,,br,']],
	['no coding', 'accept-encoding', ['', ' ', ',', ' , ']],
	['the letter case of languages', 'accept-language', ['de-CH, en', 'de-ch, EN']],
	['white space around commas between languages', 'accept-language', ['de, en;q=0.5', 'de , en;q=0.5', 'de,en;q=0.5']],
];

for (const [title, name, values] of same) {
	test(`${name}: ${title}: the values are equal`, t => {
		const normalized = values.map(value => normalizeFieldValue(name, value));
		t.is(new Set(normalized).size, 1, JSON.stringify(normalized));
		t.deepEqual(normalized.map(value => normalizeFieldValue(name, value)), normalized);
	});
}

const different: readonly Row[] = [
	['letter case', 'x-tenant', ['a', 'A']],
	['letter case of types', 'accept', ['text/html', 'Text/HTML']],
	['order', 'x-a', ['a, b', 'b, a']],
	['order of types', 'accept', ['text/html, text/plain', 'text/plain, text/html']],
	['white space within a member', 'x-a', ['a b', 'a  b', 'ab', 'a\tb']],
	['white space around a semicolon', 'accept', ['a;q=1', 'a; q=1']],
	['white space in a quoted string', 'x-a', ['"a,b"', '"a, b"', '"a ,b"', '" a,b"']],
	['white space in a quoted string among others', 'x-a', ['c, "a,b"', 'c, "a, b"']],
	['white space after an escaped quote', 'x-a', [String.raw`"\",b", a`, String.raw`"\", b", a`]],
	['white space in a comment', 'user-agent', ['a (b,c)', 'a (b, c)', 'a (b ,c)']],
	['white space in a comment in a comment', 'user-agent', ['a (b (c),d), e', 'a (b (c), d), e']],
	['white space after an escaped parenthesis', 'user-agent', [String.raw`(\),b), a`, String.raw`(\), b), a`]],
	['white space in an unclosed string or comment', 'x-a', ['"a,b', '"a, b', '(a,b', '(a, b', '((a),b', '((a), b']],
	['white space that HTTP does not define', 'x-a', ['a', '\u{A0}a', 'a\u{A0}', '\u{B}a', '\u{FEFF}a']],
	['empty members', 'x-a', ['a,b', 'a,,b', 'a,b,', ',a,b']],
	['weights', 'accept-encoding', ['gzip', 'gzip;q=0', 'gzip;q=0.5', 'gzip;q=1']],
	['white space that may not be there', 'accept-encoding', ['gzip;q=0', 'gzip;q =0', 'gz ip;q=0']],
	['a malformed coding', 'accept-encoding', ['"a", b', 'b, "a"', '"A", b', '"a,b"', '"a, b"', '\u{C9}', '\u{E9}']],
	['the order of languages', 'accept-language', ['de, en', 'en, de']],
	['a language that is repeated', 'accept-language', ['de', 'de, de']],
	['white space around the weight of a language', 'accept-language', ['de;q=1', 'de; q=1']],
	['a malformed language', 'accept-language', ['"A"', '"a"', '\u{C9}', '\u{E9}']],
];

for (const [title, name, values] of different) {
	test(`${name}: ${title}: the values differ`, t => {
		const normalized = values.map(value => normalizeFieldValue(name, value));
		t.is(new Set(normalized).size, values.length, JSON.stringify(normalized));
	});
}

const names = fc.constantFrom('accept-encoding', 'accept-language', 'accept', 'x-a');
const hostile = fc.array(fc.constantFrom('a', 'B', ' ', '\t', ',', ';', '"', '\\', '(', ')', '=', '\u{E9}'), {maxLength: 30}).map(parts => parts.join(''));

test('a normal form is its own normal form', t => {
	t.log(`seed ${seed}`);
	fc.assert(fc.property(names, hostile, (name, value) => {
		const once = normalizeFieldValue(name, value);
		t.is(normalizeFieldValue(name, once), once);
	}), {seed, numRuns: 5000});
});

test('of an unknown field, only white space around commas and at the ends is removed', t => {
	t.log(`seed ${seed}`);
	const without = (value: string): string => value.replaceAll(/[\t ]/gv, '');
	fc.assert(fc.property(hostile, value => {
		t.is(without(normalizeFieldValue('x-a', value)), without(value));
	}), {seed, numRuns: 5000});
});

const units = [' ', ',', ', ', ' a', '"', '" ', '"a, b" ', '\\', '"\\', '(', '(,', '()', ';', '; ', 'a;', 'a ; q=0.5 ,'];

test.serial('hostile values take time in proportion to their length', async t => {
	for (const unit of units) {
		for (const name of ['x-a', 'accept-encoding', 'accept-language']) {
			for (const value of [unit.repeat(100_000), `${unit.repeat(100_000)}x`, `x,${unit.repeat(100_000)}`]) {
				await isProportional(t, [value.slice(0, value.length / 100), value], 100, text => cpuTime(() => normalizeFieldValue(name, text)));
			}
		}
	}
});
