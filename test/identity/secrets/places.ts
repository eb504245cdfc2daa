/* eslint-disable @typescript-eslint/naming-convention -- Names of credentials are those of their services. */
import {Buffer} from 'node:buffer';
import {gzipSync} from 'node:zlib';
import type {OptionsOfTextResponseBody} from 'got';
import {CookieJar} from 'tough-cookie';
import {DEFAULT_IGNORED_PARAMETERS, type CacheSettings} from '../../../source/index.ts';

export type Asked = {
	/** Path and query. */
	readonly target?: string;

	/** Before the host. */
	readonly userInfo?: string;
	readonly options?: OptionsOfTextResponseBody;

	/** The whole secret, if a digest of it could be guessed. */
	readonly secret?: string;

	/** Whether it can be stored. Default: `true`. */
	readonly isStored?: boolean;
};

/** The places in a request that can hold a credential. */
export type Place = readonly [title: string, ask: (marker: string) => Asked | Promise<Asked>];

/** Under these settings every place is a place of a credential. */
export const placeSettings: CacheSettings = {
	allowableMethods: ['GET', 'POST', 'PUT', 'REPORT'],
	ignoredParameters: [...DEFAULT_IGNORED_PARAMETERS, 'my_own', /^my-own/v, '$.own[*].path'],
	cacheStatus: {key: true},
};

const header = (name: string, valueOf: (marker: string) => string = marker => marker): Place => [`the header ${name}`, marker => ({
	options: {headers: {[name]: valueOf(marker)}}, secret: valueOf(marker),
})];

const credentialHeaders: readonly Place[] = [
	header('authorization', marker => `Bearer ${marker}`),
	header('authorization', marker => `Basic ${Buffer.from(`user:${marker}`).toString('base64')}`),
	header('authorization', marker => `AWS4-HMAC-SHA256 Credential=${marker}/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=${marker}`),
	header('authorization', marker => `Digest username="u", realm="r", nonce="${marker}", response="${marker}"`),
	header('proxy-authorization', marker => `Bearer ${marker}`),
	header('cookie', marker => `a=${marker}; b=1`),
	...[
		'Cookie2',
		'X-API-Key',
		'Api-Key',
		'apikey',
		'X-Access-Token',
		'X-Auth-Token',
		'X-CSRF-Token',
		'X-XSRF-Token',
		'X-Amz-Security-Token',
		'X-RapidAPI-Key',
		'Ocp-Apim-Subscription-Key',
		'X-AuthToken',
		'ApiToken',
		'SessionToken',
		'Authentication',
		'DPoP',
		'X-OTP',
		'X-Session-Id',
		'X-Hub-Signature-256',
		'PRIVATE-TOKEN',
		'X-Goog-Api-Key',
		'X-Forwarded-Access-Token',
		'X-Vault-Token',
		'X-Amz-Signature',
		'Sec-Session',
		'X-Sig',
		'X-Ticket',
		'X-Key',
		'my-own-header',
	].map(name => header(name)),
];

const url = (marker: string): string => `https://user:${marker}@elsewhere.example/a;jsessionid=${marker}?api_key=${marker}&page=2#${marker}`;
const path = (marker: string): string => `/a;sid=${marker}/b?page=2&access_token=${marker}#token=${marker}`;

/** Headers whose value is a URL, or has one in it. */
const referringHeaders: readonly Place[] = [
	...['Referer', 'Origin', 'Destination', 'X-Callback-URL', 'Content-Location', 'X-Original-URL', 'CE-Source'].map(name => header(name, url)),
	...['Referer', 'Destination', 'X-Forwarded-Uri', 'X-Rewrite-URL'].map(name => header(name, path)),
	header('Referer', marker => `?access_token=${marker}`),
	header('SOAPAction', marker => `"${url(marker)}"`),
	header('Prefer', marker => `respond-async, callback="${url(marker)}"`),
	header('Link', marker => `<${path(marker)}>; rel="next", <${url(marker)}>; rel="prev"`),
	header('If', marker => `<${path(marker)}> (<urn:uuid:181d4fae>)`),
	header('X-Database', marker => `postgres://user:${marker}@db.example/name?sslpassword=${marker}`),
	header('X-Many', marker => `https://a.example/,https://user:${marker}@b.example/`),
	header('X-Unparsable', marker => `https://user:${marker}@[/?api_key=${marker}`),
	header('X-Assertion-Of', marker => `Bearer ${marker}`),
	header('X-Forwarded-User', marker => `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${marker}`),
];

const query = (title: string, queryOf: (marker: string) => string, secretOf?: (marker: string) => string): Place => [`the query: ${title}`, marker => ({
	target: `?page=2&${queryOf(marker)}`, ...(secretOf !== undefined && {secret: secretOf(marker)}),
})];

const hostile = (marker: string): string => `${marker}"/+é ${marker}`;
const escaped = (text: string): string => [...Buffer.from(text)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('');

const queries: readonly Place[] = [
	...[
		'api_key',
		'access_token',
		'APIKEY',
		'token',
		'X-Amz-Signature',
		'X-Amz-Security-Token',
		'client_secret',
		'password',
		'refresh_token',
		'id_token',
		'jwt',
		'accessToken',
		'X-API-Token',
		'signature',
		'key',
		'code',
		'session',
		'sig',
		'ticket',
		'my_own',
		'api_key[]',
		'user[token]',
		'user.password',
		'user[0][credentials][x]',
	].map(name => query(name, marker => `${name}=${marker}`, marker => marker)),
	query('a value with signs', marker => `token=${encodeURIComponent(hostile(marker))}`, hostile),
	query('a name that is escaped', marker => `%61pi%5Fkey=${marker}`),
	query('a value that is escaped throughout', marker => `token=${escaped(marker)}`),
	query('several', marker => `token=${marker}&token=${marker}&a=1&token=${marker}`),
	query('in parts between semicolons', marker => `a=1;token=${marker};b=2`),
	query('a URL as a value', marker => `next=${encodeURIComponent(url(marker))}`),
	query('a URL that is not escaped as a value', marker => `next=https://user:${marker}@elsewhere.example/`),
	query('a path as a value', marker => `return_to=${encodeURIComponent(path(marker))}`),
	query('a URL in a URL', marker => `next=${encodeURIComponent(`https://a.example/?next=${encodeURIComponent(url(marker))}`)}`),
	query('JSON as a value', marker => `variables=${encodeURIComponent(JSON.stringify({user: {password: marker}}))}`),
	query('a value that says how it is used', marker => `header=${encodeURIComponent(`Bearer ${marker}`)}`),
	['searchParams', marker => ({options: {searchParams: {access_token: hostile(marker), page: 2}}})],
	['the fragment', marker => ({target: `#access_token=${marker}`})],
	['a parameter of the path', marker => ({target: `/list;jsessionid=${marker}?page=2`, secret: marker})],
	['a parameter of a segment in the middle', marker => ({target: `/list;v=1;session_id=${marker};w=2/items`})],
	['a parameter of the path that is escaped', marker => ({target: `/list;%6Asessionid=${escaped(marker)}`})],
];

const userInfo: readonly Place[] = [
	['user info in options', marker => ({options: {username: 'user', password: hostile(marker)}})],
	['user info in the URL', marker => ({userInfo: `user:${marker}@`})],
	['a token as a user', marker => ({userInfo: `${marker}@`})],
	['a password without a user', marker => ({userInfo: `:${marker}@`})],
];

const jars: readonly Place[] = [
	['a cookie jar', async marker => {
		const cookieJar = new CookieJar();
		await cookieJar.setCookie(`a=${marker}; Path=/`, 'http://127.0.0.1/');
		return {options: {cookieJar}};
	}],
];

const post = (options: OptionsOfTextResponseBody): Asked => ({options: {method: 'POST', ...options}});
const json = (text: string | Uint8Array, type = 'application/json'): Asked => post({body: text as string, headers: {'content-type': type}});
const utf16 = (text: string): Uint8Array => Buffer.from(`\u{FEFF}${text}`, 'utf16le');

const bodies: readonly Place[] = [
	['a form', marker => post({form: {access_token: hostile(marker), client_secret: marker, page: 2}})],
	['a form with nested names', marker => json(`page=2&user%5Bpassword%5D=${marker}&api_key[]=${marker}&api_key[]=${marker}`, 'application/x-www-form-urlencoded')],
	['a form with a charset', marker => json(Buffer.from(`page=2&password=${marker}%e9é`, 'latin1'), 'application/x-www-form-urlencoded; charset=iso-8859-1')],
	['a form with a URL', marker => post({form: {page: 2, callback: url(marker)}})],
	['JSON', marker => post({json: {page: 2, apikey: hostile(marker), code: marker}})],
	['nested JSON', marker => post({json: {page: 2, a: [{b: {refreshToken: marker, list: [{client_secret: [marker]}]}}]}})],
	['JSON below a secret name', marker => post({json: {page: 2, credentials: {user: marker, x: [marker, {y: marker}]}}})],
	['JSON with an array at its root', marker => post({json: [{page: 2}, {password: marker}]})],
	['JSON with an escaped name', marker => json(String.raw`{"page": 2, "p\u0061ssword": "${marker}"}`)],
	['JSON with an escaped value', marker => json(`{"page": 2, "password": "${[...marker].map(letter => String.raw`\u00${letter.codePointAt(0)!.toString(16)}`).join('')}"}`)],
	['JSON with a member twice', marker => json(`{"page": 2, "password": "a", "password": "${marker}"}`)],
	['JSON with a URL', marker => post({json: {page: 2, webhook: url(marker), database: `mongodb://user:${marker}@db.example`}})],
	['JSON in JSON', marker => post({json: {page: 2, payload: JSON.stringify({token: marker})}})],
	['JSON by a path that is ignored', marker => post({json: {page: 2, own: [{path: marker}]}})],
	['JSON of another type', marker => json(JSON.stringify({page: 2, token: marker}), 'application/vnd.acme.v1+json; charset=utf-8')],
	['JSON in UTF-16', marker => json(utf16(JSON.stringify({page: 2, token: marker})), 'application/json; charset=utf-16le')],
	['JSON in Latin-1', marker => json(Buffer.from(JSON.stringify({page: 2, name: 'é', token: marker}), 'latin1'), 'application/json; charset=iso-8859-1')],
	['JSON with a mark of the byte order', marker => json(`\u{FEFF}${JSON.stringify({page: 2, token: marker})}`)],
	['JSON in an unknown charset', marker => json(JSON.stringify({token: marker}), 'application/json; charset=x-unknown')],
	['JSON that is none', marker => json(`{"token": "${marker}"`)],
	['JSON that is too long to be read', marker => json(JSON.stringify({token: marker, filler: 'x'.repeat(300_000)}))],
	['JSON that is too deep to be read', marker => json(`${'['.repeat(600)}{"token":"${marker}"}${']'.repeat(600)}`)],
	['JSON that is compressed', marker => post({body: gzipSync(JSON.stringify({token: marker})), headers: {'content-type': 'application/json', 'content-encoding': 'gzip'}})],
	['a body of a GET', marker => ({
		options: {
			method: 'GET', allowGetBody: true, body: JSON.stringify({page: 2, password: marker}), headers: {'content-type': 'application/json'},
		},
	})],
	['a multipart text', marker => json(`--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n${marker}\r\n--x--\r\n`, 'multipart/form-data; boundary=x')],
	['a field of form data', marker => {
		const body = new FormData();
		body.set('password', marker);
		body.set('page', '2');
		return post({body});
	}],
	['a file of form data', marker => {
		const body = new FormData();
		body.set('file', new File([marker], `${marker}.txt`, {type: 'text/plain'}));
		return post({body});
	}],
	['text', marker => json(marker, 'text/plain')],
	['XML', marker => json(`<password>${marker}</password>`, 'application/soap+xml')],
	['bytes', marker => post({body: Buffer.from(marker)})],
	['a stream', marker => ({
		...post({
			body: (function * () {
				yield Buffer.from(marker);
			})() as never,
		}), isStored: false,
	})],
	['an overridden method', marker => ({target: `?page=2&token=${marker}`, options: {method: 'POST', headers: {'x-http-method-override': 'PUT', 'x-api-key': marker}}})],
];

export const places: readonly Place[] = [...credentialHeaders, ...referringHeaders, ...queries, ...userInfo, ...jars, ...bodies];
