import test from 'ava';
import {type Fields, maxTags} from '../../source/policy/fields.ts';
import {onResponse} from '../../source/policy/response-rules.ts';
import {onRequest} from '../../source/policy/request-rules.ts';
import type {PolicySettings, StoredHead} from '../../source/policy/types.ts';
import {
	byOrigin,
	facts,
	hour,
	minute,
	start,
	storedHead,
	tags,
	type RequestCase,
} from '../helpers/policy.ts';

const date = 'Tue, 14 Nov 2023 22:13:20 GMT';
const hourAgo = 'Tue, 14 Nov 2023 21:13:20 GMT';
const minuteAhead = 'Tue, 14 Nov 2023 22:14:20 GMT';
const dayAhead = 'Wed, 15 Nov 2023 22:13:20 GMT';

/** The request, the response, and its time. */
type Received = RequestCase & {
	readonly status?: number;
	readonly response?: Fields;
	readonly stored?: Partial<StoredHead>;
	readonly conditional?: boolean;
	readonly storeAs?: 'GET';
	readonly took?: number;
	readonly retries?: boolean;
};

function receive({status = 200, response = {}, stored, conditional = false, storeAs, took = 0, retries = false, ...request}: Received, settings: object): ReturnType<typeof onResponse> {
	const sent = {
		stored: stored === undefined ? undefined : storedHead(stored), conditional, storeAs, retries,
	};
	return onResponse(facts({...request, settings: {...settings, ...request.settings}}), {statusCode: status, fields: response}, sent, {requested: start - took, received: start});
}

/** The verdict in a word: `stored` with the milliseconds for which it is fresh, or the reason against. */
function verdict(received: Received, settings: object): string {
	const decision = receive(received, settings);
	if (decision.do !== 'store') {
		return decision.reason;
	}

	return decision.expires === undefined ? 'for good' : `fresh for ${decision.expires - start}`;
}

const cc = (value: string, others: Fields = {}): Fields => ({date, 'cache-control': value, ...others});

/** The decisions with `cacheControl: true`, and by default, with `expireAfter` of five minutes. */
const table: ReadonlyArray<readonly [title: string, received: Received, byTheOrigin: string, byTheUser: string]> = [
	['§3 a response with explicit freshness is stored', {response: cc('max-age=60')}, 'fresh for 60000', 'fresh for 300000'],
	['§3 any final status code with explicit freshness is stored', {status: 499, response: cc('max-age=60')}, 'fresh for 60000', 'status-code'],
	['§3 an error with explicit freshness is stored', {status: 500, response: cc('max-age=60')}, 'fresh for 60000', 'status-code'],
	['§3 an interim response is not stored', {status: 103, response: cc('max-age=60')}, 'status-code', 'status-code'],
	['§3 a status that is not heuristically cacheable is not stored without explicit freshness', {status: 500, response: {date, etag: '"a"'}}, 'not-cacheable', 'status-code'],
	['§3 a temporary redirect is not heuristically cacheable', {status: 302, response: {date, location: '/', etag: '"a"'}}, 'not-cacheable', 'fresh for 300000'],
	['§3 a temporary redirect with explicit freshness is stored', {status: 302, response: cc('max-age=60', {location: '/'})}, 'fresh for 60000', 'fresh for 300000'],
	['§3 public makes any status cacheable', {status: 302, response: cc('public', {location: '/', etag: '"a"'})}, 'fresh for 0', 'fresh for 300000'],
	['§3 private makes any status cacheable for a private cache', {status: 403, response: cc('private', {etag: '"a"'})}, 'fresh for 0', 'status-code'],
	['§3 Expires makes any status cacheable', {status: 403, response: {date, expires: minuteAhead}}, 'fresh for 60000', 'status-code'],
	['§3 s-maxage makes nothing cacheable for a private cache', {status: 403, response: cc('s-maxage=60')}, 'not-cacheable', 'status-code'],
	['§3 allowableCodes limit what the RFC allows', {status: 404, response: cc('max-age=60'), settings: {allowableCodes: new Set([200])}}, 'status-code', 'status-code'],
	...[203, 204, 300, 301, 308, 404, 405, 410, 414, 501].map(status => [`§3 a ${status} is heuristically cacheable`, {status, response: {date, 'last-modified': hourAgo}}, 'fresh for 360000', 'status-code'] as const),

	...[412, 416, 417].map(status => [`RFC 9110 §15.5 a ${status} is not stored, since it depends on the request`, {status, response: cc('max-age=60'), settings: {allowableCodes: new Set([status])}}, 'status-code', 'status-code'] as const),
	...[428, 429, 431, 511].map(status => [`RFC 6585 a ${status} is never stored`, {status, response: cc('max-age=60'), settings: {allowableCodes: new Set([status])}}, 'status-code', 'status-code'] as const),
	['§4.2.2 private does not permit heuristic freshness', {status: 403, response: cc('private', {'last-modified': hourAgo})}, 'fresh for 0', 'status-code'],
	['§4.2.2 public permits heuristic freshness', {status: 403, response: cc('public', {'last-modified': hourAgo})}, 'fresh for 360000', 'status-code'],
	['§4.2.4 a stale error is not stored to be served instead of other errors', {status: 404, response: {date}, settings: {staleIfError: Infinity}}, 'expired-without-validator', 'status-code'],
	['§5.2 a malformed member does not make a response fresh', {response: cc('"max-age=60"', {etag: '"a"'})}, 'fresh for 0', 'fresh for 300000'],
	['§3.1 the fields that no-cache names are not stored', {response: cc('max-age=60, no-cache="X-One, x-two"')}, 'fresh for 60000', 'fresh for 300000'],
	['§3.3 a partial response is not stored', {status: 206, response: cc('max-age=60', {'content-range': 'bytes 0-1/2'})}, 'partial', 'partial'],
	['§3.5 a private cache stores the response to Authorization', {fields: {authorization: 'Bearer x'}, response: cc('max-age=60')}, 'fresh for 60000', 'fresh for 300000'],
	['§4.1 Vary: * is never matched, and not stored', {response: cc('max-age=60', {vary: '*'})}, 'vary-star', 'vary-star'],

	['§4.2.1 max-age comes before Expires', {response: cc('max-age=60', {expires: date})}, 'fresh for 60000', 'fresh for 300000'],
	['§4.2.1 s-maxage does not bind a private cache', {response: cc('s-maxage=1, max-age=60')}, 'fresh for 60000', 'fresh for 300000'],
	['§4.2.1 Expires counts from Date', {response: {date: hourAgo, expires: date, etag: '"a"'}}, 'fresh for 0', 'fresh for 300000'],
	['§4.2.1 Expires without Date counts from when the response was received', {response: {expires: minuteAhead}}, 'fresh for 60000', 'fresh for 300000'],
	['§4.2.1 Expires with an invalid Date counts from when the response was received', {response: {date: 'now', expires: minuteAhead}}, 'fresh for 60000', 'fresh for 300000'],
	['§4.2.1 two max-age that differ are stale', {response: cc('max-age=60, max-age=70', {etag: '"a"'})}, 'fresh for 0', 'fresh for 300000'],
	['§4.2.1 two max-age that are equal are one', {response: {date, 'cache-control': ['max-age=60', 'max-age="60"']}}, 'fresh for 60000', 'fresh for 300000'],
	['§4.2.1 two Expires that differ are stale', {response: {date, expires: [minuteAhead, date], etag: '"a"'}}, 'fresh for 0', 'fresh for 300000'],
	['§4.2.1 two Expires that are equal are one', {response: {date, expires: [minuteAhead, minuteAhead]}}, 'fresh for 60000', 'fresh for 300000'],
	['§5.2 directives are case-insensitive', {response: cc('MAX-AGE=60')}, 'fresh for 60000', 'fresh for 300000'],
	['§5.2 an argument may be quoted', {response: cc('max-age="60"')}, 'fresh for 60000', 'fresh for 300000'],
	['§5.2.2.1 a max-age that is not a number is stale', {response: cc('max-age=x', {etag: '"a"'})}, 'fresh for 0', 'fresh for 300000'],
	['§5.2.2.1 a negative max-age is stale', {response: cc('max-age=-60', {etag: '"a"'})}, 'fresh for 0', 'fresh for 300000'],
	['§1.2.2 a max-age that is too large is 2^31 seconds', {response: cc('max-age=99999999999999999999')}, 'fresh for 2147483648000', 'fresh for 300000'],
	['§5.3 an Expires that is not a date is stale', {response: {date, expires: '0', etag: '"a"'}}, 'fresh for 0', 'fresh for 300000'],
	['§5.3 an Expires in the past is stale', {response: {date, expires: hourAgo, etag: '"a"'}}, 'fresh for 0', 'fresh for 300000'],
	['§5.3 an RFC 850 date is read', {response: {date, expires: 'Tuesday, 14-Nov-23 22:14:20 GMT'}}, 'fresh for 60000', 'fresh for 300000'],
	['§5.3 an asctime date is read', {response: {date, expires: 'Tue Nov 14 22:14:20 2023'}}, 'fresh for 60000', 'fresh for 300000'],

	['§4.2.2 a share of the time since Last-Modified is fresh', {response: {date, 'last-modified': hourAgo}}, 'fresh for 360000', 'fresh for 300000'],
	['§4.2.2 without Last-Modified there is no heuristic', {response: {date, etag: '"a"'}}, 'fresh for 0', 'fresh for 300000'],
	['§4.2.2 without Date the time since Last-Modified counts from when the response was received', {response: {'last-modified': hourAgo}}, 'fresh for 360000', 'fresh for 300000'],
	['§4.2.2 a Last-Modified in the future gives no heuristic', {response: {date, 'last-modified': minuteAhead}}, 'fresh for 0', 'fresh for 300000'],
	['§4.2.2 a Date in the future gives no longer lifetime than the current time', {response: {date: dayAhead, 'last-modified': hourAgo}}, 'fresh for 360000', 'fresh for 300000'],
	['§4.2.3 a Date in the future makes no response younger than when it was received', {response: cc('max-age=60', {date: dayAhead})}, 'fresh for 60000', 'fresh for 300000'],
	['§4.2.2 an invalid Last-Modified gives no heuristic', {response: {date, 'last-modified': 'x'}}, 'fresh for 0', 'fresh for 300000'],
	['§4.2.2 explicit freshness takes precedence over the heuristic', {response: cc('max-age=0', {'last-modified': hourAgo})}, 'fresh for 0', 'fresh for 300000'],
	['§4.2.4 a response that could be neither served nor validated is not stored', {response: {date}}, 'expired-without-validator', 'fresh for 300000'],
	['§4.2.4 a response that may be served stale is stored', {response: cc('max-age=0, stale-while-revalidate=60')}, 'fresh for 0', 'fresh for 300000'],
	['§4.2.4 a response without a validator that must not be served stale is not stored for the settings', {response: cc('no-cache'), settings: {staleWhileRevalidate: Infinity, staleIfError: Infinity}}, 'expired-without-validator', 'fresh for 300000'],
	['§5.2.2.2 a response without a validator that must be revalidated at once is not stored for the settings', {response: cc('max-age=0, must-revalidate'), settings: {staleWhileRevalidate: Infinity}}, 'expired-without-validator', 'fresh for 300000'],
	['§4.2.4 a response that the settings allow to serve stale is stored', {response: cc('max-age=0'), settings: {staleWhileRevalidate: 60_000}}, 'fresh for 0', 'fresh for 300000'],
	['§4.2.4 a window of 0 in a response comes before the settings', {response: cc('max-age=0, stale-while-revalidate=0, stale-if-error=0'), settings: {staleWhileRevalidate: Infinity, staleIfError: Infinity}}, 'expired-without-validator', 'fresh for 300000'],
	['§4.2.4 an error that may be served stale, by its own word, is stored', {status: 404, response: cc('max-age=0, stale-if-error=60')}, 'fresh for 0', 'status-code'],
	['§4.2.4 a response that may be served instead of an error is stored', {response: cc('max-age=0, stale-if-error=60')}, 'fresh for 0', 'fresh for 300000'],

	['§4.2.3 a received Age shortens the freshness', {response: cc('max-age=60', {age: '20'})}, 'fresh for 40000', 'fresh for 300000'],
	['§4.2.3 a Date in the past shortens the freshness', {response: cc('max-age=7200', {date: hourAgo})}, 'fresh for 3600000', 'fresh for 300000'],
	['§4.2.3 the greater of both shortens the freshness', {response: cc('max-age=7200', {date: hourAgo, age: '7000'})}, 'fresh for 200000', 'fresh for 300000'],
	['§4.2.3 the response delay shortens the freshness', {response: cc('max-age=60', {age: '20'}), took: 10_000}, 'fresh for 30000', 'fresh for 300000'],
	['§4.2.3 a Date in the future makes no response younger', {response: cc('max-age=60', {date: minuteAhead})}, 'fresh for 60000', 'fresh for 300000'],
	['§4.2.3 a clock that was set back makes no response younger', {response: cc('max-age=60'), took: -10_000}, 'fresh for 60000', 'fresh for 300000'],
	['§5.1 of a list of ages the first counts', {response: cc('max-age=60', {age: '20, 50'})}, 'fresh for 40000', 'fresh for 300000'],
	['§5.1 of two lines of Age the first counts', {response: cc('max-age=60', {age: ['20', '50']})}, 'fresh for 40000', 'fresh for 300000'],
	['§5.1 white space that HTTP does not define does not hide an age', {response: cc('max-age=60', {age: '\u{A0}20\u{85}'})}, 'fresh for 40000', 'fresh for 300000'],
	['§5.1 an Age that is not a number is ignored', {response: cc('max-age=60', {age: 'old'})}, 'fresh for 60000', 'fresh for 300000'],
	['§5.1 an Age that is too large makes a response stale', {response: cc('max-age=60', {age: '99999999999999999999', etag: '"a"'})}, `fresh for ${60_000 - 2_147_483_648_000}`, 'fresh for 300000'],

	['§5.2.2.3 must-understand permits storing a known status despite no-store', {response: cc('must-understand, no-store, max-age=60')}, 'fresh for 60000', 'fresh for 300000'],
	['§5.2.2.3 must-understand forbids storing an unknown status', {status: 299, response: cc('must-understand, max-age=60')}, 'must-understand', 'status-code'],
	['§5.2.2.3 must-understand with an unknown status does not override no-store', {status: 299, response: cc('must-understand, no-store, max-age=60')}, 'no-store', 'status-code'],
	['§5.2.2.4 no-cache is stored, to be validated', {response: cc('no-cache, max-age=60')}, 'fresh for 60000', 'fresh for 300000'],
	['§5.2.2.5 no-store is not stored', {response: cc('no-store, max-age=60')}, 'no-store', 'fresh for 300000'],
	['§5.2.2.5 a malformed directive does not hide no-store', {response: cc('max-age="60, no-store')}, 'no-store', 'fresh for 300000'],
	['§5.2.2.5 white space that HTTP does not define does not hide no-store', {response: cc('max-age=60,\u{EF}\u{BB}\u{BF}no-store')}, 'no-store', 'fresh for 300000'],
	['§5.2.2.5 another separator does not hide no-store', {response: cc('max-age=60;no-store')}, 'no-store', 'fresh for 300000'],
	['§5.2.2.7 private binds shared caches only', {response: cc('private="set-cookie", max-age=60')}, 'fresh for 60000', 'fresh for 300000'],
	['§5.2.3 an unknown directive is ignored', {response: cc('x-new="a,b", max-age=60')}, 'fresh for 60000', 'fresh for 300000'],
	['§5.4 Pragma in a response is ignored', {response: cc('max-age=60', {pragma: 'no-cache'})}, 'fresh for 60000', 'fresh for 300000'],

	['RFC 9213 §2.2 a targeted field comes before Cache-Control and Expires', {response: cc('no-store', {'example-cache-control': 'max-age=60'}), settings: {cacheControlTargets: ['example-cache-control']}}, 'fresh for 60000', 'fresh for 300000'],
	['RFC 9213 §2.2 Expires is ignored if there is a targeted field', {
		response: {
			date, expires: minuteAhead, etag: '"a"', 'example-cache-control': 'must-revalidate',
		}, settings: {cacheControlTargets: ['example-cache-control']},
	}, 'fresh for 0', 'fresh for 300000'],
	['RFC 9213 §2.2 an invalid targeted field is ignored', {response: cc('max-age=60', {'example-cache-control': 'max-age=;'}), settings: {cacheControlTargets: ['example-cache-control']}}, 'fresh for 60000', 'fresh for 300000'],
	['RFC 9213 §2.2 a field that is not a target is ignored', {response: cc('max-age=60', {'cdn-cache-control': 'no-store'})}, 'fresh for 60000', 'fresh for 300000'],

	['the headers of the origin come before the settings of the user', {response: cc('max-age=60'), settings: {requestExpireAfter: {kind: 'never'}}}, 'fresh for 60000', 'for good'],
	['the settings of the user come before the heuristic', {response: {date, 'last-modified': hourAgo}, settings: {requestExpireAfter: {kind: 'after', milliseconds: 1000}}}, 'fresh for 1000', 'fresh for 1000'],
	['the settings of the user make no status cacheable', {status: 500, response: {date}, settings: {requestExpireAfter: {kind: 'never'}}}, 'not-cacheable', 'status-code'],
	['max-age of a request is the lifetime of the response only in the default mode', {fields: {'cache-control': 'max-age=10'}, response: {date, 'last-modified': hourAgo}}, 'fresh for 360000', 'fresh for 10000'],

	['RFC 9110 §9.3.3 a POST with freshness and its own Content-Location answers a later GET', {
		method: 'POST', url: 'https://example.com/a?b=1#c', storeAs: 'GET', response: cc('max-age=60', {'content-location': '/a?b=1'}),
	}, 'fresh for 60000', 'fresh for 300000'],
	['RFC 9110 §9.3.3 a POST without Content-Location does not answer a later GET', {method: 'POST', storeAs: 'GET', response: cc('max-age=60')}, 'method', 'method'],
	['RFC 9110 §9.3.3 a POST with another Content-Location does not answer a later GET', {method: 'POST', storeAs: 'GET', response: cc('max-age=60', {'content-location': '/other'})}, 'method', 'method'],
	['RFC 9110 §9.3.3 a POST with an invalid Content-Location does not answer a later GET', {method: 'POST', storeAs: 'GET', response: cc('max-age=60', {'content-location': 'http://['})}, 'method', 'method'],
	['RFC 9110 §9.3.3 a POST that failed does not answer a later GET', {
		method: 'POST', status: 500, storeAs: 'GET', response: cc('max-age=60', {'content-location': '/'}),
	}, 'method', 'status-code'],
	['RFC 9110 §9.3.3 an interim response does not answer a later GET', {
		method: 'POST', status: 199, storeAs: 'GET', response: cc('max-age=60', {'content-location': '/'}),
	}, 'status-code', 'status-code'],
	['RFC 9110 §9.3.3 a POST without freshness does not answer a later GET', {method: 'POST', storeAs: 'GET', response: {date, 'content-location': '/'}}, 'method', 'method'],
];

for (const [title, received, byTheOrigin, byTheUser] of table) {
	test(`RFC 9111 ${title}: ${byTheOrigin} with cacheControl, ${byTheUser} without`, t => {
		t.is(verdict(received, byOrigin), byTheOrigin);
		t.is(verdict(received, {}), byTheUser);
	});
}

test('RFC 9111 §5.2.2.4: the fields that no-cache names are not stored, and an invalid list applies to the whole response', t => {
	const fieldsOf = (value: string): unknown => {
		const decision = receive({response: cc(`max-age=60, ${value}`)}, byOrigin);
		return decision.do === 'store' ? decision.excludedFields : decision.do;
	};

	t.deepEqual(fieldsOf('no-cache="X-One, x-two"'), ['x-one', 'x-two']);
	t.deepEqual(fieldsOf('no-cache="a b"'), []);
	t.deepEqual(fieldsOf('no-cache'), []);
	t.deepEqual(fieldsOf('public'), []);
});

test('RFC 9111 §4.2.3: the initial age is stored', t => {
	const decision = receive({response: cc('max-age=60', {age: '20'}), took: 5000}, byOrigin);
	t.like(decision, {do: 'store', initialAge: 25_000, expires: start + 35_000});
});

test('a response that the origin allows to serve stale stays in the store that long', t => {
	const decision = receive({response: cc('max-age=60, stale-if-error=7200, stale-while-revalidate=10800')}, byOrigin);
	t.like(decision, {retainUntil: start + minute + (3 * hour)});
});

const retentions: ReadonlyArray<readonly [settings: Partial<PolicySettings>, retainedAfterExpiry: number]> = [
	[{ttlOffset: hour}, hour],
	[{ttlOffset: 0}, 0],
	[{ttlOffset: 2 * hour, staleIfError: hour, staleWhileRevalidate: minute}, 2 * hour],
	[{ttlOffset: minute, staleIfError: hour}, hour],
	[{ttlOffset: minute, staleWhileRevalidate: hour}, hour],
];

for (const [settings, retained] of retentions) {
	test(`with ${JSON.stringify(settings)}, an expired response stays in the store for ${retained / 1000} s`, t => {
		for (const decider of [byOrigin, {}]) {
			const decision = receive({response: cc('max-age=300')}, {...decider, ...settings});
			t.like(decision, {expires: start + (5 * minute), retainUntil: start + (5 * minute) + retained});
		}
	});
}

test('a response that stays in the store forever has no retention time', t => {
	t.like(receive({response: cc('max-age=300')}, {ttlOffset: Infinity}), {expires: start + (5 * minute), retainUntil: undefined});
});

const validation: ReadonlyArray<readonly [title: string, received: Received, expected: object]> = [
	['§4.3.4 a 304 without a validator freshens the validated response', {response: cc('max-age=60')}, {
		do: 'freshen', effect: 'store', expires: start + minute, initialAge: 0,
	}],
	['§4.3.4 a 304 with the same strong validator freshens the stored response', {response: cc('max-age=60', {etag: '"a"'}), stored: {fields: {etag: '"a"'}}}, {do: 'freshen', effect: 'store', expires: start + minute}],
	['§4.3.4 a 304 with another validator changes no stored response', {response: cc('max-age=60', {etag: '"b"'}), stored: {fields: {etag: '"a"'}}}, {do: 'freshen', effect: 'keep'}],
	['§5.2.2.5 a 304 with no-store deletes the stored response', {response: cc('no-store')}, {do: 'freshen', effect: 'delete'}],
	['§5.2.2.3 a 304 with must-understand deletes a stored response with an unknown status', {response: cc('must-understand'), stored: {statusCode: 299}}, {do: 'freshen', effect: 'delete'}],
	['§4.1 a 304 with Vary: * deletes the stored response', {response: {date, vary: '*'}}, {do: 'freshen', effect: 'delete'}],
	['§4.1 a 304 with a malformed Vary deletes the stored response', {response: {date, vary: 'accept language'}}, {do: 'freshen', effect: 'delete'}],
	['a 304 with the maximum number of tags is written', {response: {date, 'cache-tag': tags(maxTags)}}, {do: 'freshen', effect: 'store'}],
	['a 304 with too many tags deletes the stored response', {response: {date, 'cache-tag': tags(maxTags + 1)}}, {do: 'freshen', effect: 'delete'}],
	['a 304 with too many tags, together with the stored ones, deletes the stored response', {response: {date, 'cache-tag': tags(maxTags)}, stored: {tags: ['old']}}, {do: 'freshen', effect: 'delete'}],
	['a 304 with the tags that are stored is written', {response: {date, 'cache-tag': tags(maxTags)}, stored: {tags: tags(maxTags).split(', ')}}, {do: 'freshen', effect: 'store'}],
	['a 304 with too many tags changes nothing in a read-only cache', {response: {date, 'cache-tag': tags(maxTags + 1)}, settings: {readOnly: true}}, {do: 'freshen', effect: 'serve-only'}],
	['§5.2.2.4 no-cache for single fields in a 304 applies to the stored ones', {response: cc('no-cache="x-one"')}, {do: 'freshen', effect: 'store', excludedFields: ['x-one']}],
	['a read-only cache serves the update and writes nothing', {response: cc('max-age=60'), settings: {readOnly: true}}, {do: 'freshen', effect: 'serve-only'}],
	['§3.2 a 304 changes how long the stored response is fresh', {response: cc('max-age=10'), stored: {fields: {'cache-control': 'max-age=60'}}}, {do: 'freshen', expires: start + 10_000}],
	['§3.2 fields that the 304 does not have stay', {response: {date}, stored: {fields: {'cache-control': 'max-age=60', date: hourAgo, age: '50'}}}, {do: 'freshen', expires: start + minute, initialAge: 0}],
	['RFC 9110 §6.6.1 a 304 without a Date gets the current time', {response: {}, stored: {fields: {'cache-control': 'max-age=60', date: hourAgo}}}, {do: 'freshen', expires: start + minute, initialAge: 0}],
	['§4.2.3 a 304 may have an age', {response: {date, age: '5'}, stored: {fields: {'cache-control': 'max-age=60'}}}, {do: 'freshen', expires: start + minute - 5000, initialAge: 5000}],
];

for (const [title, received, expected] of validation) {
	test(`RFC 9111 ${title}`, t => {
		t.like(receive({
			status: 304, conditional: true, stored: {}, ...received,
		}, byOrigin), expected);
	});
}

const caller: ReadonlyArray<readonly [title: string, received: Received, expected: object]> = [
	['§4.3.4 a 304 to the precondition of the caller freshens a stored response that it agrees with', {
		status: 304, fields: {'if-none-match': '"a"'}, stored: {fields: {etag: '"a"'}}, response: cc('max-age=60', {etag: '"a"'}),
	}, {
		do: 'pass', stored: {
			excludedFields: [], expires: start + minute, retainUntil: start + minute + hour, initialAge: 0,
		}, reason: 'not-modified',
	}],
	['RFC 9110 §8.8.3 a 304 for the caller with a malformed tag changes nothing', {
		status: 304, fields: {'if-none-match': '"a"'}, stored: {fields: {etag: 'a'}}, response: cc('max-age=60', {etag: 'a'}),
	}, {do: 'pass', stored: undefined, reason: 'not-modified'}],
	['§4.3.4 a 304 to the precondition of the caller does not update a response with other validators', {
		status: 304, fields: {'if-none-match': '"a"'}, stored: {fields: {etag: '"a"'}}, response: cc('max-age=60', {etag: '"b"'}),
	}, {do: 'pass', reason: 'not-modified'}],
	['§4.3.4 a 304 to the precondition of the caller without a validator changes nothing', {
		status: 304, fields: {'if-none-match': '"a"'}, stored: {fields: {etag: '"a"'}}, response: cc('max-age=60'),
	}, {do: 'pass', reason: 'not-modified'}],
	['§4.3.5 a HEAD that agrees freshens the stored GET', {method: 'HEAD', stored: {fields: {etag: '"a"', 'content-length': '10'}}, response: cc('max-age=60', {etag: '"a"', 'content-length': '10'})}, {
		do: 'pass', stored: {
			excludedFields: [], expires: start + minute, retainUntil: start + minute + hour, initialAge: 0,
		}, reason: 'freshened-by-head',
	}],
	['§4.3.5 a HEAD that matches and forbids to store deletes the stored GET', {method: 'HEAD', stored: {fields: {etag: '"a"'}}, response: cc('max-age=60', {etag: '"a"', vary: '*'})}, {do: 'pass', reason: 'vary-star'}],
	['§4.3.5 a HEAD with too many tags deletes the stored GET', {method: 'HEAD', stored: {fields: {etag: '"a"'}, tags: ['old']}, response: cc('max-age=60', {etag: '"a"', 'cache-tag': tags(maxTags)})}, {do: 'pass', stored: 'delete', reason: 'too-many-tags'}],
	['a 304 for the caller with too many tags deletes the stored response', {
		status: 304, fields: {'if-none-match': '"a"'}, stored: {fields: {etag: '"a"'}, tags: ['old']}, response: cc('max-age=60', {etag: '"a"', 'cache-tag': tags(maxTags)}),
	}, {do: 'pass', stored: 'delete', reason: 'not-modified'}],
	['§4.3.5 a HEAD that does not agree makes the stored GET stale', {method: 'HEAD', stored: {fields: {etag: '"a"', 'content-length': '10'}}, response: cc('max-age=60', {etag: '"a"', 'content-length': '11'})}, {do: 'pass', stored: 'delete', reason: 'outdated-by-head'}],
	['§5.2.2.5 a 304 for the caller with no-store deletes the stored response', {
		status: 304, fields: {'if-none-match': '"a"'}, stored: {fields: {etag: '"a"'}}, response: cc('no-store', {etag: '"a"'}),
	}, {do: 'pass', stored: 'delete', reason: 'not-modified'}],
	['§4.3.5 a HEAD is stored if a HEAD is stored already', {method: 'HEAD', stored: {method: 'HEAD'}, response: cc('max-age=60')}, {do: 'store'}],
	['RFC 5861 §4 a stale response is served instead of a 503', {status: 503, stored: {}, settings: {staleIfError: Infinity}}, {do: 'serve', reason: 'stale-if-error'}],
	['RFC 5861 §4 a stale response is not served instead of a 404', {
		status: 404, stored: {}, response: cc('max-age=60'), settings: {staleIfError: Infinity},
	}, {do: 'store'}],
	['RFC 5861 §4 a stale response is not served instead of a status that is allowed', {
		status: 503, stored: {}, response: cc('max-age=60'), settings: {staleIfError: Infinity, allowableCodes: new Set([503])},
	}, {do: 'store'}],
	['RFC 5861 §4 while Got may retry, the stale response is not served', {
		status: 503, stored: {}, response: {date}, settings: {staleIfError: Infinity}, retries: true,
	}, {do: 'pass', awaitsRetries: true, reason: 'awaits-retries'}],
	['RFC 5861 §4 any other status is passed at once', {
		status: 404, stored: {}, response: {date, etag: '"a"'}, settings: {staleIfError: Infinity, gatewayTimeout: 'respond'}, retries: true,
	}, {do: 'store'}],
	['§5.2.2.2 must-revalidate beats the setting', {
		status: 503, stored: {fields: {'cache-control': 'must-revalidate'}}, response: {date}, settings: {staleIfError: Infinity},
	}, {do: 'pass', reason: 'not-cacheable'}],
	['§5.2.2.4 no-cache beats the setting', {
		status: 503, stored: {fields: {'cache-control': 'no-cache'}}, response: {date}, settings: {staleIfError: Infinity},
	}, {do: 'pass', reason: 'not-cacheable'}],
];

for (const [title, received, expected] of caller) {
	test(`RFC 9111 ${title}`, t => {
		t.like(receive(received, byOrigin), expected);
	});
}

test('RFC 9110 §9.3.3: a POST is sent, and may answer a later GET', t => {
	t.deepEqual(onRequest(facts({method: 'POST', settings: byOrigin})), {do: 'pass', storeAs: 'GET', reason: 'method'});
	t.deepEqual(onRequest(facts({method: 'POST', settings: {...byOrigin, allowableMethods: new Set(['HEAD'])}})), {do: 'pass', reason: 'method'});
	t.deepEqual(onRequest(facts({method: 'POST', fields: {'cache-control': 'no-store'}, settings: byOrigin})), {do: 'pass', reason: 'method'});
	t.deepEqual(onRequest(facts({method: 'POST', settings: {...byOrigin, allowableMethods: new Set(['GET', 'POST'])}})), {do: 'lookup'});
});

test('with cacheControl: false a HEAD does not change a stored GET', t => {
	t.like(receive({method: 'HEAD', stored: {fields: {etag: '"a"'}}, response: {etag: '"b"'}}, {}), {do: 'store'});
});
