import test from 'ava';
import type {
	ExtendOptions,
	Got,
	OptionsInit,
	Request,
	RequestError,
	Response,
} from 'got';
import {cacheHooks, type CacheSettings} from '../../source/index.ts';
import {cannedResponse} from '../helpers/canned-response.ts';
import {createClient, majors} from '../helpers/clients.ts';
import {Clock, Origin} from '../helpers/origin.ts';
import {reasonOf} from '../helpers/refreshing.ts';

/** An origin that answers as a test wants it to; `undefined` resets the connection. */
class MoodyOrigin {
	status: number | undefined = 200;
	readonly origin: Origin;

	private constructor(origin: Origin) {
		this.origin = origin;
	}

	static async start(): Promise<MoodyOrigin & AsyncDisposable> {
		const origin: Origin = await Origin.start((_request, response) => {
			if (moody.status === undefined) {
				response.socket!.destroy();
			} else {
				response.statusCode = moody.status;
				response.end(`answer ${origin.count}`);
			}
		});
		const moody = Object.assign(new MoodyOrigin(origin), {[Symbol.asyncDispose]: async () => origin[Symbol.asyncDispose]()});
		return moody;
	}
}

type Client = ReturnType<typeof createClient>;

/** Responses of the cache itself: their preparation, status code and reason, and the options with which a hook retries. */
type Own = {
	readonly title: string;
	readonly settings?: CacheSettings;
	readonly options?: OptionsInit;

	/** Before the request: what is stored, what the origin says from then on. */
	readonly prepare: (moody: MoodyOrigin, client: Client) => Promise<void>;
	readonly statusCode: number;
	readonly reason: string;
	readonly again: OptionsInit;
};

const cached = (statusCode: number): Own => ({
	title: `a stored ${statusCode}`,
	settings: {allowableCodes: [200, statusCode]},
	async prepare(moody, {client}) {
		moody.status = statusCode;
		await client(moody.origin.url, {throwHttpErrors: false});
		moody.status = 200;
	},
	statusCode,
	reason: 'fresh',
	again: {context: {cache: {forceRefresh: true}}},
});

const standIn = (title: string, settings: CacheSettings, status: number | undefined): Own => ({
	title,
	settings: {staleIfError: true, ...settings},
	async prepare(moody, {client, clock}) {
		await client(moody.origin.url);
		clock.advance(600);
		moody.status = status;
	},
	statusCode: 200,
	reason: 'stale-if-error',
	again: {context: {cache: {forceRefresh: true}}},
});

const owns: readonly Own[] = [
	...[401, 404, 408, 413, 500, 503].map(statusCode => cached(statusCode)),
	{
		title: 'a 504 of `onlyIfCached`',
		options: {context: {cache: {onlyIfCached: true}}},
		async prepare() {},
		statusCode: 504,
		reason: 'only-if-cached',
		again: {context: {cache: {}}},
	},
	{
		title: 'a 504 of `Cache-Control: only-if-cached`',
		options: {headers: {'cache-control': 'only-if-cached'}},
		async prepare() {},
		statusCode: 504,
		reason: 'only-if-cached',
		again: {headers: {'cache-control': 'max-stale'}},
	},
	{
		title: 'a 504 of `gatewayTimeout: \'respond\'`',
		settings: {gatewayTimeout: 'respond'},
		async prepare(moody) {
			moody.status = undefined;
		},
		statusCode: 504,
		reason: 'gateway-timeout',
		again: {},
	},
	standIn('what stands in for a 503', {}, 503),
	standIn('what stands in for a 404', {}, 404),
	standIn('what stands in for a reset connection', {}, undefined),
];

type Seen = {readonly responses: Array<readonly [statusCode: number, retryCount: number]>; readonly retries: string[]};

/** A hook that asks once more after the first response, with what is given. */
function askingAgain(again: OptionsInit, onFirst: () => void): {readonly seen: Seen; readonly options: ExtendOptions} {
	const seen: Seen = {responses: [], retries: []};
	return {
		seen,
		options: {
			hooks: {
				beforeRetry: [error => {
					seen.retries.push(error.code);
				}],
				afterResponse: [(response, retryWithMergedOptions) => {
					seen.responses.push([response.statusCode, response.retryCount]);
					if (seen.responses.length > 1) {
						return response;
					}

					onFirst();
					return retryWithMergedOptions(again);
				}],
			},
		},
	};
}

const retryOptions: ReadonlyArray<readonly [title: string, retry: NonNullable<ExtendOptions['retry']>]> = [
	['the default retries', {}],
	['no retries', {limit: 0}],
	['a `calculateDelay`', {limit: 2, calculateDelay: ({computedValue}) => Math.min(computedValue, 1)}],
	['a `calculateDelay` that never retries', {calculateDelay: () => 0}],
	['a `calculateDelay` without the retry rules', {limit: 0, enforceRetryRules: false, calculateDelay: ({error}) => error.code === 'ERR_RETRYING' ? 1 : 0}],
];

async function settleStream(stream: Request): Promise<unknown> {
	try {
		await Array.fromAsync(stream as AsyncIterable<Uint8Array>);
		return stream.response!.statusCode;
	} catch (error) {
		return (error as RequestError).name;
	}
}

async function settle(asked: Promise<unknown>): Promise<unknown> {
	try {
		const {body, statusCode, retryCount} = await asked as Response<string>;
		return [statusCode, body.replace(/\d+/v, '#'), retryCount];
	} catch (error) {
		return [(error as RequestError).name, (error as RequestError).code];
	}
}

for (const [name, instance] of majors) {
	for (const own of owns) {
		for (const [title, retry] of retryOptions) {
			test(`${name}: with ${title}, a hook that retries after ${own.title} gets the same response as after one of the origin`, async t => {
				await using moody = await MoodyOrigin.start();
				const made = createClient(own.settings, instance);
				await own.prepare(moody, made);
				const asking = askingAgain(own.again, () => {
					moody.status = 200;
				});
				const client = made.client.extend({retry}, asking.options) as Got;
				const outcome = await settle(client(moody.origin.url, own.options as object));

				// Without a cache.
				await using plain = await MoodyOrigin.start();
				plain.status = own.statusCode;
				const expected = askingAgain({}, () => {
					plain.status = 200;
				});
				t.deepEqual(outcome, await settle(instance.extend({retry}, expected.options)(plain.origin.url)));
				t.deepEqual(asking.seen, expected.seen);
				t.is(asking.seen.responses[0]![0], own.statusCode);
			});
		}

		test(`${name}: Got does not retry after ${own.title}`, async t => {
			await using moody = await MoodyOrigin.start();
			const made = createClient(own.settings, instance);
			await own.prepare(moody, made);
			let retries = 0;
			const client = made.client.extend({
				retry: {limit: 2, calculateDelay: ({computedValue}) => Math.min(computedValue, 1)},
				hooks: {
					beforeRetry: [() => {
						retries++;
					}],
				},
			}) as Got;
			const {origin} = moody;
			const before = origin.count;
			const response: Response<string> = await client(origin.url, {...own.options, throwHttpErrors: false} as object);
			t.deepEqual([response.statusCode, reasonOf(response), response.retryCount], [own.statusCode, own.reason, 0]);
			t.is(retries, 0);
			t.true(origin.count <= before + 1);

			const stream = client.stream(origin.url, {...own.options, throwHttpErrors: true} as object);
			let streamRetries = 0;
			stream.on('retry', () => {
				streamRetries++;
			});
			const outcome = await settleStream(stream);
			t.is(outcome, own.statusCode === 200 ? 200 : 'HTTPError');
			t.is(streamRetries, 0);
		});
	}
}

const quick = {limit: 2, calculateDelay: ({computedValue}: {readonly computedValue: number}) => Math.min(computedValue, 1)};

for (const [name, instance] of majors) {
	for (const status of [503, undefined]) {
		test(`${name}: with staleIfErrorAfter 'retries', a hook may retry after a stale response that replaces ${status ?? 'a connection reset'}, and Got's retries start again`, async t => {
			await using moody = await MoodyOrigin.start();
			const {client: plain, clock} = createClient({expireAfter: 60, staleIfError: true, staleIfErrorAfter: 'retries'}, instance);
			const reasons: string[] = [];
			const client = plain.extend({
				retry: quick,
				hooks: {
					afterResponse: [(response, retryWithMergedOptions) => {
						reasons.push(reasonOf(response));
						if (!response.isFromCache) {
							return response;
						}

						moody.status = 200;
						return retryWithMergedOptions({});
					}],
				},
			}) as Got;
			const {origin} = moody;
			await client(origin.url);
			clock.advance(600);
			moody.status = status;
			reasons.length = 0;
			const response = await client(origin.url);
			t.is(response.body, 'answer 5');
			t.is(reasons.at(status === undefined ? 0 : -1), 'stale-if-error');
			t.is(origin.count, 5);
		});
	}

	test(`${name}: with staleIfErrorAfter 'retries', the retry rules apply again if a hook sets its own \`calculateDelay\``, async t => {
		await using moody = await MoodyOrigin.start();
		const {client: plain, clock} = createClient({expireAfter: 60, staleIfError: true, staleIfErrorAfter: 'retries'}, instance);
		let delays = 0;
		const client = plain.extend({
			retry: quick,
			hooks: {
				afterResponse: [(response, retryWithMergedOptions) => response.statusCode === 503
					? retryWithMergedOptions({
						context: {cache: {staleIfError: false}},
						retry: {
							limit: 3,
							calculateDelay() {
								delays++;
								return delays > 20 ? 0 : 1;
							},
						},
					})
					: response],
			},
		}) as Got;
		const {origin} = moody;
		await client(origin.url);
		clock.advance(600);
		moody.status = 503;
		await t.throwsAsync(client(origin.url), {message: /503/v});
		// Got 14 enforces no rules by itself.
		t.is(delays, name === 'Got 14' ? 21 : 3);
	});

	test(`${name}: with staleIfErrorAfter 'retries', after a hook disables the cache, Got's rules decide on retries`, async t => {
		await using moody = await MoodyOrigin.start();
		const {client: plain, clock} = createClient({expireAfter: 60, staleIfError: true, staleIfErrorAfter: 'retries'}, instance);
		const client = plain.extend({
			retry: quick,
			hooks: {
				afterResponse: [(response, retryWithMergedOptions) => response.statusCode === 503 ? retryWithMergedOptions({context: {cache: {disabled: true}}}) : response],
			},
		}) as Got;
		const {origin} = moody;
		await client(origin.url);
		clock.advance(600);
		moody.status = 503;
		const error = await t.throwsAsync<RequestError>(client(origin.url), {message: /503/v});
		t.is(error.request!.retryCount, 2);
		t.is(error.options.retry.calculateDelay, quick.calculateDelay);
		t.is(error.options.retry.enforceRetryRules, name !== 'Got 14');
	});

	test(`${name}: with staleIfErrorAfter 'retries', a circuit breaker before the cache sees one more attempt, which would serve the stored response`, async t => {
		await using moody = await MoodyOrigin.start();
		const clock = new Clock();
		let isOpen = false;
		let count = 0;
		const client = instance.extend({
			retry: quick,
			hooks: {
				beforeRequest: [() => {
					count++;
					return isOpen ? cannedResponse({statusCode: 503}) as never : undefined;
				}],
				beforeRetry: [() => {
					isOpen = true;
				}],
			},
		}, cacheHooks({
			store: 'memory', expireAfter: 60, staleIfError: true, staleIfErrorAfter: 'retries', now: clock.now,
		})) as Got;
		const {origin} = moody;
		await client(origin.url);
		clock.advance(600);
		moody.status = 503;
		count = 0;
		await t.throwsAsync(client(origin.url), {message: /503/v});
		t.is(count, 4);
	});

	test(`${name}: an error of a hook after a stored 503 is not retried because of the status, but the user's own rules may retry it`, async t => {
		await using moody = await MoodyOrigin.start();
		const own = cached(503);
		const made = createClient(own.settings, instance);
		await own.prepare(moody, made);
		let calls = 0;
		let delays = 0;
		const reported: unknown[] = [];
		const failing = made.client.extend({
			hooks: {
				afterResponse: [() => {
					calls++;
					throw new Error('fault');
				}],
			},
		}) as Got;
		await t.throwsAsync(failing(moody.origin.url, {retry: quick}), {message: 'fault'});
		t.is(calls, 1);
		await t.throwsAsync(failing(moody.origin.url, {
			retry: {
				limit: 2,
				enforceRetryRules: false,
				calculateDelay({attemptCount, computedValue, error}) {
					delays++;
					reported.push([computedValue, error.message]);
					return attemptCount > 2 ? 0 : 1;
				},
			},
		}), {message: 'fault'});
		t.deepEqual([calls, delays], [4, 3]);
		t.deepEqual(reported, [[0, 'fault'], [0, 'fault'], [0, 'fault']]);
	});

	test(`${name}: a stored response that cannot be parsed is retried only by the user's own rules`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('{');
		});
		const {client} = createClient({}, instance);
		await client(origin.url);
		let delays = 0;
		await t.throwsAsync(client(origin.url, {
			responseType: 'json',
			retry: {
				limit: 2,
				enforceRetryRules: false,
				calculateDelay({attemptCount}) {
					delays++;
					return attemptCount > 2 ? 0 : 1;
				},
			},
		}), {code: 'ERR_BODY_PARSE_FAILURE'});
		t.is(delays, 3);
		t.is(origin.count, 1);
	});

	test(`${name}: an error response of the origin after a stored one is retried as usual`, async t => {
		await using moody = await MoodyOrigin.start();
		const own = cached(503);
		const made = createClient(own.settings, instance);
		await own.prepare(moody, made);
		moody.status = 500;
		let isFirst = true;
		const client = made.client.extend({
			retry: quick,
			hooks: {
				beforeRetry: [error => {
					if (error.response?.statusCode === 500) {
						moody.status = 200;
					}
				}],
				afterResponse: [(response, retryWithMergedOptions) => {
					if (!isFirst) {
						return response;
					}

					isFirst = false;
					return retryWithMergedOptions({context: {cache: {forceRefresh: true}}});
				}],
			},
		}) as Got;
		const response = await client(moody.origin.url);
		t.deepEqual([response.statusCode, response.retryCount], [200, 2]);
	});
}

