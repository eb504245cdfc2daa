import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import type {Fields} from '../../source/policy/fields.ts';
import {
	evaluatePrecondition,
	parseEntityTags,
	canFreshen,
	conditionsOf,
	hasValidator,
	headAgrees,
	sameStrongly,
	sameWeakly,
} from '../../source/policy/validators.ts';
import {storedFacts} from '../../source/policy/response-facts.ts';
import {storedHead} from '../helpers/policy.ts';

const earlier = 'Tue, 30 Jun 2026 00:00:00 GMT';
const date = 'Wed, 01 Jul 2026 00:00:00 GMT';
const later = 'Thu, 02 Jul 2026 00:00:00 GMT';
const createdAt = Date.parse(date);

function evaluate(request: Fields, fields: Fields, at = createdAt): ReturnType<typeof evaluatePrecondition> {
	const stored = storedHead({fields, createdAt: at});
	return evaluatePrecondition(request, stored, storedFacts(stored, {cacheControlTargets: []}));
}

const conditions: ReadonlyArray<readonly [title: string, request: Fields, stored: Fields, outcome: 'modified' | 'not-modified' | undefined]> = [
	['without a precondition nothing is evaluated', {}, {etag: '"a"'}, undefined],
	['a tag that matches', {'if-none-match': '"a"'}, {etag: '"a"'}, 'not-modified'],
	['a tag that does not match', {'if-none-match': '"b"'}, {etag: '"a"'}, 'modified'],
	['a tag of a list', {'if-none-match': '"b", W/"c" ,"a"'}, {etag: '"a"'}, 'not-modified'],
	['a tag of a second line', {'if-none-match': ['"b"', '"a"']}, {etag: '"a"'}, 'not-modified'],
	['a weak tag matches a strong one', {'if-none-match': 'W/"a"'}, {etag: '"a"'}, 'not-modified'],
	['a strong tag matches a weak one', {'if-none-match': '"a"'}, {etag: 'W/"a"'}, 'not-modified'],
	['a tag in another letter case does not match', {'if-none-match': '"A"'}, {etag: '"a"'}, 'modified'],
	['no stored response to match', {'if-none-match': '"a"'}, {}, 'modified'],
	['a star matches any stored response', {'if-none-match': ' *\t'}, {}, 'not-modified'],
	['a star in a list is not a tag', {'if-none-match': '*, "b"'}, {etag: '"a"'}, 'modified'],
	['a malformed member does not match', {'if-none-match': 'a, "b"'}, {etag: 'a'}, 'modified'],
	['a tag beside a malformed member matches', {'if-none-match': '"x" y, "a"'}, {etag: '"a"'}, 'not-modified'],
	['without any tag nothing is evaluated', {'if-none-match': 'a'}, {etag: 'a'}, undefined],
	['an empty list is not evaluated', {'if-none-match': ''}, {etag: '"a"'}, undefined],
	['a tag that does not match takes precedence over a date', {'if-none-match': '"b"', 'if-modified-since': later}, {etag: '"a"', 'last-modified': earlier}, 'modified'],
	['a tag that matches takes precedence over a date', {'if-none-match': '"a"', 'if-modified-since': earlier}, {etag: '"a"', 'last-modified': later}, 'not-modified'],
	['malformed tags take precedence over a date', {'if-none-match': 'b', 'if-modified-since': later}, {'last-modified': earlier}, undefined],
	['modified at that date', {'if-modified-since': date}, {'last-modified': date}, 'not-modified'],
	['modified before', {'if-modified-since': date}, {'last-modified': earlier, date: later}, 'not-modified'],
	['modified since', {'if-modified-since': date}, {'last-modified': later, date: earlier}, 'modified'],
	['another form of the date', {'if-modified-since': 'Wednesday, 01-Jul-26 00:00:00 GMT'}, {'last-modified': date}, 'not-modified'],
	['without Last-Modified, made before', {'if-modified-since': date}, {date: earlier}, 'not-modified'],
	['without Last-Modified, made since', {'if-modified-since': date}, {date: later}, 'modified'],
	['with an invalid Last-Modified, made since', {'if-modified-since': date}, {'last-modified': '0', date: later}, 'modified'],
	['without a date of its own, received before', {'if-modified-since': later}, {}, 'not-modified'],
	['without a date of its own, received since', {'if-modified-since': earlier}, {date: 'now'}, 'modified'],
	['an invalid date is ignored', {'if-modified-since': '2026-07-01'}, {'last-modified': earlier}, undefined],
	['two dates are ignored', {'if-modified-since': [date, date]}, {'last-modified': earlier}, undefined],
];

for (const [title, request, stored, outcome] of conditions) {
	test(`RFC 9111 §4.3.2, RFC 9110 §13.2: ${title}: ${outcome ?? 'nothing'}`, t => {
		t.is(evaluate(request, stored), outcome);
	});
}

const lists: ReadonlyArray<readonly [value: string, tags: readonly string[] | '*']> = [
	['', []],
	[' , ,', []],
	['*', '*'],
	['"a"', ['"a"']],
	['""', ['""']],
	['W/"a"', ['W/"a"']],
	['w/"a"', []],
	['W/ "a"', []],
	['W/a', []],
	['"a,b", "c"', ['"a,b"', '"c"']],
	['"a","b"', ['"a"', '"b"']],
	['\t"a" ,, "b"\t', ['"a"', '"b"']],
	[String.raw`"a\", "b"`, [String.raw`"a\"`, '"b"']],
	['"\u{E9}"', ['"\u{E9}"']],
	['"\u{20AC}"', []],
	['"a b", "c"', ['"c"']],
	['"a" "b", "c"', ['"c"']],
	['x"a", "b"', ['"b"']],
	['"a", "b', ['"a"']],
	['"a, "b"', []],
	['"a"\u{A0}', []],
];

for (const [value, tags] of lists) {
	test(`RFC 9110 §8.8.3: the entity tags of ${JSON.stringify(value)} are ${JSON.stringify(tags)}`, t => {
		t.deepEqual(parseEntityTags(value), tags);
	});
}

// RFC 9110 §8.8.3.2 has the first four.
const comparisons: ReadonlyArray<readonly [tag: string, other: string | undefined, strongly: boolean, weakly: boolean]> = [
	['W/"1"', 'W/"1"', false, true],
	['W/"1"', 'W/"2"', false, false],
	['W/"1"', '"1"', false, true],
	['"1"', '"1"', true, true],
	['"1"', 'W/"1"', false, true],
	['"1"', '"2"', false, false],
	['"1"', '1', false, false],
	['"1"', undefined, false, false],
];

for (const [tag, other, strongly, weakly] of comparisons) {
	test(`RFC 9110 §8.8.3.2: ${tag} and ${other} are ${strongly ? '' : 'not '}equal by strong comparison, and ${weakly ? '' : 'not '}by weak comparison`, t => {
		t.is(sameStrongly(tag, other), strongly);
		t.is(sameWeakly(tag, other), weakly);
	});
}

const malformed: ReadonlyArray<Fields['etag']> = [undefined, '', ' ', 'a', '"', '"a', 'a"', 'W/', 'W/a', 'w/"a"', 'W/ "a"', '"a" "b"', '"a", "b"', '"a"x', '"a b"', '"a"\u{A0}', '"\u{20AC}"', '"a\tb"', '*', '\'a\'', ['"a"', '"a"']];

for (const etag of malformed) {
	test(`RFC 9110 §8.8.3: ${JSON.stringify(etag)} is not a validator`, t => {
		t.false(hasValidator({fields: {etag}}));
		t.true(hasValidator({fields: {etag, 'last-modified': date}}));
		t.deepEqual(conditionsOf({fields: {etag}}), {});
		t.deepEqual(conditionsOf({fields: {etag, 'last-modified': date}}), {'if-modified-since': date});
		t.is(evaluate({'if-none-match': '"a"'}, {etag}), 'modified');
		t.true(canFreshen({etag: '"a"'}, {etag}));
		t.false(canFreshen({etag}, {etag: '"a"'}));
	});
}

for (const etag of ['"a"', '""', 'W/"a"', '"a,b"', '"\u{E9}"', String.raw`"\"`, '\t"a" ']) {
	test(`RFC 9110 §8.8.3: ${JSON.stringify(etag)} is a validator`, t => {
		t.true(hasValidator({fields: {etag}}));
		t.deepEqual(conditionsOf({fields: {etag}}), {'if-none-match': etag.trim()});
	});
}

test('RFC 9110 §8.8.2: an empty Last-Modified is not a validator', t => {
	t.false(hasValidator({fields: {'last-modified': ''}}));
	t.deepEqual(conditionsOf({fields: {etag: '"a"', 'last-modified': ''}}), {'if-none-match': '"a"'});
});

const updates: ReadonlyArray<readonly [title: string, stored: Fields, update: Fields, can: boolean]> = [
	['without validators', {etag: '"a"'}, {}, true],
	['with the same strong tag', {etag: '"a"'}, {etag: '"a"'}, true],
	['with the same strong tag and another date', {etag: '"a"', 'last-modified': earlier}, {etag: '"a"', 'last-modified': later}, true],
	['with another strong tag', {etag: '"a"'}, {etag: '"b"'}, false],
	['with a strong tag where a weak one is stored', {etag: 'W/"a"'}, {etag: '"a"'}, false],
	['with a strong tag where none is stored', {'last-modified': date}, {etag: '"a"', 'last-modified': date}, false],
	['with the same weak tag', {etag: 'W/"a"'}, {etag: 'W/"a"'}, true],
	['with a weak tag where the strong one is stored', {etag: '"a"'}, {etag: 'W/"a"'}, true],
	['with another weak tag', {etag: 'W/"a"'}, {etag: 'W/"b"'}, false],
	['with a weak tag where none is stored', {'last-modified': date}, {etag: 'W/"a"', 'last-modified': date}, false],
	['with the same date', {'last-modified': date}, {'last-modified': date}, true],
	['with the same date where a tag is stored', {etag: '"a"', 'last-modified': date}, {'last-modified': date}, true],
	['with another date', {'last-modified': date}, {'last-modified': later}, false],
	['with a date where none is stored', {etag: '"a"'}, {'last-modified': date}, false],
	['with an empty tag', {etag: '"a"'}, {etag: ''}, true],
	['with a tag without quotes', {etag: '"a"'}, {etag: 'a'}, true],
	['with a malformed tag and another date', {etag: '"a"', 'last-modified': date}, {etag: 'a', 'last-modified': later}, false],
	['with a tag where a malformed one is stored', {etag: 'a'}, {etag: '"a"'}, false],
	['with the malformed tag that is stored, and another date', {etag: 'a', 'last-modified': date}, {etag: 'a', 'last-modified': later}, false],
];

for (const [title, stored, update, can] of updates) {
	test(`RFC 9111 §4.3.4: a 304 ${title} ${can ? 'freshens the stored response' : 'freshens nothing'}`, t => {
		t.is(canFreshen(stored, update), can);
	});
}

const whole: Fields = {etag: '"a"', 'last-modified': date, 'content-length': '5'};
const heads: ReadonlyArray<readonly [title: string, stored: Fields, head: Fields, agrees: boolean]> = [
	['without validators', whole, {}, true],
	['with the same validators', whole, whole, true],
	['with another tag', whole, {...whole, etag: '"b"'}, false],
	['with a tag of another strength', whole, {...whole, etag: 'W/"a"'}, false],
	['with the same weak tag', {etag: 'W/"a"'}, {etag: 'W/"a"'}, true],
	['with a tag where none is stored', {}, {etag: '"a"'}, false],
	['with another date', whole, {...whole, 'last-modified': later}, false],
	['with a date where none is stored', {}, {'last-modified': date}, false],
	['with another malformed tag', {etag: 'a'}, {etag: 'b'}, false],
	['with the same malformed tag', {etag: 'a'}, {etag: 'a'}, true],
	['with another length', whole, {...whole, 'content-length': '6'}, false],
	['with a length where none is stored', {etag: '"a"'}, {etag: '"a"', 'content-length': '6'}, true],
];

for (const [title, stored, head, agrees] of heads) {
	test(`RFC 9111 §4.3.5: a HEAD ${title} ${agrees ? 'agrees' : 'does not agree'} with the stored GET`, t => {
		t.is(headAgrees(stored, head), agrees);
	});
}

const value = fc.oneof(fc.string({unit: 'binary'}), fc.string({unit: fc.constantFrom('"', ',', ' ', 'W/', '*', 'a', '\\')}), fc.constantFrom(earlier, date, later));
const fieldsOf = (...names: readonly string[]) => fc.record(Object.fromEntries(names.map(name => [name, fc.oneof(value, fc.array(value))])), {requiredKeys: []});

test('RFC 9110 §13.2: the evaluation throws for no fields', t => {
	const validators = fieldsOf('etag', 'last-modified', 'date', 'content-length');
	fc.assert(fc.property(fieldsOf('if-none-match', 'if-modified-since'), validators, validators, fc.double(), (request, stored, update, at) => {
		t.true(['modified', 'not-modified', undefined].includes(evaluate(request, stored, at)));
		t.is(typeof canFreshen(stored, update), 'boolean');
		t.is(typeof headAgrees(stored, update), 'boolean');
		t.true(canFreshen(stored, {}));
		t.true(headAgrees(stored, {}));
	}));
});

const tag = fc.tuple(fc.constantFrom('', 'W/'), fc.string({unit: fc.constantFrom('a', 'B', '1', ',', '!', '\\', '\u{FF}')})).map(([weakness, opaque]) => `${weakness}"${opaque}"`);

test('RFC 9110 §8.8.3: a list of entity tags is read back, and each of them matches itself', t => {
	fc.assert(fc.property(fc.array(tag, {minLength: 1}), fc.constantFrom(',', ', ', ' ,, '), (tags, separator) => {
		const list = tags.join(separator);
		t.deepEqual(parseEntityTags(list), tags);
		t.is(evaluate({'if-none-match': list}, {etag: tags.at(-1)}), 'not-modified');
	}));
});

test('RFC 9110 §8.8.3.2: tags that match strongly match weakly', t => {
	fc.assert(fc.property(tag, tag, (a, b) => {
		t.true(!sameStrongly(a, b) || sameWeakly(a, b));
		t.true(sameWeakly(a, a));
	}));
});
