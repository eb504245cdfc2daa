import test from 'ava';
import {bothModes, fresh} from '../helpers/modes.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin, dated} from '../helpers/dated.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §4 the response to a POST or a HEAD with X-HTTP-Method-Override: GET never answers a plain GET, and vice versa`, async t => {
		for (const [mode, settings] of bothModes) {
			for (const field of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
				const {client, clock} = createClient(settings, instance);
				await using origin = await Origin.start(dated(clock, request => ({headers: fresh, body: `${request.method} as ${String(request.headers[field])}`})));
				const headers = {[field]: 'GET'};
				for (const path of ['/overridden-first', '/plain-first']) {
					const url = origin.url + path;
					const overridden = async () => {
						t.is(await client.post(url, {headers}).text(), 'POST as GET', mode);
						t.is(await client.head(url, {headers}).text(), '', mode);
						const stream = client.stream.post(url, {headers, body: 'x'});
						t.is(await readStream(stream), 'POST as GET', mode);
					};

					if (path === '/overridden-first') {
						await overridden();
					}

					t.is(await client(url).text(), 'GET as undefined', mode);
					t.is(await readStream(client.stream(url)), 'GET as undefined', mode);
					await overridden();
					t.is(await client(url).text(), 'GET as undefined', mode);
				}
			}
		}
	});

	test(`${name}: RFC 9111 §4 a GET with X-HTTP-Method-Override: HEAD works twice, through both APIs, and does not answer a plain HEAD`, async t => {
		for (const [mode, settings] of bothModes) {
			const {client, clock} = createClient(settings, instance);
			await using origin = await Origin.start(dated(clock, request => ({headers: {...fresh, 'x-as': `${request.method} as ${String(request.headers['x-http-method-override'])}`}})));
			const headers = {'x-http-method-override': 'HEAD'};
			const first = await client(origin.url, {headers});
			const second = await client(origin.url, {headers});
			t.is(second.statusCode, 200, mode);
			t.is(second.body, first.body, mode);
			t.true(second.isFromCache, mode);
			t.is(await readStream(client.stream(origin.url, {headers})), first.body, mode);
			t.is(origin.count, 1, mode);
			t.is((await client.head(origin.url)).headers['x-as'], 'HEAD as undefined', mode);
			t.is((await client(origin.url)).headers['x-as'], 'GET as undefined', mode);
			t.is(await client(origin.url, {headers}).text(), first.body, mode);
			t.is(origin.count, 3, mode);
		}
	});
}

test('RFC 9111 §4.4 a POST with X-HTTP-Method-Override: GET is a POST, and invalidates the stored response', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
	await client(origin.url);
	await client.post(origin.url, {headers: {'x-http-method-override': 'GET'}});
	t.false((await client(origin.url)).isFromCache);
});

test('RFC 9111 §4 a POST with X-HTTP-Method-Override: GET is unsafe, and is written through each time', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: fresh})));
	for (const body of ['answer 1', 'answer 2']) {
		t.is(await client.post(origin.url, {headers: {'x-http-method-override': 'GET'}}).text(), body);
	}
});
