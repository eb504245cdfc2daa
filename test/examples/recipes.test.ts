import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {Origin} from '../helpers/origin.ts';
import {linksOf, readPage, root} from './pages.ts';
import {
	endProgram,
	isShown,
	pathOf,
	runProgram,
	shownOutputs,
	startProgram,
} from './programs.ts';
import {createFolder, runNode} from './run-node.ts';

/** A site of 100 pages, of which those after the 40th are held back until they are released. */
async function startSite() {
	let isHolding = true;
	const origin = await Origin.start((request, response) => {
		if (isHolding && Number(request.url!.split('/').at(-1)) > 40) {
			return;
		}

		response.end('A page of five words');
	});
	return {
		origin,
		release() {
			isHolding = false;
			origin.requests.length = 0;
		},
	};
}

test('scraper.ts goes on where Ctrl-C stopped it, and asks the site for the rest alone', async t => {
	const {origin, release} = await startSite();
	await using _ = origin;
	const folder = await createFolder(t);
	const inputs = [`${origin.url}/pages/`, '100'];
	const [stopped, resumed] = shownOutputs('scraper.ts');

	const {code, output} = await endProgram(startProgram('scraper.ts', inputs, folder), '40/100 pages', 'SIGINT');
	t.is(code, 130);
	isShown(t, output, stopped);

	release();
	isShown(t, await runProgram(t, 'scraper.ts', inputs, {folder}), resumed);
	const asked = origin.requests.map(({url}) => Number(url.split('/').at(-1))).toSorted((one, other) => one - other);
	t.deepEqual(asked, Array.from({length: 60}, (_value, index) => index + 41));
});

test('scraper.ts is not slower for having been killed: it does not wait for what the process that ended had under way', async t => {
	const {origin, release} = await startSite();
	await using _ = origin;
	const folder = await createFolder(t);
	const inputs = [`${origin.url}/pages/`, '48'];

	// The last eight pages are under way, one for each worker.
	await endProgram(startProgram('scraper.ts', inputs, folder), '40/48 pages', 'SIGKILL');
	release();
	const resumed = startProgram('scraper.ts', inputs, folder);
	let output = '';
	let start: number | undefined;
	for await (const chunk of resumed.stdout!) {
		start ??= performance.now();
		output += String(chunk);
	}

	t.regex(output, /^48\/48 pages, \d+ from the cache, 0 failed\n\n240 words on 48 pages\n$/mv);

	// A lock whose owner is not known to have ended would hold it up for 10 s.
	t.true(performance.now() - start! < 9000);
	t.true(origin.count >= 8 && origin.count < 48);
});

test('scraper.ts counts the pages that fail, and goes on', async t => {
	await using origin = await Origin.start((request, response) => {
		response.statusCode = request.url!.endsWith('/2') ? 404 : 200;
		response.end('word');
	});
	const {stdout, stderr, code} = await runNode(['--import', new URL('by-name.ts', import.meta.url).href, pathOf('scraper.ts'), `${origin.url}/`, '3'], await createFolder(t));
	t.is(code, 0);
	t.regex(stdout, /3\/3 pages, 0 from the cache, 1 failed\n\n2 words on 2 pages\n$/v);
	t.regex(stderr, /^\S+\/2: Request failed with status code 404 [^\n]+\n$/v);
});

test('github-rate-limits.ts counts no validated answer, and serves what is stored when the limit is used up', async t => {
	const etag = '"1"';
	let remaining = 3;
	await using origin = await Origin.start((request, response) => {
		const isUnchanged = request.headers['if-none-match'] === etag;
		remaining -= isUnchanged ? 0 : 1;
		response.writeHead(isUnchanged ? 304 : 200, {
			etag,
			'cache-control': 'private, max-age=0',
			'content-type': 'application/json',
			'x-ratelimit-remaining': String(remaining),
			// The 1st of January 2100.
			'x-ratelimit-reset': '4102444800',
		});
		response.end(isUnchanged ? undefined : '{"stargazers_count": 100}');
	});
	const folder = await createFolder(t);
	const output = await runProgram(t, 'github-rate-limits.ts', [], {folder, variables: {GITHUB_API: origin.url, GITHUB_TOKEN: 'ghp_secret'}}); // eslint-disable-line @typescript-eslint/naming-convention
	isShown(t, output, shownOutputs('github-rate-limits.ts')[0]);
	t.is(origin.count, 4);
	t.is(origin.requests[0]!.headers.authorization, 'Bearer ghp_secret');
	t.false((await fs.readFile(path.join(folder, 'github.sqlite'))).includes('ghp_secret'));
});

test('recorded-fixtures.ts records once, and then needs no origin', async t => {
	const folder = await createFolder(t);
	const name = 'recorded-fixtures.ts';
	const flags = ['--test', '--test-reporter=tap'];
	const results = (tap: string) => tap.matchAll(/^(?:not )?ok \d.*$/gmv).map(([line]) => `${line}\n`).toArray().join('');
	const variables = {API_URL: '', RECORD: '1', NODE_TEST_CONTEXT: undefined}; // eslint-disable-line @typescript-eslint/naming-convention
	{
		await using origin = await Origin.start((request, response) => {
			const [status, body] = request.method === 'POST' ? [201, ''] : (request.url === '/users/1' ? [200, '{"name": "Ada"}'] : [404, '']);
			response.writeHead(status, {'content-type': 'application/json'});
			response.end(body);
		});
		variables.API_URL = origin.url;
		isShown(t, results(await runProgram(t, name, [], {folder, flags, variables})), shownOutputs(name)[0]);
		t.is(origin.count, 3);
		await runProgram(t, name, [], {folder, flags, variables});
		t.is(origin.count, 3);
	}

	// The origin is gone.
	isShown(t, results(await runProgram(t, name, [], {folder, flags, variables: {...variables, RECORD: undefined}})), shownOutputs(name)[0]); // eslint-disable-line @typescript-eslint/naming-convention
	await fs.rm(path.join(folder, 'fixtures'), {recursive: true});
	const {stdout, code} = await runNode(['--import', new URL('by-name.ts', import.meta.url).href, ...flags, pathOf(name)], folder, {...variables, RECORD: undefined}); // eslint-disable-line @typescript-eslint/naming-convention
	t.is(code, 1);
	t.regex(stdout, /No response is recorded for `GET /v);
});

test('sdk-wrapper.ts calls the SDK once for equal concurrent calls', async t => {
	isShown(t, await runProgram(t, 'sdk-wrapper.ts', []), shownOutputs('sdk-wrapper.ts')[0]);
});

// The demo is run by `npm run demo`, before anything is built, and `transpile.js` and `unmodified.js` know nothing of a cache.
test('each program of examples/ begins with a comment, and imports this package by its name', async t => {
	const names = await fs.readdir(path.join(root, 'examples'));
	const programs = names.filter(name => /\.[jt]s$/v.test(name) && !['demo.ts', 'transpile.js', 'unmodified.js'].includes(name));
	t.true(programs.length > 15);
	for (const program of programs) {
		const code = await fs.readFile(path.join(root, 'examples', program), 'utf8');
		t.regex(code, /^\/\*\*?\n[A-Z`]/v, program);
		t.regex(code, / from 'got-cache-hooks(?:\/\w+)?';/v, program);
		t.notRegex(code, /\.\.\/source/v, program);
	}

	const linked = linksOf(readPage('docs/recipes.md')).map(({target}) => target).filter(target => target.startsWith('../examples/'));
	t.true(new Set(linked).size >= 8);
});
