import test from 'ava';
import {coveringGlob, whyUnmatchable} from '../../source/policy/unmatchable-patterns.ts';
import {compileUrlPattern, type UrlPattern} from '../../source/policy/url-patterns.ts';
import {fc} from '../helpers/fast-check.ts';

const slash = 'begins with a slash, but a URL is compared from its host on';
const user = 'has a user, and a URL is compared without one';
const anchored = 'is anchored, but a URL begins with its scheme, such as `https://`';
const has = (token: string): string => `has \`${token}\` where no URL has it: hosts are in lower case and ASCII, and paths are percent-encoded`;

const rows: ReadonlyArray<readonly [pattern: UrlPattern, reason: string | undefined]> = [
	['/users', slash],
	['//example.com', slash],
	['https:///users', slash],
	['/', slash],
	['user@example.com', user],
	['https://user:password@example.com', user],
	['*@example.com', user],
	['Example.com', has('E')],
	['https://API.example.com', has('A')],
	['[A-Z]x.com', has('[A-Z]')],
	['münchen.de', has('ü')],
	['example.com/a b', has(' ')],
	['example.com/é', has('é')],
	['*é', has('é')],
	['example.com:port', has('p')],
	['a[b', has('[')],
	[' example.com', has(' ')],
	['', undefined],
	['*', undefined],
	['https://', undefined],
	['*/users', undefined],
	['*Example', undefined],
	['?xample.com', undefined],
	['[!a]x.com', undefined],
	['example.com/Users', undefined],
	['example.com/a@b', undefined],
	['localhost:3000/x', undefined],
	['127.0.0.1*', undefined],
	['[[]::1]:80/x', undefined],
	['xn--mnchen-3ya.de', undefined],
	['call:Weather.today', undefined],
	['example.com/#part', undefined],
	[/^\/users/v, anchored],
	[/^users/v, anchored],
	[/^api\.example\.com/v, anchored],
	[/^HTTP:/v, anchored],
	[/^https:\/\/\/?x/v, undefined],
	[/^http/iv, undefined],
	[/^https?:\/\/example/v, undefined],
	[/^http/v, undefined],
	[/^call:/v, undefined],
	[/^\/?x/v, undefined],
	[/^a*x/v, undefined],
	[/^users|x/v, undefined],
	[/\/users/v, undefined],
	[/^/v, undefined],
	[{test: () => true, exec: () => null}, undefined],
];

for (const [pattern, reason] of rows) {
	test(`why no URL matches ${typeof pattern === 'string' || pattern instanceof RegExp ? String(pattern) : 'a URLPattern'}: ${reason ?? 'one may'}`, t => {
		t.is(whyUnmatchable(pattern), reason);
	});
}

test('no pattern that matches a URL is said to match none', t => {
	const url = fc.webUrl({withQueryParameters: true, withFragments: true, validSchemes: ['http', 'https']})
		.map(text => new URL(text).href)
		.filter(text => !text.slice(8).includes('://'));
	const glob = url.chain(text => fc.tuple(
		fc.constant(text),
		fc.integer({min: 8, max: text.length}),
		fc.array(fc.tuple(fc.integer({min: 0, max: text.length}), fc.constantFrom('*', '?')), {maxLength: 4}),
	));
	fc.assert(fc.property(glob, ([text, length, wildcards]) => {
		const characters = [...text.slice(0, length).split('://', 2)[1]!];
		for (const [index, wildcard] of wildcards) {
			if (index < characters.length) {
				characters[index] = wildcard;
			}
		}

		const pattern = characters.join('');
		if (!compileUrlPattern(pattern)(text)) {
			return;
		}

		t.is(whyUnmatchable(pattern), undefined, `${pattern} ${text}`);
	}));
});

test('a glob is covered by one before it that matches all of its URLs', t => {
	for (const [glob, earlier, covering] of [
		['example.com/live', ['example.com'], 'example.com'],
		['https://example.com/live', ['http://example.com/'], 'http://example.com/'], // eslint-disable-line unicorn/prefer-https -- Schemes do not count.
		['example.com', ['*'], '*'],
		['example.com', [''], ''],
		['example.com', ['other.com', 'example.com'], 'example.com'],
		['example.com/live', ['example.com/*'], 'example.com/*'],
		['*.example.com', ['*'], '*'],
		['example.com', ['example.com/live'], undefined],
		['example.com', ['*.com'], undefined],
		['example.com', ['e?ample.com'], undefined],
		['example.com', ['[e]xample.com'], undefined],
		['example.com', [/example/v], undefined],
		['example.com', [], undefined],
	] as ReadonlyArray<readonly [string, readonly UrlPattern[], string | undefined]>) {
		t.is(coveringGlob(glob, earlier), covering, `${glob} after ${earlier.map(String).join(', ')}`);
	}
});
