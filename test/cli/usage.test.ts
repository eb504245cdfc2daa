import process from 'node:process';
import fs from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {HttpCache} from '../../source/index.ts';
import {runHere, snapshot} from '../helpers/cli.ts';
import {testFolder} from '../helpers/temporary-folder.ts';
import {fill} from './commands.ts';

const names = ['ls', 'show', 'explain', 'stats', 'rm', 'copy', 'har', 'get'];

for (const name of names) {
	test(`the help of ${name} has an example that runs with the options that it names`, async t => {
		const {code, stdout, stderr} = await runHere([name, '--help']);
		t.is(code, 0);
		t.is(stderr, '');
		t.regex(stdout, new RegExp(`^Usage: got-cache-hooks ${name} <`, 'v'));
		const examples = stdout.matchAll(/^ {2}\$ got-cache-hooks (?<words>.+)$/gmv).map(({groups}) => groups!.words!).toArray();
		t.true(examples.length > 0);
		for (const example of examples) {
			t.true(example.startsWith(`${name} `));
			for (const option of example.matchAll(/ (?<option>--?[A-Za-z][\w\-]*)/gv)) {
				t.true(stdout.includes(option.groups!.option!), example);
			}
		}
	});
}

test('the help lists all commands and the exit codes, and the version is that of the package', async t => {
	const {code, stdout} = await runHere(['--help']);
	t.is(code, 0);
	t.deepEqual(stdout.matchAll(/^ {2}(?<name>[a-z]+) \[options\]/gmv).map(({groups}) => groups!.name!).toArray(), names);
	t.regex(stdout, /0 done, 1 not found or failed, 2 wrong usage, 130 interrupted/v);
	const {version} = JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {version: string};
	t.deepEqual(await runHere(['--version']), {code: 0, stdout: `${version}\n`, stderr: ''});
});

test('without a command, the help is shown as an error', async t => {
	const {code, stdout, stderr} = await runHere([]);
	t.is(code, 2);
	t.is(stdout, '');
	t.regex(stderr, /^Usage: got-cache-hooks/v);
});

test('ls of an empty file says that it is empty, without the option for a server', async t => {
	const folder = testFolder(t);
	const file = path.join(folder, 'none.sqlite');
	const cache = new HttpCache({store: `sqlite:${file}`});
	await cache.count();
	await cache.close();
	t.deepEqual(await runHere(['ls', file]), {code: 0, stdout: '', stderr: 'The store has no entries.\n'});
});

type Row = readonly [words: readonly string[], code: number, message: RegExp];

/** In a folder with `http_cache.sqlite`, `empty/`, an empty file `empty.sqlite`, `notes/` with a file, `text.db`, a program, and `other.sqlite`, a database of another program. */
const mistakes: readonly Row[] = [
	[['list', 'http_cache.sqlite'], 2, /unknown command 'list'/v],
	[['ls'], 2, /missing required argument 'store'/v],
	[['ls', ''], 2, /Name a store/v],
	[['ls', 'http_cache.sqlite', 'a', 'b'], 2, /too many arguments/v],
	[['ls', 'http_cache.sqlite', '--expird'], 2, /unknown option '--expird' \(Did you mean --expired\?\)/v],
	[['ls', 'http_cache.sqlite', '--limit', '-1'], 2, /whole number/v],
	[['ls', 'http_cache.sqlite', '--limit', '1e9'], 2, /whole number/v],
	[['ls', 'http_cache.sqlite', '--sort', 'age'], 2, /createdAt, expires, key, size/v],
	[['ls', 'http_cache.sqlite', '--older-than', 'yesterday'], 2, /`--older-than yesterday` is no time/v],
	[['ls', 'http_cache.sqlite', '--older-than', '2026-13-45'], 2, /`--older-than 2026-13-45` is no time/v],
	[['ls', 'http_cache.sqlite', '--older-than', '-1'], 2, /`--older-than -1` is no time/v],
	[['ls', 'http_cache.sqlite', '--url', 'api.example.com'], 2, /`--url` to be a URL/v],
	[['ls', 'http_cache.sqlite', '--option', 'busyTimeot=1'], 2, /`--option busyTimeot`/v],
	[['ls', 'http_cache.sqlite', '--option', 'busyTimeout'], 2, /name=value/v],
	[['ls', 'http_cache.sqlite', '--cache-name', 'a'], 2, /one cache only/v],
	[['ls', 'http_cache.sqlite', '--settings', 'missing.js'], 2, /There is no file .*missing\.js/v],
	[['ls', 'http_cache.sqlite', '--settings', 'wrong.json'], 2, /wrong\.json.*expireAfter/v],
	[['ls', 'missing.sqlite'], 1, /There is no store at .*missing\.sqlite.*Did you mean .*http_cache\.sqlite/v],
	[['stats', 'missing/folder'], 1, /There is no store at/v],
	[['show', 'missing.sqlite', 'https://example.com'], 1, /There is no store at/v],
	[['explain', 'missing.sqlite', 'https://example.com'], 1, /There is no store at/v],
	[['rm', 'missing.sqlite', '--expired', '--yes'], 1, /There is no store at/v],
	[['copy', 'missing.sqlite', 'copy.sqlite'], 1, /There is no store at/v],
	[['har', 'missing.sqlite', 'out.har'], 1, /There is no store at/v],
	[['ls', 'sqlite:missing.sqlite'], 1, /There is no store at/v],
	[['ls', 'file:///missing/folder'], 1, /There is no store at/v],
	[['ls', 'sqlite::memory:'], 1, /in memory/v],
	[['ls', 'memory'], 2, /`memory` cannot be read/v],
	[['ls', 'postgres://localhost'], 2, /not the URL of a store/v],
	[['ls', 'dynamodb://cache?profile=a'], 2, /dynamodb:\/\/<table>\?region=…&endpoint=…/v],
	[['ls', 'redis://user:4f1c@127.0.0.1:1'], 1, /ECONNREFUSED/v],
	[['ls', 'notes'], 1, /not the folder of a store/v],
	[['ls', '.'], 1, /not the folder of a store.*http_cache\.sqlite/v],
	[['ls', 'empty.sqlite'], 1, /is empty/v],
	[['rm', 'empty.sqlite', '--valid', '--yes'], 1, /is empty/v],
	[['ls', 'text.db'], 1, /not a database/v],
	[['rm', 'other.sqlite', '--valid', '--yes'], 1, /not a store of got-cache-hooks/v],
	[['show', 'http_cache.sqlite', 'no-key'], 1, /No entry has the key/v],
	[['explain', 'http_cache.sqlite', 'example'], 2, /`<url>` to be an absolute URL/v],
	[['explain', 'http_cache.sqlite', 'https://example.com', '-H', '4f1c'], 2, /^(?!.*4f1c)/v],
	[['rm', 'http_cache.sqlite'], 2, /Say what to delete/v],
	[['rm', 'http_cache.sqlite', '--yes'], 2, /Say what to delete/v],
	[['rm', 'http_cache.sqlite', '--all', '--yes'], 2, /Say what to delete/v],
	[['rm', 'http_cache.sqlite', '--expired'], 2, /--yes/v],
	[['copy', 'http_cache.sqlite', 'http_cache.sqlite'], 2, /Both stores are the same/v],
	[['copy', 'http_cache.sqlite', './sub/../http_cache.sqlite'], 2, /Both stores are the same/v],
	[['copy', 'http_cache.sqlite', 'sqlite:http_cache.sqlite'], 2, /Both stores are the same/v],
	[['har', 'http_cache.sqlite', 'http_cache.sqlite'], 2, /is the store itself/v],
	[['har', 'sqlite:http_cache.sqlite', 'http_cache.sqlite'], 2, /is the store itself/v],
	[['har', 'new.sqlite', 'missing.har', '--import'], 1, /no such file/v],
	[['har', 'new.sqlite', 'text.db', '--import'], 1, /no HTTP archive/v],
	[['har', 'new.sqlite', 'array.json', '--import'], 2, /har/v],
	[['show', 'http_cache.sqlite', 'https://example.org/logo.png', '-o', 'http_cache.sqlite'], 2, /is the store itself/v],
	[['show', 'http_cache.sqlite', 'https://example.org/logo.png', '-o', 'no/such/folder'], 1, /no such file or directory/v],
	[['get', 'new.sqlite', 'https://example.com', '--expire-after', 'soon'], 2, /`--expire-after soon`/v],
	[['har', 'new.sqlite', 'empty.har', '--import', '--expire-after', 'soon'], 2, /`--expire-after soon`/v],
	[['get', 'new.sqlite', 'example'], 2, /`<url>`/v],
	[['get', 'new.sqlite', 'ftp://example.com'], 2, /`ftp:`/v],
	[['har', 'new.sqlite', 'empty.har', '--import', '--pattern', 'example.com'], 2, /`--pattern` does not go with `--import`/v],
	[['har', 'new.sqlite', 'empty.har', '--import', '--older-than', '1h'], 2, /`--older-than` does not go with `--import`/v],
	[['har', 'http_cache.sqlite', 'new.har', '--expire-after', '1h'], 2, /`--expire-after` needs `--import`/v],
];

test.serial('each mistake is one line that says what to do, has its exit code, and changes nothing', async t => {
	const folder = testFolder(t);
	const write = (name: string, text: string): void => {
		fs.writeFileSync(path.join(folder, name), text);
	};

	fs.mkdirSync(path.join(folder, 'notes'));
	write('notes/a.txt', 'a');
	write('text.db', 'This is text, and long enough that it is no database of SQLite. '.repeat(10));
	write('empty.sqlite', '');
	write('array.json', '[]');
	write('empty.har', '{"log": {"version": "1.2", "creator": {"name": "a", "version": "1"}, "entries": []}}');
	write('wrong.json', '{"expireAfter": "soon"}');
	const other = new DatabaseSync(path.join(folder, 'other.sqlite'));
	other.exec('CREATE TABLE users (name TEXT)');
	other.close();
	await fill({store: `sqlite:${folder}/http_cache.sqlite`});
	const before = snapshot(folder);
	const working = process.cwd();
	process.chdir(folder);
	t.teardown(() => {
		process.chdir(working);
	});
	for (const [words, code, message] of mistakes) {
		const answer = await runHere(words);
		t.is(answer.code, code, `${words.join(' ')}: ${answer.stdout}${answer.stderr}`);
		t.regex(answer.stderr, /^got-cache-hooks: [^\n]+\n$/v, words.join(' '));
		t.regex(answer.stderr.slice('got-cache-hooks: '.length), message, words.join(' '));
		t.notRegex(answer.stderr, /4f1c|`criteria|createStore\(| {4}at /v, words.join(' '));
		t.is(answer.stdout, '', words.join(' '));
		t.deepEqual(snapshot(folder), before, words.join(' '));
	}
});

test('the stack of an error is shown if DEBUG is set', async t => {
	const {code, stderr} = await runHere(['ls', 'missing.sqlite'], {variables: {DEBUG: '1'}}); // eslint-disable-line @typescript-eslint/naming-convention
	t.is(code, 1);
	t.regex(stderr, /\n {4}at /v);
});

test('on a terminal rm asks first, and only `y` or `yes` deletes', async t => {
	const folder = testFolder(t);
	const store = path.join(folder, 'a.db');
	await fill({store: `sqlite:${store}`});
	const before = snapshot(folder);
	for (const input of ['n\n', '\n', '', 'yikes\n']) {
		const {code, stdout, stderr} = await runHere(['rm', store, '--expired'], {isTerminal: true, input});
		t.is(code, 1);
		t.is(stdout, '');
		t.regex(stderr, /Delete 1 entry \(GET https:\/\/api\.example\.com\/page\)\? \[y\/N\] .*Nothing was deleted\.\n$/sv);
		t.deepEqual(snapshot(folder), before);
	}

	t.like(await runHere(['rm', store, '--expired'], {isTerminal: true, input: 'y\n'}), {code: 0, stdout: 'Deleted 1 entry.\n'});
	const {stdout} = await runHere(['ls', store, '--json']);
	t.is((JSON.parse(stdout) as unknown[]).length, 3);
});

test('styles are used on a terminal only, and not with NO_COLOR', async t => {
	const store = path.join(testFolder(t), 'a.db');
	await fill({store: `sqlite:${store}`});
	const styled = await runHere(['ls', store], {isTerminal: true});
	t.true(styled.stdout.includes('\u{1B}[1mMETHOD'));
	const [plain, ...others] = await Promise.all([
		runHere(['ls', store]),
		runHere(['ls', store], {isTerminal: true, variables: {NO_COLOR: '1'}}), // eslint-disable-line @typescript-eslint/naming-convention
		runHere(['ls', store], {isTerminal: true, variables: {TERM: 'dumb'}}), // eslint-disable-line @typescript-eslint/naming-convention
	]);
	for (const {stdout} of [plain, ...others]) {
		t.false(stdout.includes('\u{1B}'));
	}
});

test('what an origin has sent writes no escape sequences, and JSON means the same', async t => {
	const store = path.join(testFolder(t), 'a.db');
	const evil = 'a\u{1B}[2J\u{9B}31m\u{7F}\u{202E}\u{2028}b';
	{
		await using cache = new HttpCache({store: `sqlite:${store}`});
		await cache.save({url: 'https://example.com/a', headers: {'x-evil': 'a\u{9B}31m'}}, {statusMessage: evil, headers: {'x-evil': 'a\u{9B}2J', 'content-type': 'text/plain'}, body: evil}, {tags: [evil]});
	}

	for (const words of [['ls', store], ['ls', store, '--json'], ['show', store, 'https://example.com/a'], ['show', store, 'https://example.com/a', '--json'], ['stats', store], ['har', store, '-']]) {
		for (const isTerminal of [true, false]) {
			const {code, stdout, stderr} = await runHere(words, {isTerminal, variables: {NO_COLOR: '1'}}); // eslint-disable-line @typescript-eslint/naming-convention
			t.is(code, 0);
			// The line of the progress is ours.
			const shown = stdout + stderr.split('\r').filter(part => !part.endsWith('\u{1B}[K')).join('\n');
			t.notRegex(shown, /[[\p{Control}\p{Format}\p{Line_Separator}]--[\t\n]]/v, words.join(' '));
			t.true(!words.includes('--json') || JSON.stringify(JSON.parse(stdout)).includes(JSON.stringify(evil)));
		}
	}
});

test('a body is saved byte for byte, and is not written to a terminal', async t => {
	const folder = testFolder(t);
	const store = path.join(folder, 'a.db');
	await fill({store: `sqlite:${store}`});
	const file = path.join(folder, 'logo.png');
	t.deepEqual(await runHere(['show', store, 'https://example.org/logo.png', '--output', file]), {code: 0, stdout: '', stderr: `Saved 6 B to ${file}.\n`});
	t.deepEqual([...fs.readFileSync(file)], [137, 80, 78, 71, 0, 255]);
	t.like(await runHere(['show', store, 'https://example.org/logo.png', '--output', '-'], {isTerminal: true}), {code: 2, stdout: ''});
	t.like(await runHere(['show', store, 'https://api.example.com/me', '--output', '-']), {code: 0, stdout: '{}'});
});
