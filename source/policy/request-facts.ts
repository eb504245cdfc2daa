import {deltaMilliseconds, requestDirectives, type Directives} from './directives.ts';
import type {Expiration} from './expiration.ts';
import {resolveExpiration} from './lifetime.ts';
import type {PolicySettings, RequestHead} from './types.ts';

/**
What a request's `Cache-Control` says, or its `Pragma` (RFC 9111 §5.2.1). Periods are in milliseconds, `Infinity` without end.
*/
export type RequestDirectives = {
	readonly noStore: boolean;
	readonly noCache: boolean;
	readonly onlyIfCached: boolean;

	/** 0 where it is broken: nothing is young enough. */
	readonly maximumAge: number | undefined;

	/** `Infinity` where it is broken: nothing that expires is fresh enough. */
	readonly minimumFresh: number | undefined;

	/** 0 where it is broken: nothing stale is accepted. */
	readonly maximumStale: number | undefined;
	readonly staleIfError: number | undefined;
};

/**
What is known of a request, once, for all the rules.
*/
export type RequestFacts = {
	readonly request: RequestHead;
	readonly settings: PolicySettings;
	readonly directives: RequestDirectives;

	/** The user's word on how long the response is to be fresh. */
	readonly expiration: Expiration | undefined;

	/** Whether the settings let a response to it be stored and reused. */
	readonly isMethodAllowed: boolean;

	/** Whether nothing may be sent for it. */
	readonly isOnlyIfCached: boolean;

	/** Whether the origin is to be asked, whatever is stored. */
	readonly asksForRefresh: boolean;

	/** Whether it has a condition that only the origin can tell of (RFC 9111 §4.3.2). */
	readonly hasOriginPrecondition: boolean;

	/** Whether it asks for less than the whole response, by itself. */
	readonly isPartialOrConditional: boolean;

	/** Whether it may be made conditional, so that a 304 says something to the cache and nothing to the caller. */
	readonly mayValidate: boolean;
};

// For others a tag that still matches is a precondition that fails (RFC 9110 §13.1.2).
const validated: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY']);

export function requestFacts(request: RequestHead, settings: PolicySettings): RequestFacts {
	const {method, override = method, url, fields} = request;
	const {cacheControl, allowableMethods, requestExpireAfter: own} = settings;
	const directives = fields['cache-control'] === undefined && fields.pragma === undefined ? nothing : understood(requestDirectives(fields));
	const isPartialOrConditional = fields.range !== undefined || fields['if-none-match'] !== undefined || fields['if-modified-since'] !== undefined;
	return {
		request,
		settings,
		directives,
		expiration: resolveExpiration(url, settings, directives.maximumAge),
		// An override header counts as in requests-cache; but RFC 9111 knows the method that is sent, and an unsafe one is to be sent (§4).
		isMethodAllowed: allowableMethods.has(override) && (!cacheControl || allowableMethods.has(method)),
		isOnlyIfCached: settings.onlyIfCached || directives.onlyIfCached,
		asksForRefresh: settings.refresh || directives.noCache || (own?.kind === 'after' && own.milliseconds === 0),
		hasOriginPrecondition: fields['if-match'] !== undefined || fields['if-unmodified-since'] !== undefined,
		isPartialOrConditional,
		mayValidate: !isPartialOrConditional && validated.has(method),
	};
}

function understood(directives: Directives): RequestDirectives {
	return {
		noStore: directives.has('no-store'),
		noCache: directives.has('no-cache'),
		onlyIfCached: directives.has('only-if-cached'),
		maximumAge: deltaMilliseconds(directives, 'max-age', 0),
		minimumFresh: deltaMilliseconds(directives, 'min-fresh', Infinity),
		maximumStale: withoutEnd(directives, 'max-stale'),
		staleIfError: withoutEnd(directives, 'stale-if-error'),
	};
}

/** Without an argument, it has no end. */
function withoutEnd(directives: Directives, name: string): number | undefined {
	return directives.get(name) === true ? Infinity : deltaMilliseconds(directives, name, 0);
}

const nothing: RequestDirectives = understood(new Map());
