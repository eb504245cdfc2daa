import {inspect} from 'node:util';
import test from 'ava';
import parseDuration from 'parse-duration';
import {fc} from '../helpers/fast-check.ts';
import {getExpirationDatetime} from '../../source/settings/settings.ts';
import {
	DO_NOT_CACHE,
	EXPIRE_IMMEDIATELY,
	NEVER_EXPIRE,
	parseExpiration,
	parsePeriod,
	type ExpirationTime,
	type Expiration,
} from '../../source/policy/expiration.ts';
import {expiresAt} from '../../source/policy/freshness.ts';

// As Temporal and Luxon make them: getters on a prototype.
class FakeDuration {
	readonly #parts: Readonly<Record<string, number>>;

	constructor(parts: Readonly<Record<string, number>>) {
		this.#parts = parts;
		for (const name of ['years', 'quarters', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds', 'nanoseconds']) {
			Object.defineProperty(this, name, {value: this.#parts[name] ?? 0, enumerable: false});
		}
	}
}

let count = 0;
function title(value: unknown): string {
	count++;
	return `${count}: ${inspect(value).slice(0, 60)}`;
}

const now = Date.UTC(2026, 6, 1);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const durations: ReadonlyArray<readonly [value: ExpirationTime, milliseconds: number]> = [
	[EXPIRE_IMMEDIATELY, 0],
	[-0, 0],
	[1, 1000],
	[0.5, 500],
	[0.0001, 0],
	[1e9, 1e12],
	['5m', 5 * minute],
	['5M', 5 * minute],
	['1M', minute],
	['5 min', 5 * minute],
	['5 Minutes', 5 * minute],
	['1h 30m', 90 * minute],
	['1h30m', 90 * minute],
	['1 hour 30 minutes', 90 * minute],
	['1.5h', 90 * minute],
	['1.1h', 66 * minute],
	['.5h', 30 * minute],
	['500ms', 500],
	['500 milliseconds', 500],
	['0s', 0],
	['2 days', 2 * day],
	['2D', 2 * day],
	['1w', 7 * day],
	['1wk', 7 * day],
	['2 Weeks', 14 * day],
	['1w 2d 3h 4m 5s 6ms', (9 * day) + (3 * hour) + (4 * minute) + 5006],
	['10 secs', 10_000],
	['3 hrs', 3 * hour],
	[' 5m ', 5 * minute],
	['1 s 1 s', 2000],
	['PT5M', 5 * minute],
	['P1DT12H', 36 * hour],
	['P1W', 7 * day],
	['P1W2D', 9 * day],
	['PT0S', 0],
	['PT1.5H', 90 * minute],
	['PT36H', 36 * hour],
	[{minutes: 5}, 5 * minute],
	[{hours: 1, minutes: 30}, 90 * minute],
	[{
		weeks: 1, days: 1, hours: 1, minutes: 1, seconds: 1, milliseconds: 1,
	}, (8 * day) + hour + minute + 1001],
	[{seconds: 0}, 0],
	[{seconds: -0}, 0],
	[{hours: 1.5}, 90 * minute],
	[new FakeDuration({hours: 1, minutes: 5}) as ExpirationTime, 65 * minute],
	[new FakeDuration({}) as ExpirationTime, 0],
	[Object.assign(Object.create(null) as ExpirationTime, {days: 1}), day],
];

for (const [value, milliseconds] of durations) {
	test(`${title(value)} is ${milliseconds} ms`, t => {
		t.deepEqual(parseExpiration(value, now), {kind: 'after', milliseconds});
		t.is(parsePeriod(value), milliseconds);
	});
}

const others: ReadonlyArray<readonly [value: ExpirationTime, expiration: Expiration, period: number | undefined]> = [
	[NEVER_EXPIRE, {kind: 'never'}, Infinity],
	[Infinity, {kind: 'never'}, Infinity],
	[`${'9'.repeat(400)}s`, {kind: 'never'}, Infinity],
	[{days: Infinity}, {kind: 'never'}, Infinity],
	[DO_NOT_CACHE, {kind: 'do-not-cache'}, undefined],
	[new Date(0), {kind: 'at', time: 0}, undefined],
	[new Date('2030-01-01T00:00:00Z'), {kind: 'at', time: 1_893_456_000_000}, undefined],

	// HTTP dates, of each form of RFC 9110 §5.6.7
	['Tue, 01 Jan 2030 00:00:00 GMT', {kind: 'at', time: 1_893_456_000_000}, undefined],
	['Tuesday, 01-Jan-30 00:00:00 GMT', {kind: 'at', time: 1_893_456_000_000}, undefined],
	['Tue Jan  1 00:00:00 2030', {kind: 'at', time: 1_893_456_000_000}, undefined],
	[' tue, 01 jan 2030 00:00:00 gmt ', {kind: 'at', time: 1_893_456_000_000}, undefined],
	['Sun, 06 Nov 1994 08:49:37 GMT', {kind: 'at', time: 784_111_777_000}, undefined],
	['Sunday, 06-Nov-94 08:49:37 GMT', {kind: 'at', time: 784_111_777_000}, undefined],
];

for (const [value, expiration, period] of others) {
	test(`${title(value)} is ${JSON.stringify(expiration)}`, t => {
		t.deepEqual(parseExpiration(value, now), expiration);
		t.is(parsePeriod(value), period);
	});
}

const refused: readonly unknown[] = [
	undefined,
	null,
	true,
	false,
	NaN,
	-2,
	-0.5,
	-Infinity,
	5n,
	'',
	' ',
	'5 parsecs',
	'5m parsec',
	'parsec 5m',
	'5m,',
	'5m 3',
	'300',
	'-1',
	'-5m',
	'1e3s',
	'1,5h',
	'1_000s',
	'1 month',
	'1mo',
	'1y',
	'1 year',
	'5us',
	'm',
	'P',
	'PT',
	'P1DT',
	'P1M',
	'P1Y',
	'PT5',
	'P5M',
	'PT5M ago',
	'-PT5M',
	'pt5m',
	'P1D12H',
	'PT1,5H',
	'Wed, 21 Oct 2026 07:28:00',
	'Wed, 21 Oct 2026 07:28:00 CET',
	'Wed, 21 Oct 2026 07:28:00 +0000',
	'Sat, 31 Feb 2026 07:28:00 GMT',
	'Wed, 21 Oct 2026 25:28:00 GMT',
	'Wednesday, 21-Oct-2026 07:28:00 GMT',
	'Wed Oct 21 07:28:00 26',
	'2026-10-21',
	'2026-10-21T07:28:00Z',
	new Date(NaN),
	/5m/v,
	[],
	[5],
	['5m'],
	{},
	{minutes: '5'},
	{minutes: undefined},
	{minutes: -5},
	{minutes: NaN},
	{minute: 5},
	{minutes: 5, parsecs: 1},
	{years: 1},
	{months: 1},
	{toString: 1},
	new Map([['minutes', 5]]),
	new FakeDuration({years: 1}),
	new FakeDuration({quarters: 1}),
	new FakeDuration({months: 1, days: 1}),
	new FakeDuration({hours: -1}),
	() => 5,
	Symbol('5m'),
];

for (const value of refused) {
	test(`${title(value)} is not an expiration`, t => {
		t.is(parseExpiration(value, now), undefined);
		t.is(parsePeriod(value), undefined);
	});
}

test('no value makes the parsers throw', t => {
	fc.assert(fc.property(fc.anything({
		withDate: true, withMap: true, withBigInt: true, withNullPrototype: true, withSparseArray: true, withBoxedValues: true, withTypedArray: true,
	}), value => {
		const expiration = parseExpiration(value, now);
		t.true(expiration?.kind !== 'after' || (Math.round(expiration.milliseconds) === expiration.milliseconds && expiration.milliseconds >= 0));
		t.true((parsePeriod(value) ?? 0) >= 0);
	}));
});

test('the parts of a duration string are added up', t => {
	const units: Array<[name: string, length: number]> = [['w', 7 * day], ['d', day], ['h', hour], ['m', minute], ['s', 1000], ['ms', 1]];
	const parts = fc.array(fc.tuple(fc.nat(1000), fc.constantFrom(...units)), {minLength: 1});
	fc.assert(fc.property(parts, fc.constantFrom('', ' '), (list, space) => {
		const text = list.map(([amount, [name]]) => `${amount}${space}${name}`).join(space);
		const milliseconds = list.map(([amount, [, length]]) => amount * length).reduce((sum, part) => sum + part);
		t.deepEqual(parseExpiration(text, now), {kind: 'after', milliseconds});
	}));
});

test.serial('another locale of parse-duration, which the whole process shares, is not misread', t => {
	const {unit} = parseDuration;
	try {
		parseDuration.unit = Object.create(null) as typeof unit;
		t.is(parseExpiration('5m', now), undefined);
	} finally {
		parseDuration.unit = unit;
	}

	t.deepEqual(parseExpiration('5m', now), {kind: 'after', milliseconds: 5 * minute});
});

const lastMoment = 8.64e15;
const moments: ReadonlyArray<readonly [expiration: Exclude<Expiration, {kind: 'do-not-cache'}>, from: number, time: number | undefined]> = [
	[{kind: 'after', milliseconds: 0}, 1000, 1000],
	[{kind: 'after', milliseconds: 500}, 1000, 1500],
	[{kind: 'after', milliseconds: lastMoment - 1000}, 1000, lastMoment],
	[{kind: 'after', milliseconds: lastMoment}, 1000, undefined],
	[{kind: 'at', time: 500}, 1000, 500],
	[{kind: 'never'}, 1000, undefined],
];

for (const [expiration, from, time] of moments) {
	test(`${JSON.stringify(expiration)} from ${from} is ${time}`, t => {
		t.is(expiresAt(expiration, from), time);
	});
}

// Golden: `get_expiration_datetime(value, start_time=start)` of requests-cache 1.3.
const start = new Date('2026-01-01T00:00:00Z');
const golden: ReadonlyArray<readonly [value: ExpirationTime | undefined, moment: string | undefined]> = [
	[undefined, undefined],
	[NEVER_EXPIRE, undefined],
	[DO_NOT_CACHE, undefined],
	[EXPIRE_IMMEDIATELY, '2026-01-01T00:00:00.000Z'],
	[60, '2026-01-01T00:01:00.000Z'],
	[1.5, '2026-01-01T00:00:01.500Z'],
	[34_560_000, '2027-02-05T00:00:00.000Z'],
	[{minutes: 5}, '2026-01-01T00:05:00.000Z'],
	[{days: 1, hours: 12}, '2026-01-02T12:00:00.000Z'],
	[new Date('2030-05-06T07:08:09Z'), '2030-05-06T07:08:09.000Z'],
	[new Date('2020-01-01T00:00:00Z'), '2020-01-01T00:00:00.000Z'],
	['0', '2026-01-01T00:00:00.000Z'],
	['-1', '2026-01-01T00:00:00.000Z'],
	['300', '2026-01-01T00:00:00.000Z'],
	['Wed, 21 Oct 2026 07:28:00 GMT', '2026-10-21T07:28:00.000Z'],
	['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
];

for (const [value, moment] of golden) {
	test(`${title(value)} expires when it does in requests-cache`, t => {
		t.is(getExpirationDatetime(value, start)?.toISOString(), moment);
	});
}

test('a duration counts from the start, which stays as it is', t => {
	const from = new Date(start);
	t.deepEqual(getExpirationDatetime('PT5M', from), new Date('2026-01-01T00:05:00Z'));
	t.not(getExpirationDatetime(0, from), from);
	t.deepEqual(from, start);
	t.is(getExpirationDatetime(1e15, from), undefined);
});

for (const value of ['', 'rubbish', '5 parsecs', 'Invalid Date', '2026-01-01', 'Wed, 31 Feb 2026 00:00:00 GMT', -5, {months: 1}, null] as ExpirationTime[]) {
	test(`${title(value)} has no expiration`, t => {
		t.throws(() => getExpirationDatetime(value, start), {instanceOf: TypeError});
	});
}
