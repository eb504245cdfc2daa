/* eslint-disable unicorn/prefer-https -- Both schemes are meant. */
import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {
	compileUrlPattern,
	getUrlExpiration,
	isUrlPattern,
	type UrlPattern,
} from '../../source/policy/url-patterns.ts';
import {cpuTime, isProportional} from '../helpers/cpu-time.ts';

const urls = [
	'https://httpbin.org/delay/1',
	'https://httpbin.org/stream/2',
	'https://httpbin.org/stream/1',
	'http://httpbin.org',
	'https://httpbin.org/',
	'https://httpbin.org/Delay/1',
	'https://HTTPBIN.org/delay/1',
	'https://user:pw@example.com:8443/a/b?x=1&y=[2]#f',
	'https://example.com/.hidden/file.json',
	'https://api.example.com/v1/users/42',
	String.raw`https://example.com/a\b`,
	'https://example.com/%C3%A9',
	'https://example.com/é',
	'https://example.com/😀/x',
	'https://example.com/?next=https://other.test/x',
	'https://example.com/(a|b)+c',
	'https://example.com/{a,b}',
	'https://example.com/a-b',
	'https://example.com/a]b',
	'https://example.com/a^b',
	'https://example.com/a!b',
	'httpbin.org/delay/1',
	'',
	'https://example.com/a\nb',
	'https://example.com/a.b',
	'https://example.comXa',
	'ftp://example.com/a$b',
	'https://example.com//double/./x',
];

// Golden: for each glob the places in `urls` of those for which `_url_match(url, glob)` of requests-cache 1.3 is true, on Python 3.11.
const golden: ReadonlyArray<readonly [glob: string, matched: readonly number[]]> = [
	['httpbin.org/delay', [0, 21]],
	['httpbin.org/delay/', [0, 21]],
	['httpbin.org/delay/*', [0, 21]],
	['httpbin.org/delay/**', [0, 21]],
	['httpbin.org/*/1', [0, 2, 5, 21]],
	['httpbin.org/*/2', [1]],
	['https://httpbin.org/delay', [0, 21]],
	['http://httpbin.org/delay', [0, 21]],
	['*', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]],
	['**', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]],
	['', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]],
	['*.org', [0, 1, 2, 3, 4, 5, 6, 21]],
	['*.org/*', [0, 1, 2, 4, 5, 6, 21]],
	['httpbin.org', [0, 1, 2, 3, 4, 5, 21]],
	['HTTPBIN.org', [6]],
	['?ttpbin.org', [0, 1, 2, 3, 4, 5, 21]],
	['????bin.org', [0, 1, 2, 3, 4, 5, 21]],
	['*.example.com', [9]],
	['*example.com', [7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 23, 24, 25, 26, 27]],
	['api.*.com/v?/users', [9]],
	['api.example.com/v[0-9]', [9]],
	['api.example.com/v[!0-9]', []],
	['api.example.com/v[!2-9]', [9]],
	['api.example.com/v[9-0]', []],
	['api.example.com/v[!9-0]', [9]],
	['example.com/a[-]b', [17]],
	['example.com/a[!-]b', [10, 18, 19, 20, 23, 24, 26]],
	['example.com/a[]]b', [18]],
	['example.com/a[!]]b', [10, 17, 19, 20, 23, 24, 26]],
	['example.com/a[]-^]b', [18, 19]],
	['example.com/a[^]b', [19]],
	['example.com/a[!^]b', [10, 17, 18, 20, 23, 24, 26]],
	['example.com/a[^x]b', [19]],
	['example.com/a[!!]b', [10, 17, 18, 19, 23, 24, 26]],
	[String.raw`example.com/a[\]b`, [10]],
	[String.raw`example.com/a\b`, [10]],
	['example.com/a[.]b', [24]],
	['example.com/a.b', [24]],
	['example.com/a?b', [10, 17, 18, 19, 20, 23, 24, 26]],
	['example.com/a??', [10, 17, 18, 19, 20, 23, 24, 26]],
	['example.com/[', []],
	['example.com/[a', []],
	['example.com/[!', []],
	['example.com/[]', []],
	['example.com/[!]', []],
	['example.com/{a,b}', [16]],
	['example.com/(a|b)+c', [15]],
	['example.com/(a', [15]],
	['example.com/.*', [8]],
	['example.com/?/x', [13]],
	['example.com/??/x', []],
	['example.com/[😀]/x', [13]],
	['example.com/[😁-😃]/x', []],
	['example.com/[é-ê]', [12]],
	['example.com/%C3', [11]],
	['*@example.com', [7]],
	['user:*8443', [7]],
	['*[?]x=1', [7]],
	['*y=[[]2]', [7]],
	['*#f', [7]],
	['example.com/a[a-c-e-$]b', [17]],
	['example.com/a[--/]b', [17, 24]],
	['example.com/a[!--/]b', [10, 18, 19, 20, 23, 26]],
	['example.com/a[&&~~||^]b', [19]],
	['other.test', [14]],
	['https://example.com/?next=https://other.test', [14]],
	['*/x', [13, 14, 27]],
	['*double*x', [27]],
	['example.com/*/*/x', [27]],
	['example.com//double/./', [27]],
	['!example.com', []],
	['@(example).com', []],
	['+(e)xample.com', []],
	['example.com/a$', [26]],
	['^example.com', []],
	['example.com/[[:alpha:]]', [18]],
	['example.com/[a-z]*b', [10, 17, 18, 19, 20, 23, 24, 26]],
	['*.ORG', []],
	['*a*b*', [7, 10, 15, 16, 17, 18, 19, 20, 23, 24, 26, 27]],
	['ex*m*l*.c?m', [8, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 23, 24, 25, 26, 27]],
	['example.com/.hidden', [8]],
	['example.com/*.json', [8]],
	['[eh]*/[!a]*', [0, 1, 2, 5, 8, 11, 12, 13, 15, 16, 21, 27]],
	['://', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]],
	['a://b://httpbin.org/delay', [0, 21]],
];

for (const [glob, matched] of golden) {
	test(`the glob ${JSON.stringify(glob)} matches what it does in requests-cache`, t => {
		const matches = compileUrlPattern(glob);
		t.deepEqual(urls.filter(url => matches(url)), matched.map(index => urls[index]!));
	});
}

test('a glob without special characters matches all URLs that begin with it', t => {
	fc.assert(fc.property(fc.string({unit: 'grapheme'}).map(text => text.replaceAll(/[*:?\[]/gv, '')), fc.webPath().map(path => path.replaceAll(':', '')), (text, rest) => {
		t.true(compileUrlPattern(text)(`https://${text}${rest}`));
		t.true(compileUrlPattern(`http://${text}*`)(`https://${text}${rest}`));
		t.is(compileUrlPattern(text)(`https://${rest}`), rest.startsWith(text));
	}));
});

test('a glob may contain any characters', t => {
	fc.assert(fc.property(fc.string({unit: 'binary'}), fc.webUrl(), (glob, url) => {
		t.is(typeof compileUrlPattern(glob)(url), 'boolean');
	}));
});

test('a glob with many stars takes time in proportion to the length of the URL', async t => {
	const matches = compileUrlPattern(`${'*a'.repeat(30)}b`);
	await isProportional(t, [1000, 100_000], 100, length => cpuTime(() => {
		t.false(matches(`https://${'a'.repeat(length)}`));
	}));
});

test('a lone surrogate in a glob is a character like any other', t => {
	t.true(compileUrlPattern('a/\u{D800}?')('https://a/\u{D800}b'));
	t.false(compileUrlPattern('a/\u{D800}')('https://a/b'));
});

const wholeUrl: ReadonlyArray<readonly [pattern: UrlPattern, url: string, isMatch: boolean]> = [
	[/\/static\//v, 'https://example.com/static/a.css', true],
	[/\/static\//v, 'https://example.com/dynamic', false],
	[/^https:/v, 'https://example.com/', true],
	[/^https:/v, 'http://example.com/', false],
	[/x=1$/v, 'https://example.com/?x=1', true],
	[/example/iv, 'https://EXAMPLE.com/', true],
	// eslint-disable-next-line require-unicode-regexp
	[/exa?mple/, 'https://example.com/', true],
	[new URLPattern({hostname: '*.example.com'}), 'https://api.example.com/a', true],
	[new URLPattern({hostname: '*.example.com'}), 'https://example.com/a', false],
	[new URLPattern('https://example.com/users/:id'), 'https://example.com/users/1', true],
	[new URLPattern('https://example.com/users/:id'), 'http://example.com/users/1', false],
	[{test: url => url.endsWith('!'), exec: () => undefined}, 'https://example.com/!', true],
];

for (const [pattern, url, isMatch] of wholeUrl) {
	test(`${pattern instanceof RegExp ? String(pattern) : Object.prototype.toString.call(pattern)} ${isMatch ? 'matches' : 'does not match'} ${url}`, t => {
		t.is(compileUrlPattern(pattern)(url), isMatch);
	});
}

test('a RegExp with a `lastIndex` always gives the same result and keeps it', t => {
	for (const pattern of [/example/gv, /example/vy, /https/gvy]) {
		pattern.lastIndex = 3;
		const matches = compileUrlPattern(pattern);
		t.deepEqual([1, 2, 3].map(() => matches('https://example.com/')), [true, true, true]);
		t.is(pattern.lastIndex, 3);
	}
});

test('the first pattern that matches counts', t => {
	const compiled = [
		{matches: compileUrlPattern('example.com/live'), expiration: {kind: 'after', milliseconds: 1} as const},
		{matches: compileUrlPattern(/example/v), expiration: {kind: 'never'} as const},
		{matches: compileUrlPattern('example.com'), expiration: {kind: 'do-not-cache'} as const},
	];
	t.deepEqual(getUrlExpiration('https://example.com/live/1', compiled), {kind: 'after', milliseconds: 1});
	t.deepEqual(getUrlExpiration('https://example.com/', compiled), {kind: 'never'});
	t.is(getUrlExpiration('https://other.test/', compiled), undefined);
	t.is(getUrlExpiration('https://other.test/', []), undefined);
});

test('strings, regular expressions and URL patterns are patterns', t => {
	for (const value of ['', 'a', /a/v, new URLPattern({}), {test: () => true, exec: () => undefined}]) {
		t.true(isUrlPattern(value));
	}

	for (const value of [undefined, null, 1, true, [], {}, {test: () => true}, {exec: () => undefined}, {test: true, exec: true}, () => true]) {
		t.false(isUrlPattern(value));
	}
});
