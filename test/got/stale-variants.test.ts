import test from 'ava';
import {dated} from '../helpers/dated.ts';
import {bothModes, fresh} from '../helpers/modes.ts';
import {cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: RFC 5861 §3 concurrent requests for two stale variants refresh both`, async t => {
		for (const [mode, settings] of bothModes) {
			for (const store of ['memory', new Map()] as const) {
				const {client, clock} = createClient({...settings, store, staleWhileRevalidate: '1h'}, instance);
				await using origin = await Origin.start(dated(clock, request => {
					const tag = `"${String(request.headers.foo)}"`;
					const headers = {...fresh, vary: 'foo', etag: tag};
					return request.headers['if-none-match'] === tag ? {status: 304, headers} : {headers, body: tag};
				}));
				const ask = async () => Promise.all(['1', '2'].map(async foo => client(origin.url, {headers: {foo}})));
				for (const foo of ['1', '2']) {
					await client(origin.url, {headers: {foo}});
				}

				const before = origin.count;
				clock.advance(100);
				for (const response of await ask()) {
					t.is(cacheInfo(response).reason, 'stale-while-revalidate', mode);
				}

				await getCache(client).idle();
				t.deepEqual(new Set(origin.requests.slice(before).map(({headers}) => headers.foo)), new Set(['1', '2']), mode);
				const refreshed = await ask();
				t.deepEqual(refreshed.map(response => cacheInfo(response).reason), ['fresh', 'fresh'], mode);
				t.deepEqual(refreshed.map(({body}) => body), ['"1"', '"2"'], mode);
				t.is(origin.count, before + 2, mode);
			}
		}
	});
}
