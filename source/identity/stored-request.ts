import {fieldLines, type Fields} from '../policy/fields.ts';
import {redactBody} from './body.ts';
import {maybeCredential} from './credentials.ts';
import {ignoresHeader, REDACTED, type Ignored} from './ignored.ts';
import {partitionDigest, type Secret} from './key.ts';
import {Sieve, type Sealed} from './key-parts.ts';
import type {MatchSettings, StorableRequest} from './types.ts';
import {redactUrl} from './url.ts';

/**
A request as it is stored beside its response: nothing secret is in it, and its key can be made of it again.
*/
export type RedactedRequest = {
	/** As it counts in the key. */
	readonly method: string;
	readonly url: string;
	readonly rawHeaders: readonly string[];

	/** JSON or a form. */
	readonly body?: string;

	/** What parts the key of any other body. */
	readonly matchedBody?: readonly string[];

	/** Whom it was for: what was sealed, in order, and the digest of it. */
	readonly partition?: Partition;
};

export type Partition = {
	readonly sealed: ReadonlyArray<readonly [where: string, name: string]>;
	readonly digest: string;
};

// Their values are URLs.
const references = new Set(['origin', 'referer']);

/**
What of a request may be stored: ignored parameters and everything that sounds like a credential are replaced, wherever they stand.

@param request - Its header names in lower case, its method as it counts. One that is stored already may be redacted once more.
*/
export function redactRequest(request: StorableRequest, settings: MatchSettings, partition: Partition | undefined): RedactedRequest {
	const {
		method, url, headers, body, matchedBody,
	} = request;
	const {ignoredParameters} = settings;
	const sieve = new Sieve(settings);
	return {
		method,
		url: redactUrl(url, ignoredParameters),
		rawHeaders: redactRequestFields(headers, settings),
		...(body !== undefined && redactBody({headers, body}, ignoredParameters, path => sieve.isSecretField(path))),
		...(matchedBody !== undefined && {matchedBody}),
		...(partition !== undefined && {partition}),
	};
}

/** Whom a request is for, as far as it is stored; something must be sealed. */
export function partitionOf(sealed: readonly Sealed[], secret: Secret): Partition {
	return {sealed: sealed.map(([where, name]) => [where, where === 'user info' ? '' : name] as const), digest: partitionDigest(sealed, secret)!};
}

function redactRequestFields(headers: Fields, {ignoredParameters}: MatchSettings): string[] {
	const lines: string[] = [];
	for (const name of Object.keys(headers)) {
		// RFC 9113 §8.3: pseudo-headers are no fields.
		if (name.startsWith(':')) {
			continue;
		}

		const isSecret = maybeCredential(name) || ignoresHeader(ignoredParameters, name);
		for (const line of fieldLines(headers, name)) {
			lines.push(name, isSecret ? REDACTED : redactReference(name, line, ignoredParameters));
		}
	}

	return lines;
}

function redactReference(name: string, line: string, ignored: Ignored): string {
	return references.has(name) && URL.canParse(line) ? redactUrl(line, ignored) : line;
}
