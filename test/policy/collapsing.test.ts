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
	['one with max-stale', {fields: {'cache-control': 'max-stale=60'}}, true],
	['a POST, even where it is cached', {method: 'POST', settings: {allowableMethods: new Set(['POST'])}}, false],
	['one with `no-cache`', {fields: {'cache-control': 'no-cache'}}, false],
	['one with `Pragma: no-cache`', {fields: {pragma: 'no-cache'}}, false],
	['one with `max-age`', {fields: {'cache-control': 'max-age=5'}}, false],
	['one with `min-fresh`', {fields: {'cache-control': 'min-fresh=5'}}, false],
	['one for a part', {fields: {range: 'bytes=0-1'}}, false],
	['one with a tag', {fields: {'if-none-match': '"1"'}}, false],
	['one with a date', {fields: {'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT'}}, false],
	['a refresh', {settings: {refresh: true}}, false],
	['a forced refresh', {settings: {forceRefresh: true}}, false],
	['one that expires at once', {settings: {requestExpireAfter: {kind: 'after', milliseconds: 0}}}, false],
	['one that writes nothing', {settings: {readOnly: true}}, false],
];

for (const [title, request, may] of requests) {
	test(`${title} ${may ? 'may' : 'may not'} be answered by another's response`, t => {
		t.is(mayCollapse(facts(request), 'miss'), may);
	});
}

test('a method that an override asks for is to be safe, too', t => {
	const {request, ...rest} = facts();
	t.true(mayCollapse({...rest, request: {...request, override: 'HEAD'}}, 'miss'));
	t.false(mayCollapse({...rest, request: {...request, override: 'DELETE'}}, 'miss'));
});
