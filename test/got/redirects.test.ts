import test from 'ava';
import {DO_NOT_CACHE, cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';

const handler: Handler = (request, response) => {
	const [, next] = /^\/to(?<path>\/.*)$/v.exec(request.url!) ?? [];
	if (next === undefined) {
		response.end(`at ${request.url}`);
		return;
	}

	response.writeHead(302, {location: next});
	response.end('moved');
};

for (const [name, instance] of majors) {
	test(`${name}: redirects are cached and replayed hop by hop`, async t => {
		await using origin = await Origin.start(handler);
		const {client} = createClient({}, instance);
		const url = `${origin.url}/to/to/to/end`;
		const first = await client(url);
		t.is(origin.count, 4);
		const second = await client(url);
		t.is(second.body, 'at /end');
		t.true(second.isFromCache);
		t.deepEqual(second.redirectUrls.map(String), first.redirectUrls.map(String));
		t.is(second.redirectUrls.length, 3);
		t.is(second.url, `${origin.url}/end`);
		t.is(second.requestUrl.href, first.requestUrl.href);

		// Each hop is a separate entry.
		t.true((await client(`${origin.url}/to/end`)).isFromCache);
		t.is(await readStream(client.stream(url)), 'at /end');
		t.is(origin.count, 4);
	});

	test(`${name}: a redirect that is not followed is cached as it is`, async t => {
		await using origin = await Origin.start(handler);
		const {client} = createClient({}, instance);
		for (let round = 0; round < 2; round++) {
			const response = await client(`${origin.url}/to/end`, {followRedirect: false});
			t.is(response.statusCode, 302);
			t.is(response.headers.location, '/end');
			t.is(response.body, 'moved');
			t.is(response.isFromCache, round === 1);
		}
	});
}

test('a redirect stays fresh as long as its target', async t => {
	await using origin = await Origin.start(handler);
	const {client, clock} = createClient({expireAfter: '1h', urlsExpireAfter: [[/^[^:]*:\/\/[^\/]*\/end$/v, '1m']]});
	await client(`${origin.url}/to/end`);
	clock.advance(61);
	await client(`${origin.url}/to/end`);
	t.is(origin.count, 4);
});

test('a redirect to a target that is never cached is not cached', async t => {
	await using origin = await Origin.start(handler);
	const {client} = createClient({urlsExpireAfter: [[/\/end$/v, DO_NOT_CACHE]]});
	await client(`${origin.url}/x`);
	await client(`${origin.url}/to/x`);
	await client(`${origin.url}/to/x`);
	t.is(origin.count, 2);
	const other = createClient({urlsExpireAfter: {'*/end': DO_NOT_CACHE}});
	await other.client(`${origin.url}/to/end`);
	await other.client(`${origin.url}/to/end`);
	t.is(origin.count, 6);
});

test('a cached redirect leads to a request for its target', async t => {
	await using origin = await Origin.start(handler);
	const {client} = createClient();
	const first = await client(`${origin.url}/to/end`);
	await getCache(client).delete({keys: [cacheInfo(first).key!]});
	const second = await client(`${origin.url}/to/end`);
	t.false(second.isFromCache);
	t.is(second.redirectUrls.length, 1);
	t.deepEqual(origin.requests.map(({url}) => url), ['/to/end', '/end', '/end']);
});
