import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {startDynalite, variablesOf} from '../helpers/dynamodb-server.ts';
import {readPage, root} from './pages.ts';
import {byName} from './programs.ts';
import {runNode, createFolder} from './run-node.ts';
import {testSamples} from './samples.ts';

// The reference has the examples of all doc comments: `.ci/run` compares it with them.
const pages = fs.readdirSync(path.join(root, 'docs/api'), {recursive: true, encoding: 'utf8'}).filter(name => name.endsWith('.md')).map(name => `docs/api/${name}`).toSorted();
const isForDynamoDb = (page: string): boolean => readPage(page).includes('KeyvDynamoDb');

for (const page of pages) {
	testSamples(test, page);
	if (isForDynamoDb(page)) {
		testSamples(test, page, {
			sign: 'KeyvDynamoDb',
			async start() {
				const server = await startDynalite();
				return Object.assign(server, {variables: variablesOf(server)});
			},
		});
	}
}

test('each example of a setting is accepted by a client, or by a request', async t => {
	const settings = new Set(pages.flatMap(page => readPage(page).matchAll(/^```javascript\n(?<code>.*?)^```$/gmsv).map(({groups}) => groups!.code!.trim()).toArray()));
	t.true(settings.size > 40);
	const statements = settings.keys().map(code => `${/^\{(?:refresh|forceRefresh|tags: \[)/v.test(code) ? 'cacheContext' : 'makeCache'}(${code});`).toArray();
	const program = `
		import {cacheContext, HttpCache, SerializerPipeline, compressed, DEFAULT_IGNORED_PARAMETERS, NEVER_EXPIRE} from 'got-cache-hooks';
		const makeCache = settings => new HttpCache(settings);
		${statements.join('\n')}
		console.log('all of them');
	`;
	const {stdout, stderr} = await runNode([...byName, '--input-type=module', '--eval', program], await createFolder(t), {CACHE_SECRET: 'a secret of an example'}); // eslint-disable-line @typescript-eslint/naming-convention
	t.is(stderr, '');
	t.is(stdout, 'all of them\n');
});
