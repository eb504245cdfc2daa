// What a user's program may write. It is compiled against the package as built, without `skipLibCheck` and without any optional dependency, and by `test/got/compatibility/types.long.test.ts` against the source.
import got, {type Got} from 'got';
import {
	cacheContext,
	cacheHooks,
	cacheInfo,
	createCachedGot,
	createStore,
	getCache,
	parseCacheControl,
	type CacheDirectives,
	type CachedGot,
	type CacheSettings,
	type ExpirationPattern,
	type ExpirationPatterns,
	type ExpirationTime,
	type FilterCallback,
	type HttpCache,
	type KeyCallback,
} from 'got-cache-hooks';
import {GotCacheInstrumentation} from 'got-cache-hooks/opentelemetry';

const instrumentation = new GotCacheInstrumentation({attributes: ({url, store}) => ({host: new URL(url).host, store})});
// @ts-expect-error -- Not an option.
const wrongInstrumentation = new GotCacheInstrumentation({enable: true});
const directives: CacheDirectives = parseCacheControl('max-age=60');
const filterFn: FilterCallback = response => response.statusCode === 200 && !directives.has('no-store');
const keyFn: KeyCallback = (request, createKey) => createKey(request);
const expireAfter: ExpirationTime = {minutes: 5};
const pattern: ExpirationPattern = /live/v;
const urlsExpireAfter: ExpirationPatterns = [[pattern, expireAfter]];
const settings: CacheSettings = {
	store: createStore('mongodb', {url: 'mongodb://localhost'}), filterFn, keyFn, expireAfter, urlsExpireAfter,
};

const client = got.extend(cacheHooks(settings));
const installed: HttpCache | undefined = getCache();
const cache: HttpCache = getCache(client);
// @ts-expect-error -- Nothing may be installed.
const never: HttpCache = getCache();
const response = await client('https://example.com', {context: {...cacheContext({expireAfter: '1m'}), trace: 1}});
const {reason}: {readonly reason: string} = cacheInfo(response);
// @ts-expect-error -- Not a setting of a request.
const wrong = cacheContext({store: 'memory'});

const cached: CachedGot = createCachedGot(settings, got.extend({retry: {limit: 0}}));
const asGot: Got = cached;
const text: string = await cached('https://example.com', {refresh: true, context: {cache: {tags: ['a']}}}).text();
const {body} = await cached.get<{name: string}>('https://example.com', {responseType: 'json', staleIfError: '1d'});
const length: number = body.name.length + text.length;
// @ts-expect-error -- The body is a text.
const number: number = (await cached('https://example.com')).body;
// @ts-expect-error -- A setting of the client is none of a request.
const refused = cached('https://example.com', {store: 'memory'});
// @ts-expect-error -- The settings in a `context` are checked, too.
const wrongContext = cached('https://example.com', {context: {cache: {expireAfter: true}}});
// @ts-expect-error -- So are those of methods, streams and pages.
const wrongContexts = [cached.post('https://example.com', {context: {cache: {refresh: 1}}}), cached.stream('https://example.com', {context: {cache: {store: 'memory'}}}), cached.paginate('https://example.com', {context: {cache: {expireAfter: true}}})];
const byOptions = cached({url: 'https://example.com', expireAfter: '1m'});
const [page]: readonly string[] = await cached.paginate.all<string>('https://example.com', {refresh: true});
const stream = cached.stream('https://example.com', {expireAfter: '1m'});
const extended: CachedGot = cached.extend({expireAfter: '1m'}, client).extend();

export const all: readonly unknown[] = [instrumentation, wrongInstrumentation, installed, cache, never, reason, wrong, asGot, length, number, refused, page, stream, extended, wrongContext, wrongContexts, byOptions];
