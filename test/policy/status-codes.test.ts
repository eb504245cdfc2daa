import test from 'ava';
import {isTemporaryStatus} from '../../source/policy/facts.ts';
import {rejectsCredentials} from '../../source/policy/response-facts.ts';

test('RFC 9110 §15.5.2, §15.5.8: only a 401 and a 407 reject credentials', t => {
	const rejections = Array.from({length: 500}, (_, index) => 100 + index).filter(statusCode => rejectsCredentials(statusCode));
	t.deepEqual(rejections, [401, 407]);
});

test('only a 408, a 429 and server errors are temporary', t => {
	const statusCodes = Array.from({length: 500}, (_, index) => 100 + index).filter(statusCode => isTemporaryStatus(statusCode));
	t.deepEqual(statusCodes, [408, 429, ...Array.from({length: 100}, (_, index) => 500 + index)]);
});
