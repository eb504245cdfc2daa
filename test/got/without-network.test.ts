import test from 'ava';
import {RequestError} from 'got';
import {cacheInfo, CacheHooksError, withoutNetwork} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {holdResponses} from '../helpers/gate.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: stored responses are served, and a request that would be sent is an error that names it without credentials`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('body');
		});
		const {client, clock} = createClient({staleIfError: true, gatewayTimeout: 'respond', staleWhileRevalidate: '1m'}, instance);
		const ask = async (path: string) => withoutNetwork(async () => client(origin.url.replace('//', '//ada:lovelace@') + path));
		const refusal = async (asked: Promise<unknown>): Promise<string> => {
			const error = await t.throwsAsync<Error & {code?: string; cause?: Error}>(asked, {code: 'ERR_NO_NETWORK'});
			t.true(error.cause instanceof CacheHooksError);
			return error.message.replace(origin.url, '');
		};

		t.is(
			await refusal(ask('/?api_key=secret&page=2#part')),
			'No response is stored for `GET /?api_key=REDACTED&page=2` (miss), and `withoutNetwork` prevents the request.',
		);
		await client(origin.url.replace('//', '//ada:lovelace@'));
		t.is(cacheInfo(await ask('')).reason, 'fresh');

		// Served, and not refreshed behind the caller's back.
		clock.advance(330);
		t.is(cacheInfo(await ask('')).reason, 'stale-while-revalidate');
		t.is(origin.count, 1);

		// A stale response does not replace this error: a test would not notice that its recording has expired.
		clock.advance(3600);
		t.regex(await refusal(ask('')), /GET \/` \(stale\)/v);
		const sent = withoutNetwork(async () => client.post(origin.url, {json: {}}));
		t.regex(await refusal(sent), /POST \/` \(method\)/v);
		const stream = withoutNetwork(() => client.stream(`${origin.url}/stream`));
		t.regex(await refusal(readStream(stream)), /GET \/stream` \(miss\)/v);
		const disabled = withoutNetwork(async () => client(origin.url, {context: {cache: {disabled: true}}}));
		t.regex(await refusal(disabled), /\(disabled\)/v);
		t.is(origin.count, 1);
		t.is((await client(`${origin.url}/outside`)).statusCode, 200);
	});
}

test('`withoutNetwork` applies to one call tree, and its error is not retried', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('body');
	});
	const {client} = createClient();
	const retrying = client.extend({retry: {limit: 2}});
	const [refused, sent] = await Promise.allSettled([
		withoutNetwork(async () => retrying(`${origin.url}/a`)),
		retrying(`${origin.url}/b`),
	]);
	t.is(sent.status, 'fulfilled');
	t.is(refused.status, 'rejected');
	const error: unknown = (refused as PromiseRejectedResult).reason;
	t.true(error instanceof RequestError);
	t.is((error as RequestError).request?.retryCount, 0);
	t.is(origin.count, 1);
});

for (const [name, instance] of majors) {
	test(`${name}: a refused request does not wait for others, and no other request waits for it`, async t => {
		const {held, handler, reach} = holdResponses();
		await using origin = await Origin.start(handler);
		const {client} = createClient({}, instance);
		await t.throwsAsync(withoutNetwork(async () => client(origin.url)), {code: 'ERR_NO_NETWORK'});
		const leader = client(origin.url);
		await reach(1);
		await t.throwsAsync(withoutNetwork(async () => client(origin.url)), {code: 'ERR_NO_NETWORK'});
		held[0]!.end('answer');
		t.is((await leader).body, 'answer');
	});
}
