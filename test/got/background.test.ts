import type {ServerResponse} from 'node:http';
import test from 'ava';
import got from 'got';
import {cacheHooks, getCache} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {settle} from '../helpers/gate.ts';
import {until} from '../helpers/until.ts';

for (const [name, instance] of majors) {
	test(`${name}: a refresh has the user's time limit, and its failure is an event`, async t => {
		await using origin = await Origin.start((_request, response) => {
			if (origin.count === 1) {
				response.end('answer');
			}
		});
		const {client: plain, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true}, instance);
		const client = plain.extend({timeout: {request: 1000}});
		const errors: unknown[] = [];
		getCache(client).on('backgroundError', ({error}) => {
			errors.push(error);
		});
		await plain(origin.url);
		clock.advance(120);
		t.is((await client(origin.url)).body, 'answer');
		await getCache(client).idle();
		t.is(errors.length, 1);
		t.is((errors[0] as Error).name, 'TimeoutError');
	});
}

test('at most 32 refreshes of a cache run at the same time, and the others start with later requests', async t => {
	const held: ServerResponse[] = [];
	let isHeld = false;
	await using origin = await Origin.start((_request, response) => {
		if (isHeld) {
			held.push(response);
		} else {
			response.end('answer');
		}
	});
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true});
	const urls = Array.from({length: 36}, (_, index) => `${origin.url}/${index}`);
	for (const url of urls) {
		await client(url);
	}

	clock.advance(120);
	isHeld = true;
	await Promise.all(urls.map(async url => client(url)));
	await until(() => held.length >= 32);
	await settle();
	t.is(held.length, 32);
	isHeld = false;
	for (const response of held) {
		response.end('answer');
	}

	await getCache(client).idle();
	t.is(origin.count, 68);
	await Promise.all(urls.map(async url => client(url)));
	await getCache(client).idle();
	t.is(origin.count, 72);
});

test('two clients of one cache share its limit of refreshes', async t => {
	await using origin = await Origin.start((_request, response) => {
		setTimeout(() => {
			response.end('answer');
		}, 20);
	});
	const {client, clock} = createClient({expireAfter: 60, staleWhileRevalidate: true});
	const other = got.extend({retry: {limit: 0}}, cacheHooks({
		cache: getCache(client), expireAfter: 60, staleWhileRevalidate: true,
	}));
	const urls = Array.from({length: 36}, (_, index) => `${origin.url}/${index}`);
	await Promise.all(urls.map(async url => client(url)));
	clock.advance(120);
	await Promise.all(urls.map(async (url, index) => (index % 2 === 0 ? client : other)(url)));
	await getCache(client).idle();
	t.is(origin.count, 68);
});
