import test from 'ava';
import {ignoredByDefault} from '../../source/identity/credentials.ts';
import {maxJsonLength} from '../../source/identity/json.ts';
import {createKey, matchRequest} from '../../source/identity/key.ts';
import {KeyParts, type IdentitySettings, type KeyRequest} from '../../source/identity/key-parts.ts';
import {partitionOf, recreatedKey, redactRequest} from '../../source/identity/stored-request.ts';
import {cpuTime, isProportional} from '../helpers/cpu-time.ts';

const settings: IdentitySettings = {matchHeaders: false, partitionBy: 'credentials', ignoredParameters: ignoredByDefault};
const json = 'application/json';
const form = 'application/x-www-form-urlencoded';
const parts = 'multipart/form-data; boundary=x';

function post(type: string, body: string): KeyRequest {
	return {
		method: 'POST', url: 'https://example.com/', headers: {'content-type': type}, body,
	};
}

const fill = (unit: string, length: number): string => unit.repeat(Math.floor(length / unit.length));
const list = (unit: string, length: number): string => fill(`${unit},`, length).slice(0, -1);
const names = (length: number): string[] => Array.from({length}, (_, index) => `x${((index * 7919) % 1_000_003).toString(26).replaceAll(/\d/gv, 'q')}Yz`);

type Body = readonly [what: string, type: string, of: (length: number) => string];

/** Bodies whose named values would cost more than their bytes. */
const unreadable: readonly Body[] = [
	['secrets under a long name', json, length => `{"${fill('n', length / 2)}":{${list('"token":1', length / 2.2)}}}`],
	['secrets deep inside', json, length => `${'{"some-longer-name":'.repeat(490)}{${list('"token":1', length - 12_000)}}${'}'.repeat(490)}`],
	['secrets in a long array', json, length => `{"${fill('n', 4000)}":[${list('{"token":1}', length - 5000)}]}`],
	['many parameters', form, length => fill('a=1&', length)],
	['many secret parameters', form, length => fill('token=1&', length)],
	['text like a delimiter within a line', parts, length => `--x\r\n\r\n${fill('--x', length)}\r\n--x--\r\n`],
	['long header lines of a part', parts, length => `--x\r\ncontent-disposition: form-data${fill('; name=a', length)}\r\n\r\n1\r\n--x--\r\n`],
	['a long preamble', parts, length => `${fill('a', length)}\r\n--x\r\n\r\n1\r\n--x--\r\n`],
];

const longest = (type: string): number => type === json ? maxJsonLength - 20_000 : 1024 * 1024;

for (const [what, type, of] of unreadable) {
	test(`a body with ${what} is not parsed, and counts as a credential`, t => {
		const request = post(type, of(longest(type)));
		const {hashed, hasBodyCredential} = matchRequest(request, settings);
		t.deepEqual(hashed.map(([where, name]) => [where, name]), [['body', '']]);
		t.true(hasBodyCredential);
		t.not(createKey(request), createKey(post(type, `${request.body as string}\n`)));
	});

	test(`a body with ${what} is stored without its text, and its key can be computed again`, t => {
		const request = post(type, of(longest(type)));
		const partition = partitionOf(matchRequest(request, settings).hashed, 'secret');
		const {body, bodyParts} = redactRequest(request, settings, partition);
		t.is(body, undefined);
		t.is(bodyParts?.[0], 'unread');
		t.is(recreatedKey({...request, body, bodyParts}, partition, settings, 'secret'), createKey(request, {partitionSecret: 'secret'}));
	});
}

test('a stored body that other settings make unreadable has no key', t => {
	const request = post(json, `{"${fill('n', 250)}":[${list('{"code":1}', 110_000)}]}`);
	const before = {...settings, ignoredParameters: {...ignoredByDefault, names: new Set(['code'])}};
	t.deepEqual(matchRequest(request, before).hashed, []);
	const {body} = redactRequest(request, before, undefined);
	t.true(body!.includes('REDACTED'));
	t.is(recreatedKey({...request, body}, undefined, settings, 'secret'), undefined);
});

/** Bodies that are read. */
const readable: readonly Body[] = [
	['items', json, length => `[${list('1', length)}]`],
	['items deep inside', json, length => `${'['.repeat(490)}${list('1', length - 1000)}${']'.repeat(490)}`],
	['members', json, length => `{${names(Math.floor(length / 16)).map(name => `"${name}":1`).join(',')}}`],
	['secrets', json, length => `[${list('{"token":"abcdefgh"}', length)}]`],
	['secrets in secrets', json, length => `${'{"token":'.repeat(490)}"${fill('x', length - 6000)}"${'}'.repeat(490)}`],
	['parameters of different names', form, length => names(1000).map(name => `${name}=${fill('1', (length / 1000) - 12)}`).join('&')],
	['escapes', form, length => fill('%61', length)],
	['spaces', form, length => fill('+', length)],
	['a long value', form, length => `a=${fill('1', length - 2)}`],
	['parts', parts, length => `${fill(`--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n${'1'.repeat(2000)}\r\n`, length)}--x--\r\n`],
	['a long part', parts, length => `--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n${fill('1', length)}\r\n--x--\r\n`],
];

for (const [what, type, of] of readable) {
	test(`a body with ${what} is parsed`, t => {
		const keyParts = matchRequest(post(type, of(longest(type))), settings);
		t.false(keyParts.hashed.some(([where]) => where === 'body'));
	});
}

for (const [what, type, of] of [...unreadable, ...readable]) {
	test.serial(`a key takes time in proportion to the body: ${type} with ${what}`, async t => {
		const bodies = [post(type, of(longest(type) / 16)), post(type, of(longest(type)))] as const;
		await isProportional(t, bodies, 16, body => cpuTime(() => createKey(body)));
	});
}

test('the index of an item is not classified', t => {
	const keyParts = new KeyParts(settings);
	t.true(keyParts.addField(['tokens', 0], '1', false));
	t.deepEqual(keyParts.hashed, []);
});
