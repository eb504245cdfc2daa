/**
Request headers that say who asks. Two requests that differ in one of them never share a response, unless `partitionBy: false`.
*/
export const credentialFields: readonly string[] = [
	'api-key',
	'apikey',
	'authorization',
	'cookie',
	'proxy-authorization',
	'x-access-token',
	'x-api-key',
	'x-auth-token',
	'x-csrf-token',
];

/**
Names, in lower case, of query parameters whose values are not stored.
*/
export const DEFAULT_IGNORED_PARAMETERS: ReadonlySet<string> = new Set([
	...credentialFields,
	'access_token',
	'api_key',
]);
