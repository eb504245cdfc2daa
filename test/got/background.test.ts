import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import got from 'got';
import {cacheHooks, cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: a refresh has the user's time limit, and its failure is an event`, async t => {
		await using origin = await Origin.start((_request, response) => {
			if (origin.count === 1) {
				response.end('answer');
			}
		});
		const {client: plain, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true}, instance);
		const client = plain.extend({timeout: {request: 500}});
		const errors: unknown[] = [];
		getCache(client)!.on('backgroundError', ({error}) => {
			errors.push(error);
		});
		await client(origin.url);
		clock.advance(120);
		t.is((await client(origin.url)).body, 'answer');
		await getCache(client)!.idle();
		t.is(errors.length, 1);
		t.is((errors[0] as Error).name, 'TimeoutError');
	});

	test(`${name}: a response is refreshed ahead of its expiry, once, by stream and promise`, async t => {
		await using origin = await Origin.start((_request, response) => {
			setTimeout(() => {
				response.end(`answer ${origin.count}`);
			}, 10);
		});
		const {client, clock} = createClient({expireAfter: 100, refreshAhead: 0.8}, instance);
		await client(origin.url);
		clock.advance(79);
		await client(origin.url);
		await getCache(client)!.idle();
		t.is(origin.count, 1);
		clock.advance(1);
		const responses = await Promise.all(Array.from({length: 10}, async () => client(origin.url)));
		t.true(responses.every(response => response.body === 'answer 1' && cacheInfo(response).reason === 'fresh'));
		await getCache(client)!.idle();
		t.is(origin.count, 2);
		t.is((await client(origin.url)).body, 'answer 2');
		clock.advance(90);
		for await (const chunk of client.stream(origin.url)) {
			t.is(String(chunk), 'answer 2');
		}

		await getCache(client)!.idle();
		t.is(origin.count, 3);
	});
}

test('at most `maxRefreshes` refreshes run at a time, and a later hit starts the others', async t => {
	let running = 0;
	let most = 0;
	await using origin = await Origin.start((_request, response) => {
		running++;
		most = Math.max(most, running);
		setTimeout(() => {
			running--;
			response.end('answer');
		}, 20);
	});
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true, maxRefreshes: 2});
	const urls = Array.from({length: 6}, (_, index) => `${origin.url}/${index}`);
	for (const url of urls) {
		await client(url);
	}

	clock.advance(120);
	most = 0;
	await Promise.all(urls.map(async url => client(url)));
	await getCache(client)!.idle();
	t.is(most, 2);
	t.is(origin.count, 8);
	await Promise.all(urls.map(async url => client(url)));
	await getCache(client)!.idle();
	t.is(origin.count, 10);
});

test('two clients of one cache share its bound on refreshes', async t => {
	await using origin = await Origin.start((_request, response) => {
		setTimeout(() => {
			response.end('answer');
		}, 20);
	});
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true, maxRefreshes: 2});
	const other = got.extend({retry: {limit: 0}}, cacheHooks({
		cache: getCache(client)!, expireAfter: 60, staleWhileRevalidate: true, maxRefreshes: 2,
	}));
	const urls = Array.from({length: 6}, (_, index) => `${origin.url}/${index}`);
	await Promise.all(urls.map(async url => client(url)));
	clock.advance(120);
	await Promise.all(urls.map(async (url, index) => (index % 2 === 0 ? client : other)(url)));
	await getCache(client)!.idle();
	t.is(origin.count, 8);
});

test('`waitUntil` gets each refresh and each pending write; its fault is an event', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end(`answer ${origin.count}`);
	});
	const values = new Map<string, string>();
	const store = {
		name: 'slow',
		holds: 'text' as const,
		get: (key: string) => values.get(key),
		async set(key: string, value: unknown) {
			await delay(20);
			values.set(key, value as string);
		},
		delete: (key: string) => values.delete(key),
		deleteMany() {},
		clear() {},
		async * iterate() {},
		close() {},
	};
	const work: Array<Promise<void>> = [];
	const {client, clock} = createClient({
		store,
		expireAfter: 60,
		staleWhileRevalidate: true,
		waitUntil(promise) {
			work.push(promise);
			if (work.length === 1) {
				throw new Error('no context');
			}
		},
	});
	const faults: string[] = [];
	getCache(client)!.on('settingError', ({setting}) => {
		faults.push(setting);
	});
	await client(origin.url);
	t.is(work.length, 1);
	t.is(values.size, 0);
	await Promise.all(work);
	t.is(values.size, 1);
	clock.advance(120);
	await client(origin.url);
	t.is(work.length, 2);
	await Promise.all(work);
	t.is(origin.count, 2);
	await getCache(client)!.idle();
	t.true(work.length >= 3);
	t.deepEqual(faults, ['waitUntil']);
});
