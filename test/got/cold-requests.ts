import {Buffer} from 'node:buffer';
import type {TestFn} from 'ava';
import type got from 'got';
import {cacheInfo, getCache} from '../../source/index.ts';
import {createClient, readStream} from '../helpers/clients.ts';
import type {OpenedStore} from '../helpers/opened-stores.ts';
import {Origin} from '../helpers/origin.ts';

/** Tests that concurrent requests with a cold cache send one request to the origin. */
export function testColdRequests(test: TestFn, [name, instance]: readonly [string, typeof got], [store, open]: readonly [string, () => Promise<OpenedStore>]): void {
	test.serial(`${name}: 200 concurrent requests with a cold cache send one request to the origin, through both APIs, on ${store}`, async t => {
		const body = Buffer.alloc(100_000, 'abc').toString();
		await using opened = await open();
		await using origin = await Origin.start((_request, response) => {
			setTimeout(() => {
				response.end(body);
			}, 20);
		});
		const {client} = createClient(opened.settings, instance);
		const promises = Array.from({length: 200}, async () => client(`${origin.url}/promise`));
		const responses = await Promise.all(promises);
		t.true(responses.every(response => response.body === body));
		t.is(origin.count, 1);
		t.is(responses.filter(response => cacheInfo(response).collapsed).length, 199);
		const texts = await Promise.all(Array.from({length: 200}, async () => readStream(client.stream(`${origin.url}/stream`))));
		t.true(texts.every(text => text === body));
		t.is(origin.count, 2);
		await getCache(client).close();
	});
}
