import fs from 'node:fs';
import path from 'node:path';
import type {ExecutionContext, TestFn} from 'ava';
import {HttpCache, type CacheSettings} from '../../source/index.ts';
import {runProcess, type Answer} from '../helpers/cli.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

const hour = 3_600_000;

/** The header of a request whose value no command may show. */
export const token = 'Bearer 4f1c-secret';

/** Stores what the tests of commands look for: a JSON document for a user, a stale page and an image. */
export async function fill(settings: CacheSettings): Promise<void> {
	let now = Date.now() - (2 * hour);
	await using cache = new HttpCache({
		storeTimeout: 30_000, ...settings, now: () => now, ttlOffset: '7d',
	});
	await cache.save({url: 'https://api.example.com/page'}, {headers: {'content-type': 'text/html', etag: '"1"'}, body: '<p>\u{1B}]0;title\u{7}</p>'}, {expireAfter: '1h'});
	now += hour;
	await cache.save({url: 'https://api.example.com/users/1?api_key=4f1c-secret', headers: {accept: 'application/json'}}, {headers: {'content-type': 'application/json'}, body: '{"id":12345678901234567890,"name":"Ada"}'}, {expireAfter: '1d', tags: ['users']});
	now += hour / 2;
	await cache.save({url: 'https://api.example.com/me', headers: {authorization: token}}, {headers: {'content-type': 'application/json'}, body: '{}'}, {expireAfter: '1d'});
	await cache.save({url: 'https://example.org/logo.png'}, {headers: {'content-type': 'image/png'}, rawBody: Uint8Array.of(137, 80, 78, 71, 0, 255)});
}

/** Where the tests of a store find it. */
export type Place = {
	/** The store as the command line names it. */
	readonly store: string;
	readonly words?: readonly string[];
	readonly variables?: NodeJS.ProcessEnv;

	/** The settings of a cache on the store. */
	readonly settings: CacheSettings;

	/** Returns all that is in the store, to be compared. */
	readonly snapshot: () => Promise<unknown>;
};

type Reader = readonly [words: readonly string[], code: number, output: RegExp | ((text: string) => boolean)];

const users = 'https://api.example.com/users/1?api_key=4f1c-secret';

/** The commands that only read, each with what it prints. `<store>` is the store. */
const readers: readonly Reader[] = [
	[['ls', '<store>'], 0, /^METHOD {2}STATUS {2}AGE.+URL\n(?:.*\n){4}$/v],
	[['ls', '<store>', 'api.example.com/users', '--sort', 'size', '--json'], 0, text => (JSON.parse(text) as Array<{url: string}>).map(({url}) => url).join(' ') === 'https://api.example.com/users/1?api_key=REDACTED'],
	[['ls', '<store>', '--sort', 'createdAt', '--reverse', '--limit', '3', '--json', '--no-expired'], 0, text => (JSON.parse(text) as unknown[]).length === 3],
	[['ls', '<store>', '--expired', '--tag', 'users', '--json'], 0, text => (JSON.parse(text) as unknown[]).length === 2],
	[['ls', '<store>', '--valid', '--tag', 'users', '--all'], 0, /^METHOD.+\nGET.+1 h .+users\/1\?api_key=REDACTED {2}\[users\]\n$/v],
	[['show', '<store>', users], 0, /^GET https:\/\/api\.example\.com\/users\/1\?api_key=REDACTED\n[\s\S]*accept: application\/json[\s\S]*\{\n {2}"id": 12345678901234567890,\n {2}"name": "Ada"\n\}\n$/v],
	[['show', '<store>', 'https://api.example.com/page'], 0, /stale since [\s\S]*<p>\\x1b\]0;title\\x07<\/p>\n$/v],
	[['show', '<store>', 'https://example.org/logo.png'], 0, /\(6 B of image\/png, which are no text\. Save them by `--output <file>`\.\)\n$/v],
	[['show', '<store>', 'https://api.example.com/me'], 0, /^GET https:\/\/api\.example\.com\/me\n/v],
	[['show', '<store>', 'https://api.example.com/nothing'], 1, /^$/v],
	[['explain', '<store>', users], 0, /: serve, because of `fresh`[\s\S]*Assumed/v],
	[['explain', '<store>', 'https://api.example.com/page'], 0, /: send, because of `[\w\-]+`[\s\S]*stored: 200/v],
	[['explain', '<store>', 'https://api.example.com/me'], 0, /: send, because of `miss`[\s\S]*- GET https:\/\/api\.example\.com\/me 200 .* for one value of [^:]*authorization \(key got-cache:/v],
	[['explain', '<store>', 'https://api.example.com/me', '-H', `Authorization: ${token}`, '--json'], 0, text => (JSON.parse(text) as {decision: string}).decision === 'serve'],
	[['stats', '<store>'], 0, /\nentries +4: 3 fresh, 1 stale\n[\s\S]*hosts +api\.example\.com \(3\), example\.org \(1\)\n/v],
	[['stats', '<store>', '--json'], 0, text => (JSON.parse(text) as {entries: number}).entries === 4],
	[['har', '<store>', '-', '--expired'], 0, text => (JSON.parse(text) as {log: {entries: unknown[]}}).log.entries.length === 1],
	[['har', '<store>', '-', '--valid', '--tag', 'users', '--all'], 0, text => (JSON.parse(text) as {log: {entries: unknown[]}}).log.entries.length === 1],
	[['rm', '<store>'], 2, /^$/v],
	[['rm', '<store>', '--expired'], 2, /^$/v],
	[['rm', '<store>', '--url', 'https://api.example.com/nothing', '--tag', 'nothing', '--yes'], 0, /^No entry matches/v],
];

/** Declares the tests of all commands, as processes, on one kind of store. */
export function testCommands(test: TestFn, name: string, open: (t: ExecutionContext, folder: string) => Promise<Place>): void {
	const start = async (t: ExecutionContext) => {
		const folder = testFolder(t);
		const place = await open(t, folder);
		await fill(place.settings);
		const here = async (words: readonly string[]): Promise<Answer> => runProcess([...words.map(word => word === '<store>' ? place.store : word), ...place.words ?? []], {folder, variables: place.variables ?? {}});
		return {folder, place, here};
	};

	test(`${name}: commands that read print what is stored, and change nothing`, async t => {
		const {place, here} = await start(t);
		const before = await place.snapshot();
		for (const [words, code, expected] of readers) {
			const answer = await here(words);
			t.is(answer.code, code, `${words.join(' ')}: ${answer.stderr}`);
			t.true(typeof expected === 'function' ? expected(answer.stdout) : expected.test(answer.stdout), `${words.join(' ')}: ${answer.stdout}`);
			t.notRegex(answer.stdout + answer.stderr, /4f1c-secret/v);
			t.notRegex(answer.stdout + answer.stderr, /[\p{Control}--[\t\n]]/v);
			t.regex(answer.stderr, code === 0 ? /^(?:.* 0 entries.*\n)?$|^No entry/v : /^got-cache-hooks: [^\n]+\n$/v);
			t.deepEqual(await place.snapshot(), before, words.join(' '));
		}
	});

	test(`${name}: har, copy and rm do what they say`, async t => {
		const {folder, place, here} = await start(t);
		const archive = path.join(folder, 'all.har');
		t.like(await here(['har', '<store>', archive]), {code: 0, stderr: `Wrote 4 entries to ${archive}.\n`});
		const imported = await here(['har', '<store>', archive, '--import', '--expire-after', '1h']);
		t.is(imported.code, 0, imported.stderr);
		t.regex(imported.stdout, /^Stored \d responses\.\n$/v);

		// The copy has no cache name on a server.
		const copied = await runProcess(['copy', place.store, path.join(folder, 'copies', 'copy.sqlite'), ...place.words ?? []], {folder, variables: place.variables ?? {}});
		t.deepEqual(copied, {code: 0, stdout: 'Copied 4 entries.\n', stderr: ''});
		const listed = await runProcess(['ls', path.join(folder, 'copies', 'copy.sqlite'), '--json'], {folder});
		t.is((JSON.parse(listed.stdout) as unknown[]).length, 4);

		t.like(await here(['rm', '<store>', '--pattern', 'example.org', '--url', 'https://api.example.com/page', '--yes']), {code: 0, stdout: 'Deleted 2 entries.\n', stderr: ''});
		t.like(await here(['rm', '<store>', '--tag', 'users', '--older-than', '1s', '--all', '--yes']), {code: 0, stderr: ''});
		t.like(await here(['rm', '<store>', '--valid', '--expired', '--yes']), {code: 0, stderr: ''});
		t.like(await here(['ls', '<store>', '--json']), {code: 0, stdout: '[]\n'});
		t.true(fs.existsSync(archive));
	});
}
