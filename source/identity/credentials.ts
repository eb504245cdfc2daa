/**
Names, in lower case, of headers and parameters that say who asks: the default of `ignoredParameters`. Their values are never stored, and not part of what a key is made of in clear.

@example
```
cacheHooks({ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'utm_source']});
```
*/
export const DEFAULT_IGNORED_PARAMETERS: readonly string[] = Object.freeze([
	'access-token',
	'access_token',
	'api-key',
	'api_key',
	'apikey',
	'auth-token',
	'auth_token',
	'authorization',
	'cookie',
	'private-token',
	'proxy-authorization',
	'x-access-token',
	'x-api-key',
	'x-apikey',
	'x-auth-token',
	'x-csrf-token',
	'x-goog-api-key',
	'x-xsrf-token',
]);

const known: ReadonlySet<string> = new Set(DEFAULT_IGNORED_PARAMETERS);

/**
Whether a parameter is a credential for certain, whatever the settings say: its value is stored nowhere.

@param name - In any letter case.
*/
export function isCredential(name: string): boolean {
	return known.has(name) || known.has(name.toLowerCase());
}

const words = /(?:^|[\-._])(?:api[\-_]?key|auth|authorization|cookie|credentials?|jwt|pass(?:phrase|word)|secret|session(?:[\-_]?id)?|signature|token)(?:$|[\-._])/iv;

/**
Whether the name sounds like a credential's. Where it does, in a header or in what the user ignores, parting one time too often is the fault to make.
*/
export function maybeCredential(name: string): boolean {
	const told = judged.get(name);
	if (told !== undefined) {
		return told;
	}

	const may = isCredential(name) || words.test(name);
	// Names are few; those that somebody makes up are not to fill the memory.
	if (judged.size < 1000) {
		judged.set(name, may);
	}

	return may;
}

const judged = new Map<string, boolean>();

export function classifyName(name: string): 'secret' | 'ambiguous' | 'plain' {
	return maybeCredential(name) ? 'secret' : 'plain';
}

export const credentialResponseHeaders: ReadonlySet<string> = new Set(['authorization', 'x-auth-token', 'x-session-token', 'x-refresh-token', 'x-subject-token', 'x-amz-security-token']);
