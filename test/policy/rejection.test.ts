import test from 'ava';
import {rejectsCredentials} from '../../source/policy/response-facts.ts';

test('RFC 9110 §15.5.2, §15.5.8: a 401 and a 407 reject credentials, and nothing else does', t => {
	const rejections = Array.from({length: 500}, (_, index) => 100 + index).filter(statusCode => rejectsCredentials(statusCode));
	t.deepEqual(rejections, [401, 407]);
});
