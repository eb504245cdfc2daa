import test from 'ava';
import {maxNominatedFields, nominatedFields} from '../../source/policy/fields.ts';
import {nominatedValues} from '../../source/policy/field-values.ts';

const list = (length: number): string => Array.from({length}, (_, index) => `x-${index}`).join(', ');

const varies: ReadonlyArray<readonly [title: string, vary: string | readonly string[] | undefined, names: readonly string[] | '*']> = [
	['no field', undefined, []],
	['an empty field', '', []],
	['nothing but commas', ' , ,\t', []],
	['names in any letter case, each once', ['B, a', 'b'], ['a', 'b']],
	['white space and empty members', ' \taccept ,, cookie\t', ['accept', 'cookie']],
	['every character of a token', '!#$%&\'*+-.^_`|~09az', ['!#$%&\'*+-.^_`|~09az']],
	['an asterisk', '*', '*'],
	['an asterisk among others', 'accept, *', '*'],
	['an asterisk on another line', ['accept', '*'], '*'],
	['a name in quotes', '"accept"', '*'],
	['a quoted string that is not closed', 'accept, "cookie', '*'],
	['a comment', 'accept (x)', '*'],
	['two words', 'accept cookie', '*'],
	['other separators', 'accept; cookie', '*'],
	['a colon', 'vary: accept', '*'],
	['control characters', 'accept\0', '*'],
	['a line feed', 'accept\ncookie', '*'],
	['white space that HTTP does not define', 'accept\u{A0}', '*'],
	['other characters', '\u{E9}', '*'],
	['the maximum number', list(maxNominatedFields), list(maxNominatedFields).split(', ').toSorted()],
	['the maximum number, some of them twice', `${list(maxNominatedFields)}, ${list(maxNominatedFields)}`, list(maxNominatedFields).split(', ').toSorted()],
	['more than the maximum number', list(maxNominatedFields + 1), '*'],
	['thousands', list(4000), '*'],
];

for (const [title, vary, names] of varies) {
	test(`Vary of ${title} names ${names === '*' ? 'everything' : `${names.length} fields`}`, t => {
		t.deepEqual(nominatedFields({vary}), names);
	});
}

test('the values that select variants are normalized, and an absent one differs from an empty one', t => {
	t.deepEqual(
		nominatedValues(['accept-encoding', 'x-a', 'x-b', 'x-c', 'x-d'], {
			'accept-encoding': 'GZIP, br', 'x-a': [' x ,y', '"a, b"'], 'x-b': '', 'x-c': undefined,
		}),
		['br,gzip', 'x,y,"a, b"', '', undefined, undefined],
	);
});
