import {Buffer} from 'node:buffer';
import test from 'ava';
import {compileIgnored, ignoredByDefault, type Ignored} from '../../source/identity/credentials.ts';
import {containsCredential, redactReferences, redactUrl} from '../../source/identity/references.ts';
import {cpuTime, isProportional} from '../helpers/cpu-time.ts';

const url = encodeURIComponent;
const own = compileIgnored(['utm']) as Ignored;

/** Values that have a credential in them, whatever they are called. */
const holding: readonly string[] = [
	'https://user:secret@example.com/',
	'https://token@example.com/',
	'postgres://user:secret@db.example:5432/name',
	'mongodb+srv://user:secret@db.example',
	'otpauth://totp/a?secret=secret',
	'https://example.com/?page=2&api_key=secret',
	'https://example.com/?user[password]=secret',
	'https://example.com/?a=1;token=secret',
	'https://example.com/a;jsessionid=secret/b',
	'https://example.com/cb#access_token=secret&state=1',
	'https://example.com/#/cb?token=secret',
	'https://user:secret@[/',
	'/b?token=secret',
	'../b;sid=secret?page=2',
	'?sig=secret',
	`https://example.com/?next=${url('/b?token=secret')}`,
	`https://example.com/?next=${url(`https://example.com/?next=${url('https://user:secret@example.com')}`)}`,
	'https://a.example/?u=https://a.example/?u=https://a.example/?u=https://a.example/',
	'  https://user:secret@example.com/padded ',
	'{"password": "secret"}',
	'[{"user": {"apiKey": "secret"}}]',
	'{"webhook": "https://user:secret@example.com"}',
	String.raw`{"inner": "{\"token\": \"secret\"}"}`,
	'Bearer abcdefgh',
	'bearer mF_9.B5f-4.1JqM==',
	`Basic ${Buffer.from('user:secret').toString('base64')}`,
	'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
	'eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d',
];

for (const text of holding) {
	test(`${text} contains a credential`, t => {
		t.true(containsCredential(text, ignoredByDefault));
	});
}

/** False alarms would cost the readability of what is stored, and hits where headers are compared. */
const plain: readonly string[] = [
	'',
	' ',
	'/',
	'.',
	'?',
	'//',
	'://',
	'a',
	'2026-01-01T00:00:00Z',
	'1.5',
	'-1',
	'true',
	'null',
	'https://example.com/',
	'https://example.com:8080/a/b?page=2&page_token=abc&sort_key=name&state=1#section',
	'https://example.com/a;v=1;w=2/b',
	'https://example.com/?next=https%3A%2F%2Fexample.com%2F',
	'https://example.com/?token=&password&api_key=REDACTED',
	'/items?page=2&next_token=abc&max_tokens=5',
	'/passwords/token/secret',
	'../a',
	'./a?b=1',
	'?q=token',
	'a?token=secret',
	'see /b?token=secret',
	'user@example.com',
	'git@github.com:a/b.git',
	'mailto:user@example.com',
	'urn:isbn:1',
	'data:text/plain,a@b',
	String.raw`C:\a`,
	'tel:+1',
	'{',
	'[',
	'{}',
	'[]',
	'[1,2]',
	'{"page":2,"keyword":"token","author":"a"}',
	'["password"]',
	'{"a":',
	'[2026-01-01] token=secret',
	'{{token}}',
	'[password]',
	'a=1;b=2',
	'token=secret',
	'text/html;q=0.8',
	'max-age=0, private',
	'no-cache="set-cookie"',
	'Bearer',
	'Bearer of',
	'bearer of bad news',
	'Basic',
	'Basic features',
	'Basic English',
	'basic auth',
	'eyJ',
	'eyJwYWdlIjoyfQ==',
	'eyJhbGciOiJIUzI1NiJ9',
	'eyJ.a',
	'v1.2.3',
];

for (const text of plain) {
	test(`“${text}” contains no credential`, t => {
		t.false(containsCredential(text, ignoredByDefault));
	});
}

const headers: ReadonlyArray<readonly [line: string, redacted: string]> = [
	['https://example.com/a?page=2&token=secret#a', 'https://example.com/a?page=2&token=REDACTED'],
	['https://example.com', 'https://example.com'],
	['https://example.com/A b?page=2#a', 'https://example.com/A b?page=2#a'],
	['https://user:secret@example.com/', 'REDACTED'],
	['https://user:secret@example.com/?sig=secret', 'https://example.com/?sig=REDACTED'],
	['/a?page=2&token=secret', 'REDACTED'],
	['/a?page=2', '/a?page=2'],
	['<https://a.example/?sig=secret>; rel="next", <https://a.example/?page=2>; rel="prev"', '<https://a.example/?sig=REDACTED>; rel="next", <https://a.example/?page=2>; rel="prev"'],
	['</a?sig=secret>; rel="next", </a?page=2>; rel="prev"', '<REDACTED>; rel="next", </a?page=2>; rel="prev"'],
	['"https://a.example/?sig=secret"', '"https://a.example/?sig=REDACTED"'],
	['https://a.example/?a=1,2,https://user:secret@b.example/', 'https://a.example/?a=1,2,REDACTED'],
	['https://a.example/?sig=secret, https://b.example/?page=2', 'https://a.example/?sig=REDACTED, https://b.example/?page=2'],
	['a https://[::1 b', 'a https://[::1 b'],
	['Mozilla/5.0 (X11; rv:1) bot (+https://example.com/bot?lang=de)', 'Mozilla/5.0 (X11; rv:1) bot (+https://example.com/bot?lang=de)'],
	['text/html, */*;q=0.8', 'text/html, */*;q=0.8'],
	['sig1=("@method");created=1;keyid="a"', 'sig1=("@method");created=1;keyid="a"'],
	['W/"a?token=1"', 'W/"a?token=1"'],
	['no-cache', 'no-cache'],
	['Bearer abcdefgh', 'REDACTED'],
	['GET https://a.example/a?token=secret failed', 'GET https://a.example/a?token=REDACTED failed'],
];

for (const [line, redacted] of headers) {
	test(`the header ${line} is stored as ${redacted}`, t => {
		t.is(redactReferences(line, ignoredByDefault), redacted);
		t.is(redactReferences(redacted, ignoredByDefault), redacted, 'once more');
	});
}

test('an ignored parameter in a URL counts as a credential', t => {
	t.true(containsCredential('/a?utm=1', own));
	t.false(containsCredential('/a?utm=1', ignoredByDefault));
	t.is(redactReferences('https://a.example/?utm=1', own), 'https://a.example/?utm=REDACTED');
});

const parameters: ReadonlyArray<readonly [query: string, redacted: string]> = [
	[`next=${url('https://user:secret@a.example')}&page=2`, 'next=REDACTED&page=2'],
	['next=https://a.example/?page=2&page=2', 'next=https://a.example/?page=2&page=2'],
	['a=1;token=secret;b=2&page=2', 'a=REDACTED&page=2'],
	['a=1;page=2', 'a=1;page=2'],
	['a;token=secret', 'a;token=REDACTED'],
	[`variables=${url('{"password":"secret"}')}`, 'variables=REDACTED'],
	[`variables=${url('{"page":2}')}`, `variables=${url('{"page":2}')}`],
	['a=%E0%A4%A', 'a=%E0%A4%A'],
];

for (const [query, redacted] of parameters) {
	test(`the query ${query} is stored as ${redacted}`, t => {
		t.is(redactUrl(`https://example.com/?${query}`, ignoredByDefault), `https://example.com/?${redacted}`);
	});
}

const paths: ReadonlyArray<readonly [path: string, redacted: string]> = [
	['/a;jsessionid=secret', '/a;jsessionid=REDACTED'],
	['/a;v=1;sid=secret;w=2/b;token=secret/c', '/a;v=1;sid=REDACTED;w=2/b;token=REDACTED/c'],
	['/a;b/c;d=1', '/a;b/c;d=1'],
	['/a;%6Asessionid=secret', '/a;%6Asessionid=REDACTED'],
];

for (const [path, redacted] of paths) {
	test(`the path ${path} is stored as ${redacted}`, t => {
		t.is(redactUrl(`https://example.com${path}`, ignoredByDefault), `https://example.com${redacted}`);
	});
}

const hostile: ReadonlyArray<readonly [title: string, make: (length: number) => string]> = [
	['schemes', length => 'a'.repeat(length)],
	['schemes with digits', length => 'a1'.repeat(length / 2)],
	['commas', length => `https://a${','.repeat(length)}`],
	['commas and spaces', length => `https://a${', '.repeat(length / 2)}`],
	['angle brackets', length => '</'.repeat(length / 2)],
	['URLs in URLs', length => 'https://a/?u='.repeat(length / 13)],
	['parameters', length => `/?${'a=1&'.repeat(length / 4)}`],
	['semicolons', length => `/?a=${';a=1'.repeat(length / 4)}`],
	['parameters of the path', length => `/${';a=1'.repeat(length / 4)}?`],
	['brackets', length => '['.repeat(length)],
	['JSON in JSON', length => JSON.stringify(JSON.stringify(JSON.stringify({a: 'x'.repeat(length)})))],
	['dots', length => `eyJ${'.'.repeat(length)}!`],
	['spaces', length => `Bearer ${' '.repeat(length)}!`],
];

for (const [title, make] of hostile) {
	test(`a hostile value takes time in proportion to its length: ${title}`, async t => {
		await isProportional(t, [make(1000), make(100_000)], 100, text => cpuTime(() => {
			redactReferences(text, ignoredByDefault);
			containsCredential(text, ignoredByDefault);
			redactUrl(`https://a.example/?a=${encodeURIComponent(text)}&b=${text.replaceAll(/[\u{23}\u{26}]/gv, '')}`, ignoredByDefault);
		}, 3));
	});
}
