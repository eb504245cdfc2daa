import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {runHere} from '../helpers/cli.ts';
import {Origin} from '../helpers/origin.ts';
import {testFolder} from '../helpers/temporary-folder.ts';

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		response.statusCode = request.url === '/missing' ? 404 : 200;
		response.setHeader('content-type', 'text/plain');
		response.setHeader('cache-control', request.url === '/changing' ? 'no-store' : 'max-age=60');
		response.end(request.url === '/bytes' ? Uint8Array.of(0, 255, 27) : `answer ${request.headers.accept ?? ''}\u{1B}[2J`);
	});
}

test('get makes the store, and answers from it the second time', async t => {
	await using origin = await startOrigin();
	const store = path.join(testFolder(t), 'new', 'cache.sqlite');
	for (const expected of [1, 1]) {
		t.deepEqual(await runHere(['get', store, `${origin.url}/a`, '-H', 'Accept: text/plain', '--expire-after', '1h']), {code: 0, stdout: 'answer text/plain\u{1B}[2J', stderr: ''});
		t.is(origin.count, expected);
	}

	const {stdout} = await runHere(['ls', store, '--json']);
	t.like((JSON.parse(stdout) as object[])[0], {url: `${origin.url}/a`, statusCode: 200});
});

test('on a terminal get says where the body is from, and shows no escape sequences', async t => {
	await using origin = await startOrigin();
	const store = path.join(testFolder(t), 'cache.sqlite');
	const answers = [
		await runHere(['get', store, `${origin.url}/a`, '--include'], {isTerminal: true, variables: {NO_COLOR: '1'}}), // eslint-disable-line @typescript-eslint/naming-convention
		await runHere(['get', store, `${origin.url}/a`], {isTerminal: true, variables: {NO_COLOR: '1'}}), // eslint-disable-line @typescript-eslint/naming-convention
	];
	t.regex(answers[0]!.stdout, /^200 OK\ncontent-type: text\/plain\n[\s\S]*\n\nanswer \\x1b\[2J$/v);
	t.deepEqual(answers.map(({stderr}) => stderr), ['From the origin: miss\n', 'From the cache: fresh\n']);
});

test('with --cache-control the headers of the origin decide, as they do with a file of settings', async t => {
	await using origin = await startOrigin();
	const folder = testFolder(t);
	const settings = path.join(folder, 'settings.json');
	fs.writeFileSync(settings, '{"cacheControl": true, "maxBytes": 5000000}');
	for (const [index, flags] of [['--cache-control'], ['--settings', settings]].entries()) {
		const store = path.join(folder, `${index}.sqlite`);
		await runHere(['get', store, `${origin.url}/changing`, ...flags]);
		t.is((await runHere(['ls', store, '--json'])).stdout, '[]\n');
	}
});

test('an error of the origin or of the network is one line, and its exit code is 1', async t => {
	await using origin = await startOrigin();
	const folder = testFolder(t);
	const store = path.join(folder, 'cache.sqlite');
	t.deepEqual(await runHere(['get', store, `${origin.url}/missing`]), {code: 1, stdout: 'answer \u{1B}[2J', stderr: 'got-cache-hooks: The answer is 404 Not Found\n'});
	const {code, stdout, stderr} = await runHere(['get', store, 'http://127.0.0.1:1/']);
	t.is(code, 1);
	t.is(stdout, '');
	t.regex(stderr, /^got-cache-hooks: [^\n]*ECONNREFUSED[^\n]*\n$/v);
});

test('get saves a body byte for byte', async t => {
	await using origin = await startOrigin();
	const folder = testFolder(t);
	const file = path.join(folder, 'body');
	t.like(await runHere(['get', path.join(folder, 'cache'), `${origin.url}/bytes`, '--output', file]), {code: 0, stdout: '', stderr: ''});
	t.deepEqual([...fs.readFileSync(file)], [0, 255, 27]);
	t.true(fs.statSync(path.join(folder, 'cache')).isDirectory());
});

test('get with `--output -` writes the bytes to the standard output, as show does', async t => {
	await using origin = await startOrigin();
	const folder = testFolder(t);
	const words = ['get', path.join(folder, 'cache.sqlite'), `${origin.url}/a`, '--output', '-'];
	t.deepEqual(await runHere(words), {code: 0, stdout: 'answer \u{1B}[2J', stderr: ''});
	t.like(await runHere(words, {isTerminal: true}), {code: 2, stdout: ''});
	t.false(fs.existsSync('-'));
});
