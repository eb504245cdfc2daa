import test from 'ava';
import {cacheInfo, type CacheSettings} from '../../source/index.ts';
import {byOrigin, dated} from '../helpers/dated.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

const plain = {throwHttpErrors: false};

type Outcome = 'hit' | 'validated' | 'sent' | '504';

/** The second request, some seconds after the first: its directives, and its result. */
type Row = readonly [title: string, response: string, age: number, request: Readonly<Record<string, string>>, outcome: Outcome];

const asks = (value: string): Readonly<Record<string, string>> => ({'cache-control': value});

const table: readonly Row[] = [
	['§5.2.1.1 max-age accepts what is younger', 'max-age=60', 10, asks('max-age=20'), 'hit'],
	['§5.2.1.1 max-age does not accept what is older', 'max-age=60', 30, asks('max-age=20'), 'validated'],
	['§5.2.1.1 max-age=0 accepts nothing stored', 'max-age=60', 0, asks('max-age=0'), 'validated'],
	['§5.2.1.1 an invalid max-age accepts nothing stored', 'max-age=60', 1, asks('max-age=a'), 'validated'],
	['§5.2.1.1 max-age makes nothing fresh that is stale', 'max-age=60', 70, asks('max-age=3600'), 'validated'],
	['§5.2.1.1 max-age with max-stale accepts what is young and stale', 'max-age=60', 70, asks('max-age=3600, max-stale=100'), 'hit'],
	['§5.2.1.2 max-stale accepts what has been stale for less', 'max-age=60', 70, asks('max-stale=20'), 'hit'],
	['§5.2.1.2 max-stale does not accept what has been stale for longer', 'max-age=60', 90, asks('max-stale=20'), 'validated'],
	['§5.2.1.2 max-stale without a value accepts any age', 'max-age=60', 3000, asks('max-stale'), 'hit'],
	['§5.2.1.2 an invalid max-stale accepts nothing stale', 'max-age=60', 70, asks('max-stale=a'), 'validated'],
	['§5.2.1.2 max-stale does not affect a fresh response', 'max-age=60', 10, asks('max-stale=20'), 'hit'],
	['§5.2.1.3 min-fresh accepts what stays fresh for longer', 'max-age=60', 10, asks('min-fresh=40'), 'hit'],
	['§5.2.1.3 min-fresh does not accept what is stale too soon', 'max-age=60', 30, asks('min-fresh=40'), 'validated'],
	['§5.2.1.3 an invalid min-fresh accepts nothing stored', 'max-age=60', 10, asks('min-fresh=a'), 'validated'],
	['§5.2.1.4 no-cache asks for validation', 'max-age=60', 10, asks('no-cache'), 'validated'],
	['§5.2.1.4 no-cache counts in any case of letters', 'max-age=60', 10, asks('No-Cache'), 'validated'],
	['§5.2.1.4 no-cache counts beside max-stale', 'max-age=60', 10, asks('max-stale, no-cache'), 'validated'],
	['§5.2.1.5 no-store is sent to the origin', 'max-age=60', 10, asks('no-store'), 'sent'],
	['§5.2.1.6 no-transform changes nothing', 'max-age=60', 10, asks('no-transform'), 'hit'],
	['§5.2.1.7 only-if-cached takes what is fresh', 'max-age=60', 10, asks('only-if-cached'), 'hit'],
	['§5.2.1.7 only-if-cached takes nothing stale', 'max-age=60', 70, asks('only-if-cached'), '504'],
	['§5.2.1.7 only-if-cached takes what max-stale accepts', 'max-age=60', 70, asks('only-if-cached, max-stale=20'), 'hit'],
	['§5.2.1.7 only-if-cached takes nothing that max-age refuses', 'max-age=60', 30, asks('only-if-cached, max-age=20'), '504'],
	['§5.2.1.7 only-if-cached takes nothing that min-fresh refuses', 'max-age=60', 30, asks('only-if-cached, min-fresh=40'), '504'],
	['§5.2.1.7 only-if-cached takes nothing that must be validated', 'no-cache', 0, asks('only-if-cached'), '504'],
	['§5.2.3 unknown directives change nothing', 'max-age=60', 10, asks('ext, other="no-cache"'), 'hit'],
	['§5.4 Pragma: no-cache asks for validation where there is no Cache-Control', 'max-age=60', 10, {pragma: 'no-cache'}, 'validated'],
	['§5.4 Pragma: no-cache does not count beside Cache-Control', 'max-age=60', 10, {pragma: 'no-cache', 'cache-control': 'max-age=20'}, 'hit'],
	['§5.4 another Pragma changes nothing', 'max-age=60', 10, {pragma: 'other'}, 'hit'],

	['§5.2.2.2 must-revalidate changes nothing while it is fresh', 'max-age=60, must-revalidate', 10, {}, 'hit'],
	['§5.2.2.2 must-revalidate, once stale, is validated', 'max-age=60, must-revalidate', 70, {}, 'validated'],
	['§5.2.2.2 must-revalidate beats max-stale', 'max-age=60, must-revalidate', 70, asks('max-stale'), 'validated'],
	['§5.2.2.2 must-revalidate beats stale-while-revalidate', 'max-age=60, must-revalidate, stale-while-revalidate=3600', 70, {}, 'validated'],
	['§5.2.2.2 must-revalidate with only-if-cached is a 504', 'max-age=60, must-revalidate', 70, asks('only-if-cached, max-stale'), '504'],
	['§5.2.2.2 must-revalidate counts in any case of letters', 'max-age=60, Must-Revalidate', 70, asks('max-stale'), 'validated'],
	['§5.2.2.8 proxy-revalidate does not bind a private cache', 'max-age=60, proxy-revalidate', 70, asks('max-stale'), 'hit'],
	['§5.2.2.10 s-maxage does not forbid a private cache to serve stale responses', 'max-age=60, s-maxage=60', 70, asks('max-stale'), 'hit'],
	['§5.2.2.4 no-cache is validated each time', 'no-cache', 0, {}, 'validated'],
	['§5.2.2.4 no-cache beats max-age', 'max-age=60, no-cache', 10, {}, 'validated'],
	['§5.2.2.4 no-cache beats max-stale', 'max-age=60, no-cache', 70, asks('max-stale'), 'validated'],
	['§5.2.2.4 no-cache beats stale-while-revalidate', 'max-age=0, no-cache, stale-while-revalidate=60', 10, {}, 'validated'],
	['§5.2.2.6 no-transform changes nothing', 'max-age=60, no-transform', 10, {}, 'hit'],
	['RFC 8246 §2 immutable does not beat the request\'s no-cache', 'max-age=60, immutable', 10, asks('no-cache'), 'validated'],
	['RFC 8246 §2 immutable, once stale, is validated', 'max-age=60, immutable', 70, {}, 'validated'],
];

async function outcomeOf(response: string, age: number, headers: Readonly<Record<string, string>>, settings: CacheSettings): Promise<Outcome> {
	const {client, clock} = createClient(settings);
	await using origin = await Origin.start(dated(clock, request => request.headers['if-none-match'] === '"1"'
		? {status: 304, headers: {'cache-control': response, etag: '"1"'}}
		: {headers: {'cache-control': response, etag: '"1"'}}));
	await client(origin.url);
	clock.advance(age);
	const second = await client(origin.url, {...plain, headers});
	if (second.statusCode === 504) {
		return origin.count === 1 && !second.isFromCache ? '504' : 'sent';
	}

	if (origin.count === 1) {
		return 'hit';
	}

	return second.isFromCache ? 'validated' : 'sent';
}

for (const [title, response, age, headers, outcome] of table) {
	test(`RFC 9111 ${title}`, async t => {
		t.is(await outcomeOf(response, age, headers, {...byOrigin}), outcome);
	});
}

/** In the default mode, directives of the response have no effect, and those of the request count as in requests-cache. */
const userTable: ReadonlyArray<readonly [request: string, age: number, outcome: Outcome]> = [
	['max-age=20', 10, 'hit'],
	['max-age=20', 30, 'validated'],
	['max-age=0', 10, 'validated'],
	['max-stale=20', 310, 'hit'],
	['max-stale=20', 330, 'validated'],
	['max-stale', 3000, 'hit'],
	['min-fresh=40', 10, 'hit'],
	['min-fresh=40', 270, 'validated'],
	['no-cache', 10, 'validated'],
	['no-store', 10, 'sent'],
	['only-if-cached', 10, 'hit'],
	['only-if-cached', 310, '504'],
];

for (const [request, age, outcome] of userTable) {
	test(`RFC 9111 §5.2.1 in the default mode ${request} after ${age} s is ${outcome}, whatever the response says`, async t => {
		t.is(await outcomeOf('no-cache, must-revalidate', age, asks(request), {expireAfter: '5m'}), outcome);
	});
}

for (const [name, instance] of majors) {
	test(`${name}: RFC 9111 §5.2.1.7 only-if-cached without anything stored is a 504 through both APIs, and nothing is sent`, async t => {
		for (const settings of [byOrigin, {}]) {
			const {client, clock} = createClient(settings, instance);
			await using origin = await Origin.start(dated(clock, () => ({})));
			const response = await client(origin.url, {...plain, headers: asks('only-if-cached'), retry: {limit: 2}});
			t.is(response.statusCode, 504);
			t.false(response.isFromCache);
			const stream = client.stream(origin.url, {...plain, headers: asks('only-if-cached')});
			t.is(await readStream(stream), '');
			t.is(stream.response!.statusCode, 504);
			await t.throwsAsync(client(origin.url, {headers: asks('only-if-cached')}), {message: /504/v});
			t.is(origin.count, 0);
		}
	});
}

test('RFC 9111 §5.2.1.7 only-if-cached with a condition that the cache cannot judge is a 504', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60', etag: '"1"'}})));
	await client(origin.url);
	for (const headers of [{'if-match': '"1"'}, {range: 'bytes=0-0,2-2'}]) {
		t.is((await client(origin.url, {...plain, headers: {...headers, 'cache-control': 'only-if-cached'}})).statusCode, 504);
	}

	t.is(origin.count, 1);
});

test('RFC 9111 §5.2.1.4 the response to a request with no-cache answers the next one', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60'}})));
	await client(origin.url);
	const second = await client(origin.url, {headers: asks('no-cache')});
	t.is(second.body, 'answer 2');
	t.is(cacheInfo(second).reason, 'refresh');
	t.is((await client(origin.url)).body, 'answer 2');
});

test('RFC 9111 §5.2.1.2 a stale response has its Age', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60', etag: '"1"'}})));
	await client(origin.url);
	clock.advance(70);
	t.is((await client(origin.url, {headers: asks('max-stale')})).headers.age, '70');
});

test('RFC 9111 §5.2.1 the request directives of the caller reach the origin unchanged', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start(dated(clock, () => ({headers: {'cache-control': 'max-age=60', etag: '"1"'}})));
	await client(origin.url);
	await client(origin.url, {headers: {'cache-control': 'no-cache, ext=1', pragma: 'no-cache'}});
	t.is(origin.requests[1]!.headers['cache-control'], 'no-cache, ext=1');
	t.is(origin.requests[1]!.headers.pragma, 'no-cache');
	t.is(origin.requests[0]!.headers['cache-control'], undefined);
});

test('RFC 8246 §2 alwaysRevalidate does not validate a response that is immutable and fresh', async t => {
	const {client, clock} = createClient({...byOrigin, alwaysRevalidate: true});
	await using origin = await Origin.start(dated(clock, request => ({headers: {'cache-control': `max-age=60${request.url === '/immutable' ? ', immutable' : ''}`, etag: '"1"'}})));
	for (const path of ['/immutable', '/immutable', '/other', '/other']) {
		await client(origin.url + path);
	}

	t.deepEqual(origin.requests.map(({url}) => url), ['/immutable', '/other', '/other']);
	clock.advance(60);
	await client(`${origin.url}/immutable`);
	t.is(origin.count, 4);
});

const targets = {...byOrigin, cacheControlTargets: ['Got-Cache-Control', 'Client-Cache-Control']};

/** For how many seconds it is fresh; 0 is validated or not stored. */
const targetTable: ReadonlyArray<readonly [title: string, headers: Readonly<Record<string, string | string[]>>, seconds: number]> = [
	['§2.2 a targeted field comes before Cache-Control', {'client-cache-control': 'max-age=60', 'cache-control': 'max-age=10'}, 60],
	['§2.2 a targeted field comes before no-store', {'client-cache-control': 'max-age=60', 'cache-control': 'no-store'}, 60],
	['§2.2 a targeted no-store comes before max-age', {'client-cache-control': 'no-store', 'cache-control': 'max-age=60'}, 0],
	['§2.2 a targeted field comes before Expires', {'client-cache-control': 'no-cache', expires: 'Fri, 01 Jan 2027 00:00:00 GMT'}, 0],
	['§2.2 the first target in the list counts', {'got-cache-control': 'max-age=30', 'client-cache-control': 'max-age=60', 'cache-control': 'max-age=10'}, 30],
	['§2.2 an empty targeted field is ignored', {'got-cache-control': '', 'client-cache-control': 'max-age=60'}, 60],
	['§2.2 a targeted field that cannot be parsed is ignored', {'got-cache-control': 'max-age=60,,', 'cache-control': 'max-age=10'}, 10],
	['§2.2 a targeted field that is not a dictionary is ignored', {'got-cache-control': '"max-age"', 'cache-control': 'max-age=10'}, 10],
	['§2.1 upper case is invalid in a dictionary', {'got-cache-control': 'Max-Age=60', 'cache-control': 'max-age=10'}, 10],
	['§2.2 a field for another target does not count', {'cdn-cache-control': 'max-age=60', 'cache-control': 'max-age=10'}, 10],
	['§2.1 an argument of another type is invalid', {'got-cache-control': 'max-age="60"', 'cache-control': 'max-age=10'}, 0],
	['§2.1 a decimal is not a number of seconds', {'got-cache-control': 'max-age=60.0', 'cache-control': 'max-age=10'}, 0],
	['§2.1 parameters are ignored', {'got-cache-control': 'max-age=60;ext=1', 'cache-control': 'max-age=10'}, 60],
	['§2.1 of a repeated key the last counts', {'got-cache-control': 'max-age=10, max-age=60'}, 60],
	['§2.1 several lines are one dictionary', {'got-cache-control': ['public', 'max-age=60']}, 60],
	['§2.1 a false directive is absent', {'got-cache-control': 'no-store=?0, max-age=60'}, 60],
];

for (const [title, headers, seconds] of targetTable) {
	test(`RFC 9213 ${title}`, async t => {
		const {client, clock} = createClient(targets);
		await using origin = await Origin.start(dated(clock, () => ({headers: {etag: '"1"', ...headers}})));
		await client(origin.url);
		clock.advance(Math.max(0, seconds - 1));
		await client(origin.url);
		t.is(origin.count, seconds > 0 ? 1 : 2);
		clock.advance(1);
		await client(origin.url);
		t.is(origin.count, seconds > 0 ? 2 : 3);
	});
}

test('RFC 9213 §2.2 without `targets`, and in the default mode, targeted fields have no effect, and the caller gets all of them', async t => {
	for (const [settings, seconds] of [[byOrigin, 10], [{cacheControlTargets: ['Got-Cache-Control']}, 300]] as const) {
		const {client, clock} = createClient(settings);
		await using origin = await Origin.start(dated(clock, () => ({headers: {'got-cache-control': 'max-age=60', 'cache-control': 'max-age=10'}})));
		await client(origin.url);
		clock.advance(seconds - 1);
		const second = await client(origin.url);
		t.true(second.isFromCache);
		t.is(second.headers['got-cache-control'], 'max-age=60');
		clock.advance(1);
		t.false((await client(origin.url)).isFromCache);
	}
});
