import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {
	canonicalJson,
	maxJsonLength,
	redactJson,
	type JsonPath,
} from '../../source/identity/json.ts';
import {cpuTime, isProportional} from '../helpers/cpu-time.ts';
import {referenceJson, referenceRedaction} from './reference-json.ts';

const seed = 16_013;

const space = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r', ' \n\t');
const numbers = fc.oneof(
	fc.constantFrom('0', '-0', '1.0', '1', '10', '1e5', '1E+5', '-1.50e-7', '12345678901234567890', '12345678901234567891', '1e400'),
	fc.double({noNaN: true, noDefaultInfinity: true}).map(value => JSON.stringify(value)),
);
const names = fc.constantFrom('a', 'b', 'aa', 'a!', '', '1', '10', '2', '__proto__', 'token', '\u{E9}', '\u{D83D}\u{DE00}', '\u{FFFF}', 'a"', 'a\\', '\n', 'with a long name that is not copied');

/** A string in one of its spellings: as JSON writes it, with needless escapes, or with nothing else. */
function spelled(text: string, spelling: number): string {
	const written = JSON.stringify(text);
	switch (spelling) {
		case 0: {
			const escapes = Array.from({length: text.length}, (_, index) => text.slice(index, index + 1).codePointAt(0)!.toString(16).padStart(4, '0'));
			return `"${escapes.map(escape => String.raw`\u${escape}`).join('')}"`;
		}

		case 1: {
			return written.replaceAll('/', String.raw`\/`).replaceAll('a', String.raw`\u0061`).replaceAll(String.raw`\n`, String.raw`\u000A`);
		}

		default: {
			return written;
		}
	}
}

const spellings = fc.nat({max: 5});
const texts = fc.oneof(
	names,
	fc.string({unit: 'binary', maxLength: 12}),
	fc.constantFrom('REDACTED', '\\', '\\\\', String.raw`\"`, '\u{D800}', '\u{DC00}\n', '/', 'x'.repeat(100)),
);
const strings = fc.oneof(
	fc.tuple(texts, spellings).map(([value, spelling]) => spelled(value, spelling)),
	fc.constantFrom('"\u{D800}"', String.raw`"\ud800"`, '"\u{7F}"', '"\u{2028}"', String.raw`"\\"`, String.raw`"\\\""`),
);

const joined = (...parts: Array<fc.Arbitrary<string>>): fc.Arbitrary<string> => fc.tuple(...parts).map(strung => strung.join(''));
const listed = (item: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.tuple(fc.array(item, {maxLength: 7}), space).map(([items, inside]) => items.length === 0 ? inside : items.join(','));

/** JSON in any spelling: white space, escapes, numbers, members of one name. */
const {json} = fc.letrec<{json: string; array: string; object: string}>(tie => {
	const name = fc.tuple(names, spellings).map(([value, spelling]) => spelled(value, spelling));
	return {
		json: fc.oneof({depthSize: 'medium', withCrossShrink: true}, numbers, strings, fc.constantFrom('true', 'false', 'null'), tie('array'), tie('object')),
		array: listed(joined(space, tie('json'), space)).map(items => `[${items}]`),
		object: listed(joined(space, name, space, fc.constant(':'), space, tie('json'), space)).map(members => `{${members}}`),
	};
});
const text = joined(space, json, space);

/** Text that is mostly not JSON: cut, spliced and with other characters. */
const pieces = ['', ...',:"\\[]{}-0.e+ \u{A0}\u{FEFF}\u{B}\n\0\'', 'true', 'nul', 'NaN', 'x', '//'];
const broken = fc.tuple(text, text, fc.nat(), fc.nat(), fc.constantFrom(...pieces))
	.map(([first, second, from, to, piece]) => first.slice(0, from % (first.length + 1)) + piece + second.slice(to % (second.length + 1)));

/** Leaves out some fields, by where they stand. */
const dropping = (chosen: number) => (path: JsonPath): boolean => ((path.length * 7) + (String(path.at(-1)).length * 3) + chosen) % 4 > 0;

type Call = readonly [path: JsonPath, value: string];

type Asked = {readonly result: string | undefined; readonly asked: readonly Call[]};

/** The result of reading, and the calls that it made. */
function asking(read: (text: string, keeps: (path: JsonPath, value: string) => boolean) => string | undefined, source: string, keeps: (path: JsonPath) => boolean): Asked {
	const asked: Call[] = [];
	const result = read(source, (path, value) => {
		asked.push([[...path], value]);
		return keeps(path);
	});
	return {result, asked};
}

test('JSON in any spelling has the canonical form of the reference', t => {
	t.log(`seed ${seed}`);
	fc.assert(fc.property(text, fc.nat({max: 8}), (source, chosen) => {
		const keeps = chosen > 3 ? () => true : dropping(chosen);
		t.deepEqual(asking(canonicalJson, source, keeps), asking(referenceJson, source, keeps));
		t.is(redactJson(source, dropping(chosen)), referenceRedaction(source, dropping(chosen)));
	}), {seed, numRuns: 3000});
});

test('exactly the texts that JSON.parse refuses are refused', t => {
	t.log(`seed ${seed}`);
	let refused = 0;
	fc.assert(fc.property(fc.oneof(broken, fc.string({unit: fc.constantFrom(...'[]{}",:\\ \n0123.e+-truefalsn\u{0}\u{1F}')})), source => {
		const result = canonicalJson(source, () => true);
		t.is(result, referenceJson(source, () => true));
		refused += result === undefined ? 1 : 0;
	}), {seed, numRuns: 20_000});
	t.true(refused > 1000);
});

const wrong: readonly string[] = [
	'',
	' ',
	'1 1',
	'1,',
	'01',
	'1.',
	'.1',
	'-',
	'+1',
	'1e',
	'1e+',
	'0x1',
	'tru',
	'truex',
	'nullnull',
	'undefined',
	'NaN',
	'Infinity',
	'/**/1',
	'\u{FEFF}1',
	'\u{A0}1',
	'1\0',
	'[',
	']',
	'[1',
	'[1,',
	'[1,]',
	'[,1]',
	'[,]',
	'[1 2]',
	'[1,,2]',
	'[1}',
	'[[]',
	'[1]]',
	'{',
	'}',
	'{"a"}',
	'{"a":}',
	'{"a":1,}',
	'{,}',
	'{"a" 1}',
	'{a:1}',
	'{1:1}',
	'{"a":1 "b":2}',
	'{"a":1]',
	'{"a":1}}',
	'{"a":1,"b"}',
	'"',
	'"a',
	String.raw`"\"`,
	String.raw`"\x"`,
	String.raw`"\u12"`,
	'"\n"',
	'"\\\n"',
	'"\u{1F}"',
	'\'a\'',
];

test('text that is not JSON is refused', t => {
	for (const source of wrong) {
		t.throws(() => JSON.parse(source) as unknown, undefined, source);
		t.is(canonicalJson(source, () => true), undefined, source);
		t.is(redactJson(source, () => true), undefined, source);
	}
});

const nested = (depth: number, inner: string): string => '[ '.repeat(depth) + inner + ' ]'.repeat(depth);

test('JSON that is nested more than 500 levels deep is refused', t => {
	t.is(canonicalJson(nested(500, '1'), () => true), nested(500, '1').replaceAll(' ', ''));
	t.is(canonicalJson(nested(501, '1'), () => true), undefined);
	t.is(canonicalJson('['.repeat(maxJsonLength), () => true), undefined);
	t.is(canonicalJson('{"a":'.repeat(maxJsonLength / 5), () => true), undefined);
});

const all = (): boolean => true;
const many = (unit: string, length = maxJsonLength): string => unit.repeat(length / unit.length).slice(0, -1);

const costly: ReadonlyArray<readonly [what: string, of: (length: number) => unknown]> = [
	['many numbers', length => canonicalJson(`[${many('1,', length)}]`, all)],
	['many numbers, deep inside', length => canonicalJson(nested(490, many(' 1,', length)), all)],
	['a long string, deep inside', length => canonicalJson(nested(490, `"${many('x', length)}"`), all)],
	['many levels', length => canonicalJson(`[${many(`${nested(490, '1')},`, length)}]`, all)],
	['escapes', length => canonicalJson(String.raw`"${many('\\\\', length)}\"`, all)],
	['members', length => canonicalJson(`{${Array.from({length: length / 16}, (_, index) => `"${(index * 7919) % 100_003}":1`).join(',')}}`, all)],
	['secrets', length => redactJson(`[${many('{"a":1},', length)}]`, path => path.at(-1) === 'a')],
	['secrets in secrets', length => redactJson(`[${many(`${'{"a":'.repeat(400)}1${'}'.repeat(400)},`, length)}]`, () => true)],
];

for (const [what, read] of costly) {
	test.serial(`parsing takes time in proportion to the length: ${what}`, async t => {
		t.not(read(maxJsonLength), undefined);
		await isProportional(t, [maxJsonLength / 64, maxJsonLength], 64, length => cpuTime(() => read(length)));
	});
}

test.serial('no level of nesting copies its content', t => {
	const long = `"${many('x', 16 * maxJsonLength)}"`;
	const flat = cpuTime(() => canonicalJson(`[0,${long}]`, all));
	const deep = cpuTime(() => canonicalJson(`${'[0,'.repeat(490)}${long}${']'.repeat(490)}`, all));
	t.true(deep < Math.max(flat, 1) * 20, `${flat.toFixed(2)} ms, and ${deep.toFixed(2)} ms deep inside`);
});
