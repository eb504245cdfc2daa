/* eslint-disable @typescript-eslint/naming-convention -- Names of credentials are those of their services. */
import type {OptionsOfTextResponseBody} from 'got';
import {type CookieJar} from 'tough-cookie';
import type {CacheSettings} from '../../../source/index.ts';
import {fixture, nameInCertificate, type Tells} from './origin.ts';

export const users = ['ada', 'bob'] as const;

export type User = (typeof users)[number];

/** By what users are told apart. */
export type Means = {
	readonly tells: Tells;

	/** The options of one user's requests, and what stands behind the path. */
	readonly options: (user: User) => OptionsOfTextResponseBody;
	readonly query?: (user: User) => string;
	readonly settings?: CacheSettings;
	readonly isSecure?: boolean;

	/** Kinds of answers that do not come about. */
	readonly without?: readonly string[];

	/** Got 15 loses the body of a stream where a cookie jar gets a cookie, without a cache as well. */
	readonly isWithoutStreamsOf15?: boolean;
};

const headerMeans = (name: string, valueOf: (user: User) => string = user => user): Means => ({
	tells: ({headers}) => /ada|bob/v.exec(String(headers[name]))?.[0] ?? 'nobody',
	options: user => ({headers: {[name]: valueOf(user)}}),
});

/** Each user's cookie jar. */
export const jars: ReadonlyMap<User, CookieJar> & Pick<Map<User, CookieJar>, 'set'> = new Map<User, CookieJar>();

export const means: Readonly<Record<string, Means>> = {
	Authorization: headerMeans('authorization', user => `Bearer ${user}`),
	'a cookie': headerMeans('cookie', user => `theme=dark; session=${user}`),
	'a cookie jar': {
		...headerMeans('cookie'),
		tells: ({headers}) => /who=(?<who>\w+)/v.exec(headers.cookie ?? '')?.groups!.who ?? 'nobody',
		options: user => ({cookieJar: jars.get(user)!}),
		isWithoutStreamsOf15: true,
	},
	'a token in the query': {
		tells: ({url}) => new URL(url!, 'http://localhost').searchParams.get('token') ?? 'nobody',
		options: () => ({}),
		query: user => `?page=2&token=${user}`,
	},
	'a token in JSON': {
		tells: (_request, body) => body === '' ? 'nobody' : (JSON.parse(body) as {readonly auth: {readonly token: string}}).auth.token,
		options: user => ({method: 'POST', json: {page: 2, auth: {token: user}}}),
		// A POST is neither validated nor joined.
		without: ['revalidated', 'joined'],
	},
	'a header of a service': headerMeans('x-rapidapi-key'),
	'a client certificate': {
		tells: nameInCertificate,
		options: user => ({https: {certificate: fixture(`${user}-cert.pem`), key: fixture(`${user}-key.pem`)}}),
		isSecure: true,
	},
	'a function that names the tenant': {
		...headerMeans('x-tenant'),
		settings: {partitionBy: ({headers}) => String(headers['x-tenant'])},
	},
};
