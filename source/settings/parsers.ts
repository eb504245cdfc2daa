import {SettingError, shownText} from '../errors.ts';
import {
	isPlainObject,
	memberPath,
	boolean,
	oneOf,
	parseInput,
	parseOptions,
	setOf,
	text,
	type Parser,
	type Parsers,
} from '../parse.ts';
import {failureOf} from '../identity/key.ts';
import {parseExpiration, parsePeriod, type Expiration} from '../policy/expiration.ts';
import {
	areTagsBounded,
	isTag,
	maxTagLength,
} from '../policy/fields.ts';
import {coveringGlob, whyUnmatchable} from '../policy/unmatchable-patterns.ts';
import {
	compileUrlPattern,
	isUrlPattern,
	type UrlExpiration,
	type UrlMatcher,
	type UrlPattern,
} from '../policy/url-patterns.ts';
import type {Mode} from '../policy/modes.ts';
import {isWarned, warnOnce} from '../warnings.ts';
import type {ResolvedSettings} from './types.ts';

export const period: Parser<number> & {readonly default: false} = {
	default: false,
	allowed: 'a boolean, a number of seconds from 0, a duration (`\'5m\'`, `\'PT5M\'`, `{minutes: 5}`) or `NEVER_EXPIRE`',
	parse(value) {
		const longest = value === true ? Infinity : 0;
		return typeof value === 'boolean' ? longest : parsePeriod(value);
	},
};

export const expiration: Parser<Expiration> = {
	allowed: 'a number of seconds from 0, a valid Date, a duration with units (`\'5m\'`, `\'1h 30m\'`, `\'PT5M\'`, `{minutes: 5}`), an HTTP date (`\'Tue, 01 Jan 2030 00:00:00 GMT\'`), `NEVER_EXPIRE`, `EXPIRE_IMMEDIATELY` or `DO_NOT_CACHE`',
	parse: value => Object.freeze(parseExpiration(value, Date.now())),
};

/** Parses an object with settings, whose members are checked by their rows. */
export const settingsObject: Parser<Readonly<Record<string, unknown>>> = {
	allowed: 'an object with settings',
	parse: value => isPlainObject(value) ? value : undefined,
};

// The longest time that a request waits in all, unless the setting says otherwise.
const defaultMaxWait = 30_000;

export function singleFlight(value: unknown, path: string): ResolvedSettings['singleFlight'] | undefined {
	if (typeof value === 'boolean') {
		return value && {maxWait: defaultMaxWait};
	}

	const {maxWait} = isPlainObject(value) ? parseOptions(singleFlightParsers, value, path) : {};
	return maxWait === undefined ? undefined : {maxWait};
}

const singleFlightParsers: Parsers<{readonly maxWait?: number}> = {
	maxWait: {
		allowed: 'a duration above 0 (seconds, `\'500ms\'`, `{milliseconds: 500}`)',
		parse(value) {
			const milliseconds = parsePeriod(value) ?? 0;
			return milliseconds > 0 && Number.isFinite(milliseconds) ? milliseconds : undefined;
		},
	},
};

const tagSet = setOf(`a string of 1 to ${maxTagLength} characters`, tag => isTag(tag) ? tag : undefined);

export function tagList(value: unknown, path: string): readonly string[] | undefined {
	const tags = Array.isArray(value) ? [...tagSet(value, path)!] : undefined;
	return tags === undefined || areTagsBounded(tags) ? tags : undefined;
}

const defaultStatusName = 'got-cache-hooks';

export function cacheStatus(value: unknown, path: string): ResolvedSettings['cacheStatus'] | undefined {
	if (typeof value === 'boolean') {
		return value && {name: defaultStatusName, key: false};
	}

	if (typeof value === 'string') {
		return value === '' ? undefined : {name: value, key: false};
	}

	return isPlainObject(value) ? {name: defaultStatusName, key: false, ...parseOptions(statusParsers, value, path)} : undefined;
}

const statusParsers: Parsers<{readonly name?: string; readonly key?: boolean}> = {name: text, key: boolean};

const modeName: Parser<Mode> = oneOf('record', 'replay', 'record-missing');
const modeParsers: Parsers<{readonly name?: Mode; readonly allowPlaybackRepeats?: boolean}> = {name: modeName, allowPlaybackRepeats: boolean};

export function mode(value: unknown, path: string): ResolvedSettings['mode'] | undefined {
	const {name, allowPlaybackRepeats = true} = isPlainObject(value) ? parseOptions(modeParsers, value, path) : {name: modeName.parse(value, path)};
	return name === undefined ? undefined : {name, allowPlaybackRepeats};
}

export function urlExpirations(value: unknown, path: string): readonly UrlExpiration[] | undefined {
	if (!Array.isArray(value) && !(value instanceof Map) && !isPlainObject(value)) {
		return undefined;
	}

	const isObject = isPlainObject(value);
	const pairs: readonly unknown[] = isObject ? Object.entries(value) : [...value];
	const parsed = pairs.map((pair, index) => {
		if (!Array.isArray(pair) || pair.length !== 2) {
			throw new SettingError(`${path}[${index}]`, pair, 'a pair of a pattern and an expiration');
		}

		const [pattern, expireAfter] = pair as readonly unknown[];
		return urlExpiration(pattern, expireAfter, isObject ? [path, memberPath(path, String(pattern))] : [`${path}[${index}][0]`, `${path}[${index}][1]`]);
	});
	warnOfPatterns(path, pairs.map(pair => (pair as readonly UrlPattern[])[0]!), true);
	return Object.freeze(parsed);
}

/**
Warns once of patterns that no URL can match.

@param isOrdered - Whether the first pattern that matches counts, so that one can make a later one useless.
*/
export function warnOfPatterns(path: string, patterns: readonly UrlPattern[], isOrdered: boolean): void {
	if (isWarned('GOT_CACHE_URL_PATTERN')) {
		return;
	}

	const reasons = patterns.flatMap((pattern, index) => {
		const covering = isOrdered && typeof pattern === 'string' ? coveringGlob(pattern, patterns.slice(0, index)) : undefined;
		const reason = whyUnmatchable(pattern) ?? (covering === undefined ? undefined : `comes after \`${shownText(covering)}\`, which matches all of its URLs`);
		return reason === undefined ? [] : [`\`${shownText(typeof pattern === 'string' ? pattern : `${pattern as RegExp}`)}\` ${reason}.`];
	});
	if (reasons.length > 0) {
		warnOnce('GOT_CACHE_URL_PATTERN', path, reasons.slice(0, 3).join(' '));
	}
}

/** Lets a `URLPattern` of the user fail with an error that names the setting, and does not show the URL. */
function withFailures(matches: UrlMatcher): UrlMatcher {
	return url => {
		try {
			return matches(url);
		} catch (error) {
			throw failureOf('urlsExpireAfter', error);
		}
	};
}

function urlExpiration(pattern: unknown, expireAfter: unknown, [ofPattern, ofExpiration]: readonly [string, string]): UrlExpiration {
	if (!isUrlPattern(pattern)) {
		throw new SettingError(ofPattern, pattern, 'a glob, a RegExp or a URLPattern');
	}

	return Object.freeze({matches: withFailures(compileUrlPattern(pattern)), expiration: parseInput(expiration, expireAfter, ofExpiration)});
}
