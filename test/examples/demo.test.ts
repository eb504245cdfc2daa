import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {Origin} from '../helpers/origin.ts';
import {byName} from './programs.ts';
import {createFolder, runNode, type Output} from './run-node.ts';

type Run = Pick<Output, 'code' | 'stderr'> & {readonly lines: readonly string[]};

const examples = path.resolve(import.meta.dirname, '../../examples');

async function run(name: string, inputs: readonly string[], folder: string): Promise<Run> {
	const {stdout, ...output} = await runNode([...byName, path.join(examples, name), ...inputs], folder);
	return {...output, lines: stdout.trim().split('\n')};
}

/** Request, status, cache and reason of each row of the table. */
function rows(lines: readonly string[]): string[] {
	const end = lines.indexOf('');
	return lines.slice(1, end).map(line => line.split(/\s{2,}/v).slice(0, 4).join(' | '));
}

function summary(lines: readonly string[], name: string): string {
	return lines.find(line => line.startsWith(name))!.slice(name.length).trim();
}

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		response.writeHead(request.url === '/missing' ? 404 : 200);
		response.end('content');
	});
}

const firstRun = [
	'GET /json | 200 | miss | miss',
	'GET /json | 200 | hit | fresh',
	'STREAM /json | 200 | hit | fresh',
	'GET /gzip | 200 | miss | miss',
	'GET /gzip | 200 | hit | fresh',
	'GET /old | 200 | miss | miss',
	'GET /old | 200 | hit | fresh',
	'GET /etag | 200 | miss | miss',
	'GET /etag | 200 | hit | revalidated',
	'GET /flaky | 200 | miss | miss',
	'GET /flaky | 200 | hit | stale-if-error',
	'GET /flaky | 200 | hit | stale-if-error',
	'GET /private | 200 | miss | do-not-cache',
	'GET /private | 200 | miss | do-not-cache',
	'GET /new | 200 | miss | refresh',
	'POST /json | 200 | miss | method',
];

const secondRun = [
	'GET /json | 200 | hit | fresh',
	'GET /json | 200 | hit | fresh',
	'STREAM /json | 200 | hit | fresh',
	'GET /gzip | 200 | hit | fresh',
	'GET /gzip | 200 | hit | fresh',
	'GET /old | 200 | hit | fresh',
	'GET /old | 200 | hit | fresh',
	'GET /etag | 200 | hit | revalidated',
	'GET /etag | 200 | hit | revalidated',
	'GET /flaky | 200 | miss | stale',
	...firstRun.slice(10),
];

test('a second run of the demo is served from the file of the first run', async t => {
	const folder = await createFolder(t);
	const first = await run('demo.ts', [], folder);
	t.is(first.stderr, '');
	t.is(first.code, 0);
	t.deepEqual(rows(first.lines), firstRun);
	t.regex(summary(first.lines, 'Requests'), /^16, of which 13 reached /v);
	t.regex(summary(first.lines, 'From earlier runs'), /^nothing/v);
	t.regex(summary(first.lines, 'Events'), /^none/v);
	const files = await fs.readdir(folder);
	t.true(files.includes('demo_cache.sqlite'));

	const second = await run('demo.ts', [], folder);
	t.is(second.stderr, '');
	t.deepEqual(rows(second.lines), secondRun);
	t.regex(summary(second.lines, 'Requests'), /^16, of which 9 reached /v);
	t.is(summary(second.lines, 'From earlier runs'), 'GET /json (2 times), STREAM /json, GET /gzip (2 times), GET /old (2 times), GET /etag (2 times)');

	const third = await run('demo.ts', ['--reset'], folder);
	t.deepEqual(rows(third.lines), firstRun);
});

test('the demo accepts URLs, and shows failed requests as rows', async t => {
	await using origin = await startOrigin();
	const folder = await createFolder(t);
	const host = origin.url.slice('http://'.length);
	const inputs = [`${origin.url}/page?key=secret`, `${origin.url}/missing`, 'no URL'];

	const first = await run('demo.ts', inputs, folder);
	t.is(first.code, 0);
	t.deepEqual(rows(first.lines), [
		`GET ${host}/page?… | 200 | miss | miss`,
		`GET ${host}/page?… | 200 | hit | fresh`,
		`GET ${host}/missing | 404 | miss | miss`,
		`GET ${host}/missing | 404 | miss | miss`,
		'GET no URL | failed | – | ERR_INVALID_URL',
		'GET no URL | failed | – | ERR_INVALID_URL',
	]);
	t.is(origin.count, 3);
	t.true(first.lines[3]!.endsWith('not stored: status-code'));
	t.false(first.lines.join('\n').includes('secret'));

	const second = await run('demo.ts', inputs, folder);
	t.is(summary(second.lines, 'From earlier runs'), `GET ${host}/page?… (2 times)`);
	t.is(origin.count, 5);
});

test('the demo exits with an error if all of its requests fail', async t => {
	const {code, lines} = await run('demo.ts', ['no URL'], await createFolder(t));
	t.is(code, 1);
	t.is(rows(lines).length, 2);
});

for (const name of ['basic.ts', 'keyv.ts']) {
	test(`${name} gets its second response from the cache`, async t => {
		await using origin = await startOrigin();
		const {code, lines, stderr} = await run(name, [`${origin.url}/`], await createFolder(t));
		t.is(stderr, '');
		t.is(code, 0);
		t.deepEqual(lines, ['200 false miss', '200 true fresh']);
		t.is(origin.count, 1);
	});
}

test('github-client.ts caches as its class is decorated, and sends a new request after a change', async t => {
	const folder = await createFolder(t);
	const {stdout, stderr, code} = await runNode([...byName, '--import', path.join(examples, 'transpile.js'), path.join(examples, 'github-client.ts')], folder);
	t.is(stderr, '');
	t.is(code, 0);
	t.deepEqual(stdout.trim().split('\n'), [
		'ada [ \'first\' ] after 2 requests',
		'ada [ \'first\' ] after 2 requests',
		'rate 57 56',
		'ada [ \'first\', \'second\' ] after 6 requests',
	]);
	t.deepEqual(await fs.readdir(folder), []);
});
