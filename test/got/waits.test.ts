import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import test from 'ava';
import {getCache} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {Gate, settle} from '../helpers/gate.ts';
import {standClock} from '../helpers/hand-clock.ts';
import {until} from '../helpers/until.ts';

// What is waited for takes time on a real connection. The limits are held on a clock that the test moves.

for (const [name, instance] of majors) {
	test(`${name}: if one of 301 equal requests is aborted while the others wait for it, 2 are sent in all`, async t => {
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
		await until(() => origin.count > 0);

		const waiting = Array.from({length: 300}, async () => client(origin.url).text());
		await settle();
		controller.abort();
		await t.throwsAsync(leader, {name: 'AbortError'});
		isAborted.resolve();
		t.deepEqual(new Set(await Promise.all(waiting)), new Set(['answer']));
		t.is(origin.count, 2);
	});

	test(`${name}: if one signal aborts 300 equal requests, one is sent, and the next one does not wait`, async t => {
		let isHeld = true;
		await using origin = await Origin.start((_request, response) => {
			if (!isHeld) {
				response.end('answer');
			}
		});
		const {client} = createClient({}, instance);
		const controller = new AbortController();
		const requests = Array.from({length: 300}, async () => client(origin.url, {signal: controller.signal}));
		await until(() => origin.count > 0);

		await settle();
		controller.abort();
		const settled = await Promise.allSettled(requests);
		t.true(settled.every(({status}) => status === 'rejected'));
		t.is(origin.count, 1);
		isHeld = false;
		t.is(await client(origin.url, {timeout: {request: 120_000}}).text(), 'answer');
		t.is(origin.count, 2);
	});

	for (const type of ['text/event-stream', 'application/octet-stream']) {
		test.serial(`${name}: two readers of an endless stream of ${type} get its first event within 3 seconds`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.writeHead(200, {'content-type': type});
				const timer = setInterval(() => {
					response.write('data: event\n\n');
				}, 50);
				response.once('close', () => {
					clearInterval(timer);
				});
			});
			const clock = standClock(t);
			const {client} = createClient({}, instance);
			const first = client.stream(origin.url);
			await once(first, 'data');
			const second = client.stream(origin.url);
			const heard = once(second, 'data');
			await settle();
			clock.advance(3000);
			await heard;
			t.is(origin.count, 2);
			for (const stream of [first, second]) {
				stream.on('error', () => {});
				stream.destroy();
			}

			await getCache(client).idle();
		});
	}

	test.serial(`${name}: 50 readers of a body that takes up to 3 seconds share one request, whenever they begin`, async t => {
		const length = 2_000_000;
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const clock = standClock(t);
		const {client} = createClient({}, instance);
		const readers: Array<Promise<number>> = [];
		const read = (count: number): void => {
			readers.push(...Array.from({length: count}, async () => (await client(origin.url).buffer()).byteLength));
		};

		read(10);
		const response = await gate.next();
		response.writeHead(200, {'content-length': length});
		for (let part = 0; part < 20; part++) {
			response.write(Buffer.alloc(length / 20));
			read(2);
			await settle();
			clock.advance(150);
		}

		response.end();
		t.deepEqual(await Promise.all(readers), Array.from({length: 50}, () => length));
		t.is(origin.count, 1);
	});
}
