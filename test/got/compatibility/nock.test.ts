import test from 'ava';
import nock from 'nock';
import {getCache, withoutNetwork} from '../../../source/index.ts';
import {createClient, majors, readStream} from '../../helpers/clients.ts';

test.before(() => {
	nock.disableNetConnect();
});

test.after.always(() => {
	nock.restore();
});

for (const [name, instance] of majors) {
	test.serial(`${name}: an interceptor of nock answers a miss and is used once; a hit never reaches it`, async t => {
		const {client} = createClient({}, instance);
		const scope = nock('https://api.example.com').get('/users/1').reply(200, {name: 'Ada'});
		t.deepEqual(await client('https://api.example.com/users/1').json(), {name: 'Ada'});
		t.true(scope.isDone());
		const response = await client('https://api.example.com/users/1');
		t.true(response.isFromCache);
		t.is(await readStream(client.stream('https://api.example.com/users/1')), '{"name":"Ada"}');

		// Nothing is left for nock to answer with, and it says so by a 501. Between tests the store is emptied, or a test is answered by another's recording.
		await getCache(client).clear();
		await t.throwsAsync(client('https://api.example.com/users/1'), {message: /501/v});
	});

	test.serial(`${name}: nock receives the validators, and its 304 freshens the stored response`, async t => {
		const {client, clock} = createClient({}, instance);
		nock('https://api.example.com').get('/users').reply(200, 'all', {etag: '"1"'});
		await client('https://api.example.com/users');
		clock.advance(301);
		const scope = nock('https://api.example.com', {reqheaders: {'if-none-match': '"1"'}}).get('/users').reply(304);
		const {body, isFromCache} = await client('https://api.example.com/users');
		t.deepEqual([body, isFromCache, scope.isDone()], ['all', true, true]);
		await t.throwsAsync(withoutNetwork(async () => client('https://api.example.com/others')), {code: 'ERR_NO_NETWORK'});
	});
}
