import test from 'ava';
import {lifetime} from '../../source/policy/freshness.ts';
import {ResponseFacts} from '../../source/policy/response-facts.ts';
import type {PolicySettings} from '../../source/policy/types.ts';
import {
	byOrigin,
	facts,
	fiveMinutes,
	hour,
	minute,
	start,
} from '../helpers/policy.ts';

function expires(settings: Partial<PolicySettings>, random: number | undefined, fields = {}): number | undefined {
	const {settings: all, expiration} = facts({settings});
	return lifetime(new ResponseFacts({statusCode: 200, fields}, [], start), expiration, all, {requested: start, received: start, ...(random !== undefined && {random})}).expires;
}

test('a lifetime is shortened at random by up to its jitter', t => {
	t.is(expires({jitter: 0.2}, 0), start + (5 * minute));
	t.is(expires({jitter: 0.2}, 1), start + (4 * minute));
	t.is(expires({jitter: 0.2}, 0.5), start + (4.5 * minute));
	t.is(expires({jitter: 0.2}, undefined), start + (5 * minute));
	t.is(expires({jitter: 0}, 1), start + (5 * minute));
	t.is(expires({...byOrigin, jitter: 0.5}, 1, {'cache-control': 'max-age=60'}), start + 30_000);
	t.is(expires({...byOrigin, jitter: 0.5, expireAfter: fiveMinutes}, 1), start + (2.5 * minute));
});

test('jitter does not change a response that never expires or has expired', t => {
	t.is(expires({jitter: 1, expireAfter: {kind: 'never'}}, 1), undefined);
	t.is(expires({jitter: 1, expireAfter: {kind: 'at', time: start - hour}}, 1), start - hour);
	t.is(expires({jitter: 1}, 1), start);
});
