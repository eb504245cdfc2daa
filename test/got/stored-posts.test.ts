import test from 'ava';
import {byOrigin, dated} from '../helpers/dated.ts';
import {byUser, fresh, plain} from '../helpers/modes.ts';
import {cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: RFC 9110 §13.1.2 a stale POST in allowableMethods is sent without If-None-Match`, async t => {
		const {client, clock} = createClient({...byUser, allowableMethods: ['GET', 'POST']}, instance);
		await using origin = await Origin.start(dated(clock, (request, count) => request.headers['if-none-match'] === undefined
			? {headers: {etag: '"1"', 'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT'}, body: `answer ${count}`}
			: {status: 412}));
		t.is(await client.post(origin.url, {body: 'x'}).text(), 'answer 1');
		t.true((await client.post(origin.url, {body: 'x'})).isFromCache);
		clock.advance(60);
		t.is(await client.post(origin.url, {body: 'x'}).text(), 'answer 2');
		t.is(await client.post(origin.url, {body: 'x', context: {cache: {refresh: true}}}).text(), 'answer 3');
		const {headers} = origin.requests[1]!;
		t.deepEqual([headers['if-none-match'], headers['if-modified-since']], [undefined, undefined]);
		t.is(origin.count, 3);
	});

	test(`${name}: RFC 9111 §4 a POST in allowableMethods is also stored with cacheControl, and sent unconditionally when it is stale`, async t => {
		const {client, clock} = createClient({...byOrigin, allowableMethods: ['GET', 'POST']}, instance);
		await using origin = await Origin.start(dated(clock, () => ({headers: {...fresh, etag: '"1"'}})));
		t.is(cacheInfo(await client.post(origin.url, {body: 'x'})).stored, 'stored');
		t.is(await client.post(origin.url, {body: 'x'}).text(), 'answer 1');
		clock.advance(60);
		t.is(await client.post(origin.url, {body: 'x'}).text(), 'answer 2');
		t.is(origin.requests[1]!.headers['if-none-match'], undefined);
	});

	test(`${name}: RFC 9110 §9.3.3 the 500 of a POST with its own Content-Location and max-age never answers a GET`, async t => {
		for (const allowableCodes of [undefined, [200, 404, 500]]) {
			for (const status of [404, 500]) {
				const {client, clock} = createClient({...byOrigin, ...(allowableCodes !== undefined && {allowableCodes})}, instance);
				await using origin = await Origin.start(dated(clock, request => ({status: request.method === 'POST' ? status : 200, headers: {...fresh, 'content-location': '/target'}})));
				const url = `${origin.url}/target`;
				t.is((await client.post(url, {...plain, body: 'x'})).statusCode, status);
				const stream = client.stream.post(url, {...plain, body: 'x'});
				t.is(await readStream(stream), 'answer 2');
				await getCache(client).idle();
				t.is(await client(url).text(), 'answer 3');
				t.is((await client.post(url, {...plain, body: 'x'})).statusCode, status);
				t.is((await client(url)).body, 'answer 3');
			}
		}
	});
}
