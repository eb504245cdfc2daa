import parseDuration from 'parse-duration';
import {parseHttpDate} from './dates.ts';
import {expiresAt} from './freshness.ts';

/**
Fresh for good.
*/
export const NEVER_EXPIRE = -1;

/**
Stale at once: stored, and validated before each use.
*/
export const EXPIRE_IMMEDIATELY = 0;

/**
Neither read from the cache nor written to it. The number is requests-cache's: RFC 4824's semaphore signals.
*/
export const DO_NOT_CACHE = 0x0D_0E_02_00_02_07_04;

/**
A length of time in parts, which are added up. `Temporal.Duration` and its polyfills have this shape, too.

Years and months have no fixed length and are refused.
*/
export type DurationLike = {
	readonly weeks?: number;
	readonly days?: number;
	readonly hours?: number;
	readonly minutes?: number;
	readonly seconds?: number;
	readonly milliseconds?: number;
};

/**
How long a response is fresh: seconds, a moment, a duration string (`'5m'`, `'1h 30m'`, `'2 days'`, ISO 8601 `'PT5M'`), a duration object, or one of `NEVER_EXPIRE`, `EXPIRE_IMMEDIATELY`, `DO_NOT_CACHE`.
*/
export type ExpirationTime = number | Date | string | DurationLike;

/**
A parsed `ExpirationTime`. `after` 0 ms is immediately; `at` is in milliseconds since the epoch.
*/
export type Expiration =
	| {readonly kind: 'after'; readonly milliseconds: number}
	| {readonly kind: 'at'; readonly time: number}
	| {readonly kind: 'never'}
	| {readonly kind: 'do-not-cache'};

/**
What `expireAfter` means, or `undefined` where it means nothing.

A string of digits only, such as `'300'`, is refused: it does not say whether it counts seconds or milliseconds.
*/
export function parseExpiration(value: unknown): Expiration | undefined {
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
	return milliseconds === undefined ? undefined : after(milliseconds);
}

/**
A length of time in milliseconds, `Infinity` for `NEVER_EXPIRE`; `undefined` for what is none, a moment included.
*/
export function parsePeriod(value: unknown): number | undefined {
	const expiration = parseExpiration(value);
	if (expiration?.kind === 'never') {
		return Infinity;
	}

	return expiration?.kind === 'after' ? expiration.milliseconds : undefined;
}

/**
The moment at which something received at `start` expires; `undefined` for never, and for `DO_NOT_CACHE`, where it does not matter.

In addition to every `ExpirationTime` it accepts what an `Expires` header may hold: an HTTP date, or a whole number, which is not a date and so means already expired (RFC 9111 §5.3).

@throws {TypeError} Where the value means nothing.

@example
```
getExpirationDatetime('1h 30m', new Date('2026-01-01T00:00:00Z'));
//=> 2026-01-01T01:30:00.000Z
```
*/
export function getExpirationDatetime(value: ExpirationTime | undefined, start: Date): Date | undefined {
	if (value === undefined) {
		return undefined;
	}

	const expiration = parseExpiration(value) ?? (typeof value === 'string' ? parseExpires(value, start.getTime()) : undefined);
	if (expiration === undefined) {
		throw new TypeError('Expected an expiration: seconds, a Date, a duration or an HTTP date');
	}

	const time = expiration.kind === 'do-not-cache' ? undefined : expiresAt(expiration, start.getTime());
	return time === undefined ? undefined : new Date(time);
}

function parseExpires(value: string, now: number): Expiration | undefined {
	if (/^-?\d+$/v.test(value)) {
		return {kind: 'after', milliseconds: 0};
	}

	const time = parseHttpDate(value, now);
	return time === undefined ? undefined : {kind: 'at', time};
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

// `parse-duration` skips what it does not know, so that it makes 5 minutes of '5m parsec': these say what it may be given.
// Months and years are missing: they have no fixed length.
const unit = '(?:weeks?|wks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|milliseconds?|ms)';
const amount = String.raw`(?:\d+(?:\.\d+)?|\.\d+)`;
const words = new RegExp(String.raw`^(?:${amount}\s*${unit}\s*)+$`, 'iv');
const iso = new RegExp(`^P(?=.)(?:${amount}W)?(?:${amount}D)?(?:T(?=.)(?:${amount}H)?(?:${amount}M)?(?:${amount}S)?)?$`, 'v');

function parseDurationString(text: string): number | undefined {
	// What is left of 'P1DT12H', '1D12H', is words.
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

// The classes of Temporal, its polyfills and Luxon have getters for all units; what is finer than a millisecond does not matter.
function durationParts(value: Readonly<Record<string, unknown>>): ReadonlyArray<[string, unknown]> {
	const hasFixedLength = ['years', 'quarters', 'months'].every(name => (value[name] ?? 0) === 0);
	return hasFixedLength ? unitMilliseconds.keys().map((name): [string, unknown] => [name, value[name]]).toArray() : [];
}
