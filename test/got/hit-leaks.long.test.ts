import {getEventListeners} from 'node:events';
import process from 'node:process';
import {setImmediate as turn} from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import test from 'ava';
import type {Got} from 'got';
import {getCache} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const hits = 20_000;
const mebibyte = 1_048_576;

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

/** Every way to read, with a signal that all share and a time limit. */
async function read(client: Got, url: string, signal: AbortSignal, count: number): Promise<void> {
	for (let index = 0; index < count; index += 4) {
		const {request} = await client(url, {signal});
		request.options.context.mine = index;
		await Promise.all([
			client(url, {timeout: {request: 60_000}}).json(),
			client(url, {headers: {mine: 'mine'}}).text(),
			client(url, {resolveBodyOnly: true}),
		]);
	}
}

async function counted(client: Got, signal: AbortSignal): Promise<{readonly listeners: number; readonly timers: number; readonly mebibytes: number}> {
	await getCache(client).idle();
	await turn();
	collect();
	await turn();
	collect();
	return {
		listeners: getEventListeners(signal, 'abort').length + getCache(client).eventNames().length + process.eventNames().length,
		timers: process.getActiveResourcesInfo().filter(kind => kind === 'Timeout' || kind === 'Immediate').length,
		mebibytes: process.memoryUsage().heapUsed / mebibyte,
	};
}

for (const [name, instance] of majors) {
	test.serial(`${name}: ${hits} hits leave the heap, the timers and the listeners as they were`, async t => {
		t.timeout(120_000);
		await using origin = await Origin.start((_request, response) => {
			response.end(JSON.stringify({text: 'a'.repeat(1000)}));
		});
		const {client} = createClient({}, instance);
		await client(origin.url);
		const {signal} = new AbortController();
		await read(client, origin.url, signal, 4000);
		const before = await counted(client, signal);
		await read(client, origin.url, signal, hits);
		const after = await counted(client, signal);
		t.log(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
		t.is(after.listeners, before.listeners);
		t.true(after.timers <= before.timers);
		// A response that was kept would be some 3 kB.
		t.true(after.mebibytes < before.mebibytes + 5);
		t.is(origin.count, 1);
	});
}
