import type {ExecutionContext} from 'ava';
import got, {type ExtendOptions, type OptionsOfTextResponseBody} from 'got';
import {
	cached,
	cacheHooks,
	cacheInfo,
	createCachedGot,
	HttpCache,
	installCache,
	type CacheSettings,
} from '../../../source/index.ts';
import {readStream} from '../../helpers/clients.ts';
import {cert} from '../../helpers/certificates.ts';
import type {User} from './identities.ts';

type Answer = {readonly body: string; readonly who?: unknown; readonly reason?: string; readonly isJoined?: boolean};
type Api = (url: string, options: OptionsOfTextResponseBody, user: User) => Promise<Answer>;

/** Returns every API that sends requests through one cache, or through one store. */
export function apisOf(t: ExecutionContext, settings: CacheSettings, instance: typeof got): {readonly apis: Readonly<Record<string, Api>>; readonly idle: () => Promise<void>} {
	const base: ExtendOptions = {retry: {limit: 0}, throwHttpErrors: false, https: {certificateAuthority: cert}};
	const cache = new HttpCache(settings);
	const plain = instance.extend(base, cacheHooks({cache})) as typeof got;
	const second = instance.extend(base, cacheHooks({cache})) as typeof got;
	const h2 = plain.extend({http2: true}) as typeof got;
	const called = createCachedGot({cache}, got.extend(base));
	const installed = got.extend({...base, mutableDefaults: true}) as typeof got;
	const installation = installCache(settings, installed);
	t.teardown(async () => installation[Symbol.asyncDispose]());
	const promise = (client: typeof got): Api => async (url, options) => {
		const response = await client(url, options);
		const {reason, collapsed} = cacheInfo(response);
		return {
			body: response.body, who: response.headers['x-who'], reason, isJoined: collapsed,
		};
	};

	const decorated = cached(async (url: string, options: OptionsOfTextResponseBody) => promise(plain)(url, options, 'ada'), '90s', {staleIfError: true});
	const result = cached(async (url: string, user: User, options: () => OptionsOfTextResponseBody) => plain(url, options()).text(), '90s', {
		result: true, cache, name: 'result', keyFn: (_self, url, user) => [url, user],
	});
	return {
		apis: {
			promise: promise(plain),
			'another client': promise(second),
			createCachedGot: promise(called),
			installed: promise(installed),
			'HTTP/2': promise(h2),
			async stream(url, options) {
				const stream = plain.stream(url, options as object);
				return {body: await readStream(stream), who: stream.response!.headers['x-who'], reason: cacheInfo(stream.response!).reason};
			},
			async 'HTTP/2 stream'(url, options) {
				return {body: await readStream(h2.stream(url, options as object))};
			},
			async text(url, options) {
				return {body: await called(url, options as object).text()};
			},
			async buffer(url, options) {
				return {body: new TextDecoder().decode(await plain(url, options).buffer())};
			},
			decorated,
			async result(url, options, user) {
				return {body: await result(url, user, () => options)};
			},
		},
		async idle() {
			await cache.idle();
			await installation.cache.idle();
		},
	};
}
