import {parseHttpDate} from './dates.ts';
import {fieldValue, type Fields} from './fields.ts';
import type {StoredFacts} from './stored-facts.ts';
import type {StoredHead} from './types.ts';
import {parseEntityTag, sameWeakly, storedTag} from './validators.ts';

/**
What the caller's own precondition says of a stored response (RFC 9111 §4.3.2); `undefined` where there is none that can be evaluated.

Where there is an `If-None-Match`, an `If-Modified-Since` does not count (RFC 9110 §13.2.2). Preconditions are for GET and HEAD, and for a stored 2xx alone (RFC 9110 §13.2.1): that is for the caller to see to.
*/
export function evaluatePrecondition(request: Fields, stored: Pick<StoredHead, 'fields' | 'createdAt'>, facts: StoredFacts): 'modified' | 'not-modified' | undefined {
	const tags = fieldValue(request, 'if-none-match');
	const isModified = tags === undefined ? isModifiedSince(request, stored, facts) : isNoneMatching(parseEntityTags(tags), stored.fields);
	if (isModified === undefined) {
		return undefined;
	}

	return isModified ? 'modified' : 'not-modified';
}

function isNoneMatching(tags: readonly string[] | '*', fields: Fields): boolean | undefined {
	if (tags === '*') {
		return false;
	}

	const stored = storedTag(fields);
	return tags.length === 0 ? undefined : tags.every(tag => !sameWeakly(tag, stored));
}

// There is no clock here; the moment of storing is near enough to tell a century.
function isModifiedSince(request: Fields, {fields, createdAt}: Pick<StoredHead, 'fields' | 'createdAt'>, {lastModified}: StoredFacts): boolean | undefined {
	const since = parseHttpDate(fieldValue(request, 'if-modified-since'), createdAt);
	if (since === undefined) {
		return undefined;
	}

	const modified = lastModified ?? parseHttpDate(fieldValue(fields, 'date'), createdAt) ?? createdAt;
	return modified > since;
}

// A member goes up to a comma that is in no quotes; a quote that is not closed takes the rest with it.
const listMember = /(?:[^",]|"[^"]*(?:"|$))+/gv;

/**
The entity tags of a list, as they are written (RFC 9110 §8.8.3); members that are none are left out.
*/
export function parseEntityTags(value: string): readonly string[] | '*' {
	if (/^[\t ]*\*[\t ]*$/v.test(value)) {
		return '*';
	}

	const tags = value.matchAll(listMember).map(([member]) => parseEntityTag(member));
	return tags.filter(tag => tag !== undefined).toArray();
}
