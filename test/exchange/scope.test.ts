import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {cacheInfo, getCache} from '../../source/index.ts';
import {runWithSettings} from '../../source/exchange/scope.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: the settings of a scope apply to the requests of one call tree, through awaits and streams, and to no others`, async t => {
		await using origin = await Origin.start((request, response) => {
			response.end(request.url);
		});
		const {client} = createClient({}, instance);
		const reasons = async (): Promise<string[]> => {
			await pause(1);
			const response = await client(origin.url);
			const stream = client.stream(`${origin.url}/stream`);
			await readStream(stream);
			return [cacheInfo(response).reason, cacheInfo(stream.response!).reason];
		};

		await reasons();
		const [inside, outside] = await Promise.all([runWithSettings({disabled: true}, reasons), reasons()]);
		t.deepEqual(inside, ['disabled', 'disabled']);
		t.deepEqual(outside, ['fresh', 'fresh']);
		await getCache(client).close();
	});
}

test('the settings of a request take precedence over those of a scope, an inner scope over an outer one, and both over URL patterns', async t => {
	await using origin = await Origin.start((request, response) => {
		response.end(request.url);
	});
	const {client, clock} = createClient({urlsExpireAfter: [['*/pattern', 10]], expireAfter: 5});
	const lifetime = async (cache?: object): Promise<number> => {
		const response = await client(`${origin.url}/pattern`, {context: {cache: {forceRefresh: true, ...cache}}});
		return (cacheInfo(response).expires!.getTime() - clock.now()) / 1000;
	};

	t.is(await lifetime(), 10);
	await runWithSettings({expireAfter: 20, staleIfError: true}, async () => {
		t.is(await lifetime(), 20);
		t.is(await lifetime({expireAfter: undefined}), 20);
		t.is(await lifetime({expireAfter: 40}), 40);
		await runWithSettings({expireAfter: 30}, async () => {
			t.is(await lifetime(), 30);
		});
		t.is(await lifetime(), 20);
	});
	t.is(await lifetime(), 10);
});

test('a scope can be limited to one cache', async t => {
	await using origin = await Origin.start((request, response) => {
		response.end(request.url);
	});
	const [one, other] = [createClient().client, createClient().client];
	await runWithSettings({disabled: true}, async () => {
		t.is(cacheInfo(await one(origin.url)).reason, 'disabled');
		t.is(cacheInfo(await other(origin.url)).reason, 'miss');
	}, getCache(one));
});

test('an invalid setting of a scope is an error before its function runs', t => {
	let ran = false;
	t.throws(() => {
		runWithSettings({expireAfter: '5'}, () => {
			ran = true;
		});
	}, {instanceOf: TypeError, message: /settings\.expireAfter/v});
	t.false(ran);
});

test('invalid settings of a request are an error inside a scope as well', async t => {
	const {client} = createClient();
	await runWithSettings({expireAfter: 1}, async () => {
		await t.throwsAsync(client('http://127.0.0.1:1', {context: {cache: 5}}), {message: /context\.cache/v});
		await t.throwsAsync(client('http://127.0.0.1:1', {context: {cache: {expire: 5}}}), {message: /context\.cache\.expire/v});
	});
});
