import test from 'ava';
import {docExamples} from './doc-comments.ts';
import {testSample} from './pages.ts';
import {byName} from './programs.ts';
import {runNode, createFolder} from './run-node.ts';

const examples = docExamples();

/** Examples of settings are objects of one or more of them. */
const isSettings = ({code}: {readonly code: string}): boolean => /^\{\w+:/v.test(code);

for (const {of, code} of examples.filter(example => !isSettings(example))) {
	testSample(test, `the example of ${of}`, code);
}

test('each example of a setting is accepted by a client, or by a request', async t => {
	const settings = examples.filter(example => isSettings(example));
	t.true(settings.length > 40);
	const statements = settings.map(({of, code}) => {
		const call = /^\{(?:refresh|forceRefresh|tags: \[)/v.test(code) ? 'cacheContext' : 'makeCache';
		return `results.push([${JSON.stringify(of)}, ${call}(${code.trim()})]);`;
	});
	const program = `
		import * as library from 'got-cache-hooks';
		const {cacheContext, cacheHooks, HttpCache, SerializerPipeline, compressed, encrypted, signed, DEFAULT_IGNORED_PARAMETERS, NEVER_EXPIRE, EXPIRE_IMMEDIATELY, DO_NOT_CACHE} = library;
		// A store on a server is not connected to before its first use.
		const makeCache = settings => cacheHooks({cache: new HttpCache(settings)});
		const results = [];
		${statements.join('\n')}
		console.log(results.length);
	`;
	const {stdout, stderr} = await runNode([...byName, '--input-type=module', '--eval', program], await createFolder(t), {CACHE_SECRET: 'a secret of an example'}); // eslint-disable-line @typescript-eslint/naming-convention
	t.is(stderr, '');
	t.is(stdout, `${settings.length}\n`);
});
