import test from 'ava';
import {fc} from '../helpers/fast-check.ts';
import {parseHttpDate} from '../../source/policy/expiration.ts';
import {formatHttpDate} from '../../source/policy/fields.ts';

const now = Date.UTC(2026, 6, 1);
const moment = Date.UTC(1994, 10, 6, 8, 49, 37);

const valid: ReadonlyArray<readonly [title: string, value: string, expected: number]> = [
	['an IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT', moment],
	['an RFC 850 date', 'Sunday, 06-Nov-94 08:49:37 GMT', moment],
	['an asctime date', 'Sun Nov  6 08:49:37 1994', moment],
	['an asctime date with a two-digit day', 'Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
	['an asctime date with a zero', 'Sun Nov 06 08:49:37 1994', moment],
	['a wrong day of the week', 'Mon, 06 Nov 1994 08:49:37 GMT', moment],
	['the last second of a day', 'Thu, 31 Dec 2026 23:59:59 GMT', Date.UTC(2026, 11, 31, 23, 59, 59)],
	['a 29th of February', 'Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
	['a year after 9000', 'Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59)],
	['a year before 100', 'Mon, 01 Jan 0050 00:00:00 GMT', Date.parse('0050-01-01T00:00:00Z')],
];

for (const [title, value, expected] of valid) {
	test(`RFC 9110 §5.6.7: ${title} is read`, t => {
		t.is(parseHttpDate(value, now), expected);
	});
}

test('RFC 9110 §5.6.7: each month is read', t => {
	for (const [index, month] of ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].entries()) {
		t.is(parseHttpDate(`Mon, 02 ${month} 2023 00:00:00 GMT`, now), Date.UTC(2023, index, 2));
	}
});

for (const value of ['sun, 06 nov 1994 08:49:37 gmt', 'SUNDAY, 06-NOV-94 08:49:37 GMT', 'sUN nOV  6 08:49:37 1994']) {
	test(`RFC 9111 §4.2: ${value} is read in any letter case`, t => {
		t.is(parseHttpDate(value, now), moment);
	});
}

test('RFC 9111 §4.2: a leap second is read as the one before it', t => {
	t.is(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', now), Date.UTC(2016, 11, 31, 23, 59, 59));
});

const shortYears: ReadonlyArray<readonly [seenAt: string, value: string, expected: string]> = [
	['2026-07-01', 'Monday, 01-Jan-26 00:00:00 GMT', '2026-01-01'],
	['2026-07-01', 'Monday, 01-Jan-70 00:00:00 GMT', '2070-01-01'],
	['2026-07-01', 'Monday, 30-Jun-76 00:00:00 GMT', '2076-06-30'],
	['2026-07-01', 'Monday, 01-Jul-76 00:00:00 GMT', '2076-07-01'],
	['2026-07-01', 'Monday, 02-Jul-76 00:00:00 GMT', '1976-07-02'],
	['2026-07-01', 'Monday, 01-Jan-77 00:00:00 GMT', '1977-01-01'],
	['2026-07-01', 'Monday, 01-Jan-99 00:00:00 GMT', '1999-01-01'],
	['2026-07-01', 'Monday, 01-Jan-00 00:00:00 GMT', '2000-01-01'],
	['1999-12-31', 'Monday, 01-Jan-05 00:00:00 GMT', '2005-01-01'],
	['1999-12-31', 'Monday, 01-Jan-50 00:00:00 GMT', '1950-01-01'],
	['2099-06-01', 'Monday, 01-Jan-05 00:00:00 GMT', '2105-01-01'],
	['2099-06-01', 'Monday, 01-Jan-98 00:00:00 GMT', '2098-01-01'],
];

for (const [seenAt, value, expected] of shortYears) {
	test(`RFC 9110 §5.6.7: ${value}, seen at ${seenAt}, is ${expected}`, t => {
		t.is(parseHttpDate(value, Date.parse(seenAt)), Date.parse(expected));
	});
}

const invalid: ReadonlyArray<string | undefined> = [
	undefined,
	'',
	'0',
	'-1',
	'784111777',
	'1994-11-06T08:49:37Z',
	'Sun, 06 Nov 1994 08:49:37 UTC',
	'Sun, 06 Nov 1994 08:49:37 EST',
	'Sun, 06 Nov 1994 08:49:37 +0000',
	'Sun, 06 Nov 1994 08:49:37',
	' Sun, 06 Nov 1994 08:49:37 GMT',
	'Sun, 06 Nov 1994 08:49:37 GMT ',
	'Sun, 06 Nov 1994 08:49:37 GMT\n',
	'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
	'Sun,  06 Nov 1994 08:49:37 GMT',
	'Sun 06 Nov 1994 08:49:37 GMT',
	'Sun, 6 Nov 1994 08:49:37 GMT',
	'Sun, 06-Nov-1994 08:49:37 GMT',
	'Sun, 06 Nov 94 08:49:37 GMT',
	'Sun, 06 Nov 1994 8:49:37 GMT',
	'Sun, 06 Nov 1994 08.49.37 GMT',
	'Sun, 06 Nov 1994 08:49 GMT',
	'Sun, 06 Nov 1994 24:00:00 GMT',
	'Sun, 06 Nov 1994 08:60:37 GMT',
	'Sun, 06 Nov 1994 08:49:61 GMT',
	'Sun, 00 Nov 1994 08:49:37 GMT',
	'Sun, 32 Jan 1994 08:49:37 GMT',
	'Sun, 31 Nov 1994 08:49:37 GMT',
	'Sun, 30 Feb 2024 08:49:37 GMT',
	'Sun, 29 Feb 2023 08:49:37 GMT',
	'Sun, 06 Foo 1994 08:49:37 GMT',
	'Sunday, 06 Nov 1994 08:49:37 GMT',
	'Xyz, 06 Nov 1994 08:49:37 GMT',
	'\u{17F}un, 06 Nov 1994 08:49:37 GMT',
	'Sun, 06 \u{17F}ep 1994 08:49:37 GMT',
	'Sun, 06-Nov-94 08:49:37 GMT',
	'Sunday, 6-Nov-94 08:49:37 GMT',
	'Sunday, 29-Feb-23 08:49:37 GMT',
	'Sunday, 06-Nov-1994 08:49:37 GMT',
	'Sun Nov 6 08:49:37 1994',
	'Sun Nov  0 08:49:37 1994',
	'Sun Nov  6 08:49:37 94',
	'Sun Nov  6 08:49:37 1994 GMT',
	'Sunday Nov  6 08:49:37 1994',
];

for (const value of invalid) {
	test(`RFC 9110 §5.6.7: ${JSON.stringify(value) ?? 'nothing'} is not an HTTP date`, t => {
		t.is(parseHttpDate(value, now), undefined);
	});
}

const number = fc.nat(99).map(value => String(value).padStart(2, '0'));
const nearly = fc.tuple(number, fc.constantFrom('Jan', 'Feb', 'Sep', 'Foo'), number, fc.constantFrom('00', '12', '23', '24'), number, number)
	.chain(([day, month, year, hour, minute, second]) => fc.constantFrom(
		`Mon, ${day} ${month} 20${year} ${hour}:${minute}:${second} GMT`,
		`Monday, ${day}-${month}-${year} ${hour}:${minute}:${second} GMT`,
		`Mon ${month} ${day} ${hour}:${minute}:${second} 00${year}`,
	));
const rubbish = fc.oneof(fc.string({unit: 'binary'}), nearly);

test('RFC 9110 §5.6.7: the parser never throws', t => {
	fc.assert(fc.property(rubbish, fc.double(), (value, at) => {
		const time = parseHttpDate(value, at);
		t.true(time === undefined || Number.isSafeInteger(time));
	}));
	t.is(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', NaN), undefined);
});

const seconds = fc.integer({min: -62_167_219_200, max: 253_402_300_799}).map(second => second * 1000);

test('RFC 9110 §5.6.7: a formatted date can be parsed', t => {
	fc.assert(fc.property(seconds, fc.nat(999), (time, rest) => {
		t.is(parseHttpDate(formatHttpDate(time + rest), now), time);
	}));
});

test('RFC 9110 §5.6.7: an RFC 850 date is never more than 50 years ahead, nor 50 or more behind', t => {
	const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
	fc.assert(fc.property(fc.date({min: new Date('1950-01-01'), max: new Date('2500-01-01'), noInvalidDate: true}), fc.nat(99), fc.constantFrom(...names), (at, year, month) => {
		const time = parseHttpDate(`Monday, 15-${month}-${String(year).padStart(2, '0')} 00:00:00 GMT`, at.getTime())!;
		const limit = (years: number) => new Date(at).setUTCFullYear(at.getUTCFullYear() + years);
		t.true(time <= limit(50));
		t.true(time > limit(-50) - 86_400_000);
	}));
});

const written: ReadonlyArray<readonly [milliseconds: number, expected: string]> = [
	[moment, 'Sun, 06 Nov 1994 08:49:37 GMT'],
	[moment + 999, 'Sun, 06 Nov 1994 08:49:37 GMT'],
	[0, 'Thu, 01 Jan 1970 00:00:00 GMT'],
	[Infinity, 'Fri, 31 Dec 9999 23:59:59 GMT'],
	[-Infinity, 'Sat, 01 Jan 0000 00:00:00 GMT'],
];

for (const [milliseconds, expected] of written) {
	test(`RFC 9110 §5.6.7: ${milliseconds} ms is written ${expected}`, t => {
		t.is(formatHttpDate(milliseconds), expected);
	});
}
