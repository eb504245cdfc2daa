import test from 'ava';
import {cacheInfo, type CacheSettings} from '../../source/index.ts';
import {byOrigin, httpDate} from '../helpers/dated.ts';
import {createClient, readStream} from '../helpers/clients.ts';
import {Clock, Origin} from '../helpers/origin.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const cacheControl = (value: string | string[], others: Headers = {}): Headers => ({'cache-control': value, ...others});

// The clock of the tests begins there.
const start = 'Thu, 01 Jan 2026 00:00:00 GMT';

type Row = readonly [title: string, headers: (clock: Clock) => Headers, seconds: number, settings?: CacheSettings];

/** Invalid values of `Expires`, each of which looks like a time in a minute. */
const notDates = [
	'0',
	'-1',
	'60',
	'never',
	'',
	'Thu, 01 Jan 2026 00:01:00',
	'Thu, 01 Jan 2026 00:01:00 UTC',
	'Thu, 01 Jan 2026 01:01:00 +0100',
	'Thu, 01 Jan 2026 00:01:00 EST',
	'Thu, 1 Jan 2026 00:01:00 GMT',
	'Thu, 01 Jan 26 00:01:00 GMT',
	'Thu, 01 Jan 2026 0:01:00 GMT',
	'Thu, 32 Jan 2026 00:01:00 GMT',
	'Thu,  01 Jan 2026 00:01:00 GMT',
	'Thu 01 Jan 2026 00:01:00 GMT',
	'01 Jan 2026 00:01:00 GMT',
	'2026-01-01T00:01:00Z',
];

/** For how many seconds the response is used without asking the origin. */
const table: readonly Row[] = [
	['§5.2.2.1 max-age', () => cacheControl('max-age=60'), 60],
	['§4.2.1 max-age comes before an Expires that is over', clock => cacheControl('max-age=60', {expires: httpDate(clock, -1)}), 60],
	['§4.2.1 max-age comes before an invalid Expires', () => cacheControl('max-age=60', {expires: '0'}), 60],
	['§4.2.1 max-age=0 comes before Expires', clock => cacheControl('max-age=0', {expires: httpDate(clock, 60)}), 0],
	['§4.2.1 an invalid max-age is not replaced by Expires', clock => cacheControl('max-age=a', {expires: httpDate(clock, 60)}), 0],
	['§5.2.2.10 s-maxage does not shorten what a private cache may use', () => cacheControl('s-maxage=1, max-age=60'), 60],
	['§5.2.2.10 s-maxage does not lengthen what a private cache may use', () => cacheControl('s-maxage=60, max-age=1'), 1],
	['§5.2.2.10 s-maxage alone leaves Expires in force', clock => cacheControl('s-maxage=1', {expires: httpDate(clock, 60)}), 60],
	['§5.2.2.10 s-maxage alone gives a private cache nothing', () => cacheControl('s-maxage=60'), 0],
	['§5.2 directives in upper case', () => cacheControl('MAX-AGE=60'), 60],
	['§5.2 an argument in quotes', () => cacheControl('max-age="60"'), 60],
	['§5.2.2.1 leading zeros', () => cacheControl('max-age=0060'), 60],
	['§5.2.3 unknown directives', () => cacheControl('ext, other=1, max-age=60, third="a, b"'), 60],
	['§5.2 a directive in a quoted string', () => cacheControl('ext="max-age=1000", max-age=60'), 60],
	['§5.2 a directive in a quoted string alone', () => cacheControl('ext="max-age=1000"'), 0],
	['§5.2 empty list members', () => cacheControl(', ,max-age=60, ,'), 60],
	['§5.2 several lines', () => cacheControl(['public', 'max-age=60']), 60],
	['§5.2 names that only look like max-age', () => cacheControl('x-max-age=1000, max-ages=1000, max-age-x=1000'), 0],
	['§4.2.1 a repeated max-age', () => cacheControl('max-age=60, max-age=60'), 60],
	['§4.2.1 two max-age that differ are stale', () => cacheControl('max-age=60, max-age=70'), 0],
	['§4.2.1 two max-age that differ, on two lines, are stale', () => cacheControl(['max-age=70', 'max-age=60']), 0],
	['§4.2.1 max-age without an argument is stale', () => cacheControl('max-age'), 0],
	['§4.2.1 max-age with an empty argument is stale', () => cacheControl('max-age='), 0],
	['§4.2.1 a fraction of a second is stale', () => cacheControl('max-age=60.5'), 0],
	['§4.2.1 a negative max-age is stale', () => cacheControl('max-age=-60'), 0],
	['§4.2.1 an exponent is stale', () => cacheControl('max-age=6e1'), 0],
	['§4.2.1 a hexadecimal number is stale', () => cacheControl('max-age=0x60'), 0],
	['§4.2.1 a number with something after it is stale', () => cacheControl('max-age=60a'), 0],
	['§4.2.1 single quotes are no quotes', () => cacheControl('max-age=\'60\''), 0],

	['§5.3 Expires', clock => ({expires: httpDate(clock, 60)}), 60],
	['§5.3 Expires as RFC 850 writes it', () => ({expires: 'Thursday, 01-Jan-26 00:01:00 GMT'}), 60],
	['§5.3 Expires as asctime writes it', () => ({expires: 'Thu Jan  1 00:01:00 2026'}), 60],
	['§4.2 Expires in any case of letters', () => ({expires: 'thu, 01 JAN 2026 00:01:00 gmt'}), 60],
	['§5.3 Expires counts from Date', clock => ({date: httpDate(clock, -30), expires: httpDate(clock, 60)}), 60],
	['§5.3 Expires without a Date', clock => ({date: undefined, expires: httpDate(clock, 60)}), 60],
	['§5.3 Expires with an invalid Date', clock => ({date: 'now', expires: httpDate(clock, 60)}), 60],
	['§5.3 an Expires of now is stale', clock => ({expires: httpDate(clock)}), 0],
	['§5.3 an Expires in the past is stale', clock => ({expires: httpDate(clock, -60)}), 0],
	['§5.3 Expires twice the same', clock => ({expires: [httpDate(clock, 60), httpDate(clock, 60)]}), 60],
	['§4.2.1 two Expires that differ are stale', clock => ({expires: [httpDate(clock, 60), httpDate(clock, 70)]}), 0],
	...notDates.map((expires): Row => [
		`§5.3 an Expires of '${expires}' is stale`, () => ({expires}), 0,
	]),

	['§4.2.3 a received Age', () => cacheControl('max-age=60', {age: '20'}), 40],
	['§4.2.3 an Age beside Expires', clock => ({expires: httpDate(clock, 60), age: '20'}), 40],
	['§4.2.3 an Age as long as the lifetime is stale', () => cacheControl('max-age=60', {age: '60'}), 0],
	['§4.2.3 an Age beyond the lifetime is stale', () => cacheControl('max-age=60', {age: '7200'}), 0],
	['§4.2.3 a Date in the past', clock => cacheControl('max-age=60', {date: httpDate(clock, -20)}), 40],
	['§4.2.3 the greater of Age and apparent age', clock => cacheControl('max-age=60', {date: httpDate(clock, -20), age: '30'}), 30],
	['§4.2.3 a Date in the past beyond the lifetime is stale', clock => cacheControl('max-age=60', {date: httpDate(clock, -3600)}), 0],
	['§4.2.3 a Date in the future makes nothing younger', clock => cacheControl('max-age=60', {date: httpDate(clock, 3600)}), 60],
	['§4.2.3 an invalid Date', () => cacheControl('max-age=60', {date: 'yesterday'}), 60],
	['§5.1 of two ages the first', () => cacheControl('max-age=60', {age: ['20', '50']}), 40],
	['§5.1 of a list of ages the first', () => cacheControl('max-age=60', {age: '20, 0'}), 40],
	['§5.1 an Age that is not a number', () => cacheControl('max-age=60', {age: 'old'}), 60],
	['§5.1 a negative Age', () => cacheControl('max-age=60', {age: '-20'}), 60],
	['§5.1 an Age with a fraction', () => cacheControl('max-age=60', {age: '20.5'}), 60],
	['§1.2.2 an Age that is too large is stale', () => cacheControl('max-age=60', {age: '99999999999999999999'}), 0],

	['§4.2.2 a tenth of the time since Last-Modified', clock => ({'last-modified': httpDate(clock, -600)}), 60],
	['§4.2.2 a share counts from Date', clock => ({date: httpDate(clock, -20), 'last-modified': httpDate(clock, -620)}), 40],
	['§4.2.2 without Last-Modified there is none', () => ({etag: '"1"'}), 0],
	['§4.2.2 a Last-Modified in the future gives none', clock => ({'last-modified': httpDate(clock, 600)}), 0],
	['§4.2.2 an invalid Last-Modified gives none', () => ({'last-modified': 'long ago'}), 0],
	['§4.2.2 none with max-age', clock => cacheControl('max-age=10', {'last-modified': httpDate(clock, -600)}), 10],
	['§4.2.2 none with Expires', clock => ({expires: httpDate(clock, 10), 'last-modified': httpDate(clock, -600)}), 10],
	['§4.2.2 none with an invalid Expires', clock => ({expires: '0', 'last-modified': httpDate(clock, -600)}), 0],
	['§4.2.2 none with an invalid max-age', clock => cacheControl('max-age=x', {'last-modified': httpDate(clock, -600)}), 0],

	['§5.4 Pragma in a response says nothing', () => cacheControl('max-age=60', {pragma: 'no-cache'}), 60],
	['§5.5 Warning in a response says nothing', () => cacheControl('max-age=60', {warning: '110 - "Response is Stale"'}), 60],
	['RFC 8246 §2 immutable gives no lifetime by itself', () => cacheControl('immutable'), 0],
	['RFC 8246 §2 immutable lengthens no lifetime', () => cacheControl('max-age=60, immutable'), 60],
	['§4.2.1 no-cache comes before max-age', () => cacheControl('max-age=60, no-cache'), 0],
	['§4.2.1 no-cache comes before Expires', clock => cacheControl('no-cache', {expires: httpDate(clock, 60)}), 0],
	['§4.2 expireAfter counts where the origin says nothing', () => ({}), 20, {expireAfter: 20}],
	['§4.2 expireAfter does not count where the origin says something', () => cacheControl('max-age=60'), 60, {expireAfter: 20}],
];

async function startOrigin(clock: Clock, headers: (clock: Clock) => Headers, took = 0): Promise<Origin> {
	return Origin.start((_request, response) => {
		const given = Object.entries({date: httpDate(clock), ...headers(clock)}).filter(([, value]) => value !== undefined);
		clock.advance(took);
		response.sendDate = false;
		response.writeHead(200, Object.fromEntries(given));
		response.end('answer');
	});
}

/** Asks just before and just after the response is to become stale. */
async function isFreshFor(seconds: number, headers: (clock: Clock) => Headers, settings: CacheSettings): Promise<boolean[]> {
	const {client, clock} = createClient(settings);
	await using origin = await startOrigin(clock, headers);
	await client(origin.url);
	const isFresh: boolean[] = [];
	for (const passed of [Math.max(0, seconds - 1), Math.min(1, seconds)]) {
		clock.advance(passed);
		const before = origin.count;
		await client(origin.url);
		isFresh.push(origin.count === before);
	}

	return isFresh;
}

for (const [title, headers, seconds, settings] of table) {
	test(`RFC 9111 ${title}: fresh for ${seconds} s, and in the default mode for as long as the settings say`, async t => {
		t.deepEqual(await isFreshFor(seconds, headers, {...byOrigin, ...settings}), [seconds > 0, false]);
		t.deepEqual(await isFreshFor(300, headers, {expireAfter: '5m'}), [true, false]);
	});
}

test('the clock of these tests starts at the time of the dates', t => {
	t.is(httpDate(new Clock()), start);
});

test('RFC 9111 §1.2.2 a max-age that is too large is a very long time', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await startOrigin(clock, () => cacheControl('max-age=99999999999999999999'));
	await client(origin.url);
	clock.advance(50 * 365 * 86_400);
	t.true((await client(origin.url)).isFromCache);
	t.is(origin.count, 1);
});

test('RFC 9111 §5.1, §4.2.3 Age is the age of a stored response, including its received age', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await startOrigin(clock, () => cacheControl('max-age=60', {age: '20'}));
	t.is((await client(origin.url)).headers.age, '20');
	t.is((await client(origin.url)).headers.age, '20');
	clock.advance(10.9);
	t.is((await client(origin.url)).headers.age, '30');
	const stream = client.stream(origin.url);
	await readStream(stream);
	t.is(stream.response!.headers.age, '30');
	t.is((await client.head(origin.url)).headers.age, '30');
	t.is(origin.count, 1);
});

test('RFC 9111 §5.1 a stored response has one Age, whatever was received', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await startOrigin(clock, () => cacheControl('max-age=60', {age: ['7', '20']}));
	await client(origin.url);
	clock.advance(3);
	const {headers, rawHeaders} = await client(origin.url);
	t.is(headers.age, '10');
	t.is(rawHeaders.filter((_line, index) => index % 2 === 0 && rawHeaders[index]!.toLowerCase() === 'age').length, 1);
});

test('RFC 9111 §4.2.3 the response delay makes a response older', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await startOrigin(clock, () => cacheControl('max-age=60', {age: '5'}), 20);
	await client(origin.url);
	const second = await client(origin.url);
	t.is(second.headers.age, '25');
	clock.advance(34);
	t.true((await client(origin.url)).isFromCache);
	clock.advance(1);
	t.false((await client(origin.url)).isFromCache);
});

test('RFC 9111 §4.2.3 a clock that is set back makes no response younger than when it was received', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await startOrigin(clock, () => cacheControl('max-age=60', {age: '20'}));
	await client(origin.url);
	clock.advance(-3600);
	t.is((await client(origin.url)).headers.age, '20');
});

test('RFC 9111 §5.1 in the default mode, Age is served as it was received', async t => {
	const {client, clock} = createClient();
	await using origin = await startOrigin(clock, () => ({age: '20'}));
	await client(origin.url);
	clock.advance(10);
	const second = await client(origin.url);
	t.true(second.isFromCache);
	t.is(second.headers.age, '20');
});

test('RFC 9111 §5.1 the age of a response starts again with its validation', async t => {
	const {client, clock} = createClient(byOrigin);
	await using origin = await Origin.start((request, response) => {
		const isKnown = request.headers['if-none-match'] !== undefined;
		response.writeHead(isKnown ? 304 : 200, {
			date: httpDate(clock), 'cache-control': 'max-age=60', etag: '"1"', ...(!isKnown && {age: '20'}),
		});
		response.end(isKnown ? undefined : 'answer');
	});
	await client(origin.url);
	clock.advance(40);
	const second = await client(origin.url);
	t.is(cacheInfo(second).reason, 'revalidated');
	t.true(second.headers.age === undefined || second.headers.age === '0');
	clock.advance(59);
	const third = await client(origin.url);
	t.is(cacheInfo(third).reason, 'fresh');
	t.is(third.headers.age, '59');
	t.is(origin.count, 2);
});
