import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import process from 'node:process';
import {setTimeout as pause} from 'node:timers/promises';
import got from 'got';
import {cacheHooks, getCache} from '../../../source/index.ts';
import {
	makerOf,
	type AdapterPlace,
	type ShapeName,
	type SubjectName,
} from './subjects.ts';

// `testDeath` starts it. It makes a request, prints `ready`, waits until the server of its store has stopped, and makes more requests.
const [name, shape, place] = process.argv.slice(2) as [SubjectName, ShapeName, string];
const origin = createServer((request, response) => {
	response.end(request.url);
}).listen(0, '127.0.0.1');
await once(origin, 'listening');
const where = JSON.parse(place) as AdapterPlace;
const {setting} = (await makerOf(name, shape))(where);
const client = got.extend({retry: {limit: 0}}, cacheHooks({
	store: setting, cacheName: where.id, expireAfter: '1h', storeTimeout: 3000,
}));
const ask = async (path: string): Promise<void> => {
	await client(`http://127.0.0.1:${(origin.address() as AddressInfo).port}${path}`);
	await getCache(client).idle();
};

await ask('/before');
process.stdout.write('ready');
await once(process.stdin, 'data');
// If a connection in use is lost, only its call fails. The error of an idle connection ends the process.
await pause(3000);
for (let index = 0; index < 4; index++) {
	await ask(`/after/${index}`);
}

// The error of the connection may come late.
setTimeout(() => {
	process.exit(0); // eslint-disable-line unicorn/no-process-exit -- A connection of the adapter keeps the process.
}, 20_000);
