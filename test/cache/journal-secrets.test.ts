import {createHash} from 'node:crypto';
import test from 'ava';
import type got from 'got';
import {getCache, type CacheSettings, type HttpCache} from '../../source/index.ts';
import {createClient} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {Origin} from '../helpers/origin.ts';
import {SharedStore} from './shared-store.ts';

const secret = '4711';

/** Makes a client like one of another process. */
function party(values: SharedStore['values'], settings: CacheSettings): {readonly client: typeof got; readonly cache: HttpCache} {
	const {client} = createClient({
		store: new SharedStore(values), ...byOrigin, now: () => Date.now(), ...settings,
	});
	return {client, cache: getCache(client)};
}

/** The usual plain digests of a text. */
function digests(text: string): string[] {
	return ['sha1', 'sha256', 'sha512', 'md5'].flatMap(algorithm => (['hex', 'base64', 'base64url'] as const).map(encoding => createHash(algorithm).update(text).digest(encoding)));
}

const urls: ReadonlyArray<readonly [where: string, url: (origin: string) => string, settings?: CacheSettings]> = [
	['a parameter', origin => `${origin}/a?api_key=${secret}&b=1`],
	['a parameter that the settings ignore', origin => `${origin}/a?shelf=${secret}`, {ignoredParameters: ['shelf']}],
	['a parameter of the path', origin => `${origin}/a;jsessionid=${secret}/b`],
	['a URL in a parameter', origin => `${origin}/a?next=https%3A%2F%2Fuser%3A${secret}%40other.example`],
	['user info', origin => `http://user:${secret}@${new URL(origin).host}/a`],
];

for (const [where, urlOn, settings = {}] of urls) {
	test(`an unsafe method on a URL with a credential in ${where} invalidates for other processes, and stores no plain digest of the URL`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.setHeader('cache-control', 'max-age=3600');
			response.end(`answer ${origin.count}`);
		});
		const values: SharedStore['values'] = new Map();
		const [one, other] = [party(values, settings), party(values, settings)];
		const url = urlOn(origin.url);
		await one.client(url);
		await one.cache.idle();
		t.true((await other.client(url)).isFromCache);
		await one.client.post(url);
		await one.client.put(url);
		await one.cache.idle();
		const stored = JSON.stringify([...values]);
		t.true(stored.includes('got-cache:1:resource:'));
		const {href} = new URL(url);
		const withoutUserInfo = href.replace(`user:${secret}@`, '');
		const texts = [...new Set([url, href, withoutUserInfo])].flatMap(text => ['', 'GET ', 'POST ', 'PUT '].map(method => method + text));
		t.deepEqual(texts.filter(text => text.includes(secret) && (stored.includes(text) || digests(text).some(digest => stored.includes(digest)))), []);
		t.false((await other.client(url)).isFromCache);
	});
}
