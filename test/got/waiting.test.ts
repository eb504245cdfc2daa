import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import type {OutgoingHttpHeaders} from 'node:http';
import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import type {Got, Request} from 'got';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Gate, settle} from '../helpers/gate.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {standClock} from '../helpers/hand-clock.ts';
import {getCache} from '../../source/index.ts';
import {until} from '../helpers/until.ts';

type Leader = {
	/** Sends the request, which is aborted while it is in flight. */
	readonly ask: (client: Got, url: string, signal: AbortSignal) => Promise<unknown>;
	readonly giveUp?: (controller: AbortController) => void;

	/** The only version that has it. */
	readonly only?: string;
};

/** A request that ends by a signal that its options do not have. */
const given = new WeakMap<AbortSignal, {destroy?(): unknown; cancel?(): unknown}>();

/** Ways for a caller to end its own request, which says nothing of the origin. */
const leaders: Readonly<Record<string, Leader>> = {
	'its signal': {
		ask: async (client, url, signal) => client(url, {signal}),
		giveUp(controller) {
			controller.abort();
		},
	},
	'the signal of a stream': {
		ask: async (client, url, signal) => readStream(client.stream(url, {signal})),
		giveUp(controller) {
			controller.abort();
		},
	},
	'the destruction of its stream': {
		async ask(client, url, signal) {
			const stream = client.stream(url);
			given.set(signal, stream);
			return readStream(stream);
		},
		giveUp({signal}) {
			given.get(signal)!.destroy!();
		},
	},
	'its cancellation': {
		async ask(client, url, signal) {
			const promise = client(url);
			given.set(signal, promise as {cancel?(): unknown});
			return promise;
		},
		giveUp({signal}) {
			given.get(signal)!.cancel!();
		},
		only: 'Got 14',
	},
	'a signal with a time': {ask: async (client, url) => client(url, {signal: AbortSignal.timeout(1000)})},
	'`timeout.request`': {ask: async (client, url) => client(url, {timeout: {request: 1000}})},
	'`timeout.response`': {ask: async (client, url) => client(url, {timeout: {response: 1000}})},
	'`timeout.socket`': {ask: async (client, url) => client(url, {timeout: {socket: 1000}})},
};

async function nothing(): Promise<void> {}

for (const [name, instance] of majors) {
	const endings = Object.entries(leaders).filter(([, {only = name}]) => only === name);
	for (const [ending, {ask, giveUp}] of endings) {
		for (const hasBegun of [false, true]) {
			const count = ending === 'its signal' ? 300 : 40;
			test.serial(`${name}: ${count} requests that wait for one that ends by ${ending} ${hasBegun ? 'in the middle of its body' : 'before it has a response'} send one more`, async t => {
				// No time passes for the waiting requests, so that none is sent because of a slow body.
				standClock(t);
				const gate = new Gate();
				await using origin = await Origin.start(gate.handler);
				const {client} = createClient({}, instance);
				const controller = new AbortController();
				const leader = ask(client, origin.url, controller.signal);
				leader.catch(nothing);
				const first = await gate.next();
				if (hasBegun && ending !== '`timeout.response`') {
					first.writeHead(200, {'content-length': '1000'});
					first.write('begun');
				}

				const waiters = Array.from({length: count}, async () => client(origin.url));
				await settle();
				giveUp?.(controller);
				await t.throwsAsync(leader);
				const second = await gate.next();
				await settle();
				second.end('second');
				const bodies = await Promise.all(waiters.map(async response => (await response).body));
				t.deepEqual(new Set(bodies), new Set(['second']));
				t.is(bodies.length, count);
				t.is(origin.count, 2);
			});
		}
	}

	test.serial(`${name}: each time the caller of a sent request gives up, one more is sent`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const controllers = Array.from({length: 10}, () => new AbortController());
		const all = controllers.map(async ({signal}) => client(origin.url, {signal}));
		for (const request of all) {
			request.catch(nothing);
		}

		for (const controller of controllers.slice(0, -1)) {
			await gate.next();
			await settle();
			t.is(gate.held.length, 0);
			controller.abort();
		}

		(await gate.next()).end('last');
		t.is((await all.at(-1)!).body, 'last');
		t.is(origin.count, 10);
	});

	test.serial(`${name}: a waiting request that has ended is not sent`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({}, instance);
		const leader = client.stream(origin.url);
		leader.on('error', () => {});
		await gate.next();
		// A destroyed stream emits no event.
		const gone = Array.from({length: 20}, () => client.stream(origin.url));
		const waiter = client(origin.url);
		await settle();
		for (const stream of [...gone, leader]) {
			stream.destroy();
		}

		(await gate.next()).end('second');
		t.is((await waiter).body, 'second');
		t.is(origin.count, 2);
	});

	test.serial(`${name}: 200 requests for a failing origin are sent as 1, 1, 2, 4, 8, …`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		// No time passes, so that no waiter is sent meanwhile.
		standClock(t);
		const {client} = createClient({storeTimeout: 20_000}, instance);
		const all = Promise.allSettled(Array.from({length: 200}, async () => client(origin.url)));
		for (const count of [1, 1, 2, 4, 8, 16, 32, 64, 72]) {
			while (gate.held.length < count) {
				await turn();
			}

			await settle();
			t.is(gate.held.length, count);
			for (const response of gate.held.splice(0)) {
				response.socket!.destroy();
			}
		}

		t.true((await all).every(({status}) => status === 'rejected'));
	});

	test.serial(`${name}: 200 requests for an overloaded origin are sent as 1, 1, 2, 4, 8, …`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client} = createClient({storeTimeout: 20_000}, instance);
		const all = Promise.allSettled(Array.from({length: 8}, async () => client(origin.url)));
		for (const count of [1, 1, 2, 4]) {
			const held = await gate.take(count);
			t.is(held.length, count);
			for (const response of held) {
				response.writeHead(429).end();
			}
		}

		await all;
	});

	test.serial(`${name}: the age of a response counts from when its request was sent, however long that waited`, async t => {
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const {client, clock} = createClient({cacheControl: true}, instance);
		const controller = new AbortController();
		const leader = client(origin.url, {signal: controller.signal});
		leader.catch(nothing);
		await gate.next();
		const waiter = client(origin.url);
		await settle();
		clock.advance(10);
		controller.abort();
		const second = await gate.next();
		second.writeHead(200, {'cache-control': 'max-age=5'});
		second.end('second');
		t.is((await waiter).body, 'second');
		t.true((await client(origin.url)).isFromCache);
		t.is(origin.count, 2);
	});
}

/** Resolves when a stream says something. */
async function untilData(stream: Request): Promise<void> {
	stream.on('error', () => {});
	await once(stream, 'data');
}

const endless = (headers: OutgoingHttpHeaders): Handler => (_request, response) => {
	response.writeHead(200, headers);
	response.write('first');
	const timer = setInterval(() => {
		response.write('more');
	}, 50);
	response.on('close', () => {
		clearInterval(timer);
	});
};

for (const [name, instance] of majors) {
	test.serial(`${name}: each reader of an endless body gets its first bytes within 3 s`, async t => {
		await using origin = await Origin.start(endless({}));
		const clock = standClock(t);
		const {client} = createClient({}, instance);
		const readers: Request[] = [];
		const ask = async (): Promise<number> => {
			const start = clock.now();
			const stream = client.stream(origin.url);
			readers.push(stream);
			await untilData(stream);
			return clock.now() - start;
		};

		const times: Array<Promise<number>> = [];
		for (let step = 0; step < 22; step++) {
			if ([0, 1, 5, 11].includes(step)) {
				times.push(ask());
			}

			await settle();
			clock.advance(250);
		}

		t.true((await Promise.all(times)).every(time => time < 3000), (await Promise.all(times)).join(', '));
		for (const reader of readers) {
			reader.destroy();
		}
	});

	test.serial(`${name}: readers of an event stream, and of a body that is known to be too large, do not wait for its end`, async t => {
		// A wait would never end.
		standClock(t);
		for (const headers of [{'content-type': 'text/event-stream'}, {'content-type': 'Text/Event-Stream; charset=utf-8'}, {'content-length': '1000000'}]) {
			await using origin = await Origin.start(endless(headers));
			const {client} = createClient({maxEntryBytes: 100_000}, instance);
			const readers = Array.from({length: 5}, () => client.stream(origin.url));
			await Promise.all(readers.map(async stream => untilData(stream)));
			const later = client.stream(origin.url);
			await untilData(later);
			t.is(origin.count, 6);
			for (const reader of [...readers, later]) {
				reader.destroy();
			}
		}
	});

	test.serial(`${name}: 50 readers of a body with a Content-Length share one request, however long it takes at a steady rate`, async t => {
		const total = 3_000_000;
		const gate = new Gate();
		await using origin = await Origin.start(gate.handler);
		const clock = standClock(t);
		const {client} = createClient({}, instance);
		const lengths = Promise.all(Array.from({length: 50}, async (_, index) => index % 2 === 0
			? (await client(origin.url, {responseType: 'buffer'})).rawBody.byteLength
			: (await readStream(client.stream(origin.url))).length));
		const response = await gate.next();
		response.writeHead(200, {'content-length': String(total)});
		for (let piece = 0; piece < 30; piece++) {
			response.write(Buffer.alloc(total / 30));
			await settle();
			clock.advance(300);
		}

		response.end();
		t.deepEqual(new Set(await lengths), new Set([total]));
		t.is(origin.count, 1);
	});

	test.serial(`${name}: a HEAD whose stream is not read delays no other request`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(200, {'content-length': '1000000'});
			response.end();
		});
		const {client} = createClient({}, instance);
		const idle = client.stream(origin.url, {method: 'HEAD'});
		await once(idle, 'response');
		// A wait would never end.
		standClock(t);
		const responses = await Promise.all(Array.from({length: 5}, async () => client.head(origin.url)));
		t.is(responses.length, 5);
		idle.destroy();
	});
}

async function readNothing(): Promise<void> {}

async function readHalf(stream: Request, length: number): Promise<void> {
	let read = 0;
	while (read < length / 2) {
		await turn();
		read += (stream.read() as Uint8Array | null)?.byteLength ?? 0;
	}
}

const idle = [[readNothing, 0], [readNothing, 100_000], [readNothing, 5_000_000], [readHalf, 900_000]] as const;

for (const [name, instance] of majors) {
	for (const [read, length] of idle) {
		test.serial(`${name}: a stream of ${length} bytes that is read ${read === readHalf ? 'in part' : 'not at all'} delays no other request`, async t => {
			const body = Buffer.alloc(length);
			await using origin = await Origin.start((_request, response) => {
				response.writeHead(200, {'content-length': String(length)});
				response.end(body);
			});
			const clock = standClock(t);
			const {client} = createClient({}, instance);
			const stream = client.stream(origin.url);
			stream.on('error', () => {});
			await once(stream, 'response');
			await read(stream, length);
			const bodies = Promise.all(Array.from({length: 5}, async () => client(origin.url, {responseType: 'buffer'})));
			await settle();
			clock.advance(4000);
			t.true((await bodies).every(({rawBody}) => rawBody.byteLength === length));
			stream.destroy();
		});
	}
}

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
