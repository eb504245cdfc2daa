import path from 'node:path';
import test from 'ava';
import {Origin} from '../helpers/origin.ts';
import {byName} from './programs.ts';
import {createFolder, runNode} from './run-node.ts';

const examples = path.resolve(import.meta.dirname, '../../examples');

async function startOrigin(): Promise<Origin> {
	return Origin.start((_request, response) => {
		response.end('content');
	});
}

test('the example of OpenTelemetry prints the result of each span, and the figures', async t => {
	await using origin = await startOrigin();
	const {stdout, stderr, code} = await runNode([...byName, path.join(examples, 'opentelemetry.ts'), `${origin.url}/`], await createFolder(t));
	t.is(stderr, '');
	t.is(code, 0);
	t.regex(stdout, /^first: miss, because miss\nsecond: hit, because fresh\n/v);
	t.deepEqual(stdout.match(/^got_cache_hooks\.[\w.]+ \d+ \S+/gmv)?.map(line => line.replace(/(?<=stored) \d+/v, ' some')), [
		'got_cache_hooks.requests 1 {request}',
		'got_cache_hooks.requests 1 {request}',
		'got_cache_hooks.served 7 By',
		'got_cache_hooks.writes 1 {response}',
		'got_cache_hooks.stored some By',
		'got_cache_hooks.store.duration 2 calls',
		'got_cache_hooks.store.duration 1 calls',
	]);
});

type Line = {readonly level: number; readonly msg: string; readonly requestId?: number; readonly url?: string; readonly reason?: string; readonly error?: {readonly message: string}};

test('the example of pino prints a line for each event, with the ID of its request and without credentials', async t => {
	await using origin = await startOrigin();
	const {stdout, stderr, code} = await runNode([...byName, path.join(examples, 'pino.ts'), `${origin.url}/`], await createFolder(t));
	t.is(stderr, '');
	t.is(code, 0);
	const lines = stdout.trim().split('\n').map(line => JSON.parse(line) as Line);
	t.deepEqual(lines.map(({level, msg, requestId, url, reason, error}) => [level, msg, requestId, url?.slice(origin.url.length), reason, error?.message]), [
		[20, 'miss', 1, '/', 'miss', undefined],
		[20, 'stored', 1, '/', 'stored', undefined],
		[20, 'hit', 2, '/', 'fresh', undefined],
		[20, 'miss', 3, '/unknown?api_key=REDACTED', 'miss', undefined],
		[50, 'settingError', 3, undefined, undefined, 'This filter does not know the resource'],
		[20, 'refused', 3, '/unknown?api_key=REDACTED', 'filtered', undefined],
	]);
	t.false(stdout.includes('secret'));
});
