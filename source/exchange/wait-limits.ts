/** How long other requests wait for one that is under way, in milliseconds. */
export type Limits = {
	/** For the head of a response, and for its body where that has a known length. */
	readonly response: number;

	/** For a body whose length is not known, from its head on. */
	readonly unknownLength: number;
};

/** How far a body has come. */
export type BodyProgress = {
	/** Its whole length in bytes; `undefined` where it is not known. */
	readonly length: number | undefined;
	received: number;

	/** When some of it last came, in milliseconds since it has begun. */
	progressed: number;
};

// The milliseconds before the rate of a body is estimated, and between two estimates.
const firstEstimate = 1000;

/**
Milliseconds until others wait no more, or until it is estimated anew; not above 0 where they wait no more.

@param elapsed - Milliseconds since the request was sent, or since its body has begun.
*/
export function timeLeft(elapsed: number, body: BodyProgress | undefined, {response, unknownLength}: Limits): number {
	if (body === undefined) {
		return response - elapsed;
	}

	const {length, received, progressed} = body;
	if (length === undefined) {
		return unknownLength - elapsed;
	}

	// A body is waited for while it will be whole in time, at the rate seen. Whoever reads it may stop before its end: then nothing comes any more.
	const isStalled = elapsed - progressed >= unknownLength;
	const isInTime = elapsed < firstEstimate || (!isStalled && elapsed * length <= response * received);
	return isInTime ? Math.min(response - elapsed, firstEstimate) : 0;
}
