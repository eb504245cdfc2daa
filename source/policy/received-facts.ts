import type {Expiration} from './expiration.ts';
import {fieldValue} from './fields.ts';
import {isUsableOnError} from './freshness.ts';
import {lifetime, resolveExpiration, type Times} from './lifetime.ts';
import type {RequestFacts} from './request-facts.ts';
import {ResponseFacts} from './response-facts.ts';
import {factsToStore, originFacts} from './stored-facts.ts';
import type {
	Lifetime,
	StorageTerms,
	StoredHead,
	View,
} from './types.ts';
import {viewFor} from './view.ts';

/** What was sent: beside what stored response, and whether with its validators. */
export type Sent = {
	readonly stored: StoredHead | undefined;
	readonly conditional: boolean;

	/** Whether the response may be stored for a GET of the same target, and for nothing else. */
	readonly storesFor?: 'GET' | undefined;

	/** Whether the request has been sent once more already. */
	readonly isResent?: boolean;

	/** Whether a stale response is to stand in only when Got has no retry left, and it has some. */
	readonly retries?: boolean;

	/** Whether the response hands out a secret: by a header that is a credential, or by a URL with a secret in `Location`, `Link` or `Refresh`. */
	readonly handsOutSecret?: boolean;
};

/**
What is known of a response and of the request that it answers. What follows from both is found out once, when a rule first asks.
*/
export class ReceivedFacts {
	readonly request: RequestFacts;
	readonly response: ResponseFacts;
	readonly sent: Sent;
	readonly times: Times;
	#expiration: {readonly value: Expiration | undefined} | undefined;
	#lifetime: Lifetime | undefined;
	#standIn: {readonly value: View | undefined} | undefined;
	#merged: ReceivedFacts | undefined;

	constructor(request: RequestFacts, response: ResponseFacts, sent: Sent, times: Times) {
		this.request = request;
		this.response = response;
		this.sent = sent;
		this.times = times;
	}

	/** The user's word on how long the response is fresh. A redirect is worth as long as what it leads to: otherwise the one outlives the other. */
	get expiration(): Expiration | undefined {
		this.#expiration ??= {value: this.#makeExpiration()};
		return this.#expiration.value;
	}

	get lifetime(): Lifetime {
		this.#lifetime ??= lifetime(this.response, this.expiration, this.request.settings, this.times);
		return this.#lifetime;
	}

	get terms(): StorageTerms {
		const {request: {settings}, response, lifetime: times} = this;
		return {
			...times,
			withheld: settings.cacheControl ? response.directives.withheld : [],
			vary: response.vary === '*' ? [] : response.vary,
			...(settings.cacheControl && {facts: factsToStore(response, settings.cacheControlTargets)}),
		};
	}

	/** What of the stored response may stand in, if the response is an error. */
	get standIn(): View | undefined {
		this.#standIn ??= {value: standInFor(this.request, this.sent.stored, this.times.received)};
		return this.#standIn.value;
	}

	/** The stored response with the fields of this one, a 304 or the head of a GET (RFC 9111 §3.2). */
	get merged(): ReceivedFacts {
		this.#merged ??= this.#merge();
		return this.#merged;
	}

	#makeExpiration(): Expiration | undefined {
		const {response, request: {request, settings, directives, expiration}} = this;
		const location = isRedirect(response) ? fieldValue(response.fields, 'location') : undefined;
		const target = location === undefined ? null : URL.parse(location, request.url);
		return target === null ? expiration : resolveExpiration(target.href, settings, directives.maximumAge);
	}

	#merge(): ReceivedFacts {
		const {request, response: {fields, received}, sent, times} = this;
		const {statusCode, fields: {date: _date, age: _age, ...kept}} = sent.stored!;
		const response = new ResponseFacts({statusCode, fields: {...kept, ...fields}}, request.settings.cacheControlTargets, received);
		return new ReceivedFacts(request, response, sent, times);
	}
}

const redirectCodes = new Set([301, 302, 303, 307, 308]);

export function isRedirect({statusCode, fields}: ResponseFacts): boolean {
	return redirectCodes.has(statusCode) && fields.location !== undefined;
}

/** What of a stored response may stand in for an error, or for no response; `undefined` where nothing may. */
export function standInFor(request: RequestFacts, stored: StoredHead | undefined, now: number): View | undefined {
	return stored !== undefined && isUsableOnError(stored, originFacts(stored, request.settings), request, now) ? viewFor(request, stored) : undefined;
}
