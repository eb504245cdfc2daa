import test from 'ava';
import {onLookup, onRefusedKey, onRequest} from '../../source/policy/request-rules.ts';
import type {RequestDecision, StoredHead} from '../../source/policy/types.ts';
import {
	facts,
	hour,
	minute,
	start,
	storedHead,
	type RequestCase,
} from '../helpers/policy.ts';

const pass = (reason: string): object => ({do: 'pass', reason});

const beforeLookup: ReadonlyArray<readonly [title: string, request: RequestCase, decision: object]> = [
	['a plain request is looked up', {}, {do: 'lookup'}],
	['nothing is looked up while the cache is disabled', {settings: {disabled: true}}, pass('disabled')],
	['a method that is not allowed passes', {method: 'POST'}, pass('method')],
	['a method that is allowed is looked up', {method: 'POST', settings: {allowableMethods: new Set(['POST'])}}, {do: 'lookup'}],
	['RFC 9111 §5.2.1.5: no-store passes', {fields: {'cache-control': 'No-Store'}}, pass('request-no-store')],
	['DO_NOT_CACHE of the client passes', {settings: {expireAfter: {kind: 'do-not-cache'}}}, pass('do-not-cache')],
	['DO_NOT_CACHE of the request beats a URL pattern', {settings: {requestExpireAfter: {kind: 'do-not-cache'}, urlsExpireAfter: [{matches: () => true, expiration: {kind: 'never'}}]}}, pass('do-not-cache')],
	['a URL pattern beats DO_NOT_CACHE of the client', {settings: {expireAfter: {kind: 'do-not-cache'}, urlsExpireAfter: [{matches: () => true, expiration: {kind: 'never'}}]}}, {do: 'lookup'}],
	['a body that can be read only once passes', {keyable: false}, pass('body-not-keyable')],
	['RFC 9111 §4.3.2: a precondition that only the origin can evaluate is sent', {fields: {'if-match': '"a"'}}, {do: 'send', validators: {}, reason: 'precondition'}],
	['RFC 9111 §5.2.1.7: only-if-cached with a precondition fails', {fields: {'if-unmodified-since': 'x', 'cache-control': 'only-if-cached'}}, {do: 'fail', statusCode: 504, reason: 'only-if-cached'}],
	...[
		['a method', {method: 'POST'}],
		['a body that can be read only once', {keyable: false}],
		['no-store', {fields: {'cache-control': 'no-store'}}],
		['DO_NOT_CACHE', {settings: {expireAfter: {kind: 'do-not-cache'}}}],
	].map(([what, request]) => {
		const {settings, ...others} = request as RequestCase;
		return [`RFC 9111 §5.2.1.7: onlyIfCached also sends no request that the cache does not handle: ${what as string}`, {...others, settings: {...settings, onlyIfCached: true}}, {do: 'fail', statusCode: 504, reason: 'only-if-cached'}] as const;
	}),
	['a disabled cache ignores onlyIfCached', {settings: {disabled: true, onlyIfCached: true}}, pass('disabled')],
];

for (const [title, request, decision] of beforeLookup) {
	test(`before the lookup: ${title}`, t => {
		t.deepEqual(onRequest(facts(request)) as object, decision);
	});
}

const serve = (reason: string): object => ({do: 'serve', view: {kind: 'whole'}, reason});
const send = (reason: string, validators: object = {}): object => ({do: 'send', validators, reason});
const failed = {do: 'fail', statusCode: 504, reason: 'only-if-cached'};
const etag = {etag: '"a"'};
const longTag = `"${'x'.repeat(4095)}"`;
const onlyIfCached = {onlyIfCached: true};

type LookupCase = RequestCase & {readonly stored?: Partial<StoredHead>; readonly after?: number};

const afterLookup: ReadonlyArray<readonly [title: string, lookup: LookupCase, decision: object]> = [
	['a fresh response is served', {stored: {}}, serve('fresh')],
	['a response is fresh to its last millisecond', {stored: {}, after: (5 * minute) - 1}, serve('fresh')],
	['a response is stale from the moment it expires', {stored: {}, after: 5 * minute}, send('stale')],
	['a response that never expires is served for ever', {stored: {expires: undefined}, after: 1e6 * hour}, serve('fresh')],
	['RFC 9111 §4.3.1: a stale response is validated with all its validators', {stored: {fields: {...etag, 'last-modified': 'then'}}, after: hour}, send('stale', {'if-none-match': '"a"', 'if-modified-since': 'then'})],

	['RFC 9110 §8.8.3: a malformed tag is not sent', {stored: {fields: {etag: '', 'last-modified': 'then'}}, after: hour}, send('stale', {'if-modified-since': 'then'})],
	['a tag that is too long to be sent back is no validator', {stored: {fields: {etag: longTag, 'last-modified': 'then'}}, after: hour}, send('stale', {'if-modified-since': 'then'})],
	['a date that is too long to be sent back is no validator', {stored: {fields: {...etag, 'last-modified': 'x'.repeat(4097)}}, after: hour}, send('stale', {'if-none-match': '"a"'})],
	['a response without a validator that can be sent back is requested unconditionally', {stored: {fields: {etag: longTag}}, after: hour}, send('stale', {})],
	['alwaysRevalidate does not apply to a response without a validator that can be sent back', {stored: {fields: {etag: longTag}}, settings: {alwaysRevalidate: true}}, serve('fresh')],
	['RFC 9111 §5.2.1.4: no-cache validates', {stored: {fields: etag}, fields: {'cache-control': 'no-cache'}}, send('refresh', {'if-none-match': '"a"'})],
	['RFC 9111 §5.4: Pragma: no-cache validates without Cache-Control', {stored: {fields: etag}, fields: {pragma: 'no-cache'}}, send('refresh', {'if-none-match': '"a"'})],
	['RFC 9111 §5.4: Pragma is ignored if there is Cache-Control', {stored: {}, fields: {pragma: 'no-cache', 'cache-control': 'max-stale'}}, serve('fresh')],
	['another Pragma is ignored', {stored: {}, fields: {pragma: 'x'}}, serve('fresh')],
	['refresh validates', {stored: {fields: etag}, settings: {refresh: true}}, send('refresh', {'if-none-match': '"a"'})],
	['refresh sends the request without a validator if none is stored', {stored: {}, settings: {refresh: true}}, send('refresh')],
	['expireAfter 0 of the request validates', {stored: {fields: etag}, settings: {requestExpireAfter: {kind: 'after', milliseconds: 0}}}, send('refresh', {'if-none-match': '"a"'})],
	['another expireAfter of the request does not change the stored response', {stored: {}, settings: {requestExpireAfter: {kind: 'after', milliseconds: 1}}, after: minute}, serve('fresh')],
	['forceRefresh sends no validators', {stored: {fields: etag}, settings: {forceRefresh: true}}, send('force-refresh')],
	['alwaysRevalidate validates', {stored: {fields: etag}, settings: {alwaysRevalidate: true}}, send('always-revalidate', {'if-none-match': '"a"'})],
	['alwaysRevalidate serves a response with a malformed tag', {stored: {fields: {etag: 'a'}}, settings: {alwaysRevalidate: true}}, serve('fresh')],
	['alwaysRevalidate serves a response that cannot be validated', {stored: {}, settings: {alwaysRevalidate: true}}, serve('fresh')],
	['alwaysRevalidate validates by Last-Modified', {stored: {fields: {'last-modified': 'then'}}, settings: {alwaysRevalidate: true}}, send('always-revalidate', {'if-modified-since': 'then'})],

	['RFC 9111 §5.2.1.1: max-age refuses an older response', {stored: {}, fields: {'cache-control': 'max-age=60'}, after: minute}, send('request-limits')],
	['RFC 9111 §5.2.1.1: max-age accepts a younger response', {stored: {}, fields: {'cache-control': 'max-age=60'}, after: minute - 1}, serve('fresh')],
	['RFC 9111 §5.2.1.1: max-age=0 validates', {stored: {}, fields: {'cache-control': 'max-age=0'}}, send('request-limits')],
	['a max-age that is not a number accepts nothing', {stored: {}, fields: {'cache-control': 'max-age=soon'}}, send('request-limits')],
	['a max-age without a number accepts nothing', {stored: {}, fields: {'cache-control': 'max-age'}}, send('request-limits')],
	['RFC 9111 §5.2.1.3: min-fresh refuses a response that expires before', {stored: {}, fields: {'cache-control': 'min-fresh=300'}, after: 1}, send('request-limits')],
	['RFC 9111 §5.2.1.3: min-fresh accepts a response that is fresh long enough', {stored: {}, fields: {'cache-control': 'min-fresh=299'}}, serve('fresh')],
	['a min-fresh that is not a number accepts nothing that expires', {stored: {}, fields: {'cache-control': 'min-fresh=x'}}, send('request-limits')],
	['RFC 9111 §5.2.1.2: max-stale accepts any staleness', {stored: {}, fields: {'cache-control': 'max-stale'}, after: 100 * hour}, serve('max-stale')],
	['RFC 9111 §5.2.1.2: max-stale=60 accepts a minute', {stored: {}, fields: {'cache-control': 'max-stale=60'}, after: (6 * minute) - 1}, serve('max-stale')],
	['RFC 9111 §5.2.1.2: max-stale=60 accepts no more', {stored: {}, fields: {'cache-control': 'max-stale=60'}, after: 6 * minute}, send('stale')],
	['a max-stale that is not a number accepts nothing stale', {stored: {}, fields: {'cache-control': 'max-stale="x"'}, after: hour}, send('stale')],
	['min-fresh with max-stale accepts only a fresh response', {stored: {}, fields: {'cache-control': 'max-stale, min-fresh=1'}, after: hour}, send('stale')],
	['max-age with max-stale still limits the age', {stored: {}, fields: {'cache-control': 'max-stale, max-age=60'}, after: hour}, send('stale')],

	['RFC 5861 §3: a stale response is served while it is revalidated', {stored: {}, settings: {staleWhileRevalidate: hour}, after: hour}, {
		do: 'serve', view: {kind: 'whole'}, then: 'revalidate', reason: 'stale-while-revalidate',
	}],
	['RFC 5861 §3: a response that is stale for too long is not', {stored: {}, settings: {staleWhileRevalidate: minute}, after: hour}, send('stale')],
	['stale-while-revalidate does not apply to a request with max-age', {
		stored: {}, settings: {staleWhileRevalidate: hour}, fields: {'cache-control': 'max-age=60'}, after: 2 * minute,
	}, send('request-limits')],
	['stale-while-revalidate does not apply to a request with min-fresh', {
		stored: {}, settings: {staleWhileRevalidate: hour}, fields: {'cache-control': 'min-fresh=60'}, after: hour,
	}, send('stale')],
	['a read-only cache revalidates before it serves, since it could not store the result afterwards', {stored: {}, settings: {staleWhileRevalidate: hour, readOnly: true}, after: hour}, send('stale')],
	['onlyIfCached serves within stale-while-revalidate and sends nothing', {stored: {}, settings: {staleWhileRevalidate: hour, ...onlyIfCached}, after: hour}, serve('stale-while-revalidate')],

	['a miss is sent', {}, send('miss')],
	['RFC 9111 §5.2.1.7: only-if-cached without a stored response fails', {fields: {'cache-control': 'only-if-cached'}}, failed],
	['onlyIfCached serves a fresh response', {stored: {}, settings: onlyIfCached}, serve('fresh')],
	['onlyIfCached fails with a stale response', {stored: {}, settings: onlyIfCached, after: hour}, failed],
	['onlyIfCached with staleIfError serves a stale response', {stored: {}, settings: {...onlyIfCached, staleIfError: Infinity}, after: hour}, serve('stale-if-error')],
	['onlyIfCached with a staleIfError duration fails after it', {stored: {}, settings: {...onlyIfCached, staleIfError: minute}, after: hour}, failed],
	['onlyIfCached beats refresh', {stored: {}, settings: {...onlyIfCached, refresh: true}}, serve('fresh')],
	['onlyIfCached beats forceRefresh', {stored: {}, settings: {...onlyIfCached, forceRefresh: true}}, serve('fresh')],
	['onlyIfCached beats alwaysRevalidate', {stored: {fields: etag}, settings: {...onlyIfCached, alwaysRevalidate: true}}, serve('fresh')],
];

for (const [title, {stored, after = 0, ...request}, decision] of afterLookup) {
	test(`after the lookup: ${title}`, t => {
		const found = stored === undefined ? undefined : storedHead(stored);
		const made: RequestDecision = onLookup(facts(request), {stored: found}, start + after);
		t.deepEqual(made as object, decision);
	});
}

test('a request without a key passes, and fails with onlyIfCached', t => {
	t.deepEqual(onRefusedKey(facts()), {do: 'pass', reason: 'key-refused'});
	t.deepEqual(onRefusedKey(facts({settings: {onlyIfCached: true}})), {do: 'fail', statusCode: 504, reason: 'only-if-cached'});
});

test('without a matching variant, no validator of another one is sent', t => {
	const lookup = (request: RequestCase): object => onLookup(facts(request), {stored: undefined}, start);
	t.deepEqual(lookup({}), send('miss'));
	t.deepEqual(lookup({fields: {range: 'bytes=0-1'}}), send('miss'));
	t.deepEqual(lookup({method: 'POST'}), send('miss'));
});

test('a redirect that may not be reused is reused with onlyIfCached', t => {
	const lookup = (redirect: 'loop' | 'cookie', isOnly: boolean): string => onLookup(facts({settings: {onlyIfCached: isOnly}}), {stored: storedHead(), redirect}, start).reason;
	t.is(lookup('loop', false), 'redirect-loop');
	t.is(lookup('cookie', false), 'redirect-cookie');
	t.is(lookup('loop', true), 'fresh');
	t.is(lookup('cookie', true), 'fresh');
});

test('a request whose background refresh is not accepted is sent', t => {
	const request = facts({settings: {staleWhileRevalidate: hour}});
	const stored = storedHead({});
	const reasons = [true, false].map(isAccepted => onLookup(request, {stored, mayRefresh: () => isAccepted}, start + (10 * minute)).reason);
	t.deepEqual(reasons, ['stale-while-revalidate', 'stale']);
});
