const transientStatusCodes: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The codes that Got retries, and those of HTTP/2 in place of a reset connection. */
const transientCodes: ReadonlySet<unknown> = new Set([
	'EADDRINUSE',
	'EAI_AGAIN',
	'ECONNREFUSED',
	'ECONNRESET',
	'ENETUNREACH',
	'ENOTFOUND',
	'EPIPE',
	'ETIMEDOUT',
	'ERR_HTTP2_GOAWAY_SESSION',
	'ERR_HTTP2_INVALID_SESSION',
	'ERR_HTTP2_SESSION_ERROR',
	'ERR_HTTP2_STREAM_CANCEL',
	'ERR_HTTP2_STREAM_ERROR',
]);

/** Whether the origin may soon answer with another status. */
export function isTransientStatus(statusCode: number): boolean {
	return transientStatusCodes.has(statusCode);
}

/** Whether a failure may be over soon. */
export function isTransientError(error: unknown): boolean {
	return transientCodes.has((error as {readonly code?: unknown} | undefined)?.code);
}
