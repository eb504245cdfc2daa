import test from 'ava';
import {compileIgnored, ignoredByDefault, type Ignored} from '../../source/identity/credentials.ts';
import {exposesCredential, isStorable} from '../../source/identity/stored-request.ts';
import {storableFields, type RawFields} from '../../source/policy/fields.ts';
import {redactUrl} from '../../source/identity/references.ts';

const base = 'https://example.com/a/';
const own = compileIgnored(['utm', /^x-Trace/v]) as Ignored;

const storableLines = (raw: RawFields, url: string, ignored: Ignored): string[] => storableFields(raw, [], (name, value) => isStorable(name, value, url, ignored));

const urls: ReadonlyArray<readonly [url: string, redacted: string, ignored?: Ignored]> = [
	['https://user:secret@example.com/#secret', 'https://example.com/'],
	['https://example.com/?b=2&api_key=secret&a=1', 'https://example.com/?b=2&api_key=REDACTED&a=1'],
	['https://example.com/?API%5Fkey=secret=secret&ACCESS_TOKEN=secret', 'https://example.com/?API%5Fkey=REDACTED&ACCESS_TOKEN=REDACTED'],
	['https://example.com/?api_key&apikey=', 'https://example.com/?api_key&apikey='],
	['https://example.com/?%ZZ=1&a+b=2', 'https://example.com/?%ZZ=1&a+b=2'],
	['https://example.com/?utm=1&x-Trace-id=2&X-TRACE=3&api_key=secret', 'https://example.com/?utm=REDACTED&x-Trace-id=REDACTED&X-TRACE=3&api_key=REDACTED', own],
];

for (const [url, redacted, ignored = ignoredByDefault] of urls) {
	test(`${url} is stored as ${redacted}`, t => {
		t.is(redactUrl(url, ignored), redacted);
	});
}

test('response headers that the settings ignore are left out, except those that the cache needs', t => {
	const everything = compileIgnored([/./v]) as Ignored;
	t.deepEqual(storableLines(['X-API-Key', 'secret', 'ETag', '"1"'], base, ignoredByDefault), ['ETag', '"1"']);
	t.deepEqual(storableLines(['UTM', '1', 'X-TRACE-Id', '2', 'x', '3'], base, own), ['x', '3']);
	t.deepEqual(storableLines(['Vary', 'accept', 'Location', '/b', 'X-A', '1'], base, everything), ['Vary', 'accept', 'Location', '/b']);
});

test('a Content-Location with a secret is left out', t => {
	const stored = (location: string): string[] => storableLines(['Content-Location', location, 'x', '1'], base, ignoredByDefault);
	t.deepEqual(stored('b?a=1'), ['Content-Location', 'b?a=1', 'x', '1']);
	t.deepEqual(stored('b?api_key=secret'), ['x', '1']);
	t.deepEqual(stored('http://[?api_key=secret'), ['x', '1']);
});

const led: ReadonlyArray<readonly [name: string, line: string | readonly string[], leads: boolean]> = [
	['location', '/b?a=1#c', false],
	['location', '/b?api_key=secret', true],
	['location', 'https://other.example/cb#access_token=secret&state=1', true],
	['location', 'https://other.example/#/cb?access_token=secret', true],
	['location', 'https://user:secret@other.example/', true],
	['location', '//user@other.example/', true],
	['location', '/b?api_key=REDACTED', false],
	['location', 'http://[?api_key=secret', true],
	['location', 'http://[', false],
	['link', '<https://example.com/?page=2>; rel="next"', false],
	['link', '<https://example.com/?page=1>; rel="prev", </?page=3&access_token=secret>; rel="next"', true],
	['link', ['</1>', '<?apikey=secret>'], true],
	['refresh', '5', false],
	['refresh', '5; URL="/b?api_key=secret"', true],
	['refresh', '5; /b?api_key=secret', true],
	['refresh', '0,https://other.example/?api_key=secret', true],
	['refresh', '5; url=/b?a=1', false],
	['x-location', '/b?api_key=secret', true],
	['x-location', 'https://user:secret@other.example/', true],
	['x-location', '/b?page=2', false],
	['x-location', 'see /b?api_key=secret', false],
	['x-token', 'secret', true],
	['x-my-token', 'secret', false],
];

for (const [name, line, leads] of led) {
	test(`${name}: ${String(line)} ${leads ? 'has' : 'does not have'} a credential`, t => {
		t.is(exposesCredential({[name]: line}, base, ignoredByDefault), leads);
	});
}

test('up to 100 references of a Link are read; a Link with more counts as one with a credential', t => {
	const references = (count: number): string[] => Array.from({length: count}, (_, index) => `</${index}>; rel="preload"`);
	for (const [count, leads] of [[100, false], [101, true], [5000, true]] as const) {
		t.is(exposesCredential({link: references(count)}, base, ignoredByDefault), leads);
		t.is(exposesCredential({link: references(count).join(', ')}, base, ignoredByDefault), leads);
	}
});

test('a relative reference does not inherit the user info of the request', t => {
	t.false(exposesCredential({location: '/b'}, 'https://user:secret@example.com/', ignoredByDefault));
});
