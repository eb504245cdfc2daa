import test from 'ava';
import {tagsOf} from '../../source/policy/tags.ts';

test('tags come from Cache-Tag, parted by commas, and from Surrogate-Key, parted by spaces', t => {
	t.deepEqual(tagsOf({}), []);
	t.deepEqual(tagsOf({'cache-tag': ' one, two words ,,three'}), ['one', 'two words', 'three']);
	t.deepEqual(tagsOf({'surrogate-key': ['a  b', ' c ']}), ['a', 'b', 'c']);
	t.deepEqual(tagsOf({'cache-tag': 'one', 'surrogate-key': 'two'}), ['one', 'two']);
});
