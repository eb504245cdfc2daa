/* eslint-disable @typescript-eslint/naming-convention -- Names of credentials are those of their services. */
import type {OptionsOfTextResponseBody} from 'got';
import {type CookieJar} from 'tough-cookie';
import type {CacheSettings} from '../../../source/index.ts';
import {readPem} from '../../helpers/certificates.ts';
import {nameInCertificate, type IdentifyUser} from './origin.ts';

export const users = ['ada', 'bob'] as const;

export type User = (typeof users)[number];

/** How the requests of a user are distinguished from those of others. */
export type Identity = {
	readonly identifyUser: IdentifyUser;

	/** The options of a user's requests, and their query. */
	readonly options: (user: User) => OptionsOfTextResponseBody;
	readonly query?: (user: User) => string;
	readonly settings?: CacheSettings;
	readonly isSecure?: boolean;

	/** The kinds of responses that do not occur. */
	readonly without?: readonly string[];

	/** Even without a cache, Got 15 loses the body of a stream whose response sets a cookie in a jar. */
	readonly isWithoutStreamsOf15?: boolean;
};

const byHeader = (name: string, valueOf: (user: User) => string = user => user): Identity => ({
	identifyUser: ({headers}) => /ada|bob/v.exec(String(headers[name]))?.[0] ?? 'nobody',
	options: user => ({headers: {[name]: valueOf(user)}}),
});

/** Each user's cookie jar. */
export const jars: ReadonlyMap<User, CookieJar> & Pick<Map<User, CookieJar>, 'set'> = new Map<User, CookieJar>();

export const identities: Readonly<Record<string, Identity>> = {
	Authorization: byHeader('authorization', user => `Bearer ${user}`),
	'a cookie': byHeader('cookie', user => `theme=dark; session=${user}`),
	'a cookie jar': {
		...byHeader('cookie'),
		identifyUser: ({headers}) => /who=(?<who>\w+)/v.exec(headers.cookie ?? '')?.groups!.who ?? 'nobody',
		options: user => ({cookieJar: jars.get(user)!}),
		isWithoutStreamsOf15: true,
	},
	'a token in the query': {
		identifyUser: ({url}) => new URL(url!, 'http://localhost').searchParams.get('token') ?? 'nobody',
		options: () => ({}),
		query: user => `?page=2&token=${user}`,
	},
	'a token in JSON': {
		identifyUser: (_request, body) => body === '' ? 'nobody' : (JSON.parse(body) as {readonly auth: {readonly token: string}}).auth.token,
		options: user => ({method: 'POST', json: {page: 2, auth: {token: user}}}),
		// A POST is neither validated nor joined.
		without: ['revalidated', 'joined'],
	},
	'a header of a service': byHeader('x-rapidapi-key'),
	'a client certificate': {
		identifyUser: nameInCertificate,
		options: user => ({https: {certificate: readPem(`${user}-cert.pem`), key: readPem(`${user}-key.pem`)}}),
		isSecure: true,
	},
	'a function that names the tenant': {
		...byHeader('x-tenant'),
		settings: {partitionBy: ({headers}) => String(headers['x-tenant'])},
	},
};
