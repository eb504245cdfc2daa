import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {
	credentialTable,
	neutralWords,
	questionWords,
	strongEndings,
	credentialResponseHeaders,
	type CredentialClass,
} from '../../source/identity/credential-table.ts';
import {DEFAULT_IGNORED_PARAMETERS, classifyName} from '../../source/identity/credentials.ts';
import {vocabulary} from '../../source/identity/name-words.ts';
import {moreAmbiguousNames, morePlainNames, moreSecretNames} from './more-names.ts';
import {ambiguousNames, plainNames, secretNames} from './names.ts';
import {examplesOfRows} from './row-names.ts';

const seed = 16;
const tables: ReadonlyArray<readonly [CredentialClass, ...Array<Readonly<Record<string, readonly string[]>>>]> = [
	['secret', secretNames, moreSecretNames],
	['ambiguous', ambiguousNames, moreAmbiguousNames],
	['plain', plainNames, morePlainNames],
];

const capitalized = (word: string): string => `${word[0]!.toUpperCase()}${word.slice(1)}`;

/** The words of a name as its service writes it; an acronym before another word is a separate word. */
const wordsOf = (name: string): string[] => name
	.replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/gv, ' ')
	.match(/[A-Za-z]+|\d+/gv)?.map(word => word.toLowerCase()) ?? [];

/** Returns a name in all spellings that separate its words. */
const spellings = (words: readonly string[]): readonly string[] => [
	words.join('_'),
	words.join('-'),
	words.join(' '),
	words.map(word => capitalized(word)).join('-'),
	words.join('_').toUpperCase(),
	words.map((word, index) => index === 0 ? word : capitalized(word)).join(''),
	words.map(word => capitalized(word)).join(''),
	`x-${words.join('-')}`,
	`X-${words.map(word => capitalized(word)).join('-')}`,
	`x${words.map(word => capitalized(word)).join('')}`,
];

/** A name where it is a parameter of a form. */
const nestings = (name: string): readonly string[] => [name, `${name}[]`, `$${name}`, `payload[${name}]`, `payload[0][${name}][]`, `payload.${name}`, `${name}2`, `${name}_v2`];

const misjudged = (names: readonly string[], expected: CredentialClass): string[] => names.filter(name => classifyName(name) !== expected).map(name => `${name} is ${classifyName(name)}`);

/** Whether a name of these words may be written in one. */
const isJoinable = (words: readonly string[]): boolean => words.every(word => vocabulary.has(word) && (word.length > 2 || word === 'id' || word === 'my'));

for (const [expected, ...groups] of tables) {
	for (const [group, names] of groups.flatMap(table => Object.entries(table))) {
		test(`${expected}, ${group}: each name has its class`, t => {
			t.deepEqual(misjudged(names, expected), []);
			t.deepEqual(misjudged(names.map(name => name.toLowerCase()).filter(name => isJoinable(wordsOf(name))), expected), []);
		});

		test(`${expected}, ${group}: the spelling does not change the class`, t => {
			// One letter is no word, and humps of one letter are no names: `p12`, `DPoP`.
			const spelled = names.map(name => wordsOf(name)).filter(words => words.length > 0 && words.every(word => /^[a-z]{2,}$/v.test(word)));
			t.deepEqual(misjudged(spelled.flatMap(words => spellings(words)), expected), []);
		});

		test(`${expected}, ${group}: the place in a form does not change the class`, t => {
			t.deepEqual(misjudged(names.filter(name => /^[\w\-]+$/v.test(name)).flatMap(name => nestings(name)), expected), []);
		});
	}

	test(`${expected}: names of known words may be written without separators`, t => {
		const joinable = groups.flatMap(table => Object.values(table).flat()).map(name => wordsOf(name)).filter(words => words.length > 1 && isJoinable(words));
		t.log(`${joinable.length} names`);
		t.true(joinable.length >= (expected === 'ambiguous' ? 10 : 100));
		t.deepEqual(misjudged(joinable.flatMap(words => [words.join(''), words.join('').toUpperCase(), capitalized(words.join('')), `x${words.join('')}`]), expected), []);
	});
}

test('no name has two classes, and there are enough names', t => {
	const names = tables.map(([, ...groups]) => groups.flatMap(table => Object.values(table).flat()));
	t.is(new Set(names.flat()).size, names.flat().length);
	t.deepEqual(names.map((ofClass, index) => ofClass.length >= [150, 30, 200][index]!), [true, true, true]);
});

test('each row of the table has examples', t => {
	t.is(examplesOfRows.length, credentialTable.length);
});

for (const [index, row] of credentialTable.entries()) {
	test(`${row.class}, “${examplesOfRows[index]}”: the examples of a row have its class`, t => {
		t.deepEqual(misjudged(examplesOfRows[index]!.split(' '), row.class), []);
	});
}

test('each word of the table gives the class of its row', t => {
	const wrong = credentialTable.flatMap(({class: expected, ends, directlyAfter, after}) => {
		const before = [...(directlyAfter ?? []), ...(after ?? [])];
		return misjudged(before.length === 0 ? ends : ends.flatMap(end => before.map(earlier => `${earlier} ${end}`)), expected);
	});
	t.deepEqual(wrong, []);
});

const word = fc.oneof(
	{weight: 4, arbitrary: fc.constantFrom(...vocabulary)},
	{weight: 1, arbitrary: fc.string({unit: fc.constantFrom(...'bcdfg'), minLength: 3, maxLength: 6})},
);

test('words of any kind in any spelling have one class', t => {
	t.log(`seed ${seed}`);
	fc.assert(fc.property(fc.array(word, {minLength: 1, maxLength: 5}), words => {
		const expected = classifyName(words.join('_'));
		t.deepEqual(misjudged([...spellings(words), ...nestings(words.join('_'))], expected), []);
	}), {seed, numRuns: 5000});
});

test('words without separators seldom give another class', t => {
	t.log(`seed ${seed}`);
	const names = fc.sample(fc.array(fc.constantFrom(...vocabulary), {minLength: 2, maxLength: 4}).filter(words => isJoinable(words)), {seed, numRuns: 5000});
	const other = names.filter(words => classifyName(words.join('')) !== classifyName(words.join('_')));
	t.log(other.map(words => words.join('_')).join(' '));
	t.true(other.length <= 5);
});

test('a credential is found after an unknown word without a separator', t => {
	t.deepEqual(misjudged(strongEndings.flatMap(ending => [`acme${ending}`, `x-acme${ending}`, `Acme${capitalized(ending)}`]), 'secret'), []);
});

test('an unknown word after a credential makes it ambiguous', t => {
	t.deepEqual(misjudged(['token_acme', 'passwordAcme', 'api-key-acme', 'passwordacme', 'myapikeyacme', 'ASPSESSIONIDQQABCD', 'password_tokens', 'cookie_keys', 'secret_codes'], 'ambiguous'), []);
	t.deepEqual(misjudged(['key_acme', 'codeAcme', 'session-acme', 'page_token_acme'], 'plain'), []);
});

for (const neutral of neutralWords) {
	test(`“${neutral}” after a name does not change its class`, t => {
		t.deepEqual(misjudged([`password_${neutral}`, `api_key_${neutral}`], 'secret'), []);
		t.deepEqual(misjudged([`pin_${neutral}`], 'ambiguous'), []);
		t.deepEqual(misjudged([neutral, `max_tokens_${neutral}`, `author_${neutral}`], 'plain'), []);
	});
}

for (const question of questionWords) {
	test(`“${question}” before a credential makes a plain boolean`, t => {
		t.deepEqual(misjudged([`${question}_password`, `${question}ApiKey`, `x-${question}-session`, `user[${question}_token]`, `user.${question}_token`], 'plain'), []);
		t.deepEqual(misjudged([`${question}[password]`, `login_${question}_password`], 'secret'), []);
	});
}

test('a name without words is plain', t => {
	t.deepEqual(misjudged(['', ' ', '-', '_'.repeat(200), '[][][]', '...', '$', '0', '12345', '\u{0}', '\n'], 'plain'), []);
	t.deepEqual(misjudged(['é', 'ключ', '密码', '🔑', '\u{D800}', '\u{212A}', '\u{212A}\u{17F}'], 'plain'), []);
	t.deepEqual(misjudged(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'], 'plain'), []);
	t.deepEqual(misjudged(['токен_token', '🔑password', 'password🔑', '\u{0}token', 'token\u{D800}'], 'secret'), []);
});

test('any name has a class', t => {
	t.log(`seed ${seed}`);
	const text = fc.oneof(fc.string({unit: 'binary', maxLength: 260}), fc.string({unit: fc.constantFrom('\u{212A}', '\u{17F}', 'T', 'k', '[', '.', 'key', 'Token', '2fa', '_')}));
	fc.assert(fc.property(text, name => {
		t.true(['secret', 'ambiguous', 'plain'].includes(classifyName(name)));
	}), {seed, numRuns: 5000});
});

test('a name of more than 256 characters is not read', t => {
	t.is(classifyName('a'.repeat(256)), 'plain');
	t.is(classifyName(`${'a'.repeat(250)}_token`), 'secret');
	t.deepEqual(misjudged([257, 100_000, 10_000_000].flatMap(length => ['a', '-', 'é', 'key_', 'Aa', '[', 'token'].map(text => text.repeat(length))), 'ambiguous'), []);
});

test('a hostile name is classified', t => {
	const hostile = ['pass', 'key', 'keycode', 'a', 'Aa', 'A', 'aA', 'x', 'token', 'use_', 'key_', '[', 'password', '2fa', 'base64'];
	for (const text of hostile) {
		for (let index = 0; index < 100; index++) {
			t.true(['secret', 'ambiguous', 'plain'].includes(classifyName(`${text.repeat(256).slice(0, 250)}${index}`)));
		}
	}
});

test('a remembered class stays the same', t => {
	const names = tables.flatMap(([expected, ...groups]) => groups.flatMap(table => Object.values(table).flat()).map(name => [name, expected] as const));
	for (const round of ['red', 'green', 'blue']) {
		for (let index = 0; index < 2500; index++) {
			t.is(classifyName(`${round}_${index}_token`), 'secret');
		}

		t.deepEqual(names.filter(([name, expected]) => classifyName(name) !== expected || classifyName(name) !== expected), []);
	}
});

test('DEFAULT_IGNORED_PARAMETERS is frozen, and each of its names is a secret', t => {
	t.true(Object.isFrozen(DEFAULT_IGNORED_PARAMETERS));
	t.deepEqual(misjudged(DEFAULT_IGNORED_PARAMETERS, 'secret'), []);
});

const handOut = `
	authorization x-auth-token x-session-token x-refresh-token x-subject-token x-amz-security-token x-access-token access-token x-api-key x-csrf-token
	x-xsrf-token x-wp-nonce
	authentication-info x-vault-token x-storage-token x-amzn-remapped-authorization mcp-session-id x-session-id x-docker-token
	x-auth-request-access-token
`;

const handOutNothing = `
	access-control-allow-credentials github-authentication-token-expiration x-ratelimit-remaining-tokens x-ratelimit-reset-tokens x-request-token
	x-ms-continuation-token x-ms-session-token www-authenticate proxy-authenticate proxy-authentication-info proxy-authorization
	dpop-nonce replay-nonce set-cookie signature signature-input content-digest etag x-request-id x-oauth-scopes x-accepted-oauth-scopes x-csrf-header
	lock-token location link sec-websocket-accept public-key-pins age date vary server
`;

for (const name of handOut.trim().split(/\s+/v)) {
	test(`a response with ${name} is not stored`, t => {
		t.true(credentialResponseHeaders.has(name));
	});
}

for (const name of handOutNothing.trim().split(/\s+/v)) {
	test(`a response with ${name} may be stored`, t => {
		t.false(credentialResponseHeaders.has(name));
	});
}

test('the names of response headers with credentials are in lower case', t => {
	t.deepEqual([...credentialResponseHeaders].filter(name => !/^[a-z]+(?:-[a-z]+)*$/v.test(name)), []);
});
