/**
What a hit costs beside Got's own floor, and a miss beside plain Got: medians, and the ratio within one run. The whole suite comes with its own issue; this one is to notice when something becomes dear.

Run it with `npm run bench`.
*/
import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {Readable} from 'node:stream';
import got from 'got';
import {Bench} from 'tinybench';
import {cacheHooks, createKey} from '../source/index.ts';

const body = JSON.stringify({items: Array.from({length: 40}, (_, index) => ({id: index, name: `name ${index}`}))}).slice(0, 1024);
const server = createServer((_request, response) => {
	response.end(body);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/items`;

const byUser = got.extend(cacheHooks({store: 'memory', cacheStatus: false}));
const byOrigin = got.extend(cacheHooks({store: 'memory', cacheControl: true, expireAfter: '1h'}));
const missing = got.extend(cacheHooks({store: 'memory'}));
const settings = {matchHeaders: false, partitionBy: 'credentials'} as const;

// The cheapest answer that Got's own machinery can give.
const floor = got.extend({
	hooks: {
		beforeRequest: [() => Object.assign(Readable.from([Buffer.from(body)]), {statusCode: 200, headers: {}, complete: true}) as never],
	},
});
const bench = new Bench({time: 1500, warmupTime: 300});
let count = 0;
bench
	.add('floor: Got with a canned beforeRequest response', async () => {
		await floor(url);
	})
	.add('memory hit, your settings decide', async () => {
		await byUser(url);
	})
	.add('memory hit, RFC 9111 decides', async () => {
		await byOrigin(url);
	})
	.add('floor: plain Got', async () => {
		await got(url);
	})
	.add('memory miss', async () => {
		await missing(`${url}?${count++}`);
	})
	.add('createKey of a plain GET', () => {
		createKey({method: 'GET', url, headers: {}}, settings);
	});

await bench.run();
const medians = new Map(bench.tasks.map(({name, result}) => [name, 'latency' in result ? result.latency.p50 * 1000 : NaN]));
const against: Readonly<Record<string, string>> = {
	'memory hit, your settings decide': 'floor: Got with a canned beforeRequest response',
	'memory hit, RFC 9111 decides': 'floor: Got with a canned beforeRequest response',
	'memory miss': 'floor: plain Got',
};

for (const [name, median] of medians) {
	const floorName = against[name];
	const ratio = floorName === undefined ? '' : `${(median / medians.get(floorName)!).toFixed(2)} of the floor`;
	console.log(`${name.padEnd(50)} ${median.toFixed(1).padStart(8)} µs  ${ratio}`);
}

server.closeAllConnections();
server.close();
