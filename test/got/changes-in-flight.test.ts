import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {cacheInfo, getCache} from '../../source/index.ts';
import {fresh, read} from '../helpers/modes.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {byOrigin, dated} from '../helpers/dated.ts';
import {holdResponses} from '../helpers/gate.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	for (const held of ['head', 'body'] as const) {
		test(`${name}: RFC 9111 §4.4 a GET whose ${held} is in flight while a PUT succeeds is passed on and not stored`, async t => {
			for (const store of ['memory', new Map()] as const) {
				for (const isStream of [false, true]) {
					const {client, clock} = createClient({...byOrigin, store}, instance);
					const arrived = Promise.withResolvers<void>();
					const changed = Promise.withResolvers<void>();
					await using origin = await Origin.start((request, response) => {
						const headers = {date: new Date(clock.now()).toUTCString(), ...fresh};
						if (request.method === 'PUT' || origin.count > 2) {
							response.writeHead(200, headers);
							response.end('new');
							return;
						}

						if (held === 'body') {
							response.writeHead(200, headers);
							response.write('o');
						}

						arrived.resolve();
						void (async () => {
							await changed.promise;
							if (held === 'head') {
								response.writeHead(200, headers);
								response.write('o');
							}

							response.end('ld');
						})();
					});
					const pending = read(client, origin.url, {}, isStream);
					await arrived.promise;
					await client.put(origin.url, {body: 'x'});
					changed.resolve();
					t.is(await pending, 'old');
					await getCache(client).idle();
					const next = await client(origin.url);
					t.false(next.isFromCache);
					t.is(next.body, 'new');
					t.true((await client(origin.url)).isFromCache);
				}
			}
		});
	}

	test(`${name}: RFC 9111 §4.4 a GET that is in flight while a PUT succeeds has the reason why it is not stored`, async t => {
		const {client, clock} = createClient(byOrigin, instance);
		const arrived = Promise.withResolvers<void>();
		const changed = Promise.withResolvers<void>();
		const answer = dated(clock, () => ({headers: fresh}));
		await using origin = await Origin.start((request, response, body) => {
			void (async () => {
				if (request.method === 'GET') {
					arrived.resolve();
					await changed.promise;
				}

				answer(request, response, body);
			})();
		});
		const pending = client(origin.url);
		await arrived.promise;
		await client.put(origin.url);
		changed.resolve();
		t.is(cacheInfo(await pending).stored, 'invalidated');
	});

	test(`${name}: a request after an unsafe request does not wait for one that was sent before it`, async t => {
		const {held, handler, reach} = holdResponses();
		await using origin = await Origin.start(handler);
		const {client} = createClient({cacheControl: true}, instance);
		const before = client(origin.url);
		await reach(1);
		const change = client.post(origin.url, {body: 'new'});
		await reach(2);
		held[1]!.end('changed');
		await change;
		const after = [client(origin.url), client(origin.url)];
		await delay(50);
		held[0]!.end('old');
		await reach(3);
		held[2]!.end('new');
		t.is((await before).body, 'old');
		t.deepEqual(await Promise.all(after.map(async response => (await response).body)), ['new', 'new']);
		t.is(origin.count, 3);
	});

	test(`${name}: a request after the deletion of a tag does not get a response that was requested before it`, async t => {
		const {held, handler, reach} = holdResponses();
		await using origin = await Origin.start(handler);
		const {client, clock} = createClient({}, instance);
		const before = client(origin.url);
		await reach(1);
		clock.advance(1);
		await getCache(client).delete({tags: ['one']});
		const after = client(origin.url);
		await delay(50);
		held[0]!.setHeader('cache-tag', 'one');
		held[0]!.end('old');
		await reach(2);
		held[1]!.setHeader('cache-tag', 'one');
		held[1]!.end('new');
		t.is((await before).body, 'old');
		t.is((await after).body, 'new');
	});
}
