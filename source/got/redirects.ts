import {Buffer} from 'node:buffer';
import type {Options} from 'got';
import type {StoredCookie} from '../entry/stored-response.ts';
import type {Redirects} from '../exchange/exchange.ts';
import {withoutFragment} from '../policy/storing.ts';

/**
The redirects that led to a request; `undefined` where it follows none.

@param needsCookies - Whether the cookies that a stored redirect set do not come with it.
*/
export function redirectsOf(options: Options, needsCookies: boolean): Redirects | undefined {
	if (options.followRedirect === false) {
		return undefined;
	}

	return {
		check(stored) {
			const location = locationOf(stored.statusCode, stored.fields.location);
			if (location === undefined) {
				return undefined;
			}

			const urls = [...(options.context as Context)[visited] ?? [], options.url as URL].map(url => withoutFragment(url));
			// Node.js gives each byte of UTF-8 as a character; Got decodes them in the same way.
			const target = URL.parse(Buffer.from(location, 'latin1').toString(), String(options.url));
			if (target !== null && urls.includes(withoutFragment(target))) {
				return 'loop';
			}

			return !needsCookies || stored.cookies === undefined || options.cookieJar === undefined ? undefined : judgeCookies(stored.cookies, options.cookieJar as CookieJar);
		},
	};
}

/** Notes for the next hop that the chain of redirects has been to the URL of these options. */
export function noteRedirect(options: Options, {statusCode, headers: {location}}: {readonly statusCode?: number | undefined; readonly headers: Readonly<Record<string, unknown>>}): void {
	if (locationOf(statusCode ?? 0, location) === undefined) {
		return;
	}

	const context = options.context as Context;
	context[visited] = [...context[visited] ?? [], (options.url as URL).href];
}

/** The key of the visited URLs in `context`, which Got copies, symbols included, from one hop to the next. */
const visited = Symbol('got-cache-hooks: visited URLs');

type Context = {[visited]?: readonly string[]};

// The status codes of redirects that Got follows.
const followedCodes = new Set([300, 301, 302, 303, 304, 307, 308]);

function locationOf(statusCode: number, location: unknown): string | undefined {
	const first: unknown = Array.isArray(location) ? location[0] : location;
	return typeof first === 'string' && followedCodes.has(statusCode) ? first : undefined;
}

async function judgeCookies(cookies: readonly StoredCookie[], jar: CookieJar): Promise<'cookie' | undefined> {
	try {
		const known = await Promise.all(cookies.map(async cookie => isKnown(cookie, await jar.getCookieString(cookie.url))));
		return known.every(Boolean) ? undefined : 'cookie';
	} catch {
		// Where the jar fails, it is not known which cookies it has.
		return 'cookie';
	}
}

/** A cookie jar as Got gives it: one with callbacks has been made one with promises. */
type CookieJar = {readonly getCookieString: (url: string) => Promise<string>};

function isKnown({name, isDeleted}: StoredCookie, header: string): boolean {
	const names = header.split(';').map(pair => pair.split('=', 1)[0]!.trim());
	return names.includes(name) !== isDeleted;
}
