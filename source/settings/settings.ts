import {listed, SettingError, similarName} from '../errors.ts';
import {
	isPlainObject,
	memberPath,
	parseInput,
	text,
} from '../parse.ts';
import {parseDirectives, type CacheDirectives} from '../policy/directives.ts';
import {expirationDate, parseExpirationOrExpires, type ExpirationTime} from '../policy/expiration.ts';
import {settingsOfMode} from '../policy/modes.ts';
import type {ExpirationPatterns} from '../policy/url-patterns.ts';
import {expiration, settingsObject} from './parsers.ts';
import {
	clientTable,
	requestOnlyTable,
	type Row,
	type VariableKind,
} from './table.ts';
import type {
	CacheSettings,
	RequestSettings,
	ResolvedRequestSettings,
	ResolvedSettings,
} from './types.ts';

export type {VariableKind} from './table.ts';
export type * from './types.ts';

type AnyRow = Row<unknown> & {readonly fixed?: string | undefined};
type Table = ReadonlyMap<string, AnyRow>;

const clientRows: Table = new Map(Object.entries<AnyRow>(clientTable));
const requestRows: Table = new Map([
	...clientRows.entries().filter(([, row]) => row.isOfRequest === true),
	...Object.entries<AnyRow>(requestOnlyTable),
]);

/** The settings that a request may have. */
export const requestSettingNames: ReadonlySet<string> = new Set(requestRows.keys());

/** The settings that belong to the store of a cache. */
export const storeSettingNames: ReadonlySet<string> = namesOf(({scope}) => scope === 'store');

/** The settings that all clients of a cache have in common. */
export const cacheSettingNames: ReadonlySet<string> = namesOf(({scope}) => scope !== undefined);

/** The settings whose values are concealed. */
export const secretSettingNames: ReadonlySet<string> = namesOf(({isSecret}) => isSecret === true);

/** The settings that cannot change while the client is in use, each with the reason. */
export const fixedSettings: ReadonlyMap<string, string> = new Map(clientRows.entries().flatMap(([name, {fixed}]) => fixed === undefined ? [] : [[name, fixed]]));

/** The settings that a `GOT_CACHE_…` variable may give, each with the kind of its value. */
export const variableSettings: ReadonlyMap<string, VariableKind> = new Map(clientRows.entries().flatMap(([name, {variable}]) => variable === undefined ? [] : [[name, variable]]));

function namesOf(isIncluded: (row: AnyRow) => boolean): ReadonlySet<string> {
	return new Set(clientRows.entries().filter(([, row]) => isIncluded(row)).map(([name]) => name));
}

/**
Checks and parses the settings of a client, and completes them with the defaults.

@throws {SettingError} When a setting is unknown or has a wrong value. It is a `TypeError` that names the path, such as `cache.urlsExpireAfter[1][0]`.
*/
export function resolveSettings(settings: CacheSettings = {}, path = 'cache'): ResolvedSettings {
	const resolved = resolve<ResolvedSettings>(clientRows, settings, path, row => isDefaultUsed(row, settings));
	return Object.freeze({...resolved, ...settingsOfMode(resolved.mode)});
}

/**
Checks and parses the settings of one request. A setting that is not given is absent, so that the client's applies.

@param path - The name of `settings` in messages.
@throws {SettingError} Like `resolveSettings`.
*/
export function resolveRequestSettings(settings: RequestSettings, path = 'context.cache'): ResolvedRequestSettings {
	return resolve<ResolvedRequestSettings>(requestRows, settings, path, () => false);
}

/** Returns the settings of a client as a user would write them, completed with the defaults. */
export function statedSettings(settings: CacheSettings): Record<string, unknown> {
	const given = new Map<string, unknown>(Object.entries(settings));
	return Object.fromEntries(clientRows.entries().map(([name, row]) => [name, given.get(name) ?? (isDefaultUsed(row, settings) ? row.default : undefined)]));
}

function isDefaultUsed({isLeftToOrigin}: AnyRow, settings: CacheSettings | null): boolean {
	return !(isLeftToOrigin === true && settings?.cacheControl === true);
}

function resolve<Resolved>(table: Table, settings: unknown, path: string, hasDefault: (row: AnyRow) => boolean): Resolved {
	const written = parseInput(settingsObject, settings, path);
	const values = new Map(table.entries().filter(([, row]) => hasDefault(row)).map(([name, row]) => [name, row.default]));
	for (const [name, value] of Object.entries(written)) {
		if (!table.has(name)) {
			throw unknownSetting(path, name, table);
		}

		if (value !== undefined) {
			values.set(name, value);
		}
	}

	const given = values.entries().filter(([, value]) => value !== undefined);
	return Object.freeze(Object.fromEntries(given.map(([name, value]) => [name, parseInput(table.get(name)!, value, memberPath(path, name))]))) as Resolved;
}

function unknownSetting(path: string, name: string, table: Table): SettingError {
	const full = memberPath(path, name);
	if (clientRows.has(name)) {
		return new SettingError(full, `\`${full}\` is not a setting of a request. Set \`${name}\` for the client.`);
	}

	if (requestRows.has(name)) {
		return new SettingError(full, `\`${full}\` is not a setting of a client. Set \`${name}\` for a request.`);
	}

	const similar = similarName(name, table.keys());
	return new SettingError(full, `Unknown setting \`${full}\`. ${similar === undefined ? `The settings are ${listed(table.keys(), 'and')}.` : `Did you mean \`${similar}\`?`}`);
}

/**
Returns the moment at which something that is received at `start` expires, like requests-cache's `get_expiration_datetime`.

@param expireAfter - An expiration, or the value of an `Expires` header.
@param start - The moment to count from. Default: now.
@returns `undefined` for `undefined`, for a value that never expires, and for `DO_NOT_CACHE`.
@throws {TypeError} When the value is not an expiration.

@example
```ts
import {getExpirationDatetime} from 'got-cache-hooks';

console.log(getExpirationDatetime('1h 30m', new Date('2026-01-01T00:00:00Z')));
//=> 2026-01-01T01:30:00.000Z
```
*/
export function getExpirationDatetime(expireAfter: ExpirationTime | undefined, start: Date = new Date()): Date | undefined {
	if (expireAfter === undefined) {
		return undefined;
	}

	const from = parseInput({allowed: 'a valid Date', parse: date => date instanceof Date && !Number.isNaN(date.getTime()) ? date.getTime() : undefined}, start, 'start');
	const parsed = parseInput({
		allowed: expiration.allowed,
		parse: value => parseExpirationOrExpires(value, from),
	}, expireAfter, 'expireAfter');
	return expirationDate(parsed, from);
}

/**
Parses the value of a `Cache-Control` header (RFC 9111 §5.2) to its directives, in lower case.

@throws {SettingError} When the value is neither a string nor `undefined`.

@example
```ts
import {parseCacheControl} from 'got-cache-hooks';

console.log(parseCacheControl('max-age=60, no-cache="set-cookie"').get('max-age'));
//=> 60
```
*/
export function parseCacheControl(value: string | undefined): CacheDirectives {
	return parseDirectives(value === undefined ? value : parseInput({allowed: 'a string', parse: given => typeof given === 'string' ? given : undefined}, value, 'value'));
}

/**
Returns the expiration of the first URL pattern that matches a URL, as it was written.

@throws {TypeError} When a pattern or an expiration is wrong.

@example
```ts
import {getUrlExpiration} from 'got-cache-hooks';

console.log(getUrlExpiration('https://example.com/live/1', [['example.com/live', '30s'], ['example.com', '1d']]));
//=> 30s
```
*/
export function getUrlExpiration(url: string, urlsExpireAfter: ExpirationPatterns): ExpirationTime | undefined {
	parseInput(text, url, 'url');
	const compiled = parseInput(clientTable.urlsExpireAfter, urlsExpireAfter, 'urlsExpireAfter');
	const written = isPlainObject(urlsExpireAfter) ? Object.values(urlsExpireAfter as Record<string, ExpirationTime>) : Array.from(urlsExpireAfter as Iterable<readonly [unknown, ExpirationTime]>, ([, expireAfter]) => expireAfter);
	return written[compiled.findIndex(({matches}) => matches(url))];
}
