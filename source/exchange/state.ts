import {splitUpdate} from '../cache/compose-response.ts';
import type {CacheCore} from '../cache/core.ts';
import type {Match, NoMatch} from '../cache/entries.ts';
import type {Position, Subject} from '../cache/journal.ts';
import {
	identify,
	resourceOfRequest,
	siblingOf,
	type Identity,
} from '../identity/identify.ts';
import {redactUrl} from '../identity/references.ts';
import {fieldsOf} from '../entry/stored-response.ts';
import {cacheStatusMember, type ForwardReason, type StatusFacts} from '../policy/cache-status.ts';
import type {RequestFacts} from '../policy/facts.ts';
import {fieldLines} from '../policy/fields.ts';
import type {Reason} from '../policy/reasons.ts';
import type {View} from '../policy/types.ts';
import type {InFlight} from './in-flight.ts';
import {factsOf, noMatch, policySource} from './lookup.ts';
import {renderGatewayTimeout, renderStored, withoutCookies} from './render.ts';
import type {ExchangeSettings} from './settings.ts';
import type {
	ExchangeInfo,
	IncomingHead,
	RenderedResponse,
	SentRequest,
} from './exchange.ts';

/**
What both phases of an exchange share: what is known so far, and how it is reported in events, `cacheInfo` and `Cache-Status`.
*/
export class ExchangeState {
	readonly cache: CacheCore;
	readonly settings: ExchangeSettings;
	readonly request: SentRequest;
	readonly identity: Identity;
	readonly facts: RequestFacts;
	key: string | undefined;
	match: Match | NoMatch = noMatch;

	/** The requests that wait for the response to this one; `undefined` where none may. */
	inFlight: InFlight<Match> | undefined;

	/** The tags in the headers of the response, once these have come. */
	receivedTags: readonly string[] = [];
	#sent: SentAttempt | undefined;
	#isUnderWay = false;

	/** Whether the position was advanced since the request itself has invalidated something. */
	#isAdvanced = false;
	#subject: Subject | undefined;
	#info: ExchangeInfo = {
		key: undefined,
		reason: 'miss',
		stored: undefined,
		createdAt: undefined,
		expires: undefined,
		fromCache: false,
		revalidated: false,
		collapsed: false,
	};

	constructor(cache: CacheCore, settings: ExchangeSettings, request: SentRequest) {
		this.cache = cache;
		this.settings = settings;
		this.request = request;
		this.identity = identify(request, settings);
		this.facts = factsOf(request, this.identity, settings);
	}

	get info(): ExchangeInfo {
		return this.#info;
	}

	get sent(): SentAttempt | undefined {
		return this.#sent;
	}

	/** Whether something of the exchange may still be stored. */
	get isUnderWay(): boolean {
		return this.#isUnderWay;
	}

	/** The request's URL as it may be shown. */
	get shownUrl(): string {
		return redactUrl(this.request.targetUrl, this.settings.ignoredParameters);
	}

	/** What invalidations may name the response by: its keys, its resource, its URL and the tags of the request. */
	get subject(): Subject {
		this.#subject ??= this.#named();
		return this.#subject;
	}

	/** The subject with the tags that are known before the body is there: those of the stored response, and those in the headers. */
	get expected(): Subject {
		const {subject, match, receivedTags} = this;
		return {...subject, tags: [...subject.tags, ...match.stored?.tags ?? [], ...receivedTags]};
	}

	/** The key under which requests wait for each other: only those with the same policy source do. */
	get sharingKey(): string {
		return `${policySource(this.settings)} ${this.key!}`;
	}

	/** Updates what `info` says. */
	updateInfo(news: Partial<ExchangeInfo>): void {
		this.#info = {...this.#info, ...news};
	}

	/** Notes that the request will be sent: an invalidation from now on may concern its response. */
	startSending(reason: Reason, conditional: boolean, storesFor?: 'GET'): void {
		this.end();
		this.#isUnderWay = true;
		this.#subject = undefined;
		this.#sent = {
			reason,
			conditional,
			storesFor,
			time: this.settings.now(),
			position: this.cache.journal.begin(),
		};
		this.updateInfo({reason});
	}

	/** Changes what is known of the sent request. */
	updateSent(change: Partial<Omit<SentAttempt, 'position'>>): void {
		this.#sent = {...this.#sent!, ...change};
	}

	/** Moves the position on: no invalidation so far concerns the response. */
	advance(): void {
		this.end();
		this.#isUnderWay = true;
		this.#sent = {...this.#sent!, position: this.cache.journal.begin()};
		this.#isAdvanced = true;
	}

	/** Moves the position of the store on to that at which the request's own invalidations were published. */
	advanceTo(head: number | undefined): void {
		if (head !== undefined && this.#isAdvanced) {
			this.#sent = {...this.#sent!, position: {...this.#sent!.position, head}};
		}
	}

	/** Ends the exchange: nothing more of it is stored. */
	end(): void {
		if (!this.#isUnderWay) {
			return;
		}

		this.#isUnderWay = false;
		this.cache.journal.end(this.#sent!.position);
	}

	/**
	Makes the caller's response of the stored one.

	@param head - The head of the origin's response, if there was one.
	*/
	serve(reason: Reason, view: View, head?: IncomingHead): RenderedResponse {
		const {stored} = this.match as Match;
		this.updateInfo({
			reason,
			fromCache: true,
			createdAt: stored.createdAt,
			expires: stored.expires,
		});
		this.cache.answered({...this.eventDetails, reason, stored});
		return renderStored(this.settings.storeSetCookie ? stored : withoutCookies(stored), {
			view,
			method: this.request.method,
			ageAt: this.settings.cacheControl ? this.settings.now() : undefined,
			status: this.status(head?.statusCode),
			// Only these lines are for this caller alone; the stored response has the others.
			own: head?.statusCode === 304 ? splitUpdate(head.rawHeaders, this.request.targetUrl, this.settings).own : [],
		});
	}

	/** Makes a 504 for the caller. */
	fail(reason: Reason, message: string): RenderedResponse {
		this.updateInfo({reason});
		this.cache.answered({...this.eventDetails, reason});
		return renderGatewayTimeout(message, this.status());
	}

	/** Reports that the caller gets the origin's response, or its failure. */
	reportForwarded(): void {
		const details = {...this.eventDetails, reason: this.#info.reason};
		if (this.key === undefined) {
			this.cache.bypassed(details);
		} else {
			this.cache.answered(details);
		}
	}

	/** Reports that the origin's response is not stored. */
	reportRefused(reason: Reason): void {
		if (this.key !== undefined) {
			this.cache.written('refused', {...this.eventDetails, reason});
		}
	}

	#named(): Subject {
		const {request, settings, key, match} = this;
		const keys = [key, ...(match.stored === undefined ? [] : [match.primary, match.key])];
		return {
			keys: [...new Set(keys.filter(known => known !== undefined))],
			resource: resourceOfRequest(this.#sent?.storesFor === undefined ? request : siblingOf(request, this.#sent.storesFor), settings.ignoredParameters),
			url: this.shownUrl,
			tags: settings.requestTags,
		};
	}

	/**
	The member of this cache in `Cache-Status`; `undefined` where the settings want none.

	@param statusCode - That of the origin's response, if there was one.
	@param stored - Whether that response is stored.
	*/
	status(statusCode?: number, stored = false): string | undefined {
		const {cacheStatus, now} = this.settings;
		return cacheStatus === false
			? undefined
			: describeStatus(cacheStatus, this.#info, {
				forwarded: this.#sent?.reason,
				varies: this.match.stored === undefined && this.match.varies,
				...(statusCode !== undefined && {statusCode}),
				stored,
				now: now(),
			});
	}

	/** What events say of the request. */
	get eventDetails(): {readonly key: string | undefined; readonly request: SentRequest; readonly background: boolean} {
		return {key: this.key, request: this.request, background: this.settings.background === true};
	}
}

/** How and when a request was sent. */
type SentAttempt = {
	readonly reason: Reason;
	readonly conditional: boolean;

	/** The method to whose requests the response may answer, if that is not the request's own. */
	readonly storesFor: 'GET' | undefined;

	/** When the request was sent, in milliseconds since the epoch. */
	readonly time: number;

	/** The position of the last invalidation before the request was sent. */
	readonly position: Position;
};

/**
Makes the member of `Cache-Status` for an answer.
*/
function describeStatus({name, key}: CacheStatusSettings, info: ExchangeInfo, {forwarded, varies, statusCode, stored, now}: StatusNews): string {
	const detail = info.fromCache && info.reason !== 'fresh' && info.reason !== 'revalidated' ? info.reason : undefined;
	return remembered(name, {
		hit: forwarded === undefined && info.fromCache,
		forward: forwarded === undefined ? undefined : forwardOf(forwarded, varies),
		forwardStatus: statusCode,
		stored: stored === true,
		collapsed: info.collapsed,
		ttl: info.fromCache && info.expires !== undefined ? Math.floor((info.expires - now) / 1000) : undefined,
		key: key ? info.key : undefined,
		detail: info.reason === 'only-if-cached' || info.reason === 'gateway-timeout' ? info.reason : detail,
	});
}

/** How `Cache-Status` (RFC 9211) names this cache, and whether it tells the key. */
type CacheStatusSettings = {
	readonly name: string;
	readonly key: boolean;
};

type StatusNews = {
	/** Why the request went to the origin; `undefined` where it did not. */
	readonly forwarded: Reason | undefined;
	readonly varies: boolean;

	/** What the origin answered, if it did. */
	readonly statusCode?: number;
	readonly stored?: boolean;
	readonly now: number;
};

const forwardReasons: Partial<Record<Reason, ForwardReason>> = {
	method: 'method',
	miss: 'uri-miss',
	filtered: 'uri-miss',
	stale: 'stale',
	'no-cache': 'stale',
	'must-revalidate': 'stale',
	refresh: 'request',
	'force-refresh': 'request',
	'request-limits': 'request',
	precondition: 'request',
	'request-no-store': 'request',
	range: 'partial',
};

function forwardOf(reason: Reason, varies: boolean): ForwardReason {
	return reason === 'miss' && varies ? 'vary-miss' : forwardReasons[reason] ?? 'bypass';
}

function remembered(name: string, facts: StatusFacts): string {
	const {hit, forward, forwardStatus, stored, collapsed, ttl, key, detail} = facts;
	const id = `${hit} ${forward} ${forwardStatus} ${stored} ${collapsed} ${ttl} ${detail} ${name} ${key}`;
	const known = members.get(id);
	if (known !== undefined) {
		return known;
	}

	const member = cacheStatusMember(name, facts);
	if (members.size >= mostMembers) {
		members.clear();
	}

	members.set(id, member);
	return member;
}

/** Members that were made lately, by their facts: answers within one second mostly have the same. */
const members = new Map<string, string>();
const mostMembers = 500;
