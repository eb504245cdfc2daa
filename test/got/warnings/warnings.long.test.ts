import {execFile} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {Origin} from '../../helpers/origin.ts';

const execute = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return

type Run = {readonly how?: string; readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>>};

/** Runs the program that makes a fault eight times in two caches, and returns what it prints to stderr. */
async function run(t: ExecutionContext, what: string, {how = '', args = [], env = {}}: Run = {}): Promise<string> {
	let count = 0;
	await using origin = await Origin.start((request, response) => {
		response.statusCode = request.url === '/' && count++ > 0 ? 503 : 200;
		response.end('body');
	});
	const {DEBUG: _debug, NODE_OPTIONS: _options, NODE_NO_WARNINGS: _warnings, ...others} = process.env;
	const {stderr} = await execute(process.execPath, ['--disable-warning=ExperimentalWarning', ...args, path.join(import.meta.dirname, 'program.ts'), what, origin.url, how], {env: {...others, ...env}});
	// `DEBUG` prints the messages of errors as they are.
	t.false(env.DEBUG === undefined && stderr.includes('marker-of-a-credential'), stderr);
	return stderr;
}

const codesIn = (stderr: string): readonly string[] => stderr.matchAll(/\[(?<code>GOT_CACHE_\w+)\] GotCacheHooksWarning/gv).map(({groups}) => groups!.code!).toArray();

const faults: ReadonlyArray<readonly [what: string, code: string, text: RegExp]> = [
	['sqlite', 'GOT_CACHE_STORE_ERROR', /Cannot open the SQLite store .*ready\(\).*`storeError`/v],
	['files', 'GOT_CACHE_STORE_ERROR', /`storeError`/v],
	['redis', 'GOT_CACHE_STORE_ERROR', /`storeError`/v],
	['throwing', 'GOT_CACHE_STORE_ERROR', /`get`.*TypeError at .*program\.ts/v],
	['keyFn', 'GOT_CACHE_SETTING_ERROR', /`keyFn` failed.*: TypeError at .*program\.ts.*`settingError`/v],
	['partitionBy', 'GOT_CACHE_SETTING_ERROR', /`partitionBy` failed.*: TypeError at .*program\.ts/v],
	['filterFn', 'GOT_CACHE_SETTING_ERROR', /`filterFn` failed.*TypeError at .*program\.ts/v],
	['tags', 'GOT_CACHE_SETTING_ERROR', /`tags` failed.*program\.ts/v],
	['wrong tags', 'GOT_CACHE_SETTING_ERROR', /`cache\.tags` returned an array/v],
	['a URLPattern', 'GOT_CACHE_SETTING_ERROR', /`urlsExpireAfter` failed/v],
	['slash first', 'GOT_CACHE_URL_PATTERN', /`\/users\/\*` begins with a slash.*`\*\/users`/v],
	['own cache', 'GOT_CACHE_TWO_CACHES', /Remove the option `cache` of Got/v],
	['own cache, created', 'GOT_CACHE_TWO_CACHES', /Remove the option `cache` of Got/v],
	['listener', 'GOT_CACHE_LISTENER_ERROR', /A listener of the event `miss` threw/v],
	['background', 'GOT_CACHE_BACKGROUND_ERROR', /503.*`backgroundError`/v],
];

for (const [what, code, text] of faults) {
	test(`a fault that nobody listens to is one warning of the process: ${what}`, async t => {
		const stderr = await run(t, what);
		t.deepEqual(codesIn(stderr), [code]);
		t.regex(stderr, text);
	});
}

const listenedTo = faults.filter(([, code]) => /(?:STORE|SETTING|BACKGROUND)_ERROR$/v.test(code));

for (const how of ['listens', 'subscribes']) {
	test(`a fault is no warning if the program ${how}`, async t => {
		for (const what of ['throwing', 'keyFn', 'background']) {
			t.true(listenedTo.some(([title]) => title === what));
			t.is(await run(t, what, {how}), '');
		}
	});
}

test('a fault that `DEBUG` prints is no warning', async t => {
	const stderr = await run(t, 'filterFn', {env: {DEBUG: 'got-cache-hooks'}}); // eslint-disable-line @typescript-eslint/naming-convention
	t.deepEqual(codesIn(stderr), []);
	t.regex(stderr, /^got-cache-hooks settingError filterFn/mv);
	t.notRegex(stderr, /^got-cache-hooks stored/mv);
});

for (const [title, options] of [
	['--no-warnings', () => ({args: ['--no-warnings']})],
	['NODE_NO_WARNINGS', () => ({env: {NODE_NO_WARNINGS: '1'}})], // eslint-disable-line @typescript-eslint/naming-convention
	['--disable-warning=CODE', code => ({args: [`--disable-warning=${code}`]})],
	['--disable-warning=GotCacheHooksWarning', () => ({args: ['--disable-warning=GotCacheHooksWarning']})],
] as ReadonlyArray<readonly [title: string, options: (code: string) => Run]>) {
	test(`warnings are off with ${title}`, async t => {
		for (const [what, code] of [faults[0]!, faults[6]!, faults[10]!, faults[11]!]) {
			t.is(await run(t, what, options(code)), '');
		}
	});
}

test('ordinary use gives no warning', async t => {
	for (const what of ['normal', 'normal, SQLite', 'only if cached', 'read only']) {
		t.is(await run(t, what), '');
	}
});
