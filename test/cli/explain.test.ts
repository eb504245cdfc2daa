import process from 'node:process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {
	cached,
	HttpCache,
	type CacheSettings,
	type Har,
} from '../../source/index.ts';
import {runHere, runProcess} from '../helpers/cli.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

const url = 'https://example.com/page';

type Row = readonly [name: string, settings: CacheSettings, request: object, words: readonly string[], output: RegExp];

/** What a program with these settings has stored for a request, and what is said of a GET of its URL. */
const rows: readonly Row[] = [
	['its settings are the defaults', {}, {}, [], /^GET https:\/\/example\.com\/page: serve, because of `fresh`[\s\S]*Assumed.*\n- `cacheControl: false`/v],
	['it follows RFC 9111', {cacheControl: true}, {}, [], /: serve, because of `fresh`[\s\S]*\n- `cacheControl: true`, since the stored response was stored so\n/v],
	['its response varies by what Got sends', {}, {headers: {'accept-encoding': 'gzip, deflate, br, zstd'}}, [], /: serve/v],
	['another method is stored', {allowableMethods: ['GET', 'POST']}, {method: 'POST', body: '{}'}, [], /: send, because of `miss`[\s\S]*- POST https:\/\/example\.com\/page 200 .*, POST; for a request with a body \(key /v],
	['a setting of the key is not known', {matchHeaders: ['accept']}, {headers: {accept: 'text/html'}}, [], /: send, because of `miss`[\s\S]*other settings are part of its key \(key /v],
	['the settings are given', {matchHeaders: ['accept']}, {headers: {accept: 'text/html'}}, ['--settings', 'settings.json', '-H', 'accept:text/html'], /: serve, because of `fresh`(?![\s\S]*Assumed)/v],
	['the settings are a module', {matchHeaders: ['accept']}, {headers: {accept: 'text/html'}}, ['--settings', 'settings.js', '-H', 'accept: text/html'], /: send, because of `always-revalidate`/v],
	['a header of the request decides', {cacheControl: true}, {}, ['-H', 'cache-control: no-cache'], /: send, because of `[\w\-]+`/v],
	['the URL has another query', {}, {url: `${url}?page=2`}, [], /: send, because of `miss`[\s\S]*\nNothing is stored for this URL, but for others with the same path:\n- GET https:\/\/example\.com\/page\?page=2 200/v],
	['the URL is another one', {}, {url: 'https://example.com/other'}, [], /: send, because of `miss`[\s\S]*\nNothing is stored for this URL, whatever the request/v],
	['the request is a DELETE', {}, {}, ['-X', 'delete'], /^DELETE https:\/\/example\.com\/page: pass/v],
];

test.serial('explain says what would be done now, whatever the program is', async t => {
	const working = process.cwd();
	t.teardown(() => {
		process.chdir(working);
	});
	for (const [name, settings, request, words, output] of rows) {
		const folder = testFolder(t);
		process.chdir(folder);
		{
			await using cache = new HttpCache({...settings, storeTimeout: 30_000});
			await cache.save({url, ...request}, {headers: {'cache-control': 'max-age=600', etag: '"1"', ...('headers' in request && settings.matchHeaders === undefined && {vary: 'accept-encoding'})}, body: 'body'});
		}

		fs.writeFileSync('settings.json', '{"matchHeaders": ["accept"]}');
		fs.writeFileSync('settings.js', 'export default {matchHeaders: [\'accept\'], alwaysRevalidate: true, readOnly: true, mode: undefined, maxBytes: 5_000_000};');
		fs.writeFileSync('package.json', '{"type": "module"}');
		const {code, stdout, stderr} = await runHere(['explain', 'http_cache.sqlite', url, ...words]);
		t.deepEqual([code, stderr], [0, ''], name);
		t.regex(stdout, output, name);
		t.false(fs.existsSync(path.join(folder, 'http_cache.sqlite-wal')));
	}
});

test('an entry that needs another serializer is counted, and read with the settings', async t => {
	const folder = testFolder(t);
	const store = path.join(folder, 'a.db');
	const settings = path.join(folder, 'settings.mjs');
	fs.writeFileSync(settings, `
		import {encrypted} from '${new URL('../../source/index.ts', import.meta.url).href}';
		export default {serializer: encrypted({key: '${'ab12'.repeat(16)}'})};
	`);
	const {default: given} = await import(settings) as {default: CacheSettings};
	{
		await using cache = new HttpCache({...given, store: `sqlite:${store}`, storeTimeout: 30_000});
		await cache.save({url}, {body: 'body'});
	}

	const plain = await runHere(['ls', store, '--json']);
	t.is(plain.stdout, '[]\n');
	t.regex(plain.stderr, /1 entry cannot be read\. .*`--settings`/v);
	const invalid = await runHere(['ls', store, '--invalid', '--json']);
	t.true((JSON.parse(invalid.stdout) as Array<{error?: string}>)[0]!.error !== undefined);
	const removed = await runHere(['rm', store, '--valid', '--expired', '--yes']);
	t.regex(removed.stdout, /^No entry matches/v);
	t.regex(removed.stderr, /1 entry cannot be read\. .*`--settings`/v);
	const explained = await runHere(['explain', store, url]);
	t.regex(explained.stdout, /: send, because of `miss`[\s\S]*\nNo entry that can be read is of this URL\.\n(?![\s\S]*Nothing is stored)/v);
	t.regex(explained.stderr, /^1 entry cannot be read\. [^\n]*`--settings`[^\n]*\n$/v);
	t.regex((await runHere(['show', store, url])).stderr, /^1 entry cannot be read\. [^\n]*\ngot-cache-hooks: No response is stored for [^\n]*\n$/v);
	const archive = path.join(folder, 'a.har');
	t.regex((await runHere(['har', store, archive])).stderr, /^Wrote 0 entries to [^\n]*\n1 entry cannot be read\. [^\n]*`--settings`[^\n]*\n$/v);
	for (const words of [[], ['--valid'], ['--pattern', '*'], ['--tag', 'none'], ['--invalid'], ['--valid', '--pattern', '*', '--all']]) {
		const archived = await runHere(['har', store, '-', ...words]);
		t.is((JSON.parse(archived.stdout) as Har).log.entries.length, 0);
		t.regex(archived.stderr, /^1 entry cannot be read\. [^\n]*`--settings`[^\n]*\n$/v, words.join(' '));
	}

	t.is((await runHere(['har', store, '-', '--settings', settings])).stderr, '');
	const asProcess = await runProcess(['show', store, url], {folder});
	t.notRegex(asProcess.stderr, /Warning/v);
	t.regex((await runHere(['show', store, url, '--settings', settings])).stdout, /\n\nbody\n$/v);
});

test('show finds the result of a function by what ls shows as its URL', async t => {
	const store = path.join(testFolder(t), 'a.db');
	{
		await using cache = new HttpCache({store: `sqlite:${store}`, storeTimeout: 30_000});
		const users = async (id: number): Promise<{id: number}> => ({id});
		await cached(users, '1h', {result: true, cache})(1);
		await cache.idle();
	}

	t.regex((await runHere(['show', store, 'call:users'])).stdout, /^CALL call:users\n/v);
	t.regex((await runHere(['show', store, 'call:orders'])).stderr, /No response is stored for `call:orders`/v);
});
