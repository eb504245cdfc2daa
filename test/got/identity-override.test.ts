import test from 'ava';
import {cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {Origin, type Handler} from '../helpers/origin.ts';
import {modesWithHeaders} from '../helpers/modes.ts';

const names = ['x-http-method-override', 'x-http-method', 'x-method-override'] as const;

type Headers = Record<string, string | string[]>;

/** Says what it was asked, as the one server that takes the first of the override headers and the other that takes the last. */
const answerWithRequest: Handler = ({method, url, headers}, response) => {
	response.writeHead(200, {'cache-control': 'max-age=600'});
	response.end(JSON.stringify([method, url, ...names.map(name => headers[name])]));
};

/** Requests that all differ; those that override by several methods override by an unknown one. */
const requests: ReadonlyArray<readonly [title: string, method: 'GET' | 'POST', headers: Headers, asks: string | undefined]> = [
	['nothing', 'GET', {}, undefined],
	['nothing by POST', 'POST', {}, undefined],
	...names.flatMap(name => (['GET', 'PUT', 'DELETE'] as const).flatMap(asked => [
		[`${asked} by ${name}`, 'POST', {[name]: asked}, asked],
		[`${asked} by ${name} of a GET`, 'GET', {[name]: asked}, asked],
	] as const)),
	['two at once', 'POST', {'x-http-method-override': ['GET', 'DELETE']}, 'several'],
	['two at once in another order', 'POST', {'x-http-method-override': ['DELETE', 'GET']}, 'several'],
	['a list', 'POST', {'x-http-method-override': 'GET, DELETE'}, 'several'],
	['a list of the same', 'POST', {'x-http-method-override': 'GET, GET'}, 'several'],
	['two by two headers', 'POST', {'x-http-method-override': 'GET', 'x-method-override': 'DELETE'}, 'several'],
	['two by two headers in another order', 'POST', {'x-http-method-override': 'DELETE', 'x-method-override': 'GET'}, 'several'],
	['two of a GET', 'GET', {'x-http-method': ['GET', 'PUT']}, 'several'],
	['three', 'GET', {'x-http-method-override': 'GET', 'x-http-method': 'POST', 'x-method-override': 'PUT'}, 'several'],
	['a list with a semicolon', 'POST', {'x-http-method-override': 'GET; DELETE'}, 'several'],
	['two words', 'POST', {'x-http-method-override': 'GET DELETE'}, 'several'],
];

for (const [name, instance] of majors) {
	for (const [mode, settings] of modesWithHeaders) {
		test(`${name}, ${mode}: no response is stored under another method, however the method is overridden`, async t => {
			await using origin = await Origin.start(answerWithRequest);
			const {client} = createClient({...settings, allowableMethods: ['GET', 'POST', 'PUT', 'DELETE']}, instance);
			for (const [title, method, headers, asks] of [...requests, ...requests.toReversed()]) {
				const response = await client(origin.url, {method, headers});
				const sent: unknown = JSON.parse(response.body);
				// A server joins lines by commas, as it does a list.
				t.deepEqual([title, sent], [title, [method, '/', ...names.map(header => headers[header] === undefined ? null : [headers[header]].flat().join(', '))]]);
				t.deepEqual([title, cacheInfo(response).reason === 'method'], [title, asks === 'several']);
				const streamed = await readStream(client.stream(origin.url, {method, headers, ...(method === 'POST' && {body: ''})}));
				t.deepEqual([title, JSON.parse(streamed)], [title, sent]);
			}
		});

		test(`${name}, ${mode}: a request that overrides its method by one that is not allowed bypasses the cache`, async t => {
			await using origin = await Origin.start(answerWithRequest);
			const {client} = createClient(settings, instance);
			for (const header of names) {
				for (const method of ['GET', 'POST'] as const) {
					for (const asked of ['DELETE', 'PUT', 'get, delete', 'GETX']) {
						for (const _round of [1, 2]) {
							t.is(cacheInfo(await client(origin.url, {method, headers: {[header]: asked}})).reason, 'method');
						}
					}
				}
			}

			t.is(await getCache(client).count(), 0);
		});
	}

	test(`${name}: an overriding method that is unsafe or unknown invalidates stored responses`, async t => {
		await using origin = await Origin.start(answerWithRequest);
		for (const [title, method, headers, asks] of requests) {
			const {client} = createClient(byOrigin, instance);
			await client(origin.url);
			await client(origin.url, {method, headers});
			await getCache(client).idle();
			const isUnsafe = method === 'POST' || !(asks === undefined || asks === 'GET');
			t.deepEqual([title, (await client(origin.url)).isFromCache], [title, !isUnsafe]);
		}
	});

	test(`${name}: methods in an override header are equal in any letter case and with white space around them`, async t => {
		await using origin = await Origin.start(answerWithRequest);
		const {client} = createClient({}, instance);
		for (const header of names) {
			t.false((await client.post(origin.url, {headers: {[header]: 'GET'}})).isFromCache);
			for (const asked of ['get', ' GET ', 'Get']) {
				t.true((await client.post(origin.url, {headers: {[header]: asked}})).isFromCache);
			}
		}

		t.false((await client(origin.url)).isFromCache);
	});
}
