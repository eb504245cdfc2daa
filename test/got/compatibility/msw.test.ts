import test from 'ava';
import {http, HttpResponse} from 'msw';
import {setupServer} from 'msw/node';
import {cacheInfo, getCache} from '../../../source/index.ts';
import {createClient, majors} from '../../helpers/clients.ts';

const counter = {count: 0};
const server = setupServer(http.get('https://api.example.com/users/1', ({request}) => {
	counter.count++;
	return request.headers.get('if-none-match') === '"1"'
		? new HttpResponse(null, {status: 304})
		: HttpResponse.json({name: 'Ada'}, {headers: {etag: '"1"'}});
}));

test.before(() => {
	server.listen();
});

test.after.always(() => {
	server.close();
});

for (const [name, instance] of majors) {
	test.serial(`${name}: a handler of msw answers misses and validations; a hit never reaches it`, async t => {
		counter.count = 0;
		const {client, clock} = createClient({}, instance);
		const ask = async () => client('https://api.example.com/users/1');
		t.is((await ask()).body, '{"name":"Ada"}');
		t.true((await ask()).isFromCache);
		t.is(counter.count, 1);
		clock.advance(301);
		t.is(cacheInfo(await ask()).reason, 'revalidated');
		t.is(counter.count, 2);
		await getCache(client).clear();
		t.false((await ask()).isFromCache);
		t.is(counter.count, 3);
	});
}
