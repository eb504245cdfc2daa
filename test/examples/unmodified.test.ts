import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {Origin} from '../helpers/origin.ts';
import {runNode} from './run-node.ts';

const root = path.resolve(import.meta.dirname, '../..');

test('the requests of an unmodified script are cached if its command line installs the cache, and only then', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('body');
	});
	const script = await fs.readFile(path.join(root, 'examples/unmodified.js'), 'utf8');
	t.false(script.slice(script.indexOf('*/')).includes('cache-hooks'));
	const {line} = /^\tnode (?<line>.+) https:/mv.exec(script)!.groups!;
	const {name, value} = /`(?<name>GOT_CACHE_\w+)=(?<value>\w+)`/v.exec(script)!.groups!;
	const start = async (words: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> => {
		const {stdout, stderr} = await runNode([...words, origin.url], root, environment);
		t.is(stderr, '');
		return stdout;
	};

	const words = line!.split(' ');
	t.is(await start(words, {[name!]: value}), '200 false\n200 true\n');
	t.is(await start(words, {}), '200 false\n200 false\n');
	t.is(await start(words.slice(-1), {[name!]: value}), '200 false\n200 false\n');
	t.is(origin.count, 5);
});
