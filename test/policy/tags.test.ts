import test from 'ava';
import {
	areTagsBounded,
	isTag,
	maxTagLength,
	maxTags,
	tagsOf,
} from '../../source/policy/fields.ts';

test('tags come from Cache-Tag, parted by commas, and from Surrogate-Key, parted by spaces', t => {
	t.deepEqual(tagsOf({}), []);
	t.deepEqual(tagsOf({'cache-tag': ' one, two words ,,three'}), ['one', 'two words', 'three']);
	t.deepEqual(tagsOf({'surrogate-key': ['a  b', ' c\td ']}), ['a', 'b', 'c', 'd']);
	t.deepEqual(tagsOf({'cache-tag': 'one', 'surrogate-key': 'two'}), ['one', 'two']);
});

test('a tag that is named again is one', t => {
	t.deepEqual(tagsOf({'cache-tag': ['a, b, a', 'b'], 'surrogate-key': 'b c'}), ['a', 'b', 'c']);
});

test('space that is not HTTP\'s parts no tags', t => {
	t.deepEqual(tagsOf({'surrogate-key': 'a\u{A0}b\u{2003}c', 'cache-tag': '\u{A0}a'}), ['\u{A0}a', 'a\u{A0}b\u{2003}c']);
});

const many = (length: number): string[] => Array.from({length}, (_, index) => String(index));
const longest = 'x'.repeat(maxTagLength);

const bounded: ReadonlyArray<readonly [title: string, tags: readonly string[], isBounded: boolean]> = [
	['none', [], true],
	['as many as may be', many(maxTags), true],
	['as many as may be, some of them twice', [...many(maxTags), ...many(10)], true],
	['more than may be', many(maxTags + 1), false],
	['thousands', many(4084), false],
	['one that is as long as may be', [longest], true],
	['one that is longer', ['a', `${longest}x`], false],
	['one that is empty', [''], false],
];

for (const [title, tags, isBounded] of bounded) {
	test(`tags: ${title}: they are ${isBounded ? '' : 'not '}within the bound`, t => {
		t.is(areTagsBounded(tags), isBounded);
	});
}

test('a tag is a string of bounded length', t => {
	t.true(isTag('a'));
	t.true(isTag(longest));
	t.deepEqual(['', `${longest}x`, 1, undefined, null, ['a']].filter(value => isTag(value)), []);
});
