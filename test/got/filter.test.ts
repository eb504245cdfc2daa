import test from 'ava';
import {dated} from '../helpers/dated.ts';
import {
	bothModes,
	fresh,
	plain,
	read,
	type Client,
} from '../helpers/modes.ts';
import {cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §4.3.1, RFC 5861 §4 a stale entry that filterFn refuses is neither validated nor served instead of a 503, and is deleted`, async t => {
		for (const [mode, settings] of bothModes) {
			for (const store of ['memory', new Map()] as const) {
				for (const isStream of [false, true]) {
					let isAccepted = true;
					let isDown = true;
					const {client, clock} = createClient({
						...settings, store, staleIfError: true, filterFn: () => isAccepted,
					}, instance);
					await using origin = await Origin.start(dated(clock, (request, count) => {
						if (request.headers['if-none-match'] !== undefined) {
							return {status: 304, headers: {...fresh, etag: '"1"'}};
						}

						return isDown && count > 1 ? {status: 503, body: 'down'} : {headers: {...fresh, etag: '"1"'}};
					}));
					const forgiving = client.extend(plain) as Client;
					await client(origin.url);
					clock.advance(100);
					isAccepted = false;
					t.is(await read(forgiving, origin.url, {}, isStream), 'down', mode);
					isAccepted = true;
					await getCache(client).idle();
					const third = await forgiving(origin.url);
					t.is(third.body, 'down', mode);
					t.is(cacheInfo(third).reason, 'miss', mode);
					isDown = false;
					t.is((await client(origin.url)).body, 'answer 4', mode);
					t.deepEqual(origin.requests.map(({headers}) => headers['if-none-match']), [undefined, undefined, undefined, undefined], mode);
				}
			}
		}
	});

	test(`${name}: RFC 9111 §4.3.1 a variant that filterFn refuses is neither validated nor served for a 304`, async t => {
		for (const [mode, settings] of bothModes) {
			let isAccepted = true;
			const {client, clock} = createClient({...settings, filterFn: () => isAccepted}, instance);
			await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === undefined
				? {headers: {...fresh, vary: 'foo', etag: '"1"'}}
				: {status: 304, headers: {...fresh, vary: 'foo', etag: '"1"'}}));
			await client(origin.url, {headers: {foo: '1'}});
			isAccepted = false;
			t.is(await client(origin.url, {headers: {foo: '2'}}).text(), 'answer 2', mode);
			t.is(origin.requests[1]!.headers['if-none-match'], undefined, mode);
		}
	});
}
