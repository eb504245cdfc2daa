import {SettingError, hidden} from '../errors.ts';
import {compileIgnored, type Ignored} from '../identity/credentials.ts';
import {parseExpiration, parsePeriod, type Expiration} from '../policy/expiration.ts';
import {
	areTagsBounded,
	isTag,
	maxTagLength,
} from '../policy/fields.ts';
import {compileUrlPattern, isUrlPattern, type UrlExpiration} from '../policy/url-patterns.ts';
import type {ResolvedSettings} from './types.ts';

/** Returns `undefined` for a value that is not allowed. Throws a `SettingError` when a part of it is wrong. */
type Parse<Value> = (value: unknown, path: string) => Value | undefined;

export type Parser<Value> = {
	/** What a message says is allowed. */
	readonly allowed: string;
	readonly parse: Parse<Value>;

	/** Whether messages and `cacheSettings` conceal the value. Default: `false`. */
	readonly isSecret?: true;
};

export const boolean: Parser<boolean> & {readonly default: false} = {
	default: false,
	allowed: 'a boolean',
	parse: value => typeof value === 'boolean' ? value : undefined,
};

export const period: Parser<number> & {readonly default: false} = {
	default: false,
	allowed: 'a boolean, a number of seconds from 0, a duration (`\'5m\'`, `\'PT5M\'`, `{minutes: 5}`) or `NEVER_EXPIRE`',
	parse(value) {
		const longest = value === true ? Infinity : 0;
		return typeof value === 'boolean' ? longest : parsePeriod(value);
	},
};

export const text: Parser<string> = {
	allowed: 'a string that is not empty',
	parse: value => typeof value === 'string' && value !== '' ? value : undefined,
};

export const expiration: Parser<Expiration> = {
	allowed: 'a number of seconds from 0, a valid Date, a duration with units (`\'5m\'`, `\'1h 30m\'`, `\'PT5M\'`, `{minutes: 5}`), `NEVER_EXPIRE`, `EXPIRE_IMMEDIATELY` or `DO_NOT_CACHE`',
	parse: value => Object.freeze(parseExpiration(value)),
};

/**
Parses a value by its row.

@throws {SettingError} When the value is not allowed.
*/
export function parseSetting<Value>({parse, allowed, isSecret}: Parser<Value>, value: unknown, path: string): Value {
	const parsed = parse(value, path);
	if (parsed === undefined) {
		throw new SettingError(path, isSecret === true ? hidden(value) : value, allowed);
	}

	return parsed;
}

/** Returns the path of a member: `cache.store`, `cache["expire-after"]`. */
export function memberPath(path: string, key: string): string {
	return /^[$a-z_][\w$]*$/iv.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
	if (typeof value !== 'object' || value === null) {
		return false;
	}

	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}

export function functionOf<Value>(allowed: string, byDefault?: unknown): Parser<Value> & {readonly default: unknown} {
	return {
		default: byDefault,
		allowed,
		parse: value => typeof value === 'function' ? value as Value : undefined,
	};
}

export function setOf<Item>(allowed: string, parseItem: (item: unknown) => Item | undefined): Parse<ReadonlySet<Item>> {
	return (value, path) => Array.isArray(value) || value instanceof Set
		? new Set(Array.from<unknown, Item>(value, (item, index) => parseSetting({allowed, parse: parseItem}, item, `${path}[${index}]`)))
		: undefined;
}

// The longest time that a request waits in all, unless the setting says otherwise.
const defaultMaxWait = 30_000;

export function singleFlight(value: unknown): ResolvedSettings['singleFlight'] | undefined {
	if (typeof value === 'boolean') {
		return value && {maxWait: defaultMaxWait};
	}

	const {maxWait, ...others} = isPlainObject(value) ? value : {};
	const milliseconds = parsePeriod(maxWait);
	return milliseconds !== undefined && milliseconds > 0 && Number.isFinite(milliseconds) && Object.keys(others).length === 0 ? {maxWait: milliseconds} : undefined;
}

const tagSet = setOf(`a string of 1 to ${maxTagLength} characters`, tag => isTag(tag) ? tag : undefined);

export function tagList(value: unknown, path: string): readonly string[] | undefined {
	const tags = Array.isArray(value) ? [...tagSet(value, path)!] : undefined;
	return tags === undefined || areTagsBounded(tags) ? tags : undefined;
}

export const headerNameSet: Parse<ReadonlySet<string>> = setOf('a header name', name => isToken(name) ? name.toLowerCase() : undefined);

export function headerNames(value: unknown, path: string): boolean | readonly string[] | undefined {
	if (typeof value === 'boolean') {
		return value;
	}

	const names = headerNameSet(value, path);
	return names && Object.freeze([...names]);
}

const defaultStatusName = 'got-cache-hooks';

export function cacheStatus(value: unknown): ResolvedSettings['cacheStatus'] | undefined {
	if (typeof value === 'boolean') {
		return value && {name: defaultStatusName, key: false};
	}

	if (typeof value === 'string') {
		return value === '' ? undefined : {name: value, key: false};
	}

	const {name = defaultStatusName, key = false, ...others} = isPlainObject(value) ? value : {name: ''};
	return typeof name === 'string' && name !== '' && typeof key === 'boolean' && Object.keys(others).length === 0 ? {name, key} : undefined;
}

export function ignoredParameters(value: unknown, path: string): Ignored | undefined {
	if (!Array.isArray(value) && !(value instanceof Set)) {
		return undefined;
	}

	const items = [...value as Iterable<unknown>];
	const ignored = compileIgnored(items);
	if (typeof ignored === 'number') {
		throw new SettingError(`${path}[${ignored}]`, items[ignored], 'a name, a RegExp or a JSON path such as `\'$.user.token\'`');
	}

	return ignored;
}

export function secret(value: unknown, path: string): string | Uint8Array | undefined {
	if (value instanceof Uint8Array) {
		return value.byteLength === 0 ? undefined : Uint8Array.from(value);
	}

	return text.parse(value, path);
}

export function urlExpirations(value: unknown, path: string): readonly UrlExpiration[] | undefined {
	if (Array.isArray(value) || value instanceof Map) {
		return Object.freeze(Array.from<unknown, UrlExpiration>(value, (pair, index) => {
			if (!Array.isArray(pair) || pair.length !== 2) {
				throw new SettingError(`${path}[${index}]`, pair, 'a pair of a pattern and an expiration');
			}

			const [pattern, expireAfter] = pair as readonly unknown[];
			return urlExpiration(pattern, expireAfter, [`${path}[${index}][0]`, `${path}[${index}][1]`]);
		}));
	}

	return isPlainObject(value)
		? Object.freeze(Object.entries(value).map(([glob, expireAfter]) => urlExpiration(glob, expireAfter, [path, memberPath(path, glob)])))
		: undefined;
}

function urlExpiration(pattern: unknown, expireAfter: unknown, [ofPattern, ofExpiration]: readonly [string, string]): UrlExpiration {
	if (!isUrlPattern(pattern)) {
		throw new SettingError(ofPattern, pattern, 'a glob, a RegExp or a URLPattern');
	}

	return Object.freeze({matches: compileUrlPattern(pattern), expiration: parseSetting(expiration, expireAfter, ofExpiration)});
}

export function isWhole(value: unknown): value is number {
	return Number.isSafeInteger(value);
}

// RFC 9110 §5.6.2: the characters of methods and header names.
export function isToken(value: unknown): value is string {
	return typeof value === 'string' && /^[\w!#$%\u{26}'*+\-.^`\|~]+$/v.test(value);
}
