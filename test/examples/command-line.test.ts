import path from 'node:path';
import test from 'ava';
import {HttpCache} from '../../source/index.ts';
import {exitCodes} from '../../source/cli/failure.ts';
import {runProcess} from '../helpers/cli.ts';
import {testFolder} from '../helpers/temporary-folder.ts';
import {readPage, tableRows} from './pages.ts';

const page = 'docs/command-line.md';
const hour = 3_600_000;
const date = 'Mon, 30 Nov 2026 06:00:00 GMT';

/** Stores what the page looks at. The times are in the middle of an hour or a day, so that they read the same in a slow run. */
async function fill(folder: string): Promise<void> {
	let now = Date.now() - (60 * hour);
	await using cache = new HttpCache({
		store: `sqlite:${folder}/http_cache.sqlite`, now: () => now, ttlOffset: '30d', storeTimeout: 30_000,
	});
	await cache.save({url: 'https://api.example.com/rates?api_key=sk_live_1'}, {statusMessage: 'OK', headers: {date, 'content-type': 'application/json', etag: '"r1"'}, body: '{"EUR":1,"USD":1.08}'}, {expireAfter: '1d', tags: ['rates']});
	now += 54.5 * hour;
	await cache.save({url: 'https://api.example.com/users/1', headers: {accept: 'application/json'}}, {statusMessage: 'OK', headers: {date, 'content-type': 'application/json', vary: 'accept'}, body: '{"id":1,"name":"Ada"}'}, {expireAfter: '2d', tags: ['users']});
	now += 4 * hour;
	await cache.save({url: 'https://example.org/logo.png'}, {statusMessage: 'OK', headers: {date, 'content-type': 'image/png'}, rawBody: new Uint8Array(2048).fill(255)});
}

/** Times differ from run to run. */
function withoutTimes(text: string): string {
	return text.replaceAll(/\d{4}-\d\d-\d\dT[\d.:]+Z/gv, '<time>');
}

test(`the commands of ${page} print what the page shows`, async t => {
	const folder = testFolder(t);
	await fill(folder);
	const blocks = readPage(page).matchAll(/^```console\n(?<text>.*?)^```$/gmsv).map(({groups}) => groups!.text!).toArray();
	const commands = blocks.flatMap(text => text.split(/^(?=\$ )/mv)).map(text => {
		const [command = '', ...lines] = text.split('\n');
		return [command.replace(/^\$ npx got-cache-hooks /v, ''), lines.join('\n')] as const;
	});
	t.true(commands.length > 8);
	for (const [command, expected] of commands) {
		const words = command.matchAll(/"(?<quoted>[^"]*)"|(?<bare>\S+)/gv).map(({groups}) => groups!.quoted ?? groups!.bare!).toArray();
		const {stdout, stderr} = await runProcess(words, {folder});
		t.is(withoutTimes(`${stdout}${stderr}`.replaceAll(folder + path.sep, '/srv/app/')), withoutTimes(expected), command);
	}
});

test(`the exit codes of ${page} are those of the source`, t => {
	const rows = tableRows(readPage(page), '| code | meaning |');
	t.deepEqual(rows.map(([code]) => Number(code)), Object.values(exitCodes));
});

test(`${page} names each command and each option that the help names`, async t => {
	const text = readPage(page);
	const folder = testFolder(t);
	const {stdout} = await runProcess(['--help'], {folder});
	const names = stdout.matchAll(/^ {2}(?<name>[a-z]+) \[options\]/gmv).map(({groups}) => groups!.name!).toArray();
	t.true(names.length > 7);
	for (const name of names) {
		const help = await runProcess([name, '--help'], {folder});
		for (const option of [name, ...help.stdout.matchAll(/^ {2}.*?(?<option>--[\-a-z]+)/gmv).map(({groups}) => groups!.option!)]) {
			t.true(text.includes(option), `${name} ${option}`);
		}
	}
});
