import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import type {Fields} from '../../source/policy/fields.ts';
import {invalidatedBy} from '../../source/policy/response-rules.ts';
import type {ResponseHead} from '../../source/policy/types.ts';
import {byOrigin, facts, type RequestCase} from '../helpers/policy.ts';

const url = 'https://example.com/a/b?q=1';

function invalidatedUrls(request: RequestCase, response: ResponseHead): readonly string[] {
	return invalidatedBy(facts({...request, settings: {...byOrigin, ...request.settings}}), response).map(invalid => invalid.url);
}

for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']) {
	test(`RFC 9111 §4.4: ${method} is safe and invalidates nothing`, t => {
		t.deepEqual(invalidatedUrls({method, url}, {statusCode: 200, fields: {location: '/x'}}), []);
	});
}

for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'PURGE', 'FOO', 'get']) {
	test(`RFC 9111 §4.4: ${method} invalidates its target`, t => {
		t.deepEqual(invalidatedUrls({method, url}, {statusCode: 200, fields: {}}), [url]);
	});
}

for (const [statusCode, count] of [[100, 0], [199, 0], [200, 1], [204, 1], [299, 1], [301, 1], [303, 1], [399, 1], [400, 0], [404, 0], [500, 0]] as const) {
	test(`RFC 9111 §4.4: a ${statusCode} to a POST invalidates ${count === 0 ? 'nothing' : 'the target'}`, t => {
		t.is(invalidatedUrls({method: 'POST', url}, {statusCode, fields: {}}).length, count);
	});
}

const answers: ReadonlyArray<readonly [title: string, fields: Fields, others: readonly string[]]> = [
	['a Location', {location: 'https://example.com/x'}, ['https://example.com/x']],
	['a Content-Location', {'content-location': 'https://example.com/x'}, ['https://example.com/x']],
	['both', {location: '/x', 'content-location': '/y'}, ['https://example.com/x', 'https://example.com/y']],
	['both the same', {location: '/x', 'content-location': 'https://example.com/x#y'}, ['https://example.com/x']],
	['the target itself', {location: '/a/b?q=1', 'content-location': '#here'}, []],
	['a relative path', {location: 'c'}, ['https://example.com/a/c']],
	['a query alone', {location: '?q=2'}, ['https://example.com/a/b?q=2']],
	['a path with dots', {location: '../x/./y'}, ['https://example.com/x/y']],
	['a fragment', {location: '/x#y'}, ['https://example.com/x']],
	['the same host without a scheme', {location: '//example.com/x'}, ['https://example.com/x']],
	['the same origin in capitals, with the default port', {location: 'HTTPS://EXAMPLE.com:443/x'}, ['https://example.com/x']],
	['several lines', {location: ['/x', '/y']}, ['https://example.com/x', 'https://example.com/y']],
	// eslint-disable-next-line unicorn/prefer-https -- The scheme is what is tried.
	['another scheme', {location: 'http://example.com/x'}, []],
	['another host', {location: 'https://www.example.com/x', 'content-location': '//example.org/x'}, []],
	['another port', {location: 'https://example.com:8443/x'}, []],
	['a host as the user', {location: 'https://example.com@example.org/x'}, []],
	['a URL with another scheme', {location: 'data:,x', 'content-location': 'mailto:a@example.com'}, []],
	['a value that is not a URL', {location: 'https://[', 'content-location': '/x'}, ['https://example.com/x']],
	['nothing', {location: ''}, []],
];

for (const [title, fields, others] of answers) {
	test(`RFC 9111 §4.4: for ${title}, ${others.length === 0 ? 'nothing' : others.join(' and ')} is invalidated besides the target`, t => {
		t.deepEqual(invalidatedUrls({method: 'POST', url}, {statusCode: 201, fields}), [url, ...others]);
	});
}

test('RFC 9111 §4.4: the target has no fragment', t => {
	t.deepEqual(invalidatedUrls({method: 'POST', url: `${url}#part`}, {statusCode: 200, fields: {}}), [url]);
});

test('RFC 9111 §4.4: two URLs without an origin do not have the same origin', t => {
	t.deepEqual(invalidatedUrls({method: 'POST', url: 'foo://a/x'}, {statusCode: 200, fields: {location: 'foo://b/x', 'content-location': 'bar://a/x'}}), ['foo://a/x']);
});

test('RFC 9111 §4.4: a target that cannot be parsed invalidates nothing', t => {
	t.deepEqual(invalidatedUrls({method: 'POST', url: 'nowhere'}, {statusCode: 200, fields: {location: url}}), []);
});

test('RFC 9111 §4.4: with any headers, every invalidated URL has the origin of the target and no fragment, and is listed once', t => {
	const location = fc.oneof(fc.string({unit: 'binary'}), fc.webUrl({withFragments: true}), fc.webPath(), fc.constantFrom('//example.com/x', 'https://example.com', '?', '#'));
	const fields = fc.record({location, 'content-location': fc.oneof(location, fc.array(location))}, {requiredKeys: []});
	fc.assert(fc.property(fc.oneof(fc.webUrl({withFragments: true}), fc.string()), fc.string(), fc.integer({min: 100, max: 599}), fields, (target, method, statusCode, named) => {
		const urls = invalidatedUrls({method, url: target}, {statusCode, fields: named});
		t.is(new Set(urls).size, urls.length);
		for (const invalid of urls) {
			t.is(new URL(invalid).origin, new URL(target).origin);
			t.false(invalid.includes('#'));
		}
	}));
});

const both = new Set(['GET', 'HEAD', 'POST']);
const spared: ReadonlyArray<readonly [title: string, request: RequestCase, invalid: ReadonlyArray<readonly [path: string, keepsOwnMethod: boolean]>]> = [
	['a POST invalidates all stored responses of its target', {method: 'POST'}, [['/a', false], ['/b', false]]],
	['a cached POST does not invalidate other responses to a POST of its target', {method: 'POST', settings: {allowableMethods: both}}, [['/a', true], ['/b', false]]],
	['a PUT invalidates a cached POST as well', {method: 'PUT', settings: {allowableMethods: both}}, [['/a', false], ['/b', false]]],
	['a POST with an overriding method invalidates everything', {method: 'POST', override: 'PUT', settings: {allowableMethods: both}}, [['/a', false], ['/b', false]]],
	['a POST with an overriding method that is allowed keeps other responses to its own method', {method: 'POST', override: 'GET', settings: {allowableMethods: both}}, [['/a', true], ['/b', false]]],
	['a POST overridden by GET is unsafe', {method: 'POST', override: 'GET'}, [['/a', false], ['/b', false]]],
	['a GET overridden by an unsafe method is unsafe', {method: 'GET', override: 'DELETE'}, [['/a', false], ['/b', false]]],
	['a GET overridden by a safe method is safe', {method: 'GET', override: 'HEAD'}, []],
	['a disabled cache invalidates nothing', {method: 'PUT', settings: {disabled: true}}, []],
	['a read-only cache invalidates nothing', {method: 'PUT', settings: {readOnly: true}}, []],
	['in the default mode, nothing is invalidated', {method: 'PUT', settings: {cacheControl: false}}, []],
];

for (const [title, request, invalid] of spared) {
	test(`RFC 9111 §4.4: ${title}`, t => {
		const known = facts({...request, url: 'https://example.com/a', settings: {...byOrigin, ...request.settings}});
		const expected = invalid.map(([path, keepsOwnMethod]) => ({url: `https://example.com${path}`, keepsOwnMethod}));
		t.deepEqual(invalidatedBy(known, {statusCode: 200, fields: {location: '/b', 'content-location': '/a'}}), expected);
	});
}
