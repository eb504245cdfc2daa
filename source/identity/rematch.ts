import {REDACTED} from './ignored.ts';
import {
	keyOfParts,
	matchRequest,
	partitionDigest,
	type Secret,
} from './key.ts';
import type {Partition} from './stored-request.ts';
import type {Sealed} from './key-parts.ts';
import type {MatchSettings, StorableRequest} from './types.ts';

/**
The key that a stored request has by other settings than those by which it was stored.

What was redacted is gone. Whom the request was for is known by the digest of it, as long as the same values tell; where something counts in clear that is gone, there is no key any more, since a guessed one could answer another's request.

@param partition - Whom the request was for.
@returns `undefined` where the key cannot be known.
*/
export function rematchedKey(request: StorableRequest, partition: Partition | undefined, settings: MatchSettings, secret: Secret): string | undefined {
	const isTenant = typeof settings.partitionBy === 'function';
	const known = partition?.sealed ?? [];
	if (isTenant && !isOfTenant(known) && hasRedacted(request)) {
		return undefined;
	}

	// A tenant that has been named is not asked for again: the function would see a request without credentials.
	const {parts, sealed, isLossy} = matchRequest(request, isTenant && isOfTenant(known) ? {...settings, partitionBy: () => REDACTED} : settings);
	if (isLossy) {
		return undefined;
	}

	// What told who asks and is no part of what is stored.
	const absent = settings.partitionBy === 'credentials' ? known.filter(([where]) => where === 'certificate' || where === 'user info') : [];
	if (sealed.length + absent.length === 0) {
		return keyOfParts(parts, undefined);
	}

	if (isSame([...sealed, ...absent], known)) {
		return keyOfParts(parts, partition?.digest);
	}

	return absent.length > 0 || sealed.some(item => item[2] === REDACTED || item[2] === redactedJson)
		? undefined
		: keyOfParts(parts, partitionDigest(sealed, secret));
}

const redactedJson = JSON.stringify(REDACTED);

function isOfTenant(known: Partition['sealed']): boolean {
	return known.some(([where]) => where === 'tenant');
}

/** Whether two lists name the same values, in whatever order: both are sorted by the same rule. */
function isSame(sealed: ReadonlyArray<Sealed | readonly [string, string]>, known: Partition['sealed']): boolean {
	const named = (list: ReadonlyArray<readonly [string, string, ...unknown[]]>): string => list.map(([where, name]) => JSON.stringify([where, name])).toSorted().join(',');
	return named(sealed) === named(known);
}

/** Whether something of the request is gone. */
export function hasRedacted({url, headers, body}: StorableRequest): boolean {
	return [url, body, ...Object.values(headers).flat()].some(text => typeof text === 'string' && text.includes(REDACTED));
}
