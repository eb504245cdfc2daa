import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {deltaMilliseconds, targetedDirectives} from '../../source/policy/directives.ts';
import type {Fields} from '../../source/policy/fields.ts';

const target = 'cdn-cache-control';

const values: ReadonlyArray<readonly [title: string, value: string | readonly string[], directives: Readonly<Record<string, string | true>> | undefined]> = [
	['§2.1: a number of seconds is an integer', 'max-age=60', {'max-age': '60'}],
	['§2.1: a directive without an argument', 'no-store, must-revalidate', {'no-store': true, 'must-revalidate': true}],
	['§2.1: true may be written out', 'no-store=?1', {'no-store': true}],
	['§2.1: false removes a directive', 'no-store=?0, max-age=5', {'max-age': '5'}],
	['§2.1: parameters are ignored', 'max-age=60;x=1, no-store;y', {'max-age': '60', 'no-store': true}],
	['§2.1: field names may be a string', 'no-cache="set-cookie, x"', {'no-cache': 'set-cookie, x'}],
	['§2.1: a field name may be a token', 'private=x', {private: 'x'}],
	['§2.1: field names of another type do not limit a directive', 'no-cache=5, private=("a" "b")', {'no-cache': true, private: true}],
	['§2.1: false also removes a directive with field names', 'no-cache=?0, x', {x: true}],
	['§2.1: several lines are one dictionary', ['max-age=60', 'no-cache'], {'max-age': '60', 'no-cache': true}],
	['§2.1: the last of two values counts', 'max-age=1, max-age=2', {'max-age': '2'}],
	['§2.1: unknown directives are kept', 'x=y, z="w"', {x: 'y', z: ''}],
	['§2.1: a field with only false values is not empty', 'no-store=?0', {}],
	['§2.2: an empty field is ignored', '', undefined],
	['§2.2: a field of white space is ignored', '  ', undefined],
	['§2.2: an upper-case directive is invalid', 'Max-Age=60', undefined],
	['§2.2: a field that is not a dictionary is ignored', 'max-age=60, &&&', undefined],
	['§2.2: a comma at the end is invalid', 'max-age=60,', undefined],
	['§2.2: a missing argument is invalid', 'max-age=', undefined],
	['§2.2: white space around the equals sign is invalid', 'max-age = 60', undefined],
	['§2.2: an integer of 16 digits is invalid', 'max-age=1000000000000000', undefined],
	['§2.2: a decimal with four fractional digits is invalid', 'max-age=5.0000', undefined],
];

for (const [title, value, directives] of values) {
	test(`RFC 9213 ${title}`, t => {
		const parsed = targetedDirectives({[target]: value}, [target]);
		t.deepEqual(parsed && Object.fromEntries(parsed), directives);
	});
}

for (const value of ['"60"', 'sixty', '60.5', '60.0', '-60.00', '0.000', '-60', '(60)', '(60 61)', ':NjA=:', '@60', '%"60"', '?1']) {
	test(`RFC 9213 §2.1: ${value} is not a number of seconds`, t => {
		t.is(deltaMilliseconds(targetedDirectives({[target]: `max-age=${value}`}, [target])!, 'max-age', -1), -1);
	});
}

const choices: ReadonlyArray<readonly [title: string, fields: Fields, maximumAge: string | undefined]> = [
	['the most specific field counts', {'example-cache-control': 'max-age=1', [target]: 'max-age=2', 'cache-control': 'max-age=3'}, '1'],
	['the next counts if the first is absent', {[target]: 'max-age=2', 'cache-control': 'max-age=3'}, '2'],
	['the next counts if the first is empty', {'example-cache-control': '', [target]: 'max-age=2'}, '2'],
	['the next counts if the first is malformed', {'example-cache-control': '!', [target]: 'max-age=2'}, '2'],
	['without a field none counts', {'cache-control': 'max-age=3'}, undefined],
	['with malformed fields only none counts', {'example-cache-control': '!', [target]: 'max-age'.toUpperCase()}, undefined],
];

for (const [title, fields, maximumAge] of choices) {
	test(`RFC 9213 §2.2: ${title}`, t => {
		t.is(targetedDirectives(fields, ['example-cache-control', target])?.get('max-age'), maximumAge);
	});
}

test('RFC 9213 §2.2: without targets no field is used', t => {
	t.is(targetedDirectives({[target]: 'max-age=1'}, []), undefined);
});

test('RFC 9213 §2: any field is parsed without an error, and names are in lower case', t => {
	const unit = fc.constantFrom('max-age', 'no-cache', '=', ',', ' ', '"', '(', ')', '5', '.0', '-', ':', '@1', '%"', '?0', ';', 'a');
	fc.assert(fc.property(fc.oneof(fc.string({unit: 'binary'}), fc.string({unit}), fc.string({unit}).map(text => `no-cache=${text}`)), value => {
		for (const [name, argument] of targetedDirectives({[target]: value}, [target]) ?? []) {
			t.is(name, name.toLowerCase());
			t.true(argument === true || typeof argument === 'string');
		}
	}), {numRuns: 1000});
});

test('RFC 9213 §2.1: every integer of seconds is read as in Cache-Control', t => {
	fc.assert(fc.property(fc.nat(2_147_483_647), seconds => {
		t.is(deltaMilliseconds(targetedDirectives({[target]: `max-age=${seconds}`}, [target])!, 'max-age', -1), seconds * 1000);
	}));
});
