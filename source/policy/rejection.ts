const rejections: ReadonlySet<number> = new Set([401, 407]);

/** Whether the origin, or a proxy, rejects the credentials of a request (RFC 9110 §15.5.2, §15.5.8). */
export function rejectsCredentials(statusCode: number): boolean {
	return rejections.has(statusCode);
}
