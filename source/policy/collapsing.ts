import type {Reason} from './reasons.ts';
import type {RequestFacts} from './request-facts.ts';

/** Requests sent for these reasons would have been answered, had what the origin says been stored a moment earlier. */
const shareable: ReadonlySet<Reason> = new Set(['miss', 'filtered', 'stale', 'must-revalidate']);

/** The method of the call of a decorated function: no HTTP request has it. */
export const callMethod = 'CALL';

// RFC 9110 §9.2.1, and RFC 10008 for QUERY. An unsafe request is to reach the origin, each one (RFC 9111 §4).
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY', callMethod]);

/** Whether a status may be over for the next request that is sent: then those that wait are not all sent at once. Any other tells them that what comes is not for them. */
export function isOverSoon(statusCode: number): boolean {
	return statusCode >= 500 || statusCode === 408 || statusCode === 429;
}

/**
Whether a request that is to be sent may be answered instead by what another gets that is on its way (RFC 9111 §4, “collapse requests”), and another by what it gets: not where it wants the origin's word for itself, nor where its answer would be for itself alone.

@param reason - Why it is to be sent.
*/
export function mayCollapse(facts: RequestFacts, reason: Reason): boolean {
	const {request: {method, override = method}, settings, directives} = facts;
	return shareable.has(reason)
		&& safe.has(method)
		&& safe.has(override)
		&& !settings.readOnly
		&& !settings.forceRefresh
		&& !facts.asksForRefresh
		&& !facts.isPartialOrConditional
		// Who names one of them has said how old an answer may be.
		&& directives.maximumAge === undefined
		&& directives.minimumFresh === undefined;
}
