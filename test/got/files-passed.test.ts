import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import {cached, getCache} from '../../source/index.ts';
import {startCounting} from '../helpers/calls.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

/** The files with a function that runs. */
async function filesPassed(run: () => Promise<unknown>): Promise<readonly string[]> {
	const end = startCounting(new URL('../../source/', import.meta.url).href);
	await run();
	for (let turn = 0; turn < 20; turn++) {
		await nextTurn();
	}

	const calls = end();
	return [...calls].filter(([, functions]) => functions.values().some(count => count > 0)).map(([file]) => file);
}

test.serial('a hit runs functions of at most 25 source files, and a miss of at most 40', async t => {
	await using origin = await Origin.start((request, response) => {
		response.writeHead(request.headers['if-none-match'] === undefined ? 200 : 304, {etag: '"a"', ...(request.url === '/tagged' && {'cache-tag': 'one'})});
		response.end(request.headers['if-none-match'] === undefined ? 'answer' : undefined);
	});
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: 30});
	const cache = getCache(client);
	let count = 0;
	const call = cached(async (_name: string) => ++count, '1h', {result: true, name: 'call', cache});
	await client(`${origin.url}/tagged`);
	// Functions that run once per process do not count.
	await client(`${origin.url}/before`);
	await client(`${origin.url}/before`);
	await call('before');
	await call('before');
	await cache.idle();

	const {url} = origin;
	const passed = new Map<string, readonly string[]>();
	const note = async (what: string, run: () => Promise<unknown>): Promise<void> => {
		passed.set(what, await filesPassed(run));
	};

	await note('a miss', async () => client(url));
	await note('a hit', async () => client(url));
	clock.advance(200);
	await note('a validation (304)', async () => client(url));
	clock.advance(70);
	await note('a stale hit, and its refresh', async () => {
		const {body} = await client(url);
		await cache.idle();
		return body;
	});
	await note('a decorated call that is made', async () => call('one'));
	await note('a decorated call that is answered', async () => call('one'));
	await note('a deletion by a tag', async () => cache.delete({tags: ['one']}));
	t.is(origin.count, 5);
	t.is(count, 2);

	for (const [what, files] of passed) {
		t.log(`${what}: ${files.length} files: ${files.join(', ')}`);
	}

	t.true(passed.get('a hit')!.length <= 25);
	t.true(passed.get('a miss')!.length <= 40);
});
