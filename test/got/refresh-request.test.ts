import {Buffer} from 'node:buffer';
import test from 'ava';
import type {ExtendOptions, Got, OptionsInit} from 'got';
import {majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {lateStore, reasonOf, refreshingClient} from '../helpers/refreshing.ts';

const methods = {allowableMethods: ['GET', 'HEAD', 'POST', 'PUT', 'QUERY']};

async function startOrigin(): Promise<Origin> {
	const origin: Origin = await Origin.start((_request, response) => {
		response.end(`answer ${origin.count}`);
	});
	return origin;
}

const form = (): FormData => {
	const data = new FormData();
	data.set('name', 'Ada');
	data.set('file', new Blob(['contents']), 'file.txt');
	return data;
};

/** Requests whose refreshes must be the same as they were. */
const requests: ReadonlyArray<readonly [title: string, options: () => OptionsInit]> = [
	['a GET', () => ({headers: {'x-mine': 'yes'}, searchParams: {a: '1'}})],
	['a HEAD', () => ({method: 'HEAD'})],
	['a GET with credentials in its URL', () => ({username: 'ada', password: 'secret'})],
	['a GET with a body', () => ({allowGetBody: true, body: 'query'})],
	['a GET with an empty body', () => ({allowGetBody: true, body: ''})],
	['a GET with JSON', () => ({allowGetBody: true, json: {a: 1}})],
	['a POST with a string', () => ({method: 'POST', body: 'text'})],
	['a POST with bytes', () => ({method: 'POST', body: Buffer.from([0x68, 0x69, 0xC3, 0xA4])})],
	['a POST with a view of a buffer', () => ({method: 'POST', body: new Uint8Array(Buffer.from('in the middle')).subarray(3, 6)})],
	['a POST with JSON', () => ({method: 'POST', json: {a: ['ä', 1]}})],
	['a POST with a form', () => ({method: 'POST', form: {a: '1', b: 'ä'}})],
	['a POST with form data', () => ({method: 'POST', body: form()})],
	['a POST without a body', () => ({method: 'POST'})],
	['a PUT with JSON', () => ({method: 'PUT', json: {a: 1}})],
	['a QUERY with a body', () => ({method: 'QUERY', body: 'select'})],
];

/** The parts of a request that do not depend on its connection. */
const sent = ({method, url, headers: {connection: _, ...headers}, body}: Origin['requests'][number]): unknown => ({
	method, url, headers, body,
});

for (const [name, instance] of majors) {
	for (const [title, options] of requests) {
		test(`${name}: the refresh of ${title} is sent as the request was`, async t => {
			await using origin = await startOrigin();
			const {client, expire, idle, errors} = refreshingClient(instance, methods);
			await client(`${origin.url}/path`, options() as object);
			expire();
			const given = options();
			const response = await client(`${origin.url}/path`, given as object);
			t.is(reasonOf(response), 'stale-while-revalidate');
			await idle();
			t.deepEqual(errors, []);
			t.is(origin.count, 2);
			const [first, second] = origin.requests.map(request => sent(request)) as [{headers: {'content-type'?: string}; body: string}, {headers: {'content-type'?: string}; body: string}];
			if (given.body instanceof FormData) {
				// Each serialization has its own boundary.
				const parts = ({headers, body}: typeof first): string[] => body.split(`--${/boundary=(?<boundary>.+)$/v.exec(headers['content-type']!)!.groups!.boundary}`);
				t.deepEqual(parts(second), parts(first));
				t.is(parts(first).length, 4);
			} else {
				t.deepEqual(second, first);
			}

			t.is(reasonOf(await client(`${origin.url}/path`, options() as object)), 'fresh');
		});
	}

	test(`${name}: a refresh has the options that hooks and handlers set for its request, and runs no hook`, async t => {
		await using origin = await startOrigin();
		const {client: plain, expire, idle} = refreshingClient(instance, methods);
		const calls: string[] = [];
		const called = (hook: string) => () => {
			calls.push(hook);
		};

		const own: ExtendOptions = {
			headers: {'x-instance': 'yes'},
			retry: {limit: 2, calculateDelay: ({computedValue}) => Math.min(computedValue, 1)},
			handlers: [(options, next) => {
				calls.push('handler');
				options.headers['x-handler'] = 'yes';
				return next(options);
			}],
			hooks: {
				init: [called('init')],
				beforeRequest: [options => {
					calls.push('beforeRequest');
					options.headers['x-hook'] = `yes ${calls.length}`;
					options.method = 'POST';
					options.url = new URL(`${origin.url}/by-hook`);
					options.body = 'of the hook';
					options.headers['content-length'] = '11';
				}],
				beforeRetry: [called('beforeRetry')],
				beforeRedirect: [called('beforeRedirect')],
				beforeError: [error => {
					calls.push('beforeError');
					return error;
				}],
				afterResponse: [response => {
					calls.push('afterResponse');
					return response;
				}],
			},
		};
		const client = plain.extend(own) as Got;
		await client(`${origin.url}/path`);
		expire();
		calls.length = 0;
		const response = await client(`${origin.url}/path`);
		t.is(response.body, 'answer 1');
		const before = [...calls];
		await idle();
		t.deepEqual(calls, before);
		t.is(origin.count, 2);
		const [, refresh] = origin.requests;
		t.is(refresh!.method, 'POST');
		t.is(refresh!.url, '/by-hook');
		t.is(refresh!.body, 'of the hook');
		t.is(refresh!.headers['x-instance'], 'yes');
		t.is(refresh!.headers['x-handler'], 'yes');
		t.is(refresh!.headers['x-hook'], `yes ${calls.indexOf('beforeRequest') + 1}`);
	});

	test(`${name}: a change of the options after the response does not affect its refresh`, async t => {
		await using origin = await startOrigin();
		const {client: plain, expire, idle, errors} = refreshingClient(instance, {...methods, store: lateStore()});
		const body = Buffer.from('of the request');
		const client = plain.extend({
			method: 'POST',
			headers: {'x-mine': 'before', 'x-list': ['a', 'b']},
			hooks: {
				afterResponse: [response => {
					if (!response.isFromCache) {
						return response;
					}

					const {options} = response.request;
					options.headers['x-mine'] = 'after';
					options.headers['x-new'] = 'after';
					delete options.headers['x-list'];

					const {url} = options as {url: URL};
					url.pathname = '/after';
					options.method = 'PUT';
					body.fill('x');
					options.body = 'after';
					options.request = () => {
						throw new Error('after');
					};

					(options.timeout as {request: number}).request = 1;
					options.url = new URL('http://127.0.0.1:1/after');
					return response;
				}],
			},
		}) as Got;
		await client(`${origin.url}/path`, {body: Buffer.from('of the request')});
		expire();
		t.is((await client(`${origin.url}/path`, {body})).body, 'answer 1');
		await idle();
		t.deepEqual(errors, []);
		t.deepEqual(sent(origin.requests[1]!), sent(origin.requests[0]!));
		t.is(origin.requests[1]!.body, 'of the request');
	});

	test(`${name}: a change of a response in the listeners of a stream does not affect its refresh`, async t => {
		await using origin = await startOrigin();
		const {client, expire, idle} = refreshingClient(instance, {...methods, store: lateStore()});
		await client(`${origin.url}/path`, {headers: {'x-mine': 'before'}});
		expire();
		const stream = client.stream(`${origin.url}/path`, {headers: {'x-mine': 'before'}});
		stream.once('response', () => {
			stream.options.headers['x-mine'] = 'after';
			(stream.options as {url: URL}).url.pathname = '/after';
		});
		await Array.fromAsync(stream as AsyncIterable<Uint8Array>);
		await idle();
		t.deepEqual(sent(origin.requests[1]!), sent(origin.requests[0]!));
	});

	test(`${name}: changes that a \`request\` function makes to its arguments do not affect a second attempt`, async t => {
		await using origin = await startOrigin();
		let attempts = 0;
		const {client: plain, expire, idle} = refreshingClient(instance, methods);
		const client = plain.extend({
			request(url, options) {
				attempts++;
				t.is(url.pathname, '/path');
				const headers = options.headers as Record<string, string>;
				t.is(headers['x-mine'], 'before');
				url.pathname = '/changed';
				headers['x-mine'] = 'changed';
				if (attempts === 2) {
					throw Object.assign(new Error('reset'), {code: 'ECONNRESET'});
				}

				return undefined;
			},
		}) as Got;
		await client(`${origin.url}/path`, {headers: {'x-mine': 'before'}});
		expire();
		await client(`${origin.url}/path`, {headers: {'x-mine': 'before'}});
		await idle();
		t.is(attempts, 3);
		t.is(origin.count, 2);
	});

	test(`${name}: a refresh sends the validators of the stored response, and the options of its request do not get them`, async t => {
		await using validating = await Origin.start((request, response) => {
			response.writeHead(request.headers['if-none-match'] === '"1"' ? 304 : 200, {etag: '"1"', 'last-modified': new Date(0).toUTCString()});
			response.end();
		});
		const {client, expire, idle} = refreshingClient(instance);
		await client(validating.url);
		expire();
		const response = await client(validating.url);
		await idle();
		t.is(validating.requests[1]!.headers['if-none-match'], '"1"');
		t.is(validating.requests[1]!.headers['if-modified-since'], new Date(0).toUTCString());
		t.is(response.request.options.headers['if-none-match'], undefined);
		t.is(reasonOf(await client(validating.url)), 'fresh');
	});
}
