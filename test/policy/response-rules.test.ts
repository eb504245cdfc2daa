import test from 'ava';
import {onError, onResponse} from '../../source/policy/response-rules.ts';
import {type Fields, maxTagLength, maxTags} from '../../source/policy/fields.ts';
import type {StoredHead} from '../../source/policy/types.ts';
import {
	facts,
	hour,
	minute,
	start,
	storedHead,
	tags,
	type RequestCase,
} from '../helpers/policy.ts';

const pass = (reason: string): object => ({do: 'pass', reason});
const stored = (expires: number | undefined, retainUntil: number | undefined): object => ({
	do: 'store', excludedFields: [], vary: [], reason: 'stored', expires, retainUntil, initialAge: 0,
});
const fresh = stored(start + (5 * minute), start + (5 * minute) + hour);
const serveStale = {do: 'serve', view: {kind: 'whole'}, reason: 'stale-if-error'};

type ResponseCase = RequestCase & {
	readonly status?: number;
	readonly response?: Fields;
	readonly stored?: Partial<StoredHead>;
	readonly conditional?: boolean;
	readonly exposesCredential?: boolean;
	readonly isResent?: boolean;
	readonly after?: number;
};

const redirectToLong = {
	url: 'https://example.com/short',
	response: {location: '/long'},
	settings: {urlsExpireAfter: [{matches: (url: string) => url === 'https://example.com/long', expiration: {kind: 'after' as const, milliseconds: hour}}]},
};

const table: ReadonlyArray<readonly [title: string, response: ResponseCase, decision: object]> = [
	['RFC 9111 §3: a response is stored', {}, fresh],
	['a response that never expires stays in the store', {settings: {expireAfter: {kind: 'never'}}}, stored(undefined, undefined)],
	['without an expiration, a response never expires', {settings: {expireAfter: undefined}}, stored(undefined, undefined)],
	['a response that expires at a Date expires then', {settings: {expireAfter: {kind: 'at', time: start + minute}}}, stored(start + minute, start + minute + hour)],
	['a URL pattern beats the client\'s expiration', {settings: {urlsExpireAfter: [{matches: () => true, expiration: {kind: 'after', milliseconds: minute}}]}}, stored(start + minute, start + minute + hour)],
	['the first URL pattern that matches wins', {settings: {urlsExpireAfter: [{matches: () => false, expiration: {kind: 'never'}}, {matches: () => true, expiration: {kind: 'after', milliseconds: minute}}, {matches: () => true, expiration: {kind: 'never'}}]}}, stored(start + minute, start + minute + hour)],
	['the request\'s own expiration beats a URL pattern', {settings: {requestExpireAfter: {kind: 'after', milliseconds: minute}, urlsExpireAfter: [{matches: () => true, expiration: {kind: 'never'}}]}}, stored(start + minute, start + minute + hour)],
	['the request\'s max-age beats its own setting', {fields: {'cache-control': 'max-age=120'}, settings: {requestExpireAfter: {kind: 'after', milliseconds: minute}}}, stored(start + (2 * minute), start + (2 * minute) + hour)],
	['a max-age of 0 does not change the lifetime', {fields: {'cache-control': 'max-age=0'}}, fresh],
	['a max-age that is too large is 2^31 s', {fields: {'cache-control': 'max-age=99999999999999999999'}}, stored(start + (2_147_483_648 * 1000), start + (2_147_483_648 * 1000) + hour)],
	['a response that may be served stale stays in the store that long', {settings: {staleIfError: 3 * hour, staleWhileRevalidate: 2 * hour}}, stored(start + (5 * minute), start + (5 * minute) + (3 * hour))],
	['a response that may always be served stale stays in the store', {settings: {staleIfError: Infinity}}, stored(start + (5 * minute), undefined)],

	['a status that is not allowed is not stored', {status: 404}, pass('status-code')],
	['a status that is allowed is stored', {status: 404, settings: {allowableCodes: new Set([404])}}, fresh],
	['an interim status is never stored', {status: 101, settings: {allowableCodes: new Set([101])}}, pass('status-code')],
	['RFC 9111 §3.3: a partial response is not stored', {status: 206, settings: {allowableCodes: new Set([206])}}, pass('partial')],
	['RFC 9111 §3.3: a response with Content-Range is not stored', {response: {'content-range': 'bytes 0-1/2'}}, pass('partial')],
	['RFC 9111 §4.1: Vary: * is not stored', {response: {vary: 'accept, *'}}, pass('vary-star')],
	['a malformed Vary counts as *', {response: {vary: 'accept, "cookie'}}, pass('vary-star')],
	['the maximum number of tags is stored', {response: {'cache-tag': tags(maxTags)}}, fresh],
	['a response with too many tags is not stored', {response: {'cache-tag': tags(maxTags), 'surrogate-key': 'another'}}, pass('too-many-tags')],
	['a tag that is too long is not stored', {response: {'cache-tag': 'x'.repeat(maxTagLength + 1)}}, pass('too-many-tags')],
	['a response with too many tags deletes the stored one', {response: {'cache-tag': tags(maxTags + 1)}, stored: {}}, {...pass('too-many-tags'), stored: 'delete'}],
	['a response that could not be used deletes the stored one, which is older', {settings: {expireAfter: {kind: 'after', milliseconds: 0}}, stored: {}}, {...pass('expired-without-validator'), stored: 'delete'}],
	['a 408 that must not be stored deletes nothing', {
		status: 408, settings: {cacheControl: true, allowableCodes: undefined}, response: {'cache-control': 'no-store'}, stored: {},
	}, pass('no-store')],
	['a server error that could not be used deletes nothing', {
		status: 501, settings: {cacheControl: true, allowableCodes: undefined, expireAfter: undefined}, stored: {},
	}, pass('expired-without-validator')],
	['without cacheControl, the response to a HEAD that is not stored does not delete that to a GET', {method: 'HEAD', response: {vary: '*'}, stored: {}}, pass('vary-star')],
	['the response to a HEAD that is not stored deletes an older one', {method: 'HEAD', response: {vary: '*'}, stored: {method: 'HEAD'}}, {...pass('vary-star'), stored: 'delete'}],
	['with cacheControl, the response to a HEAD that must not be stored deletes that to a GET', {
		method: 'HEAD', settings: {cacheControl: true}, response: {'cache-control': 'no-store'}, stored: {},
	}, {...pass('no-store'), stored: 'delete'}],
	['an error with too many tags does not replace the stored response', {
		status: 500, settings: {allowableCodes: new Set([500])}, response: {'cache-tag': tags(maxTags + 1)}, stored: {},
	}, pass('too-many-tags')],
	['a new response has no tags of the stored one', {response: {'cache-tag': tags(maxTags)}, stored: {tags: ['old']}}, fresh],
	['a response with a credential in a header is not stored', {exposesCredential: true}, pass('secret-in-header')],
	['readOnly stores nothing', {settings: {readOnly: true}}, pass('read-only')],
	['expireAfter 0 without a validator is not stored', {settings: {expireAfter: {kind: 'after', milliseconds: 0}}}, pass('expired-without-validator')],
	['expireAfter 0 with a malformed tag is not stored', {settings: {expireAfter: {kind: 'after', milliseconds: 0}}, response: {etag: 'a'}}, pass('expired-without-validator')],
	['expireAfter 0 with a validator is stored and stale', {settings: {expireAfter: {kind: 'after', milliseconds: 0}}, response: {etag: '"a"'}}, stored(start, start + hour)],
	['expireAfter 0 without a validator is stored if it may be served instead of an error', {settings: {expireAfter: {kind: 'after', milliseconds: 0}, staleIfError: Infinity}}, stored(start, undefined)],
	['expireAfter 0 without a validator is stored if it may be served while it is revalidated', {settings: {expireAfter: {kind: 'after', milliseconds: 0}, staleWhileRevalidate: 2 * hour}}, stored(start, start + (2 * hour))],
	['an error with expireAfter 0 is not stored to be served while it is revalidated', {status: 404, settings: {allowableCodes: new Set([404]), expireAfter: {kind: 'after', milliseconds: 0}, staleWhileRevalidate: hour}}, pass('expired-without-validator')],

	['a redirect is stored even if its code is not allowed', {status: 302, response: {location: '/x'}}, fresh],
	['a redirect is fresh as long as its target', {...redirectToLong, status: 301}, stored(start + hour, start + (2 * hour))],
	['a redirect to a URL that is never cached is not stored', {status: 307, response: {location: 'https://other.example/'}, settings: {urlsExpireAfter: [{matches: url => url === 'https://other.example/', expiration: {kind: 'do-not-cache'}}]}}, pass('do-not-cache')],
	['a redirect to an invalid URL has its own expiration', {status: 308, response: {location: 'http://['}}, fresh],
	['a redirect without a Location counts as any other status', {status: 303}, pass('status-code')],
	['a Location without a redirect status is ignored', {
		status: 200, url: redirectToLong.url, settings: redirectToLong.settings, response: redirectToLong.response,
	}, fresh],

	['RFC 9111 §4.3.3: a 304 freshens the stored response', {status: 304, conditional: true, stored: {}}, {
		do: 'freshen', view: {kind: 'whole'}, effect: 'store', excludedFields: [], vary: [], reason: 'revalidated', initialAge: 0, expires: start + (5 * minute), retainUntil: start + (5 * minute) + hour,
	}],
	['a freshened redirect is fresh as long as its target', {
		...redirectToLong, status: 304, response: {}, conditional: true, stored: {statusCode: 301, fields: {location: '/long'}},
	}, {
		do: 'freshen', view: {kind: 'whole'}, effect: 'store', excludedFields: [], vary: [], reason: 'revalidated', initialAge: 0, expires: start + hour, retainUntil: start + (2 * hour),
	}],
	['a freshened redirect to a URL that is no longer cached is stale', {
		...redirectToLong, status: 304, response: {}, conditional: true, stored: {statusCode: 301, fields: {location: '/long'}}, settings: {urlsExpireAfter: [{matches: url => url.endsWith('/long'), expiration: {kind: 'do-not-cache'}}]},
	}, {
		do: 'freshen', view: {kind: 'whole'}, effect: 'store', excludedFields: [], vary: [], reason: 'revalidated', initialAge: 0, expires: start, retainUntil: start + hour,
	}],
	['a 304 in a read-only cache is not written', {
		status: 304, conditional: true, stored: {}, settings: {readOnly: true},
	}, {
		do: 'freshen', view: {kind: 'whole'}, effect: 'serve-only', excludedFields: [], vary: [], reason: 'revalidated', initialAge: 0, expires: start + (5 * minute), retainUntil: start + (5 * minute) + hour,
	}],
	['RFC 9111 §4.3.3: a 304 that the caller asked for is not stored', {status: 304, fields: {'if-none-match': '"a"'}, settings: {allowableCodes: new Set([304])}}, pass('not-modified')],
	['RFC 9110 §15.4.5: an unexpected 304 is resent', {status: 304}, {do: 'resend', reason: 'not-modified'}],
	['RFC 9110 §15.4.5: a second unexpected 304 is passed on', {status: 304, isResent: true}, pass('not-modified')],
	['RFC 9110 §15.4.5: an unsafe request is not sent again', {status: 304, method: 'POST'}, pass('not-modified')],

	['RFC 5861 §4: a stale response is served instead of a 503', {
		status: 503, stored: {}, settings: {staleIfError: Infinity}, after: hour,
	}, serveStale],
	['RFC 5861 §4: a stale response is not served after the stale-if-error time', {
		status: 503, stored: {}, settings: {staleIfError: minute}, after: hour,
	}, pass('status-code')],
	['staleIfError serves a stale response instead of an error status that is not allowed', {
		status: 404, stored: {}, settings: {staleIfError: Infinity}, after: hour,
	}, serveStale],
	['an error status that is allowed is stored despite staleIfError', {status: 404, stored: {}, settings: {staleIfError: Infinity, allowableCodes: new Set([404])}}, stored(start + (5 * minute), undefined)],
	['RFC 5861 §4: the request\'s stale-if-error counts', {
		status: 500, stored: {}, fields: {'cache-control': 'stale-if-error=60'}, after: (6 * minute) - 1,
	}, serveStale],
	['RFC 5861 §4: the request\'s stale-if-error limits the setting', {
		status: 500, stored: {}, fields: {'cache-control': 'stale-if-error=60'}, settings: {staleIfError: Infinity}, after: hour,
	}, pass('status-code')],
	['a stale-if-error without a value has no limit', {
		status: 500, stored: {}, fields: {'cache-control': 'stale-if-error'}, after: 100 * hour,
	}, serveStale],
	['without a stored response an error is passed on', {status: 503, settings: {staleIfError: Infinity}}, pass('status-code')],
];

for (const [title, {status = 200, response = {}, stored: own, conditional = false, exposesCredential = false, isResent = false, after = 0, ...request}, decision] of table) {
	test(`on a response: ${title}`, t => {
		const sent = {
			stored: own === undefined ? undefined : storedHead(own), conditional, exposesCredential, isResent,
		};
		t.deepEqual(onResponse(facts(request), {statusCode: status, fields: response}, sent, {requested: start + after, received: start + after}) as object, decision);
	});
}

const errors: ReadonlyArray<readonly [title: string, request: RequestCase, stored: Partial<StoredHead> | undefined, decision: object]> = [
	['a failure is passed to the caller', {}, {}, pass('no-response')],
	['without a stored response a failure is passed to the caller', {settings: {staleIfError: Infinity}}, undefined, pass('no-response')],
	['RFC 5861 §4: a stale response is served', {settings: {staleIfError: Infinity}}, {}, serveStale],
	['RFC 9111 §4.2.4: a response that is stale for too long is not served', {settings: {staleIfError: minute}}, {}, pass('no-response')],
	['a response that never expires is served', {settings: {staleIfError: minute}}, {expires: undefined}, serveStale],
];

for (const [title, request, own, decision] of errors) {
	test(`on an error: ${title}`, t => {
		t.deepEqual(onError(facts(request), {stored: own === undefined ? undefined : storedHead(own)}, start + hour) as object, decision);
	});
}
