import test from 'ava';
import {
	areTagsBounded,
	isTag,
	maxTagLength,
	maxTags,
	tagsOf,
} from '../../source/policy/fields.ts';

test('tags are read from Cache-Tag, separated by commas, and from Surrogate-Key, separated by spaces', t => {
	t.deepEqual(tagsOf({}), []);
	t.deepEqual(tagsOf({'cache-tag': ' one, two words ,,three'}), ['one', 'two words', 'three']);
	t.deepEqual(tagsOf({'surrogate-key': ['a  b', ' c\td ']}), ['a', 'b', 'c', 'd']);
	t.deepEqual(tagsOf({'cache-tag': 'one', 'surrogate-key': 'two'}), ['one', 'two']);
});

test('a repeated tag is one tag', t => {
	t.deepEqual(tagsOf({'cache-tag': ['a, b, a', 'b'], 'surrogate-key': 'b c'}), ['a', 'b', 'c']);
});

test('white space that HTTP does not define does not separate tags', t => {
	t.deepEqual(tagsOf({'surrogate-key': 'a\u{A0}b\u{2003}c', 'cache-tag': '\u{A0}a'}), ['\u{A0}a', 'a\u{A0}b\u{2003}c']);
});

const many = (length: number): string[] => Array.from({length}, (_, index) => String(index));
const longest = 'x'.repeat(maxTagLength);

const bounded: ReadonlyArray<readonly [title: string, tags: readonly string[], isBounded: boolean]> = [
	['none', [], true],
	['the maximum number', many(maxTags), true],
	['the maximum number, some of them twice', [...many(maxTags), ...many(10)], true],
	['more than the maximum number', many(maxTags + 1), false],
	['thousands', many(4084), false],
	['a tag of the maximum length', [longest], true],
	['a tag that is longer', ['a', `${longest}x`], false],
	['an empty tag', [''], false],
];

for (const [title, tags, isBounded] of bounded) {
	test(`${title}: the tags are ${isBounded ? '' : 'not '}within the limits`, t => {
		t.is(areTagsBounded(tags), isBounded);
	});
}

test('a tag is a string of limited length', t => {
	t.true(isTag('a'));
	t.true(isTag(longest));
	t.deepEqual(['', `${longest}x`, 1, undefined, null, ['a']].filter(value => isTag(value)), []);
});
