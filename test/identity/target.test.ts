/* eslint-disable unicorn/prefer-https -- Both schemes are meant. */
import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {resourceOfRequest, siblingOf} from '../../source/identity/identify.ts';
import {ignoredByDefault} from '../../source/identity/credentials.ts';
import {
	describedRequest,
	connectionUrl,
	isTargetHeader,
	targetParts,
	targetUrl,
} from '../../source/identity/sent-request.ts';

type Headers = Record<string, string | string[]>;

const http = 'http://127.0.0.1:8080/a?b=c#d';
const https = 'https://api.example/a';

/** The headers that are part of the key, and the URL that the origin sees. */
const targets: ReadonlyArray<readonly [title: string, url: string, headers: Headers, parts: ReadonlyArray<readonly [string, string]> | undefined, target: string]> = [
	['no header', http, {accept: 'a'}, undefined, http],
	['the authority itself', http, {host: '127.0.0.1:8080'}, undefined, http],
	['the authority with white space around it', http, {host: ' 127.0.0.1:8080 '}, undefined, http],
	['the authority in capitals', https, {host: 'API.Example'}, undefined, https],
	['the authority with the default port', https, {host: 'api.example:443'}, undefined, https],
	['the default port of another scheme', https, {host: 'api.example:80'}, [['host', 'api.example:80']], 'https://api.example:80/a'],
	['an IPv6 authority', 'http://[::1]:8080/', {host: '[::1]:8080'}, undefined, 'http://[::1]:8080/'],
	['an IPv6 authority with the default port', 'http://[::1]/', {host: '[::1]:80'}, undefined, 'http://[::1]/'],
	['another host', http, {host: 'A.example'}, [['host', 'a.example']], 'http://a.example/a?b=c#d'],
	['another host with a port', http, {host: 'a.example:81'}, [['host', 'a.example:81']], 'http://a.example:81/a?b=c#d'],
	['another host with the default port', http, {host: 'a.example:80'}, [['host', 'a.example:80']], 'http://a.example/a?b=c#d'],
	['another IPv6 host', http, {host: '[::1]'}, [['host', '[::1]']], 'http://[::1]/a?b=c#d'],
	['the host of the authority without its port', http, {host: '127.0.0.1'}, [['host', '127.0.0.1']], 'http://127.0.0.1/a?b=c#d'],
	['an empty host', http, {host: ''}, [['host', '']], http],
	...['a/b', String.raw`a\b`, 'a?', 'a#', 'user@a', '@a', 'a b', 'a\tb', 'a, b', 'a:b', 'a:99999', 'a%2Eb', '[::1', '::1', '[::g]', '[]', '"a"', '<a>'].map(host => [`an invalid host: ${JSON.stringify(host)}`, http, {host}, [['host', host.toLowerCase()]], http] as const),
	['several hosts', http, {host: ['a', 'b']}, [['host', 'a, b']], http],
	['another HTTP/2 authority', https, {':authority': 'a.example'}, [[':authority', 'a.example']], 'https://a.example/a'],
	['the HTTP/2 authority of the URL', https, {':authority': 'api.example'}, undefined, https],
	['two authorities', https, {host: 'a.example', ':authority': 'b.example'}, [['host', 'a.example'], [':authority', 'b.example']], 'https://a.example/a'],
	['two authorities in another order', https, {':authority': 'b.example', host: 'a.example'}, [[':authority', 'b.example'], ['host', 'a.example']], 'https://a.example/a'],
	['another HTTP/2 pseudo-header', https, {':path': '/a'}, undefined, https],
	['headers from which frameworks build URLs', http, {
		'x-rewrite-url': '/b', 'x-forwarded-host': 'A', 'x-original-url': '/c', forwarded: 'host=d',
	}, [['forwarded', 'host=d'], ['x-forwarded-host', 'A'], ['x-original-url', '/c'], ['x-rewrite-url', '/b']], http],
	['Forwarded with a host, without its for and by parameters', http, {forwarded: 'for=1.2.3.4;host=a.example;by=b, For="[::1]"'}, [['forwarded', ';host=a.example,']], http],
	['Forwarded with for and by parameters only', http, {forwarded: 'for=1.2.3.4, for="[2001:db8::1]:4711" ; by=x'}, undefined, http],
	['Forwarded with a host that looks like a for parameter', http, {forwarded: 'host="for=a"'}, [['forwarded', 'host="for=a"']], http],
	['a malformed Forwarded', http, {forwarded: 'a'}, [['forwarded', 'a']], http],
	['headers with similar names', http, {'host-name': 'a', 'x-forwarded-for': '1.2.3.4'}, undefined, http],
	['a Unix socket', 'unix:/a.sock:/b', {host: 'a.example'}, [['host', 'a.example']], 'unix:/a.sock:/b'],
	['a Unix socket in HTTP', 'http://unix/a.sock:/b', {host: 'a.example'}, [['host', 'a.example']], 'http://unix/a.sock:/b'],
];

for (const [title, url, headers, parts, target] of targets) {
	test(`the target of a request: ${title}`, t => {
		t.deepEqual(targetParts(new URL(url), headers), parts);
		t.is(targetUrl(new URL(url), headers), target);
		t.true((parts ?? []).every(([name]) => isTargetHeader(name)));
	});
}

test('another target of the same authority has the connection of the request', t => {
	t.is(connectionUrl('http://a.example/b?c', 'http://127.0.0.1:8080/a'), 'http://127.0.0.1:8080/b?c');
	t.is(connectionUrl('unix:/b', 'unix:/a.sock:/a'), 'unix:/b');
	t.is(connectionUrl('http://unix/b', 'http://unix/a.sock:/a'), 'http://unix/b');
});

test('a Host header with the authority of the URL is not part of the key', t => {
	t.is(describedRequest({url: http, headers: {host: '127.0.0.1:8080'}}).fields.host, undefined);
	t.is(describedRequest({url: https, headers: {HOST: 'Api.Example:443 '}}).fields.host, undefined); // eslint-disable-line @typescript-eslint/naming-convention -- As somebody writes it.
	t.is(describedRequest({url: https, headers: {host: 'a.example'}}).fields.host, 'a.example');
});

test('the name of a resource has its target, and its connection if that differs', t => {
	const resource = (url: string, headers: Headers = {}): string => resourceOfRequest(describedRequest({url, headers}), ignoredByDefault);
	t.is(resource('http://a.example/x?b=2&a=1#c'), 'http://a.example/x?a=1&b=2');
	t.is(resource('http://a.example/x?token=1&b=2'), resource('http://user:a@a.example/x?b=2&token=2'));
	t.is(resource('http://a.example/x', {host: 'A.example:80'}), resource('http://a.example/x'));
	t.is(resource('http://a.example/x', {'x-forwarded-host': 'b.example'}), resource('http://a.example/x'));
	t.is(resource('http://a.example/x', {host: 'no/host'}), resource('http://a.example/x'));
	t.not(resource('http://127.0.0.1/x', {host: 'a.example'}), resource('http://a.example/x'));
	t.not(resource('http://127.0.0.1/x', {host: 'a.example'}), resource('http://127.0.0.2/x', {host: 'a.example'}));
	t.not(resource('http://127.0.0.1/x', {host: 'a.example'}), resource('http://127.0.0.1/x'));
});

test('another resource of the same host is requested through the same connection', t => {
	const request = describedRequest({
		method: 'POST', url: 'http://127.0.0.1:8080/x', headers: {host: 'a.example'}, body: 'a',
	});
	t.like(siblingOf(request, 'GET', 'http://a.example/y'), {
		method: 'GET', url: 'http://127.0.0.1:8080/y', targetUrl: 'http://a.example/y', body: undefined,
	});
	t.like(siblingOf(request, 'HEAD'), {method: 'HEAD', url: 'http://127.0.0.1:8080/x', targetUrl: 'http://a.example/x'});
});

const authority = fc.webAuthority({withIPv4: true, withIPv6: true, withPort: true}); // eslint-disable-line @typescript-eslint/naming-convention -- fast-check's names.

test('for any Host, the target has the path and the query of the connection', t => {
	fc.assert(fc.property(fc.oneof(fc.string({unit: 'binary'}), authority), fc.constantFrom(http, https, 'unix:/a:/b', 'http://unix/a:/b'), (host, url) => {
		const {pathname, search, hash} = new URL(url);
		t.like(new URL(targetUrl(new URL(url), {host})), {pathname, search, hash});
		t.notThrows(() => resourceOfRequest(describedRequest({url, headers: {host}}), ignoredByDefault));
	}), {seed: 20_260_101, numRuns: 2000});
});
