import test from 'ava';
import {cacheInfo, getCache} from '../../source/index.ts';
import {
	bothModes,
	fresh,
	plain,
	read,
	type Client,
} from '../helpers/modes.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {dated} from '../helpers/dated.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: RFC 9110 §15.5.17 a 416, 412 or 417 for a stale entry reaches the caller, in both modes, and the entry stays`, async t => {
		for (const [mode, settings] of bothModes) {
			for (const status of [412, 416, 417]) {
				for (const isStream of [false, true]) {
					const {client, clock} = createClient({...settings, staleIfError: true}, instance);
					await using origin = await Origin.start(dated(clock, request => {
						if (request.headers.range !== undefined) {
							return {status, headers: fresh, body: 'refused'};
						}

						return request.headers['if-none-match'] === undefined ? {headers: {...fresh, etag: '"1"'}} : {status: 304, headers: {...fresh, etag: '"1"'}};
					}));
					const forgiving = client.extend(plain) as Client;
					await client(origin.url);
					clock.advance(60);
					t.is(await read(forgiving, origin.url, {range: 'bytes=0-1'}, isStream), 'refused', `${mode} ${status}`);
					await getCache(client).idle();
					const next = await client(origin.url);
					t.is(next.body, 'answer 1', `${mode} ${status}`);
					t.is(cacheInfo(next).reason, 'revalidated', `${mode} ${status}`);
				}
			}
		}
	});
}
