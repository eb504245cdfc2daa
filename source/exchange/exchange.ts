import type {CacheCore} from '../cache/core.ts';
import {
	freshenResponse,
	splitUpdate,
	type ReceivedResponse,
	type Renewal,
} from '../cache/compose-response.ts';
import type {Match, NoMatch} from '../cache/variants.ts';
import {then, withinTime, type MaybePromise} from '../maybe-promise.ts';
import {identify, type Identity} from '../identity/identify.ts';
import {handsOutSecret} from '../identity/redact.ts';
import {redactUrl} from '../identity/url.ts';
import {fieldsOf, type StoredResponse} from '../model/stored-response.ts';
import {mayCollapse} from '../policy/collapsing.ts';
import {isWhole} from '../policy/completeness.ts';
import {fieldValue, type Fields} from '../policy/fields.ts';
import type {Reason, WriteReason} from '../policy/reasons.ts';
import {
	onLookup,
	onRefusedKey,
	onRequest,
	type Found,
	type RequestFacts,
	type Verdict,
} from '../policy/request-rules.ts';
import {onError, onResponse} from '../policy/response-rules.ts';
import type {ResponseDecision, ResponseHead, View} from '../policy/types.ts';
import {factsOf, settingOfKey} from './exchange-keys.ts';
import type {ExchangeSettings} from './exchange-settings.ts';
import type {
	Answer,
	ExchangeInfo,
	IncomingHead,
	OutgoingRequest,
	Redirects,
	RenderedResponse,
	Step,
} from './exchange-types.ts';
import {ExchangeWrites, type WriteContext} from './exchange-writes.ts';
import type {Flight} from './flight.ts';
import {
	decidedBy,
	findStored,
	noMatch,
} from './find-stored.ts';
import {Patience} from './patience.ts';
import {renderGatewayTimeout, renderStored} from './render.ts';
import {describeStatus} from './status.ts';

// A key that took longer to make than the request may be kept back.
const late = Symbol('late');

/** Of a request that is on its way. */
type Sent = {
	readonly reason: Reason;
	readonly conditional: boolean;
	readonly storesFor: 'GET' | undefined;
	readonly time: number;
	readonly invalidations: number;
};

/**
One attempt of one hop, from the request as it will be sent to what is stored: asks the policy, does what it decides.

It knows no sockets: who drives it calls `begin`, then `respond` or `fail`, then `commit` or `abandon`.
*/
export class Exchange {
	readonly request: OutgoingRequest;

	/** By `performance.now()`. */
	readonly began: number = performance.now();

	/** How long it may be kept back. */
	readonly patience: Patience;
	readonly #cache: CacheCore;
	readonly #settings: ExchangeSettings;
	readonly #redirects: Redirects | undefined;
	readonly #identity: Identity;
	readonly #facts: RequestFacts;
	#made: ExchangeWrites | undefined;
	#key: string | undefined;
	#match: Match | NoMatch = noMatch;
	#redirect: Found['redirect'];
	#sent: Sent | undefined;
	#awaitsRetries = false;
	#isResent = false;
	#received: ReceivedResponse | undefined;

	/** Of what came. */
	#fields: Fields = {};

	/** Who waits for what this exchange gets, where it leads. */
	#flight: Flight | undefined;
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

	constructor(cache: CacheCore, settings: ExchangeSettings, request: OutgoingRequest, redirects?: Redirects) {
		this.#cache = cache;
		this.#redirects = redirects;
		this.#settings = settings;
		this.request = request;
		this.#identity = identify(request, settings);
		this.#facts = factsOf(request, this.#identity, settings);
		const {storeTimeout, failFast, singleFlight} = settings;
		this.patience = new Patience({store: failFast ? Infinity : storeTimeout, inAll: singleFlight === false ? Infinity : singleFlight.maxWait}, this.began);
	}

	/** Most requests write nothing. */
	get #writes(): ExchangeWrites {
		this.#made ??= new ExchangeWrites(this.#cache, this.#settings, this.request, {
			refuse: reason => {
				this.#flight?.pass();
				this.#refuse(reason);
				this.#tell({stored: reason});
			},
			composed: stored => this.#land(stored),
		});
		return this.#made;
	}

	get info(): ExchangeInfo {
		return this.#info;
	}

	/** The request's URL as it may be shown. */
	get shownUrl(): string {
		return redactUrl(this.request.targetUrl, this.#settings.ignoredParameters);
	}

	/** For the origin's answer, the longest body that is kept, in bytes. */
	get maxEntryBytes(): number {
		return this.#settings.maxEntryBytes;
	}

	/** What the user gave to make the key with. */
	get keySetting(): 'keyFn' | 'partitionBy' {
		return settingOfKey(this.#settings);
	}

	/**
	Decides what to do with the request.

	@param isLastResort - Whether what is stored may stand in before the origin is asked again: Got has used up its retries.
	*/
	begin(isLastResort = false): MaybePromise<Step> {
		const decision = onRequest(this.#facts);
		if (decision.do !== 'lookup' && decision.do !== 'send') {
			return this.#execute(decision);
		}

		const found = then(this.#identity.key(this.#settings.secret), made => this.#settings.keyFn === undefined ? made : this.#cache.checkedKey(made));
		return then(found instanceof Promise ? withinTime<string | typeof late | undefined>(found, this.patience.leftInAll, late) : found, key => {
			if (key === late) {
				return this.standAside();
			}

			if (key === undefined) {
				return this.#execute(onRefusedKey(this.#facts));
			}

			this.#key = key;
			this.#tell({key});
			return decision.do === 'send' ? this.#execute(decision) : this.#lookup(key, isLastResort);
		});
	}

	/** Whether the request, which is to be sent, may be answered by what another gets that is on its way, and the other way round. */
	get mayShare(): boolean {
		return this.#key !== undefined && this.#settings.singleFlight !== false && mayCollapse(this.#facts, this.#sent!.reason);
	}

	/** The request headers that what is stored varies by. */
	get variesBy(): readonly string[] | undefined {
		return this.#match.stored?.vary?.names;
	}

	/** Under it others wait for what this exchange gets: those who go by the same word. */
	get flightKey(): string {
		return `${decidedBy(this.#settings)} ${this.#key!}`;
	}

	/** From now on others may wait for what this exchange gets. */
	lead(flight: Flight): void {
		this.#flight = flight;
		flight.isOutdated = () => this.#sent !== undefined && this.#writes.isChangedSince(this.#sent.invalidations);
	}

	/** Decides anew, by what another request got meanwhile. */
	reuse(match: Match): MaybePromise<Step> {
		this.#tell({collapsed: true});
		return then(this.#use(match, this.#key!, false), step => {
			if (step.do === 'send') {
				this.#tell({collapsed: false});
			}

			return step;
		});
	}

	/** Decides anew, by what is stored now: another may have asked. */
	again(): MaybePromise<Step> {
		const former = this.#sent?.reason;
		this.#sent = undefined;
		return then(this.#lookup(this.#key!, false), step => {
			this.#keepReason(former);
			return step;
		});
	}

	/** What the filter refused has been deleted since: why the request is sent is still that. */
	#keepReason(former: Reason | undefined): void {
		if (former !== 'filtered' || this.#sent?.reason !== 'miss') {
			return;
		}

		this.#sent = {...this.#sent, reason: former};
		this.#tell({reason: former});
	}

	/** Gives those who wait what was found. */
	share(): void {
		this.#flight?.land(this.#match as Match);
	}

	/** The request has come to an end, however it has. */
	leave(): void {
		this.#flight?.fail();
	}

	/** Sends the request as it is; nothing is read or written. */
	standAside(): Step {
		return this.#execute({do: 'pass', reason: 'error'});
	}

	/**
	Decides what to do with the response.

	@param retries - Whether Got may still try again, so that what is stored need not stand in for an error yet.
	*/
	respond(head: IncomingHead, retries = false): Answer {
		this.#fields = fieldsOf(head.rawHeaders);
		const response = {statusCode: head.statusCode, fields: this.#fields};
		const isChanged = this.#sent !== undefined && this.#writes.isChangedSince(this.#sent.invalidations);
		const isUnsafe = this.#writes.invalidate(response);
		if (isUnsafe && !isChanged && this.#sent !== undefined) {
			// What this very request has changed, its own response is of after; not so what another has.
			this.#sent = {...this.#sent, invalidations: this.#cache.invalidations.count};
		}

		if (this.#sent === undefined || (this.#key === undefined && this.#sent.storesFor === undefined)) {
			this.#passedOn();
			return {do: 'pass', status: this.#status(head.statusCode)};
		}

		const times = {requested: this.#sent.time, received: this.#settings.now(), random: Math.random()};
		const {conditional, storesFor} = this.#sent;
		const decision = onResponse(this.#facts, response, {
			stored: this.#match.stored,
			conditional,
			storesFor,
			retries,
			isResent: this.#isResent,
			handsOutSecret: handsOutSecret(response.fields, this.request.targetUrl, this.#settings.ignoredParameters),
		}, times);
		return this.#answer(decision, head, times.received);
	}

	/**
	No response came.

	@returns What stands in, if anything may.
	*/
	fail(retries = false): RenderedResponse | undefined {
		this.#flight?.fail();
		if (this.#key === undefined) {
			this.#passedOn();
			return undefined;
		}

		const decision = onError(this.#facts, {stored: this.#match.stored, retries}, this.#settings.now());
		if (decision.do === 'serve') {
			return this.#serve(decision.reason, decision.view);
		}

		if (decision.do === 'fail') {
			return this.#fail(decision.reason, 'Gateway Timeout');
		}

		this.#awaitsRetries = decision.do === 'pass' && decision.awaitsRetries === true;
		this.#tell({stored: decision.reason});
		this.#passedOn();
		return undefined;
	}

	/** There is more of the body. */
	progress(): void {
		this.#flight?.progress();
	}

	/** Whether something stands in for the error once Got has no retry left. */
	get awaitsRetries(): boolean {
		return this.#awaitsRetries;
	}

	/** Whether an error is Got's to retry before a stored response stands in for it. */
	get isPatient(): boolean {
		return this.#settings.staleIfErrorAfter === 'retries';
	}

	/**
	The body ended: it is stored, if it is whole.
	*/
	commit(body: Uint8Array): void {
		const {head: {statusCode}} = this.#received!;
		if (!isWhole(this.request.method, {statusCode, fields: this.#fields}, body.byteLength)) {
			this.abandon('incomplete');
			return;
		}

		this.#tell({stored: 'stored'});
		this.#writes.store({...this.#received!, took: this.#settings.now() - this.#sent!.time}, {body, fields: this.#fields}, this.#context);
	}

	/** The body will not be stored. */
	abandon(reason: WriteReason): void {
		this.#refuse(reason);
		if (reason === 'too-large') {
			this.#flight?.pass();
		} else {
			this.#flight?.fail();
		}

		this.#tell({stored: reason, expires: undefined, createdAt: undefined});
	}

	#lookup(key: string, isLastResort: boolean): MaybePromise<Step> {
		const found = findStored(key, this.request, this.#settings, this.#cache);
		return then(found instanceof Promise ? withinTime(found, this.patience.left, noMatch) : found, inTime => this.#use(inTime, key, isLastResort));
	}

	#use(found: Match | NoMatch, key: string, isLastResort: boolean): MaybePromise<Step> {
		this.#match = found;
		this.#redirect = undefined;
		if (found.stored === undefined) {
			return this.#decide(isLastResort);
		}

		const isAccepted = this.#settings.filterFn === undefined || this.#writes.accepts(found.stored, key);
		return then(isAccepted, accepted => accepted
			? then(this.#redirects?.judge(found.stored) ?? undefined, redirect => {
				this.#redirect = redirect;
				return this.#decide(isLastResort);
			})
			: this.#filter(found));
	}

	#land(stored: StoredResponse): MaybePromise<void> {
		const flight = this.#flight;
		if (stored.tags !== undefined && flight?.isAwaited === true) {
			return this.#landMarked(stored, flight);
		}

		flight?.land(this.#matchOf(stored));
	}

	/** Those who wait may have asked since a tag of it was deleted. */
	async #landMarked(stored: StoredResponse, flight: Flight): Promise<void> {
		try {
			const current = await this.#cache.stamp(stored, this.#sent!.time);
			if (current !== undefined) {
				flight.land(this.#matchOf(current));
				return;
			}
		} catch {
			// It is told when the response is written.
		}

		flight.fail();
	}

	#matchOf(stored: StoredResponse): Match {
		const key = this.#key!;
		return {primary: key, key, stored};
	}

	#decide(isLastResort: boolean): Step {
		const standIn = isLastResort ? this.fail() : undefined;
		return standIn === undefined
			? this.#execute(onLookup(this.#facts, {stored: this.#match.stored, redirect: this.#redirect}, this.#settings.now()))
			: {do: 'serve', response: standIn, revalidate: false};
	}

	#execute(decision: Verdict): Step {
		switch (decision.do) {
			case 'serve': {
				return {do: 'serve', response: this.#serve(decision.reason, decision.view), revalidate: decision.then === 'revalidate'};
			}

			case 'send': {
				this.#send(decision.reason, Object.keys(decision.validators).length > 0);
				return decision;
			}

			case 'pass': {
				this.#key = undefined;
				this.#send(decision.reason, false, decision.storesFor);
				this.#tell({stored: decision.reason});
				return {do: 'send', validators: {}};
			}

			case 'fail': {
				return {do: 'serve', response: this.#fail(decision.reason, 'Not Cached'), revalidate: false};
			}

			default: {
				return decision satisfies never;
			}
		}
	}

	#answer(decision: ResponseDecision, head: IncomingHead, received: number): Answer {
		switch (decision.do) {
			case 'pass': {
				this.#strand(head);
				this.#awaitsRetries = decision.awaitsRetries === true;
				this.#tell({stored: decision.reason});
				this.#passedOn();
				this.#refuse(decision.reason);
				if (decision.stored === 'drop') {
					this.#cache.delete((this.#match as Match).key, decision.reason);
				} else if (decision.stored !== undefined) {
					this.#writes.renew(this.#freshened(head, received, decision.stored), this.#context);
				}

				return {do: 'pass', status: this.#status(head.statusCode)};
			}

			case 'resend': {
				this.#isResent = true;
				return {do: 'resend'};
			}

			case 'fail': {
				this.#flight?.fail();
				return {do: 'serve', response: this.#fail(decision.reason, 'Gateway Timeout')};
			}

			case 'serve': {
				this.#flight?.fail();
				return {do: 'serve', response: this.#serve(decision.reason, decision.view, head)};
			}

			case 'store': {
				const fields = this.#fields;
				if (this.request.method !== 'HEAD' && Number(fieldValue(fields, 'content-length')) > this.#settings.maxEntryBytes) {
					this.abandon('too-large');
					return {do: 'pass', status: this.#status(head.statusCode)};
				}

				this.#passedOn();
				this.#flight?.begin(fields);
				this.#tell({createdAt: received, expires: decision.expires});
				// The caller may change its headers before the body is there.
				const copy = {...head, rawHeaders: [...head.rawHeaders]};
				this.#received = {
					method: this.#sent!.storesFor ?? this.request.method,
					url: this.request.targetUrl,
					head: copy,
					received,
					lifetime: decision,
					withheld: decision.withheld,
					decidedBy: decidedBy(this.#settings),
					ignored: this.#settings.ignoredParameters,
					storeSetCookie: this.#settings.storeSetCookie,
				};
				return {do: 'collect', status: this.#status(head.statusCode, true)};
			}

			case 'freshen': {
				return {do: 'serve', response: this.#freshen(decision, head, received)};
			}

			default: {
				return decision satisfies never;
			}
		}
	}

	// What the filter refuses now is deleted, and as good as never stored.
	#filter({key}: Match): Step {
		this.#cache.delete(key, 'filtered');
		this.#match = noMatch;
		const decision = onLookup(this.#facts, {stored: undefined}, this.#settings.now());
		return this.#execute(decision.do === 'send' ? {...decision, reason: 'filtered'} : decision);
	}

	#send(reason: Reason, conditional: boolean, storesFor?: 'GET'): void {
		this.#sent = {
			reason,
			conditional,
			storesFor,
			time: this.#settings.now(),
			invalidations: this.#cache.invalidations.count,
		};
		this.#tell({reason});
	}

	/**
	Gives what is stored.

	@param head - What the origin said meanwhile, if it was asked.
	*/
	#serve(reason: Reason, view: View, head?: IncomingHead): RenderedResponse {
		const {stored} = this.#match as Match;
		this.#tell({
			reason,
			fromCache: true,
			createdAt: stored.createdAt,
			expires: stored.expires,
		});
		this.#cache.answered({...this.#told, reason, stored});
		return renderStored(stored, {
			view,
			method: this.request.method,
			ageAt: this.#settings.cacheControl ? this.#settings.now() : undefined,
			status: this.#status(head?.statusCode),
			// They are for this caller, now; nothing else of the answer is.
			own: head?.statusCode === 304 ? splitUpdate(head.rawHeaders, this.request.targetUrl, this.#settings).own : [],
		});
	}

	#fail(reason: Reason, message: string): RenderedResponse {
		this.#tell({reason});
		this.#cache.answered({...this.#told, reason});
		return renderGatewayTimeout(message, this.#status());
	}

	#status(statusCode?: number, stored = false): string | undefined {
		const {cacheStatus, now} = this.#settings;
		return cacheStatus === false
			? undefined
			: describeStatus(cacheStatus, this.#info, {
				forwarded: this.#sent?.reason,
				varies: this.#match.stored === undefined && this.#match.varies,
				...(statusCode !== undefined && {statusCode}),
				stored,
				now: now(),
			});
	}

	#freshen(decision: Extract<ResponseDecision, {do: 'freshen'}>, head: IncomingHead, received: number): RenderedResponse {
		const {keep, view, reason} = decision;
		if (keep === 'drop') {
			this.#cache.delete((this.#match as Match).key, 'revalidated');
		}

		if (keep !== 'leave') {
			const freshened = this.#freshened(head, received, decision);
			this.#match = {...this.#match as Match, stored: freshened};
			if (keep === 'write') {
				this.#writes.renew(freshened, this.#context);
			}
		}

		if (keep !== 'write') {
			this.#flight?.pass();
		}

		this.#tell({revalidated: true});
		return this.#serve(reason, view, head);
	}

	/** What is not stored is nothing for those who wait; an error of the origin's may be over for the next of them. */
	#strand({statusCode}: IncomingHead): void {
		if (statusCode >= 500) {
			this.#flight?.fail();
		} else {
			this.#flight?.pass();
		}
	}

	#freshened(head: IncomingHead, received: number, renewal: Renewal): StoredResponse {
		const {storable} = splitUpdate(head.rawHeaders, this.request.targetUrl, this.#settings);
		return freshenResponse((this.#match as Match).stored, storable, received, renewal);
	}

	get #context(): WriteContext {
		const {invalidations, time} = this.#sent!;
		return {
			key: this.#key, match: this.#match, invalidations, sent: time,
		};
	}

	get #told(): {readonly key: string | undefined; readonly request: OutgoingRequest; readonly background: boolean} {
		return {key: this.#key, request: this.request, background: this.#settings.background === true};
	}

	/** The origin's answer, or the lack of one, is the caller's. */
	#passedOn(): void {
		const told = {...this.#told, reason: this.#info.reason};
		if (this.#key === undefined) {
			this.#cache.bypassed(told);
		} else {
			this.#cache.answered(told);
		}
	}

	/** What the origin gave is not stored. */
	#refuse(reason: Reason): void {
		if (this.#key !== undefined) {
			this.#cache.written('refused', {...this.#told, reason});
		}
	}

	#tell(news: Partial<ExchangeInfo>): void {
		this.#info = {...this.#info, ...news};
	}
}
