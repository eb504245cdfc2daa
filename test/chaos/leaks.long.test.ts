import {Buffer} from 'node:buffer';
import {getEventListeners, once} from 'node:events';
import http from 'node:http';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import test from 'ava';
import got, {type Got} from 'got';
import {cacheHooks, getCache} from '../../source/index.ts';
import {seed} from '../helpers/seed.ts';
import {until} from '../helpers/until.ts';
import {isLong, Random} from './random.ts';

const requests = isLong ? 100_000 : 3000;
const callers = 32;
const mebibyte = 1_048_576;

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

type Counts = {readonly timers: number; readonly sockets: number; readonly listeners: number; readonly mebibytes: number};

async function count(agent: http.Agent, signal: AbortSignal, client: Got): Promise<Counts> {
	await getCache(client).idle();
	agent.destroy();
	await delay(100);
	collect();
	await delay(50);
	collect();
	const resources = process.getActiveResourcesInfo();
	return {
		timers: resources.filter(name => name === 'Timeout').length,
		sockets: resources.filter(name => name.startsWith('TCPSocket')).length,
		listeners: getEventListeners(signal, 'abort').length + process.eventNames().length + getCache(client).eventNames().length,
		mebibytes: process.memoryUsage().heapUsed / mebibyte,
	};
}

/** A hit, a miss, one of several at once, a refresh, a failure, an abort, a timeout, a stream that is left. */
async function ask(client: Got, url: string, random: Random, signal: AbortSignal): Promise<void> {
	const path = `${url}/${random.below(500)}`;
	const kind = random.below(40);
	try {
		switch (kind) {
			case 0: {
				await client(path, {signal: AbortSignal.timeout(1)});
				break;
			}

			case 1: {
				await client(`${url}/fail`, {signal});
				break;
			}

			case 2: {
				await client(`${url}/slow/${random.below(3)}`, {timeout: {request: 3}});
				break;
			}

			case 3: {
				const stream = client.stream(path, {signal});
				await once(stream, 'data');
				stream.destroy();
				break;
			}

			case 4: {
				await client(path, {signal, context: {cache: {refresh: true}}});
				break;
			}

			default: {
				await client(path, {signal});
			}
		}
	} catch {
		// Other tests cover its result.
	}
}

async function run(client: Got, url: string, total: number, random: Random, signal: AbortSignal): Promise<void> { // eslint-disable-line max-params
	let left = total;
	await Promise.all(Array.from({length: callers}, async () => {
		while (left > 0) {
			left--;
			await ask(client, url, random, signal);
		}
	}));
}

test.serial(`${requests} mixed requests leave no listener, timer, socket or buffer behind`, async t => {
	t.timeout(600_000);
	t.log(`SEED=${seed}`);
	const random = new Random(seed);
	const server = http.createServer((request, response) => {
		if (request.url === '/fail') {
			response.writeHead(503).end();
		} else if (request.url!.startsWith('/slow')) {
			setTimeout(() => {
				response.end('slow');
			}, 10);
		} else {
			response.setHeader('etag', '"1"');
			response.statusCode = request.headers['if-none-match'] === undefined ? 200 : 304;
			response.end(response.statusCode === 200 ? Buffer.alloc(2000) : undefined);
		}
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const url = `http://127.0.0.1:${(server.address() as {port: number}).port}`;
	const agent = new http.Agent({keepAlive: true});
	const {signal} = new AbortController();
	const client = got.extend({retry: {limit: 0}, agent: {http: agent}}, cacheHooks({store: 'memory', expireAfter: 2, staleWhileRevalidate: 2}));

	// What is cached, compiled and pooled once is no leak.
	await run(client, url, 1500, random, signal);
	const before = await count(agent, signal, client);
	await run(client, url, requests, random, signal);
	let after = await count(agent, signal, client);
	await until(async () => {
		after = await count(agent, signal, client);
		return after.timers <= before.timers && after.sockets <= before.sockets;
	});
	t.log(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
	t.true(after.timers <= before.timers);
	t.true(after.sockets <= before.sockets);
	t.is(after.listeners, before.listeners);
	t.true(after.mebibytes < before.mebibytes + 10);
});
