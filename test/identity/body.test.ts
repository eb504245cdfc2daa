import {Buffer} from 'node:buffer';
import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {createKey, type KeyRequest, type KeySettings} from '../../source/index.ts';
import {parseParameters, splitMultipart} from '../../source/identity/multipart.ts';
import {ignoredByDefault} from '../../source/identity/credentials.ts';
import {matchRequest} from '../../source/identity/key.ts';
import {cpuTime} from '../helpers/cpu-time.ts';

const fields: ReadonlyArray<readonly [field: string, value: string, parameters: ReadonlyArray<readonly [string, string]>, rest: string]> = [
	['', '', [], ''],
	['Text/Plain', 'text/plain', [], ''],
	[' text/plain ; Charset=A', 'text/plain', [['charset', 'A']], ''],
	['a/b;x=1;y="2"', 'a/b', [['x', '1'], ['y', '2']], ''],
	['a/b; x="; y=1"', 'a/b', [['x', '; y=1']], ''],
	[String.raw`a/b; x="\"\\"`, 'a/b', [['x', String.raw`"\ `.trim()]], ''],
	['a/b; x = 1', 'a/b', [['x', '1']], ''],
	['a/b; x=', 'a/b', [['x', '']], ''],
	['a/b;;x=1', 'a/b', [['x', '1']], ''],
	['a/b; x', 'a/b', [], 'x'],
	['a/b; x=1 y', 'a/b', [['x', '1']], 'y'],
	['a/b; x="1', 'a/b', [['x', '']], '"1'],
	['a/b; x=1"2"', 'a/b', [['x', '1']], '"2"'],
	['a/b, c/d; x=1', 'a/b, c/d', [['x', '1']], ''],
];

for (const [field, value, parameters, rest] of fields) {
	test(`the parameters of ${JSON.stringify(field)} are read`, t => {
		t.deepEqual(parseParameters(field), {value, rest, parameters});
	});
}

type Split = readonly [title: string, body: string, parts: ReadonlyArray<readonly [name: string | undefined, bytes: string]> | undefined];

const part = (name: string, content: string): string => `\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;

const splits: readonly Split[] = [
	['no part', '--x--', [[undefined, ''], [undefined, '']]],
	['one part', `--x${part('a', '1')}--x--\r\n`, [[undefined, ''], ['a', part('a', '1')], [undefined, '\r\n']]],
	['two parts', `--x${part('a', '1')}--x${part('b', '')}--x--`, [[undefined, ''], ['a', part('a', '1')], ['b', part('b', '')], [undefined, '']]],
	['a preamble and an epilogue', `before\r\n--x${part('a', '1')}--x--after`, [[undefined, 'before\r\n'], ['a', part('a', '1')], [undefined, 'after']]],
	['a delimiter within a line', `--x${part('a', '1 --x')}--x--`, [[undefined, ''], ['a', part('a', '1 --x')], [undefined, '']]],
	['a part without header lines', '--x\r\n\r\n1\r\n--x--', [[undefined, ''], [undefined, '\r\n\r\n1\r\n'], [undefined, '']]],
	['a name that is no part of the header lines', '--x\r\n\r\ncontent-disposition: form-data; name="a"\r\n--x--', [[undefined, ''], [undefined, '\r\n\r\ncontent-disposition: form-data; name="a"\r\n'], [undefined, '']]],
	['an empty body', '', undefined],
	['no delimiter', 'a', undefined],
	['no end', `--x${part('a', '1')}`, undefined],
	['a delimiter that goes on', `--x${part('a', '1\r\n--xyz')}--x--`, undefined],
	['padding after a delimiter', '--x \r\n\r\n1\r\n--x--', undefined],
	['lines that end in another way', '--x\n\n1\n--x--', undefined],
	['a delimiter after a lone line feed', `--x${part('a', '1\n--x\r\n')}--x--`, undefined],
	['a delimiter after a lone carriage return', `--x${part('a', '1\r--x\r\n')}--x--`, undefined],
	['a delimiter behind the end', `--x${part('a', '1')}--x--\r\n--x${part('b', '2')}--x--`, undefined],
	['more parts than are hashed', `${'--x\r\n\r\n\r\n'.repeat(1001)}--x--`, undefined],
];

for (const [title, body, parts] of splits) {
	test(`${title}: a multipart body is ${parts === undefined ? 'not split' : 'split into its parts'}`, t => {
		t.deepEqual(splitMultipart(Buffer.from(body), 'x')?.map(({name, bytes}) => [name, Buffer.from(bytes).toString()]), parts?.map(pair => [...pair]));
	});
}

test('delimiters within a line take no more time than other text', t => {
	const milliseconds = (text: string): number => {
		const body = Buffer.from(`a${text.repeat(2_000_000)}`);
		return cpuTime(() => {
			t.is(splitMultipart(body, '-'.repeat(70)), undefined);
		}, 2);
	};

	t.true(milliseconds('-') < 100 + (10 * milliseconds('a')));
});

const names: ReadonlyArray<readonly [lines: string, name: string | undefined]> = [
	['content-disposition: form-data; name="a"', 'a'],
	['Content-Disposition:form-data;name=a', 'a'],
	['content-type: text/plain\r\ncontent-disposition: form-data; name="a b"; filename="c"', 'a b'],
	['content-disposition: form-data; filename="; name=b"; name="a"', 'a'],
	[String.raw`content-disposition: form-data; name="a\"b"`, 'a"b'],
	['content-disposition: form-data; name="a%22b%0D%0Ac%41"', 'a"b\r\nc%41'],
	['content-disposition: form-data; name="ä"', 'ä'],
	['content-disposition: form-data; name="a"; name="b"', 'a b'],
	['content-disposition: form-data; name*=utf-8\'\'a', 'utf-8\'\'a'],
	[`x-long: ${'x'.repeat(10_000)}\r\ncontent-disposition: form-data; name="a"`, 'a'],
	['content-disposition: form-data; filename="a"', undefined],
	['x-content-disposition: form-data; name="a"', undefined],
];

for (const [lines, name] of names) {
	test(`a part has ${name === undefined ? 'no name' : `the name ${JSON.stringify(name)}`}: ${lines.slice(0, 90)}`, t => {
		t.is(splitMultipart(Buffer.from(`--x\r\n${lines}\r\n\r\n1\r\n--x--`), 'x')![1]!.name, name);
	});
}

const partitionSecret = 'of the tests';
const keyOf = (headers: Record<string, string>, body: string | Uint8Array, settings: KeySettings = {}): string => createKey({
	method: 'POST', url: 'https://example.com/', headers, body,
}, {partitionSecret, ...settings});

const of = (type: string): Record<string, string> => ({'content-type': type});
const formType = 'application/x-www-form-urlencoded';
const bytesOf = (...codes: number[]): Uint8Array => Uint8Array.from(codes);
const formData = (boundary: string, ...parts: ReadonlyArray<readonly [name: string, content: string]>): [Record<string, string>, string] => [of(`multipart/form-data; boundary=${boundary}`), `${parts.map(([name, content]) => `--${boundary}${part(name, content)}`).join('')}--${boundary}--\r\n`];

type Pair = readonly [title: string, one: readonly [Record<string, string>, string | Uint8Array], other: readonly [Record<string, string>, string | Uint8Array], settings?: KeySettings];

const same: readonly Pair[] = [
	['quotes around a parameter', [of('text/plain; charset="utf-8"'), 'a'], [of('text/plain; charset=utf-8'), 'a']],
	['the letter case of a charset', [of('text/plain; charset=UTF-8'), 'a'], [of('text/plain; charset=utf-8'), 'a']],
	['the letter case of a parameter\'s name', [of('text/plain; A=b'), 'a'], [of('text/plain; a=b'), 'a']],
	['the letter case of a language and of a coding', [{'content-language': 'DE', 'content-encoding': 'GZIP'}, 'a'], [{'content-language': 'de', 'content-encoding': 'gzip'}, 'a']],
	['an empty field and none', [{'content-language': '', 'content-encoding': ''}, 'a'], [{}, 'a']],
	['the boundary of form data', formData('x', ['a', '1']), formData('yy', ['a', '1'])],
	['the boundary of form data, quoted', [of('multipart/form-data; boundary="x"'), formData('x', ['a', '1'])[1]], formData('y', ['a', '1'])],
	['the boundary of form data with all headers matched', formData('x', ['a', '1']), formData('y', ['a', '1']), {matchHeaders: true}],
	['the boundary of form data with its type matched', formData('x', ['a', '1']), formData('y', ['a', '1']), {matchHeaders: ['content-type']}],
	['text and bytes of form data', formData('x', ['ä', 'ö']), [formData('x')[0], Buffer.from(formData('x', ['ä', 'ö'])[1])]],
	['text and bytes of JSON in UTF-8', [of('application/json; charset=utf-8'), '{"b":"ä", "a":1}'], [of('application/json; charset=UTF-8'), Buffer.from('{"a":1,"b":"ä"}')]],
	['a view of bytes and the bytes', [of('image/png'), new Uint8Array([0, 1, 2]).subarray(1)], [of('image/png'), bytesOf(1, 2)]],
];

for (const [title, one, other, settings] of same) {
	test(`the key of a body does not depend on ${title}`, t => {
		t.is(keyOf(...one, settings), keyOf(...other, settings));
	});
}

const different: readonly Pair[] = [
	['the charset of a form', [of(`${formType}; charset=iso-8859-1`), 'a=%E9'], [of(`${formType}; charset=windows-1251`), 'a=%E9']],
	['the charset of a form, or none', [of(`${formType}; charset=iso-8859-1`), 'a=%E9'], [of(formType), 'a=%E9']],
	// A text is sent as UTF-8, whatever its type says.
	['a text and the bytes that it would be in its charset', [of(`${formType}; charset=iso-8859-1`), 'a=é'], [of(`${formType}; charset=iso-8859-1`), bytesOf(0x61, 0x3D, 0xE9)]],
	['a JSON text and the bytes that it would be in its charset', [of('application/json; charset=iso-8859-1'), '"é"'], [of('application/json; charset=iso-8859-1'), bytesOf(0x22, 0xE9, 0x22)]],
	['a byte order mark', [of('application/json'), '{}'], [of('application/json'), bytesOf(0xEF, 0xBB, 0xBF, 0x7B, 0x7D)]],
	['a byte order mark of a form', [of(formType), 'a=1'], [of(formType), bytesOf(0xEF, 0xBB, 0xBF, 0x61, 0x3D, 0x31)]],
	['a parameter', [of('text/plain; format=flowed'), 'a'], [of('text/plain'), 'a']],
	['the letter case of a parameter\'s value', [of('text/plain; a=B'), 'a'], [of('text/plain; a=b'), 'a']],
	['a repeated parameter', [of('text/plain; a=1; a=2'), 'a'], [of('text/plain; a=2; a=1'), 'a']],
	['a malformed parameter', [of('text/plain; charset'), 'a'], [of('text/plain'), 'a']],
	['text after a parameter', [of('text/plain; a=1 b'), 'a'], [of('text/plain; a=1'), 'a']],
	['an open quote', [of('text/plain; charset="utf-8'), 'a'], [of('text/plain; charset=utf-8'), 'a']],
	['the boundary of a type without one', [of('text/plain; boundary=x'), 'a'], [of('text/plain; boundary=y'), 'a']],
	['the boundary of JSON', [of('application/json; boundary=x'), '1'], [of('application/json; boundary=y'), '1']],
	['one of two boundaries', [of('multipart/form-data; boundary=x; boundary=y'), formData('x', ['a', '1'])[1]], [of('multipart/form-data; boundary=x; boundary=z'), formData('x', ['a', '1'])[1]]],
	['the boundary of malformed parts', [of('multipart/form-data; boundary=x'), 'a'], [of('multipart/form-data; boundary=y'), 'a']],
	['parts that only one boundary separates', formData('x', ['a', '1\r\n--xy\r\n2']), formData('q', ['a', '1\r\n--qy\r\n2'])],
	['parts that only some servers separate', formData('x', ['a', '1\n--x\n2']), formData('q', ['a', '1\n--q\n2'])],
	['the subtype of parts', formData('x', ['a', '1']), [of('multipart/mixed; boundary=x'), formData('x', ['a', '1'])[1]]],
	['a parameter of the type of parts', [of('multipart/related; type=a; boundary=x'), formData('x', ['a', '1'])[1]], [of('multipart/related; type=b; boundary=x'), formData('x', ['a', '1'])[1]]],
	['the order of parts', formData('x', ['a', '1'], ['b', '2']), formData('x', ['b', '2'], ['a', '1'])],
	['a repeated part', formData('x', ['a', '1'], ['a', '1']), formData('x', ['a', '1'])],
	['the name of a part', formData('x', ['a', '1']), formData('x', ['b', '1'])],
	['a secret part', formData('x', ['api_key', '1']), formData('x', ['api_key', '2'])],
	['a secret part with `partitionBy: false`', formData('x', ['api_key', '1']), formData('x', ['api_key', '2']), {partitionBy: false, ignoredParameters: []}],
	['the place of a secret part', formData('x', ['api_key', '1'], ['a', '1']), formData('x', ['a', '1'], ['api_key', '1'])],
	['a language', [{...of('text/plain'), 'content-language': 'de'}, 'a'], [of('text/plain'), 'a']],
	['a coding', [{...of('application/json'), 'content-encoding': 'gzip'}, 'a'], [{...of('application/json'), 'content-encoding': 'br'}, 'a']],
	['the place in a file', [{'content-range': 'bytes 0-1/4'}, '00'], [{'content-range': 'bytes 2-3/4'}, '00']],
	['the name of a file', [{'content-disposition': 'attachment; filename=a.txt'}, 'a'], [{'content-disposition': 'attachment; filename=A.txt'}, 'a']],
	['the location of a content', [{'content-location': '/a'}, 'a'], [{'content-location': '/b'}, 'a']],
	['invalid JSON', [of('application/json'), '{"a":1'], [of('application/json'), '{"a":2']],
	['the end of a field', [{'content-language': 'a', 'content-location': 'b'}, ''], [{'content-language': 'a, b'}, '']],
];

for (const [title, one, other, settings] of different) {
	test(`the key of a body depends on ${title}`, t => {
		t.not(keyOf(...one, settings), keyOf(...other, settings));
	});
}

/** Whether the key of a request needs the secret of the cache, and whether its response may answer others. */
function countedAs(headers: Record<string, string>, body: string | Uint8Array, settings: Partial<Parameters<typeof matchRequest>[1]> = {}): {isHashed: boolean; isForItself: boolean} {
	const request: KeyRequest = {
		method: 'POST', url: 'https://example.com/', headers, body,
	};
	const {hashed, hasBodyCredential} = matchRequest(request, {
		matchHeaders: false, partitionBy: 'credentials', ignoredParameters: ignoredByDefault, ...settings,
	});
	return {isHashed: hashed.length > 0, isForItself: hasBodyCredential};
}

const secrets: ReadonlyArray<readonly [title: string, headers: Record<string, string>, body: string | Uint8Array, isSecret: boolean]> = [
	['JSON', of('application/json'), '{"a":1}', false],
	['JSON with a credential', of('application/json'), '{"a":[{"password":1}]}', true],
	['JSON with a possible credential', of('application/json'), '{"code":1}', true],
	['invalid JSON', of('application/json'), '{"password":1', true],
	['JSON that is compressed', {...of('application/json'), 'content-encoding': 'gzip'}, bytesOf(1), true],
	['JSON in another charset', of('application/json; charset=utf-16'), bytesOf(1), true],
	['JSON that is not text', of('application/json'), bytesOf(255), true],
	['a form', of(formType), 'a=1', false],
	['a form with a credential', of(formType), 'a=1&access_token=2', true],
	['a form in another charset', of(`${formType}; charset=latin1`), 'a=1', true],
	['parts', ...formData('x', ['a', '1']), false],
	['parts with a credential', ...formData('x', ['a', '1'], ['client_secret', '1']), true],
	['malformed parts', of('multipart/form-data; boundary=x'), 'a', true],
	['parts without a boundary', of('multipart/form-data'), 'a', true],
	['bytes', of('image/png'), bytesOf(1), false],
	['a text', of('text/plain'), 'a = 1', false],
	['a text like JSON', of('text/plain'), '{"a":1}', false],
	['a text like a form', {}, 'a=1&b=2', false],
	['a text like JSON with a credential', of('text/plain'), '{"user":{"password":"1"}}', true],
	['bytes like JSON with a credential', {}, new TextEncoder().encode('{"token":"1"}'), true],
	['a text like a form with a credential', {}, 'a=1&password=2', true],
	['a text that is not a form', of('text/plain'), 'Say password=2', false],
	['a text that is a URL with a credential', of('text/plain'), 'https://example.com/?token=1', true],
	['a text that is a token', of('text/plain'), 'Bearer abcdefgh', true],
];

for (const [title, headers, body, isSecret] of secrets) {
	test(`${title}: ${isSecret ? 'the key needs the secret, and the response answers no other request' : 'the key does not need the secret'}`, t => {
		t.deepEqual(countedAs(headers, body), {isHashed: isSecret, isForItself: isSecret});
		// Where credentials do not part, they are still there.
		t.is(countedAs(headers, body, {partitionBy: false}).isForItself, isSecret);
	});
}

test('the key depends on each part, and not on the boundary', t => {
	const text = fc.string({unit: fc.constantFrom('a', 'b', '-', '\r', '\n', ' '), maxLength: 8});
	const boundary = fc.string({unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 6});
	const parts = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'token', 'code'), text), {maxLength: 4});
	fc.assert(fc.property(parts, parts, boundary, boundary, (one, other, first, second) => {
		const isSame = JSON.stringify(one) === JSON.stringify(other);
		// No content has either sign.
		t.is(keyOf(...formData(`=${first}`, ...one)) === keyOf(...formData(`+${second}`, ...other)), isSame);
	}), {seed: 20_260_107, numRuns: 2000});
});
