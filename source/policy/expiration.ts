import parseDuration from 'parse-duration';
import {expiresAt} from './freshness.ts';

/**
The response never expires.

@example
```ts
import got from 'got';
import {cacheHooks, cacheInfo, NEVER_EXPIRE} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', expireAfter: NEVER_EXPIRE}));
await client('https://api.example.com/users/1');
console.log(cacheInfo(await client('https://api.example.com/users/1')).reason);
//=> fresh
```
*/
export const NEVER_EXPIRE = -1;

/**
The response is stored, and validated before each use.

@example
```ts
import got from 'got';
import {cacheHooks, cacheInfo, EXPIRE_IMMEDIATELY} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', expireAfter: EXPIRE_IMMEDIATELY}));
await client('https://api.example.com/users/1');
console.log(cacheInfo(await client('https://api.example.com/users/1')).reason);
//=> revalidated
```
*/
export const EXPIRE_IMMEDIATELY = 0;

/**
The response is neither read from the cache nor stored. The number is that of requests-cache: semaphore signals of RFC 4824.

@example
```ts
import got from 'got';
import {cacheHooks, cacheInfo, DO_NOT_CACHE} from 'got-cache-hooks';

const client = got.extend(cacheHooks({store: 'memory', expireAfter: DO_NOT_CACHE}));
await client('https://api.example.com/users/1');
console.log(cacheInfo(await client('https://api.example.com/users/1')).reason);
//=> do-not-cache
```
*/
export const DO_NOT_CACHE = 0x0D_0E_02_00_02_07_04;

/** A duration: the sum of its parts, of which each may be left out. A `Temporal.Duration` has this shape, too. Years and months are refused, since they have no fixed length. */
export type DurationLike = {
	/** The number of weeks. */
	readonly weeks?: number;

	/** The number of days. */
	readonly days?: number;

	/** The number of hours. */
	readonly hours?: number;

	/** The number of minutes. */
	readonly minutes?: number;

	/** The number of seconds. */
	readonly seconds?: number;

	/** The number of milliseconds. */
	readonly milliseconds?: number;
};

/** How long a response is fresh: seconds, a `Date`, a duration string (`'5m'`, `'1h 30m'`, `'2 days'`, ISO 8601 `'PT5M'`), a duration object, an HTTP date (`'Tue, 01 Jan 2030 00:00:00 GMT'`), or one of `NEVER_EXPIRE`, `EXPIRE_IMMEDIATELY`, `DO_NOT_CACHE`. */
export type ExpirationTime = number | Date | string | DurationLike;

/** A parsed `ExpirationTime`. The `time` of `at` is in milliseconds since the epoch. */
export type Expiration =
	| {readonly kind: 'after'; readonly milliseconds: number}
	| {readonly kind: 'at'; readonly time: number}
	| {readonly kind: 'never'}
	| {readonly kind: 'do-not-cache'};

/**
Parses an `ExpirationTime`.

@param now - Decides the century of an HTTP date whose year has two digits.
@returns `undefined` if the value is invalid. A string of digits such as `'300'` is, since it could mean seconds or milliseconds.
*/
export function parseExpiration(value: unknown, now: number): Expiration | undefined {
	if (value === DO_NOT_CACHE) {
		return {kind: 'do-not-cache'};
	}

	if (value === NEVER_EXPIRE) {
		return {kind: 'never'};
	}

	if (value instanceof Date) {
		const time = value.getTime();
		return Number.isNaN(time) ? undefined : {kind: 'at', time};
	}

	const milliseconds = durationMilliseconds(value);
	if (milliseconds !== undefined) {
		return after(milliseconds);
	}

	const time = typeof value === 'string' ? parseHttpDate(value.trim(), now) : undefined;
	return time === undefined ? undefined : {kind: 'at', time};
}

/**
Parses a duration to milliseconds, `NEVER_EXPIRE` to `Infinity`.

@returns `undefined` if the value is invalid or a moment.
*/
export function parsePeriod(value: unknown): number | undefined {
	const expiration = parseExpiration(value, 0);
	if (expiration?.kind === 'never') {
		return Infinity;
	}

	return expiration?.kind === 'after' ? expiration.milliseconds : undefined;
}

/**
Parses an `ExpirationTime` or the value of an `Expires` header, in which a whole number is no date and so means already expired (RFC 9111 §5.3).

@returns `undefined` if the value is neither.
*/
export function parseExpirationOrExpires(value: unknown, now: number): Expiration | undefined {
	return typeof value === 'string' && /^-?\d+$/v.test(value) ? {kind: 'after', milliseconds: 0} : parseExpiration(value, now);
}

/** Returns the moment when something that is received at `start` expires; `undefined` if it never does, or is not cached. */
export function expirationDate(expiration: Expiration, start: number): Date | undefined {
	const time = expiration.kind === 'do-not-cache' ? undefined : expiresAt(expiration, start);
	return time === undefined ? undefined : new Date(time);
}

function after(milliseconds: number): Expiration {
	return milliseconds === Infinity ? {kind: 'never'} : {kind: 'after', milliseconds: Math.round(milliseconds)};
}

function durationMilliseconds(value: unknown): number | undefined {
	if (typeof value === 'number') {
		// `+ 0` makes -0 a 0.
		return value >= 0 ? (value * 1000) + 0 : undefined;
	}

	if (typeof value === 'string') {
		return parseDurationString(value.trim());
	}

	return typeof value === 'object' && value !== null ? parseDurationObject(value) : undefined;
}

// The package `parse-duration` skips what it does not know, so that '5m parsec' would be 5 minutes. These expressions are strict.
// Months and years are missing, since they have no fixed length.
const unit = '(?:weeks?|wks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|milliseconds?|ms)';
const amount = String.raw`(?:\d+(?:\.\d+)?|\.\d+)`;
const words = new RegExp(String.raw`^(?:${amount}\s*${unit}\s*)+$`, 'iv');
const iso = new RegExp(`^P(?=.)(?:${amount}W)?(?:${amount}D)?(?:T(?=.)(?:${amount}H)?(?:${amount}M)?(?:${amount}S)?)?$`, 'v');

function parseDurationString(text: string): number | undefined {
	// 'P1DT12H' becomes '1D12H', which `words` matches.
	const duration = iso.test(text) ? text.replaceAll(/[PT]/gv, '') : text;
	return words.test(duration) ? parseDuration(duration) ?? undefined : undefined;
}

const unitMilliseconds: ReadonlyMap<string, number> = new Map([
	['weeks', 604_800_000],
	['days', 86_400_000],
	['hours', 3_600_000],
	['minutes', 60_000],
	['seconds', 1000],
	['milliseconds', 1],
]);

function parseDurationObject(value: object): number | undefined {
	const prototype: unknown = Object.getPrototypeOf(value);
	const isPlain = prototype === Object.prototype || prototype === null;
	const parts = isPlain ? Object.entries(value) : durationParts(value as Readonly<Record<string, unknown>>);
	if (parts.length === 0) {
		return undefined;
	}

	let sum = 0;
	for (const [name, part] of parts) {
		const milliseconds = unitMilliseconds.get(name);
		if (milliseconds === undefined || typeof part !== 'number' || !(part >= 0)) {
			return undefined;
		}

		sum += part * milliseconds;
	}

	return sum;
}

// The classes of Temporal, its polyfills and Luxon have getters for all units. Units below a millisecond are ignored.
function durationParts(value: Readonly<Record<string, unknown>>): ReadonlyArray<[string, unknown]> {
	const hasFixedLength = ['years', 'quarters', 'months'].every(name => (value[name] ?? 0) === 0);
	return hasFixedLength ? unitMilliseconds.keys().map((name): [string, unknown] => [name, value[name]]).toArray() : [];
}

const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const day = String.raw`(?<day>\d{2})`;
const dayName = `(?:${days.map(name => name.slice(0, 3)).join('|')})`;
const month = `(?<month>${months.join('|')})`;
const timeOfDay = String.raw`(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)`;

// RFC 9110 §5.6.7: IMF-fixdate and the two obsolete formats, RFC 850 and `asctime`.
const forms = [
	String.raw`${dayName}, ${day} ${month} (?<year>\d{4}) ${timeOfDay} gmt`,
	String.raw`(?:${days.join('|')}), ${day}-${month}-(?<shortYear>\d{2}) ${timeOfDay} gmt`,
	String.raw`${dayName} ${month} (?<day>\d{2}| \d) ${timeOfDay} (?<year>\d{4})`,
].map(form => new RegExp(`^${form}$`, 'v'));

/**
Parses an HTTP date in one of its three formats (RFC 9110 §5.6.7), in any letter case (RFC 9111 §4.2).

@param now - Decides the century of an RFC 850 date, whose year has two digits.
@returns Milliseconds since the epoch, or `undefined` if the value is no HTTP date.
*/
export function parseHttpDate(value: string | undefined, now: number): number | undefined {
	const text = value?.toLowerCase() ?? '';
	const groups = forms.values().map(form => form.exec(text)?.groups).find(found => found !== undefined);
	if (groups === undefined) {
		return undefined;
	}

	const {year, shortYear} = groups;
	return year === undefined ? shortYearMoment(groups, Number(shortYear), now) : moment(groups, Number(year));
}

type Parts = Readonly<Record<string, string>>;

// A year that appears to be more than 50 years in the future is one in the past (RFC 9110 §5.6.7).
function shortYearMoment(parts: Parts, shortYear: number, now: number): number | undefined {
	const latest = new Date(now);
	latest.setUTCFullYear(latest.getUTCFullYear() + 50);
	const limit = latest.getTime();
	const year = latest.getUTCFullYear();
	const candidate = year - (year % 100) + shortYear;
	return moment(parts, timeOf(parts, candidate) > limit ? candidate - 100 : candidate);
}

function moment(parts: Parts, year: number): number | undefined {
	const milliseconds = timeOf(parts, year);

	// The 30th of February would be a day in March.
	return new Date(milliseconds).getUTCDate() === Number(parts.day) ? milliseconds : undefined;
}

function timeOf({month: name, day: date, hour, minute, second}: Parts, year: number): number {
	// `Date.UTC` takes the years 0 to 99 for those of the 20th century.
	const midnight = new Date(0).setUTCFullYear(year, months.indexOf(name!), Number(date));

	// A leap second counts as the second before it.
	return midnight + (((((Number(hour) * 60) + Number(minute)) * 60) + Math.min(Number(second), 59)) * 1000);
}
