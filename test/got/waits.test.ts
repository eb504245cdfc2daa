import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {getCache} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

// What is waited for takes time on a real connection. `test/exchange/sharing.test.ts` holds the limits by a clock of its own.

for (const [name, instance] of majors) {
	test(`${name}: 300 requests that wait for one that is aborted are 2 requests in all`, async t => {
		const isAborted = Promise.withResolvers<void>();
		await using origin = await Origin.start((_request, response) => {
			void (async () => {
				await isAborted.promise;
				response.end('answer');
			})();
		});
		const {client} = createClient({}, instance);
		const controller = new AbortController();
		const leader = client(origin.url, {signal: controller.signal});
		while (origin.count === 0) {
			await delay(5);
		}

		const waiting = Array.from({length: 300}, async () => client(origin.url).text());
		await delay(50);
		controller.abort();
		await t.throwsAsync(leader, {name: 'AbortError'});
		isAborted.resolve();
		t.deepEqual(new Set(await Promise.all(waiting)), new Set(['answer']));
		t.is(origin.count, 2);
	});

	test(`${name}: 300 requests of one signal that is aborted are one request, and leave nothing that the next one would wait for`, async t => {
		let isHeld = true;
		await using origin = await Origin.start((_request, response) => {
			if (!isHeld) {
				response.end('answer');
			}
		});
		const {client} = createClient({}, instance);
		const controller = new AbortController();
		const requests = Array.from({length: 300}, async () => client(origin.url, {signal: controller.signal}));
		while (origin.count === 0) {
			await delay(5);
		}

		await delay(50);
		controller.abort();
		const settled = await Promise.allSettled(requests);
		t.true(settled.every(({status}) => status === 'rejected'));
		t.is(origin.count, 1);
		isHeld = false;
		t.is(await client(origin.url, {timeout: {request: 5000}}).text(), 'answer');
		t.is(origin.count, 2);
	});

	for (const type of ['text/event-stream', 'application/octet-stream']) {
		test(`${name}: two readers of an endless stream of ${type} hear its first event within 3 seconds`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.writeHead(200, {'content-type': type});
				const timer = setInterval(() => {
					response.write('data: event\n\n');
				}, 50);
				response.once('close', () => {
					clearInterval(timer);
				});
			});
			const {client} = createClient({}, instance);
			const first = client.stream(origin.url);
			await once(first, 'data');
			const start = performance.now();
			const second = client.stream(origin.url);
			await once(second, 'data');
			t.true(performance.now() - start < 3000);
			t.is(origin.count, 2);
			for (const stream of [first, second]) {
				stream.on('error', () => {});
				stream.destroy();
			}

			await getCache(client).idle();
		});
	}

	test(`${name}: 50 readers of a body that comes within 3 seconds share one request, whenever they come`, async t => {
		const length = 2_000_000;
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(200, {'content-length': length});
			void (async () => {
				for (let part = 0; part < 20; part++) {
					response.write(Buffer.alloc(length / 20));
					await delay(150);
				}

				response.end();
			})();
		});
		const {client} = createClient({}, instance);
		const lengths = await Promise.all(Array.from({length: 50}, async (_, index) => {
			await delay(index * 40);
			return (await client(origin.url).buffer()).byteLength;
		}));
		t.deepEqual(new Set(lengths), new Set([length]));
		t.is(origin.count, 1);
	});
}
