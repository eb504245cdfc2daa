import type {CacheCore} from '../cache/core.ts';
import type {AsyncContext} from '../cache/reporter.ts';
import {noMatch, type Match, type NoMatch} from '../cache/entries.ts';
import type {Position} from '../cache/journal.ts';
import type {Subject} from '../cache/journal-records.ts';
import {CachedResponse} from '../entry/cached-response.ts';
import {bodyLength, type StoredResponse} from '../entry/stored-response.ts';
import {
	identify,
	resourceOfRequest,
	siblingOf,
	type Identity,
} from '../identity/identify.ts';
import {redactHref} from '../identity/references.ts';
import {unknownBody, type SentRequest} from '../identity/sent-request.ts';
import {recover, then, type MaybePromise} from '../maybe-promise.ts';
import {requestFacts, type RequestFacts} from '../policy/facts.ts';
import {describeStatus} from '../policy/cache-status.ts';
import type {RawFields} from '../policy/fields.ts';
import type {Reason, View} from '../policy/types.ts';
import type {ExchangeInfo, RenderedResponse} from './exchange.ts';
import type {InFlight} from './in-flight.ts';
import {
	renderGatewayTimeout,
	renderStored,
	withoutCookies,
} from './render.ts';
import type {ExchangeSettings} from './settings.ts';

const noTags: readonly string[] = [];

/** How and when a request was sent. */
type SentAttempt = {
	readonly reason: Reason;
	readonly conditional: boolean;

	/** The method whose requests the response may answer, if that is not the request's own. */
	readonly storeAs: 'GET' | undefined;

	/** When the request was sent, in milliseconds since the epoch. */
	time: number;

	/** The position of the last invalidation before the request was sent. */
	readonly position: Position;
};

/** The data of an exchange that both of its phases read and change, and its reports to events, `cacheInfo` and `Cache-Status`. */
export class ExchangeState {
	readonly cache: CacheCore;
	readonly settings: ExchangeSettings;
	readonly request: SentRequest;
	readonly identity: Identity;
	readonly facts: RequestFacts;

	/** The async context of the request, if anybody listens to its events. The origin's response may come in that of another request on the same connection. */
	readonly context: AsyncContext | undefined;

	/** The status code of the answer, once there is one. */
	statusCode: number | undefined;

	/** The bytes of stored content that were served, if any response was. */
	servedBytes: number | undefined;

	/** Why no response came. */
	failure: unknown;
	key: string | undefined;
	match: Match | NoMatch = noMatch;

	/** The entry of this request that other requests wait for; `undefined` if none may. */
	inFlight: InFlight<Match> | undefined;

	/** The tags in the headers of the response, once it has begun. */
	receivedTags: readonly string[] = noTags;
	#sent: SentAttempt | undefined;
	#mayStore = false;

	/** Whether the request itself has invalidated something, and the position was moved past that. */
	#isAdvanced = false;
	#resource: string | undefined;
	#sharingKey: string | undefined;
	readonly #info: ExchangeInfo;

	constructor(cache: CacheCore, settings: ExchangeSettings, request: SentRequest, context?: AsyncContext) {
		this.cache = cache;
		this.context = context ?? cache.events.captureContext();
		this.settings = settings;
		this.#info = {
			key: undefined,
			reason: 'miss',
			stored: undefined,
			createdAt: undefined,
			expires: undefined,
			fromCache: false,
			revalidated: false,
			collapsed: false,
			now: settings.now,
		};
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

	/** Whether a response that may be stored is expected to be: the store has answered this request, and takes what it is given. */
	isStorageExpected(bytes: number): boolean {
		return this.cache.isExpectedToTake(bytes) && !(this.match.stored === undefined && this.match.isUnread === true);
	}

	/** Whether a response to the request may still be stored. */
	get mayStore(): boolean {
		return this.#mayStore;
	}

	/** The request's URL without credentials. */
	get redactedUrl(): string {
		return redactHref(this.request.targetUrl, this.settings.ignoredParameters);
	}

	/** The names by which an invalidation concerns the response: its keys, its resource, its URL and the tags of the request. */
	get subject(): Subject {
		return this.subjectWith(this.settings.requestTags);
	}

	/** The subject with the tags that are known before the body has arrived: those of the stored response, and those in the headers. */
	get expectedSubject(): Subject {
		const {match, receivedTags, settings: {requestTags}} = this;
		return this.subjectWith([...requestTags, ...match.stored?.tags ?? [], ...receivedTags]);
	}

	/** The keys under which the response is known: its own, and those of the stored response. */
	get knownKeys(): readonly string[] {
		const {key, match} = this;
		const keys = [key, ...(match.stored === undefined ? [] : [match.primary, match.key])];
		return [...new Set(keys.filter(known => known !== undefined))];
	}

	/** The name of the resource of the response. */
	get resource(): string {
		const {request, settings: {ignoredParameters}} = this;
		this.#resource ??= resourceOfRequest(this.#sent?.storeAs === undefined ? request : siblingOf(request, this.#sent.storeAs), ignoredParameters);
		return this.#resource;
	}

	/**
	Returns the subject with other tags.

	@param key - The key under which the response will be stored, if it is known by then.
	*/
	subjectWith(tags: readonly string[], key?: string): Subject {
		return new ResponseSubject(this, tags, key);
	}

	/** The key under which requests wait for each other. Requests with different policy sources do not. */
	get sharingKey(): string {
		this.#sharingKey ??= `${policySource(this.settings)} ${this.key!}`;
		return this.#sharingKey;
	}

	/** Whether the request is a refresh in the background. */
	get background(): boolean {
		return this.settings.background === true;
	}

	/** Returns whether the user's `filterFn` accepts a response. A function that throws accepts none: a `settingError` event reports the error, and the request goes on. */
	accepts(stored: StoredResponse): MaybePromise<boolean> {
		const {settings: {filterFn, now}, key = '', cache} = this;
		return filterFn === undefined || recover(() => filterFn(new CachedResponse(key, stored, now)), error => {
			cache.events.emit('settingError', {setting: 'filterFn', error});
			return false;
		});
	}

	updateInfo(change: Partial<ExchangeInfo>): void {
		Object.assign(this.#info, change);
	}

	/** Notes that the request will be sent. An invalidation from now on may concern its response. */
	startSending(reason: Reason, conditional: boolean, storeAs?: 'GET'): void {
		this.end();
		this.#mayStore = true;
		this.#resource = undefined;
		this.#sent = {
			reason,
			conditional,
			storeAs,
			time: this.settings.now(),
			position: this.cache.journal.begin(),
		};
		this.updateInfo({reason});
	}

	/** Notes that the request is sent now. */
	noteSendTime(): void {
		this.#sent!.time = this.settings.now();
	}

	/** Changes why the request is sent. */
	changeReason(reason: Reason): void {
		this.#sent = {...this.#sent!, reason};
		this.updateInfo({reason});
	}

	/** Moves the position to the last invalidation so far: none of them concerns the response. */
	advance(): void {
		this.end();
		this.#mayStore = true;
		this.#sent = {...this.#sent!, position: this.cache.journal.begin()};
		this.#isAdvanced = true;
	}

	/** Moves the position in the store to the one at which the request's own invalidations were published. */
	advanceTo(head: number | undefined): void {
		if (head !== undefined && this.#isAdvanced) {
			this.#sent = {...this.#sent!, position: {...this.#sent!.position, head}};
		}
	}

	/** Ends the exchange: from now on, nothing is stored. */
	end(): void {
		if (!this.#mayStore) {
			return;
		}

		this.#mayStore = false;
		this.cache.journal.end(this.#sent!.position);
	}

	/**
	Serves the stored response.

	@param statusCode - The status code of the origin's response, if there was one.
	@param ownLines - The header lines of the origin's response that are for this caller only.
	*/
	serve(reason: Reason, view: View, statusCode?: number, ownLines?: RawFields): RenderedResponse {
		const {stored} = this.match as Match;
		this.updateInfo({
			reason,
			fromCache: true,
			createdAt: stored.createdAt,
			expires: stored.expires,
		});
		const response = renderStored(this.settings.storeSetCookie ? stored : withoutCookies(stored), {
			view,
			method: this.request.method,
			ageAt: this.settings.cacheControl ? this.settings.now() : undefined,
			status: this.status(statusCode),
			ownLines,
		});
		this.#answer(response, reason, stored);
		return response;
	}

	/** Serves a 504. */
	fail(reason: Reason, message: string): RenderedResponse {
		this.updateInfo({reason});
		const response = renderGatewayTimeout(message, this.status());
		this.#answer(response, reason);
		return response;
	}

	/** Reports that the caller gets a response of the cache. */
	#answer({statusCode, body}: RenderedResponse, reason: Reason, stored?: StoredResponse): void {
		this.statusCode = statusCode;
		this.servedBytes = stored === undefined ? undefined : bodyLength(body);
		this.cache.events.answered(this, reason, stored);
	}

	/** Reports that the caller gets the origin's response, or its failure. */
	reportForwarded(): void {
		const {reason} = this.#info;
		if (this.key === undefined) {
			this.cache.events.bypassed(this, reason);
		} else {
			this.cache.events.answered(this, reason);
		}
	}

	/** Reports that the origin's response is not stored. */
	reportRefused(reason: Reason): void {
		if (this.key !== undefined) {
			this.cache.events.written('refused', this, reason);
		}
	}

	/**
	Returns the member of this cache in `Cache-Status`; `undefined` if the settings want none.

	@param statusCode - The status code of the origin's response, if there was one.
	@param stored - Whether that response is stored.
	*/
	status(statusCode?: number, stored = false): string | undefined {
		const {cacheStatus, now} = this.settings;
		return cacheStatus === false
			? undefined
			: describeStatus(cacheStatus, this.#info, {
				forwarded: this.#sent?.reason,
				varies: this.match.stored === undefined && this.match.varies,
				statusCode,
				stored,
				now: now(),
			});
	}
}

/** The names by which an invalidation concerns a response. They are made when they are read: mostly, nothing was invalidated since the request was sent. */
class ResponseSubject implements Subject {
	readonly tags: readonly string[];
	readonly #state: ExchangeState;
	readonly #key: string | undefined;

	constructor(state: ExchangeState, tags: readonly string[], key: string | undefined) {
		this.#state = state;
		this.tags = tags;
		this.#key = key;
	}

	get keys(): readonly string[] {
		const {knownKeys} = this.#state;
		return this.#key === undefined || knownKeys.includes(this.#key) ? knownKeys : [this.#key, ...knownKeys];
	}

	get resource(): string {
		return this.#state.resource;
	}

	get url(): string {
		return this.#state.redactedUrl;
	}
}

/** Returns the facts of a request for the rules. */
export function factsOf({method, override, targetUrl, fields, body}: SentRequest, identity: Identity, settings: ExchangeSettings): RequestFacts {
	return requestFacts({
		method,
		override,
		url: targetUrl,
		// A recording does not depend on the directives of the request.
		fields: settings.recording.ignoresDirectives ? {...fields, 'cache-control': undefined, pragma: undefined} : fields,
		keyable: body !== unknownBody,
		hasSecretBody: settings.cacheControl && method === 'POST' && identity.hasBodyCredential,
	}, settings);
}

/** Returns whether the settings (`'user'`) or the headers (`'origin'`) decide what is stored and for how long. Of two clients that share a store, each ignores entries of the other policy source. */
export function policySource({cacheControl}: Pick<ExchangeSettings, 'cacheControl'>): 'user' | 'origin' {
	return cacheControl ? 'origin' : 'user';
}

/** Finds the stored response for a request. A response to a GET answers a HEAD, without its content (RFC 9110 §9.3.2). */
export function findStored(key: string, request: SentRequest, settings: ExchangeSettings, cache: CacheCore): MaybePromise<Match | NoMatch> {
	if (request.method !== 'HEAD' || request.override !== undefined) {
		return findByKey(key, request, settings, cache);
	}

	const {separatesHead, allowsRepeats} = settings.recording;
	return separatesHead
		? then(findByKey(key, request, settings, cache), own => allowsRepeats && own.stored === undefined && own.isUnread !== true ? findForHead(key, request, settings, cache) : own)
		: findForHead(key, request, settings, cache);
}

function findForHead(key: string, request: SentRequest, settings: ExchangeSettings, cache: CacheCore): MaybePromise<Match | NoMatch> {
	return then(identify(siblingOf(request, 'GET'), settings).key(settings.secret), keyOfGet => then(
		keyOfGet === undefined ? noMatch : findByKey(keyOfGet, request, settings, cache),
		match => match.stored === undefined && match.isUnread !== true ? findByKey(key, request, settings, cache) : match,
	));
}

function findByKey(key: string, request: SentRequest, settings: ExchangeSettings, cache: CacheCore): MaybePromise<Match | NoMatch> {
	const found = cache.match(key, request.fields, {resource: resourceFor(request, settings), isReadOnly: settings.readOnly});
	return found instanceof Promise ? found.then(match => usable(match, request, settings)) : usable(found, request, settings);
}

function resourceFor(request: SentRequest, {cacheControl, ignoredParameters}: ExchangeSettings): (() => string) | undefined {
	return cacheControl ? () => resourceOfRequest(request, ignoredParameters) : undefined;
}

function usable(match: Match | NoMatch, request: SentRequest, settings: ExchangeSettings): Match | NoMatch {
	return match.stored === undefined || (answersMethod(match.stored, request) && match.stored.decidedBy === policySource(settings)) ? match : noMatch;
}

/** Returns whether a stored response may answer the method of a request. The response to a HEAD has no content for a GET, though a `keyFn` may give both the same key (RFC 9110 §9.3.2). */
export function answersMethod(stored: Pick<StoredResponse, 'method'>, request: Pick<SentRequest, 'method'>): boolean {
	return stored.method !== 'HEAD' || request.method === 'HEAD';
}
