import {execFile} from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import test from 'ava';
import {Origin} from '../helpers/origin.ts';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile) as (file: string, words: readonly string[], options: object) => Promise<{stdout: string; stderr: string}>;

test('an unmodified script is cached by its command line, and by nothing else', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('body');
	});
	const script = await fs.readFile(path.join(root, 'examples/unmodified.js'), 'utf8');
	t.false(script.slice(script.indexOf('*/')).includes('cache-hooks'));
	const {line} = /^\tnode (?<line>.+) https:/mv.exec(script)!.groups!;
	const {name, value} = /`(?<name>GOT_CACHE_\w+)=(?<value>\w+)`/v.exec(script)!.groups!;
	const start = async (words: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> => {
		const {stdout, stderr} = await run(process.execPath, [...words, origin.url], {cwd: root, env: {...process.env, ...environment}});
		t.is(stderr, '');
		return stdout;
	};

	const words = line!.split(' ');
	t.is(await start(words, {[name!]: value}), '200 false\n200 true\n');
	t.is(await start(words, {}), '200 false\n200 false\n');
	t.is(await start(words.slice(-1), {[name!]: value}), '200 false\n200 false\n');
	t.is(origin.count, 5);
});
