import test from 'ava';
import {bothModes, fresh, read} from '../helpers/modes.ts';
import {createClient} from '../helpers/clients.ts';
import {byOrigin, dated} from '../helpers/dated.ts';
import {Origin} from '../helpers/origin.ts';

test('RFC 9111 §4 the order of query parameters and empty ones distinguish URIs only with cacheControl: true', async t => {
	const pairs = [['/?a=2&b=1', '/?b=1&a=2'], ['/?a&b', '/?a&&b'], ['/?a=1&b', '/?a=1&b&']] as const;
	for (const [mode, settings] of bothModes) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, request => ({headers: fresh, body: request.url!})));
		for (const [first, second] of pairs) {
			t.is(await client(origin.url + first).text(), first);
			for (const isStream of [false, true]) {
				t.is(await read(client, origin.url + second, {}, isStream), settings === byOrigin ? second : first, mode);
				t.is(await read(client, origin.url + first, {}, isStream), first, mode);
			}
		}

		t.is(origin.count, settings === byOrigin ? 6 : 3, mode);
	}
});
