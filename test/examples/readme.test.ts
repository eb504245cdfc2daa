import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {Origin} from '../helpers/origin.ts';
import {createFolder, runNode} from './run-node.ts';

const root = path.resolve(import.meta.dirname, '../..');
const readme = await fs.readFile(path.join(root, 'readme.md'), 'utf8');
const samples = readme.matchAll(/^```ts\n(?<code>.*?)^```$/gmsv).map(match => match.groups!.code!).toArray();

/** Gives the samples, which lie elsewhere, this package and what it has installed. */
const loader = `
	import {registerHooks} from 'node:module';

	registerHooks({
		resolve(specifier, context, nextResolve) {
			const own = ${JSON.stringify(new URL('../../source/index.ts', import.meta.url).href)};
			return specifier === 'got-cache-hooks'
				? {url: own, shortCircuit: true}
				: nextResolve(specifier, context.parentURL?.includes('/sample.ts') ? {...context, parentURL: own} : context);
		},
	});
`;

/** What the sample says that it prints. */
function promised(code: string): string {
	return code.matchAll(/^\/\/=> (?<line>.*\n)/gmv).map(match => match.groups!.line!).toArray().join('');
}

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		response.setHeader('etag', '"1"');
		response.statusCode = request.headers['if-none-match'] === '"1"' ? 304 : 200;
		response.end(response.statusCode === 304 ? undefined : JSON.stringify({name: 'Ada'}));
	});
}

for (const [index, code] of samples.entries()) {
	test(`sample ${index + 1} of the readme prints what it says`, async t => {
		await using origin = await startOrigin();
		const folder = await createFolder(t);
		await fs.writeFile(path.join(folder, 'package.json'), '{"type": "module"}');
		await fs.writeFile(path.join(folder, 'loader.js'), loader);
		await fs.writeFile(path.join(folder, 'sample.ts'), code.split('https://api.example.com').join(origin.url));

		const {stdout, stderr} = await runNode(['--import', './loader.js', 'sample.ts'], folder);
		t.is(stderr, '');
		t.is(stdout, promised(code));
	});
}
