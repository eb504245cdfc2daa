/* eslint-disable @typescript-eslint/naming-convention -- Environment variables. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {cacheHooks} from '../../../source/index.ts';
import {configure, settingsOfVariables, variableOf} from '../../../source/got/global/configuration.ts';
import {DO_NOT_CACHE, NEVER_EXPIRE} from '../../../source/policy/expiration.ts';
import {Origin} from '../../helpers/origin.ts';
import {Fixture} from './fixture.ts';

/** A program that knows nothing of the cache: it prints whether its second answer was one, and for how many seconds it is fresh. */
const program = `
	import got from 'got';

	const [, , url] = process.argv;
	await got(url);
	const {isFromCache, headers} = await got(url);
	console.log(JSON.stringify([isFromCache, /ttl=([0-9]+)/.exec(headers['cache-status'])?.[1] ?? null]));
`;

async function startOrigin(): Promise<Origin> {
	return Origin.start((_request, response) => {
		response.end('body');
	});
}

test.serial('environment variables install the cache for an unchanged program', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	const args = [origin.url];
	const without = await fixture.run(program, {args});
	t.deepEqual(without.lines, [[false, null]]);
	const environment = {GOT_CACHE_STORE: 'memory', GOT_CACHE_EXPIRE_AFTER: '1h'};
	const {lines, stderr} = await fixture.run(program, {args, environment});
	t.regex(JSON.stringify(lines), /^\[\[true,"3[56]\d\d"\]\]$/v);
	t.is(stderr, '');
});

test.serial('a file in the working directory installs the cache, and variables take precedence over the file', async t => {
	await using origin = await startOrigin();
	const fixture = await Fixture.create(t);
	await fixture.write('got-cache.config.js', 'export default {store: \'memory\', expireAfter: 100_000};');
	const args = [origin.url];
	const ofFile = await fixture.run(program, {args});
	t.regex(JSON.stringify(ofFile.lines), /^\[\[true,"(?:100000|9999\d)"\]\]$/v, ofFile.stderr);
	const ofBoth = await fixture.run(program, {args, environment: {GOT_CACHE_EXPIRE_AFTER: '200000'}});
	t.regex(JSON.stringify(ofBoth.lines), /^\[\[true,"(?:200000|19999\d)"\]\]$/v, ofBoth.stderr);
	await fixture.write('elsewhere/other.mjs', 'export default {store: \'memory\', expireAfter: 300_000};');
	const named = await fixture.run(program, {args, environment: {GOT_CACHE_CONFIG: 'elsewhere/other.mjs'}});
	t.regex(JSON.stringify(named.lines), /^\[\[true,"(?:300000|29999\d)"\]\]$/v, named.stderr);
});

const wrongFiles = {
	'has a wrong setting': ['export default {expireAfter: \'5 parsecs\'};', /got-cache\.config\.js: Expected `cache\.expireAfter` to be .*got string "5 parsecs"/v],
	'has an unknown setting': ['export default {expire_after: 5};', /got-cache\.config\.js: .*Did you mean `expireAfter`/v],
	'names a store that there is not': ['export default {store: \'papyrus\'};', /got-cache\.config\.js: Expected `cache\.store` to be /v],
	'exports nothing': ['export const store = \'memory\';', /got-cache\.config\.js: Expected `export default` to be an object with settings, got undefined/v],
	throws: ['throw new Error(\'The moon is full\');', /got-cache\.config\.js: The moon is full/v],
	'imports what there is not': ['import \'./nowhere.js\';', /got-cache\.config\.js: Cannot find module .*nowhere\.js/v],
} as const;

for (const [name, [code, message]] of Object.entries(wrongFiles)) {
	test(`a file that ${name} causes an error with its path and the reason`, async t => {
		const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-configuration-'));
		t.teardown(async () => fs.rm(folder, {recursive: true}));
		const file = path.join(folder, 'got-cache.config.js');
		await fs.writeFile(path.join(folder, 'package.json'), '{"type": "module"}');
		await fs.writeFile(file, code);
		const error = await t.throwsAsync(configure({}, folder, cacheHooks), {code: 'ERR_CACHE_CONFIG', message});
		t.true(error.message.startsWith(`${file}: `));
		t.truthy(error.cause);
	});
}

test.serial('an error in the file stops the start', async t => {
	const fixture = await Fixture.create(t);
	await fixture.write('got-cache.config.js', 'export default {expireAfter: \'5 parsecs\'};');
	const {code, lines, stderr} = await fixture.run('console.log("1");');
	t.is(code, 1);
	t.deepEqual(lines, []);
	t.true(stderr.includes(`${path.join(fixture.folder, 'got-cache.config.js')}: Expected \`cache.expireAfter\` to be `));
});

test.serial('an invalid environment variable stops the start with its name, and so does a missing file in GOT_CACHE_CONFIG', async t => {
	const fixture = await Fixture.create(t);
	const cases: ReadonlyArray<readonly [Readonly<Record<string, string>>, RegExp]> = [
		[{GOT_CACHE_READ_ONLY: 'perhaps'}, /GOT_CACHE_READ_ONLY: Expected `cache\.readOnly` to be a boolean, got string "perhaps"/v],
		[{GOT_CACHE_STORE: 'papyrus'}, /GOT_CACHE_STORE: Expected `cache\.store` to be /v],
		[{GOT_CACHE_CONFIG: 'nowhere.js'}, /nowhere\.js: Cannot find module/v],
	];
	for (const [environment, message] of cases) {
		const {code, lines, stderr} = await fixture.run('console.log("1");', {environment});
		t.is(code, 1);
		t.deepEqual(lines, []);
		t.regex(stderr, message);
	}
});

test('the text of an environment variable is read by the type of its setting', t => {
	t.deepEqual(settingsOfVariables({
		GOT_CACHE_STORE: 'memory',
		GOT_CACHE_NAME: '5',
		GOT_CACHE_CONTROL: 'TRUE',
		GOT_CACHE_STATUS: 'edge',
		GOT_CACHE_DISABLED: '0',
		GOT_CACHE_EXPIRE_AFTER: '300',
		GOT_CACHE_STALE_IF_ERROR: 'true',
		GOT_CACHE_STALE_WHILE_REVALIDATE: '1',
		GOT_CACHE_TTL_OFFSET: '2 days',
		GOT_CACHE_ALLOWABLE_CODES: '200, 404',
		GOT_CACHE_ALLOWABLE_METHODS: 'GET,POST',
		GOT_CACHE_MATCH_HEADERS: 'Accept',
		GOT_CACHE_STORE_TIMEOUT: '250',
		GOT_CACHE_CONFIG: 'file.js',
		GOT_CACHE_READ_ONLY: '',
		HOME: '/',
	}), {
		store: 'memory',
		cacheName: '5',
		cacheControl: true,
		cacheStatus: 'edge',
		disabled: false,
		expireAfter: 300,
		staleIfError: true,
		staleWhileRevalidate: 1,
		ttlOffset: '2 days',
		allowableCodes: [200, 404],
		allowableMethods: ['GET', 'POST'],
		matchHeaders: ['Accept'],
		storeTimeout: 250,
	});
	t.deepEqual(settingsOfVariables({GOT_CACHE_EXPIRE_AFTER: 'NEVER_EXPIRE'}), {expireAfter: NEVER_EXPIRE});
	t.deepEqual(settingsOfVariables({GOT_CACHE_EXPIRE_AFTER: 'DO_NOT_CACHE', GOT_CACHE_MATCH_HEADERS: 'true'}), {expireAfter: DO_NOT_CACHE, matchHeaders: true});
	t.is(variableOf('staleWhileRevalidate'), 'GOT_CACHE_STALE_WHILE_REVALIDATE');
});

test('an unknown environment variable is refused with the names of the known ones', t => {
	t.throws(() => settingsOfVariables({GOT_CACHE_EXPIRES: '5m'}), {code: 'ERR_CACHE_CONFIG', message: /Unknown variable `GOT_CACHE_EXPIRES`\. The variables are `GOT_CACHE_CONFIG`.*`GOT_CACHE_EXPIRE_AFTER`/v});
	const error = t.throws(() => settingsOfVariables({GOT_CACHE_ALLOWABLE_CODES: '200,abc'}), {code: 'ERR_CACHE_CONFIG'});
	t.regex(error.message, /^GOT_CACHE_ALLOWABLE_CODES: Expected `cache\.allowableCodes\[1\]`/v);
});
