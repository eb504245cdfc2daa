import test from 'ava';
import {startCounting} from '../helpers/calls.ts';
import {createClient} from '../helpers/clients.ts';
import {byOrigin, dated} from '../helpers/dated.ts';
import {Origin} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';

const parsing = ['parseDirectives', 'requestDirectives', 'targetedDirectives', 'qualifiedFields', 'deltaMilliseconds', 'parseHttpDate', 'parseEntityTags', 'parseRanges', 'nominatedFields', 'tagsOf', 'ageValue'];
const headers = {
	'cache-control': 'max-age=60, must-revalidate', etag: '"a"', 'last-modified': 'Thu, 01 Jan 2015 00:00:00 GMT', vary: 'accept', age: '1', 'cache-tag': 'one, two',
};

async function callsOf(run: () => Promise<void>): Promise<(name: string) => number> {
	const end = startCounting('source/policy/');
	await run();
	const calls = end();
	return name => calls.values().reduce((sum, functions) => sum + (functions.get(name) ?? 0), 0);
}

for (const [title, settings] of [['with cacheControl: true', byOrigin], ['with default settings', {}]] as const) {
	for (const store of ['memory', 'sqlite'] as const) {
		test.serial(`${store}: a hit ${title} parses no header of the stored response`, async t => {
			await using folder = await temporaryFolder();
			const {client, clock} = createClient({...settings, store, cacheName: `${folder.path}/cache`});
			await using origin = await Origin.start(dated(clock, () => ({headers})));
			await client(origin.url);
			const count = await callsOf(async () => {
				t.true((await client(origin.url)).isFromCache);
			});
			t.is(count('onLookup'), 1);
			for (const name of parsing) {
				t.is(count(name), 0, `calls of ${name}`);
			}
		});
	}
}

test.serial('for a validation, Cache-Control and dates are parsed once each', async t => {
	const {client, clock} = createClient({...byOrigin, ttlOffset: '1h'});
	await using origin = await Origin.start(dated(clock, (_request, count) => ({status: count === 1 ? 200 : 304, headers})));
	await client(origin.url);
	clock.advance(120);
	const count = await callsOf(async () => {
		t.is((await client(origin.url)).body, 'answer 1');
	});
	t.is(origin.count, 2);
	t.is(count('parseDirectives'), 1);
	t.is(count('ageValue'), 1);
	// Of `Date` and `Last-Modified`.
	t.is(count('parseHttpDate'), 2);
});
