import test from 'ava';
import type {Fields} from '../../source/policy/fields.ts';
import {onLookup} from '../../source/policy/request-rules.ts';
import {onError} from '../../source/policy/response-rules.ts';
import type {StoredHead} from '../../source/policy/types.ts';
import {
	byOrigin,
	facts,
	hour,
	minute,
	start,
	storedHead,
	type RequestCase,
} from '../helpers/policy.ts';

type Lookup = RequestCase & {
	readonly stored?: Partial<StoredHead>;
	readonly after?: number;
};

/** The verdict in a word or two. */
function verdict({stored = {}, after = 0, ...request}: Lookup, settings: object): string {
	const decision = onLookup(facts({...request, settings: {...settings, ...request.settings}}), {stored: storedHead(stored)}, start + after);
	switch (decision.do) {
		case 'serve': {
			return `${decision.view.kind === 'whole' ? '' : `${decision.view.kind} `}${decision.reason}`;
		}

		case 'send': {
			return `${Object.keys(decision.validators).length > 0 ? 'validate' : 'send'} ${decision.reason}`;
		}

		default: {
			return `${decision.do} ${decision.reason}`;
		}
	}
}

const says = (value: string, others: Fields = {}): Partial<StoredHead> => ({fields: {etag: '"a"', 'cache-control': value, ...others}});
const asks = (value: string, others: Fields = {}): {fields: Fields} => ({fields: {'cache-control': value, ...others}});
const always = {staleIfError: Infinity, staleWhileRevalidate: Infinity};
const date = 'Tue, 14 Nov 2023 22:13:20 GMT';

/** The decisions with `cacheControl: true`, and by default. The stored response is fresh for five minutes. */
const table: ReadonlyArray<readonly [title: string, lookup: Lookup, byTheOrigin: string, byTheUser: string]> = [
	['§4 a fresh response is served', {stored: says('max-age=300')}, 'fresh', 'fresh'],
	['§4.2 a stale response is validated', {stored: says('max-age=300'), after: 5 * minute}, 'validate stale', 'validate stale'],
	['§4.2.4 no stale response is served unless the origin or the user permits it', {stored: {fields: {}}, after: hour}, 'send stale', 'send stale'],

	['§5.2.2.4 no-cache is validated each time', {stored: says('no-cache, max-age=300')}, 'validate no-cache', 'fresh'],
	['§5.2.2.4 no-cache of a field does not affect the others', {stored: says('no-cache="x-one", max-age=300')}, 'fresh', 'fresh'],
	['§5.2.2.4 no-cache beats max-stale', {stored: says('no-cache'), ...asks('max-stale'), after: hour}, 'validate no-cache', 'max-stale'],
	['§5.2.2.4 no-cache beats the settings', {stored: says('no-cache'), settings: always, after: hour}, 'validate no-cache', 'stale-while-revalidate'],
	['§5.2.2.4 no-cache with only-if-cached fails', {stored: says('no-cache, max-age=300'), ...asks('only-if-cached')}, 'fail only-if-cached', 'fresh'],
	['§5.2.2.2 must-revalidate is served while it is fresh', {stored: says('must-revalidate, max-age=300')}, 'fresh', 'fresh'],
	['§5.2.2.2 must-revalidate beats max-stale', {stored: says('must-revalidate'), ...asks('max-stale'), after: hour}, 'validate must-revalidate', 'max-stale'],
	['§5.2.2.2 must-revalidate beats the settings', {stored: says('must-revalidate'), settings: always, after: hour}, 'validate must-revalidate', 'stale-while-revalidate'],
	['§5.2.2.2 must-revalidate beats stale-while-revalidate', {stored: says('must-revalidate, stale-while-revalidate=7200'), after: hour}, 'validate must-revalidate', 'validate stale'],
	['§5.2.2.2 must-revalidate with only-if-cached fails when it is stale', {
		stored: says('must-revalidate'), ...asks('only-if-cached'), settings: always, after: hour,
	}, 'fail only-if-cached', 'stale-while-revalidate'],
	['§5.2.2.8 proxy-revalidate binds shared caches only', {stored: says('proxy-revalidate'), ...asks('max-stale'), after: hour}, 'max-stale', 'max-stale'],
	['§5.2.2.10 s-maxage binds shared caches only', {stored: says('s-maxage=1'), ...asks('max-stale'), after: hour}, 'max-stale', 'max-stale'],

	['§5.2.1.1 max-age counts the received age of the response', {stored: {initialAge: 50_000}, ...asks('max-age=60'), after: 10_000}, 'send request-limits', 'send request-limits'],
	['§5.2.1.1 max-age accepts a younger response', {stored: {initialAge: 49_999}, ...asks('max-age=60'), after: 10_000}, 'fresh', 'fresh'],
	['§5.2.1.1 a max-age greater than the lifetime makes no stale response fresh', {stored: {}, ...asks('max-age=9999'), after: hour}, 'send stale', 'send stale'],
	['§4.2.3 a clock that was set back makes no response younger', {stored: {initialAge: 60_000}, ...asks('max-age=60'), after: -minute}, 'send request-limits', 'send request-limits'],
	['§4.2.3 a response received at most a minute in the future is fresh', {stored: says('max-age=300'), after: -minute}, 'fresh', 'fresh'],
	['§4.2.3 a response received further in the future is validated', {stored: says('max-age=300'), after: -minute - 1}, 'validate stale', 'validate stale'],
	['§4.2.3 a response received in the future is validated however long its lifetime is', {stored: {...says('max-age=300'), expires: start + (1e6 * hour)}, after: -hour}, 'validate stale', 'validate stale'],
	['§4.2.3 a response received in the future is validated even if it is immutable', {stored: says('max-age=300, immutable'), after: -hour}, 'validate stale', 'validate stale'],
	['§4.2.3 a response received in the future after it had expired is stale', {stored: {...says('max-age=300'), expires: start - (2 * hour)}, after: -hour}, 'validate stale', 'validate stale'],
	['§4.2.3 a response that never expires is fresh whenever it was received', {stored: {expires: undefined}, after: -hour}, 'fresh', 'fresh'],
	['§4.2.3 a response received in the future counts as just expired', {stored: says('max-age=300'), ...asks('max-stale=1'), after: -hour}, 'max-stale', 'max-stale'],
	['§5.2.1.2 max-stale accepts a stale response', {stored: says('max-age=300'), ...asks('max-stale=60'), after: (6 * minute) - 1}, 'max-stale', 'max-stale'],
	['§5.2.1.2 max-stale accepts no more than it says', {stored: says('max-age=300'), ...asks('max-stale=60'), after: 6 * minute}, 'validate stale', 'validate stale'],
	['§5.2.1.2 two max-stale that differ accept nothing', {stored: says('max-age=300'), ...asks('max-stale, max-stale=60'), after: 6 * minute}, 'validate stale', 'validate stale'],
	['§5.2.1.3 min-fresh requires a remaining lifetime', {stored: says('max-age=300'), ...asks('min-fresh=300'), after: 1}, 'validate request-limits', 'validate request-limits'],
	['§5.2.1.4 no-cache requires validation', {stored: says('max-age=300'), ...asks('no-cache')}, 'validate refresh', 'validate refresh'],
	['§5.2.1.7 only-if-cached serves a fresh response', {stored: says('max-age=300'), ...asks('only-if-cached')}, 'fresh', 'fresh'],
	['§5.2.1.7 only-if-cached takes nothing stale', {stored: says('max-age=300'), ...asks('only-if-cached'), after: hour}, 'fail only-if-cached', 'fail only-if-cached'],
	['§5.2.1.4 no-cache with only-if-cached fails', {stored: says('max-age=300'), ...asks('no-cache, only-if-cached')}, 'fail only-if-cached', 'fail only-if-cached'],
	['RFC 5861 §4 stale-if-error does not apply to only-if-cached', {stored: says('max-age=300, stale-if-error=7200'), ...asks('only-if-cached'), after: hour}, 'fail only-if-cached', 'fail only-if-cached'],
	['RFC 9110 §13.1.2 a POST is not validated by an entity tag', {method: 'POST', stored: says('max-age=300'), after: hour}, 'send stale', 'send stale'],
	['§5.4 Pragma: no-cache requires validation', {stored: says('max-age=300'), fields: {pragma: 'no-cache'}}, 'validate refresh', 'validate refresh'],

	['RFC 5861 §3 the origin permits serving while revalidating', {stored: says('max-age=300, stale-while-revalidate=60'), after: (6 * minute) - 1}, 'stale-while-revalidate', 'validate stale'],
	['RFC 5861 §3 the origin permits it no longer than it says', {stored: says('max-age=300, stale-while-revalidate=60'), after: 6 * minute, settings: always}, 'validate stale', 'stale-while-revalidate'],
	['RFC 5861 §3 an invalid duration is ignored', {stored: says('stale-while-revalidate=x'), after: 6 * minute}, 'validate stale', 'validate stale'],
	['RFC 8246 §2 immutable is not revalidated while it is fresh', {stored: says('immutable, max-age=300'), settings: {alwaysRevalidate: true}}, 'fresh', 'validate always-revalidate'],
	['RFC 8246 §2 immutable is revalidated when it is stale', {stored: says('immutable, max-age=300'), settings: {alwaysRevalidate: true}, after: hour}, 'validate always-revalidate', 'validate always-revalidate'],
	['RFC 8246 §2 immutable is revalidated with refresh', {stored: says('immutable, max-age=300'), settings: {refresh: true}}, 'validate refresh', 'validate refresh'],

	['§4.3.2 If-None-Match that holds is answered 304', {stored: says('max-age=300'), fields: {'if-none-match': '"b", W/"a"'}}, 'not-modified fresh', 'not-modified fresh'],
	['§4.3.2 If-None-Match: * is answered 304', {stored: says('max-age=300'), fields: {'if-none-match': '*'}}, 'not-modified fresh', 'not-modified fresh'],
	['§4.3.2 If-None-Match that does not hold is answered 200', {stored: says('max-age=300'), fields: {'if-none-match': '"b"'}}, 'fresh', 'fresh'],
	['§4.3.2 If-None-Match makes If-Modified-Since ignored', {stored: says('max-age=300', {'last-modified': date}), fields: {'if-none-match': '"b"', 'if-modified-since': date}}, 'fresh', 'fresh'],
	['§4.3.2 If-Modified-Since that holds is answered 304', {stored: says('max-age=300', {'last-modified': date}), fields: {'if-modified-since': date}}, 'not-modified fresh', 'not-modified fresh'],
	['§4.3.2 a stale response does not answer preconditions', {stored: says('max-age=300'), fields: {'if-none-match': '"a"'}, after: hour}, 'send stale', 'send stale'],
	['§4.3.2 only a 200 answers preconditions', {stored: {statusCode: 404, ...says('max-age=300')}, fields: {'if-none-match': '"a"'}}, 'fresh', 'fresh'],

	['RFC 9110 §14 a range is taken from the stored response', {stored: says('max-age=300'), fields: {range: 'bytes=2-4'}}, 'part fresh', 'part fresh'],
	['RFC 9110 §14 an open range is taken', {stored: says('max-age=300'), fields: {range: 'bytes=4-'}}, 'part fresh', 'part fresh'],
	['RFC 9110 §14 a suffix is taken', {stored: says('max-age=300'), fields: {range: 'bytes=-4'}}, 'part fresh', 'part fresh'],
	['RFC 9110 §14 a range beyond the end is not satisfiable', {stored: says('max-age=300'), fields: {range: 'bytes=10-'}}, 'unsatisfiable fresh', 'unsatisfiable fresh'],
	['RFC 9110 §14.2 several ranges are sent to the origin', {stored: says('max-age=300'), fields: {range: 'bytes=0-1, 3-4'}}, 'send range', 'send range'],
	['RFC 9110 §14.2 several ranges with only-if-cached fail', {stored: says('max-age=300'), ...asks('only-if-cached', {range: 'bytes=0-1, 3-4'})}, 'fail only-if-cached', 'fail only-if-cached'],
	['RFC 9110 §14.2 a range of an encoded body is sent to the origin', {stored: says('max-age=300', {'content-encoding': 'gzip'}), fields: {range: 'bytes=0-1'}}, 'send range', 'send range'],
	['RFC 9110 §14.2 a range of a body that was decoded is sent to the origin', {stored: {codings: ['gzip'], ...says('max-age=300')}, fields: {range: 'bytes=0-1'}}, 'send range', 'send range'],
	['RFC 9110 §13.1 preconditions of other methods are not evaluated', {method: 'POST', stored: says('max-age=300'), fields: {'if-none-match': '"a"'}}, 'fresh', 'fresh'],
	['§4.3.1 a stale response is not validated for a range', {stored: says('max-age=300'), fields: {range: 'bytes=0-1'}, after: hour}, 'send stale', 'send stale'],
	['RFC 9110 §14.2 a HEAD has no range', {method: 'HEAD', stored: says('max-age=300'), fields: {range: 'bytes=0-1'}}, 'fresh', 'fresh'],
	['RFC 9110 §13.1.5 If-Range that does not match gives the complete response', {stored: says('max-age=300'), fields: {range: 'bytes=0-1', 'if-range': '"b"'}}, 'fresh', 'fresh'],
];

for (const [title, lookup, byTheOrigin, byTheUser] of table) {
	test(`RFC 9111 ${title}: ${byTheOrigin} with cacheControl, ${byTheUser} without`, t => {
		t.is(verdict(lookup, byOrigin), byTheOrigin);
		t.is(verdict(lookup, {}), byTheUser);
	});
}

const errors: ReadonlyArray<readonly [title: string, lookup: Lookup & {retries?: boolean}, byTheOrigin: string, byTheUser: string]> = [
	['RFC 5861 §4 a stale response is served instead of an error if the origin allows it', {stored: says('stale-if-error=7200')}, 'serve stale-if-error', 'pass no-response'],
	['RFC 5861 §4 the origin allows it no longer than it says', {stored: says('stale-if-error=60'), settings: always}, 'pass no-response', 'serve stale-if-error'],
	['RFC 5861 §4 the directive of the response comes before that of the request', {stored: says('stale-if-error=60'), ...asks('stale-if-error=7200')}, 'pass no-response', 'serve stale-if-error'],
	['RFC 5861 §4 several ranges are not served instead of an error', {stored: says('max-age=300'), fields: {range: 'bytes=0-1,3-4'}, settings: always}, 'pass no-response', 'pass no-response'],
	['RFC 5861 §4 a range of a stale response is served instead of an error', {stored: says('max-age=300'), fields: {range: 'bytes=0-1'}, settings: always}, 'serve stale-if-error', 'serve stale-if-error'],
	['§5.2.2.2 must-revalidate beats every setting', {stored: says('must-revalidate, stale-if-error=7200'), settings: always}, 'pass no-response', 'serve stale-if-error'],
	['§5.2.2.2 a 504 is served with gatewayTimeout', {stored: says('must-revalidate'), settings: {gatewayTimeout: 'respond'}}, 'fail gateway-timeout', 'fail gateway-timeout'],
	['while Got may retry, the stale response is not served', {stored: says('max-age=300'), settings: {...always, gatewayTimeout: 'respond'}, retries: true}, 'pass awaits-retries', 'pass awaits-retries'],
	['while Got may retry, the 504 is not served', {stored: says('must-revalidate'), settings: {gatewayTimeout: 'respond'}, retries: true}, 'pass awaits-retries', 'pass awaits-retries'],
];

for (const [title, {stored = {}, retries = false, ...request}, byTheOrigin, byTheUser] of errors) {
	test(`RFC 9111 ${title}: ${byTheOrigin} with cacheControl, ${byTheUser} without`, t => {
		for (const [settings, expected] of [[byOrigin, byTheOrigin], [{}, byTheUser]] as const) {
			const decision = onError(facts({...request, settings: {...settings, ...request.settings}}), {stored: storedHead(stored), retries}, start + hour);
			t.is(`${decision.do} ${decision.reason}`, expected);
		}
	});
}
