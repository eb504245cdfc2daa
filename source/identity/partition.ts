import {hash} from 'node:crypto';
import {fieldValue} from '../policy/fields.ts';
import {maybeCredential} from './credentials.ts';
import type {Sieve} from './key-parts.ts';
import type {KeyRequest, MatchSettings} from './types.ts';

/**
Seals who asks. What is a credential in the query or the body is sealed where these are read.

@throws {TypeError} Where the user's function gives no string: a request of nobody's must not meet another's answer.
*/
export function sealIdentity(request: KeyRequest, url: URL, {partitionBy}: MatchSettings, sieve: Sieve): void {
	if (partitionBy === false) {
		return;
	}

	if (partitionBy !== 'credentials') {
		const tenant: unknown = partitionBy(request);
		if (typeof tenant !== 'string') {
			throw new TypeError(`Expected \`partitionBy\` to give a string, got ${tenant === null ? 'null' : typeof tenant}`);
		}

		sieve.seal('tenant', '', tenant);
		return;
	}

	for (const name of Object.keys(request.headers)) {
		const value = maybeCredential(name) ? fieldValue(request.headers, name) : undefined;
		if (value !== undefined) {
			sieve.seal('header', name, value);
		}
	}

	if (url.username !== '' || url.password !== '') {
		sieve.seal('user info', url.username, url.password);
	}

	for (const [index, part] of request.clientCertificate?.entries() ?? []) {
		sieve.seal('certificate', String(index), hash('sha256', part, 'hex'));
	}
}
