import test from 'ava';
import {mayCollapse} from '../../source/policy/facts.ts';
import {
	facts,
	type RequestCase,
} from '../helpers/policy.ts';
import type {Reason} from '../../source/policy/types.ts';

const sentFor: ReadonlyArray<readonly [reason: Reason, may: boolean]> = [
	['miss', true],
	['filtered', true],
	['stale', true],
	['must-revalidate', true],
	['no-cache', false],
	['always-revalidate', false],
	['refresh', false],
	['request-limits', false],
	['precondition', false],
	['range', false],
];

for (const [reason, may] of sentFor) {
	test(`a request sent for \`${reason}\` ${may ? 'may' : 'may not'} wait for another one`, t => {
		t.is(mayCollapse(facts(), reason), may);
	});
}

const requests: ReadonlyArray<readonly [title: string, request: RequestCase, may: boolean]> = [
	['a HEAD', {method: 'HEAD'}, true],
	['a QUERY', {method: 'QUERY'}, true],
	['a request with max-stale', {fields: {'cache-control': 'max-stale=60'}}, true],
	['a POST, even where it is cached', {method: 'POST', settings: {allowableMethods: new Set(['POST'])}}, false],
	['a request with `no-cache`', {fields: {'cache-control': 'no-cache'}}, false],
	['a request with `Pragma: no-cache`', {fields: {pragma: 'no-cache'}}, false],
	['a request with `max-age`', {fields: {'cache-control': 'max-age=5'}}, false],
	['a request with `min-fresh`', {fields: {'cache-control': 'min-fresh=5'}}, false],
	['a request for a range', {fields: {range: 'bytes=0-1'}}, false],
	['a request with a tag', {fields: {'if-none-match': '"1"'}}, false],
	['a request with a date', {fields: {'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT'}}, false],
	['a refresh', {settings: {refresh: true}}, false],
	['a forced refresh', {settings: {forceRefresh: true}}, false],
	['a request that expires at once', {settings: {requestExpireAfter: {kind: 'after', milliseconds: 0}}}, false],
	['a request that writes nothing', {settings: {readOnly: true}}, false],
];

for (const [title, request, may] of requests) {
	test(`${title} ${may ? 'may' : 'may not'} be answered by the response to another request`, t => {
		t.is(mayCollapse(facts(request), 'miss'), may);
	});
}

test('an overriding method must be safe as well', t => {
	const {request, ...rest} = facts();
	t.true(mayCollapse({...rest, request: {...request, override: 'HEAD'}}, 'miss'));
	t.false(mayCollapse({...rest, request: {...request, override: 'DELETE'}}, 'miss'));
});
