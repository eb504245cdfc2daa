import type {Fields} from './fields.ts';
import {ResponseFacts} from './response-facts.ts';
import type {PolicySettings, StoredHead} from './types.ts';

/**
What the rules know of a stored response, so that nothing of it is parsed when it is used. Plain data, stored with it; what is not so is left out.

It is of the headers alone, whoever decides how long they are fresh.
*/
export type StoredFacts = {
	/** It may not be used without validation (RFC 9111 §5.2.2.4). */
	readonly noCache?: true;

	/** RFC 9111 §5.2.2.2. */
	readonly mustRevalidate?: true;

	/** RFC 8246. */
	readonly immutable?: true;

	/** RFC 5861 §4, in milliseconds. */
	readonly staleIfError?: number;

	/** RFC 5861 §3, in milliseconds. */
	readonly staleWhileRevalidate?: number;

	/** In milliseconds since the epoch. */
	readonly lastModified?: number;

	/** Its `Last-Modified` is no strong validator (RFC 9110 §8.8.2.2). */
	readonly isDateWeak?: true;

	/** The targeted fields (RFC 9213) that it has, of those that the settings name, in their order. */
	readonly targets?: readonly string[];
};

/**
The facts of a response, to be stored with it.

@param targets - The settings' targeted fields.
*/
export function factsToStore(response: ResponseFacts, targets: readonly string[]): StoredFacts {
	const {fields, directives, lastModified} = response;
	const {noCache, mustRevalidate, immutable, staleIfError, staleWhileRevalidate} = directives;
	const present = targetsOf(fields, targets);
	return {
		...(noCache && {noCache}),
		...(mustRevalidate && {mustRevalidate}),
		...(immutable && {immutable}),
		...(staleIfError !== undefined && {staleIfError}),
		...(staleWhileRevalidate !== undefined && {staleWhileRevalidate}),
		...(lastModified !== undefined && {lastModified}),
		...(isDateWeak(response) && {isDateWeak: true}),
		...(present.length > 0 && {targets: present}),
	};
}

/** A date is a strong validator where it is a second or more before the response was made. */
function isDateWeak({lastModified, date}: ResponseFacts): boolean {
	return lastModified !== undefined && (date === undefined || lastModified + 1000 > date);
}

/** Those of responses that are stored without, or with those of other targeted fields. */
const made = new WeakMap<Fields, StoredFacts>();

/**
The facts of a stored response: those that are stored with it. One that has none, or those of other targeted fields, gets them once, when it is first asked for.
*/
export function storedFacts(stored: StoredHead, {cacheControlTargets: targets}: Pick<PolicySettings, 'cacheControlTargets'>): StoredFacts {
	const {facts: own, fields} = stored;
	if (own !== undefined && isBy(own, fields, targets)) {
		return own;
	}

	const known = made.get(fields);
	if (known !== undefined && isBy(known, fields, targets)) {
		return known;
	}

	const facts = factsToStore(new ResponseFacts(stored, targets, stored.createdAt), targets);
	made.set(fields, facts);
	return facts;
}

const nothing: StoredFacts = {};

/** What the origin says of the use of a stored response; nothing where its word does not count. */
export function originFacts(stored: StoredHead, settings: Pick<PolicySettings, 'cacheControl' | 'cacheControlTargets'>): StoredFacts {
	return settings.cacheControl ? storedFacts(stored, settings) : nothing;
}

function isBy({targets: known = noTargets}: StoredFacts, fields: Fields, targets: readonly string[]): boolean {
	const present = targetsOf(fields, targets);
	return present.length === known.length && present.every((name, index) => name === known[index]);
}

const noTargets: readonly string[] = [];

function targetsOf(fields: Fields, targets: readonly string[]): readonly string[] {
	return targets.length === 0 ? noTargets : targets.filter(name => Object.hasOwn(fields, name) && fields[name] !== undefined);
}
