/** How long others wait, in milliseconds. */
export type Limits = {
	/** For the head of a response, and for its body where that has a known length. */
	readonly response: number;

	/** For a body whose length is not known, from its head on. */
	readonly unknownLength: number;
};

/** A body that has begun. */
export type BodyProgress = {
	/** In bytes; `undefined` where nobody knows. */
	readonly length: number | undefined;
	received: number;

	/** When some of it came last, in milliseconds since it has begun. */
	progressed: number;
};

// A rate says little at first.
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
