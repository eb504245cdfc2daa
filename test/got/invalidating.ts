import type {ServerResponse} from 'node:http';
import {setImmediate as turn} from 'node:timers/promises';
import type {ExecutionContext, TestFn} from 'ava';
import type {Got} from 'got';
import {
	cacheHooks,
	getCache,
	type HttpCache,
	type CacheSettings,
} from '../../source/index.ts';
import {majors} from '../helpers/clients.ts';
import {settle} from '../helpers/gate.ts';
import type {OpenedStore} from '../helpers/opened-stores.ts';
import {Clock, Origin} from '../helpers/origin.ts';

const resources = 10;
const callers = 5;
const [, instance] = majors[0]!;
export const partitionSecret = 'a secret of the tests';

/** An origin whose responses have its version at the time of the request; it can hold them back. */
export class VersionedOrigin implements AsyncDisposable {
	version = 1;

	/** When a response is sent: at once, or after `release()`, with or without its head. */
	how: 'at once' | 'without a head' | 'with its head' = 'at once';
	readonly #origin: Origin;
	readonly #kept: Array<() => void> = [];

	private constructor(origin: Origin) {
		this.#origin = origin;
	}

	static async start(): Promise<VersionedOrigin> {
		const versioned: {origin?: VersionedOrigin} = {};
		const origin = await Origin.start((request, response) => {
			versioned.origin!.#answer(request.method!, request.headers['if-none-match'], response);
		});
		versioned.origin = new VersionedOrigin(origin);
		return versioned.origin;
	}

	get urls(): readonly string[] {
		return Array.from({length: resources}, (_, index) => `${this.#origin.url}/${index}`);
	}

	get count(): number {
		return this.#origin.count;
	}

	/** The number of responses that are held back. */
	get kept(): number {
		return this.#kept.length;
	}

	/** Sends the responses that are held back. */
	release(): void {
		for (const give of this.#kept.splice(0)) {
			give();
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#origin[Symbol.asyncDispose]();
	}

	#answer(method: string, validator: string | undefined, response: ServerResponse): void {
		if (method !== 'GET') {
			response.end('changed');
			return;
		}

		const {version} = this;
		const isSame = validator === `"${version}"`;
		const body = `version ${version}`;
		const begin = (): void => {
			response.writeHead(isSame ? 304 : 200, {
				'cache-control': 'max-age=60', 'cache-tag': 'tagged', etag: `"${version}"`,
				// For a body of unknown length, others wait for 2 seconds only.
				...(!isSame && {'content-length': body.length}),
			});
			response.flushHeaders();
		};

		const end = (): void => {
			response.end(isSame ? undefined : body);
		};

		switch (this.how) {
			case 'at once': {
				begin();
				end();
				break;
			}

			case 'without a head': {
				this.#kept.push(() => {
					begin();
					end();
				});
				break;
			}

			case 'with its head': {
				begin();
				response.write('');
				this.#kept.push(end);
				break;
			}

			default: {
				this.how satisfies never;
			}
		}
	}
}

type Setup = {
	readonly origin: VersionedOrigin;
	readonly client: Got;
	readonly cache: HttpCache;
	readonly clock: Clock;

	/** The keys of the resources. */
	readonly keys: readonly string[];
};

export type Action = (stage: Setup) => Promise<unknown>;

/** The actions that invalidate responses. */
export const actions: Readonly<Record<string, Action>> = {
	'delete by URLs': async ({cache, origin}) => cache.delete({urls: origin.urls}),
	'delete by keys': async ({cache, keys}) => cache.delete({keys}),
	'delete by requests': async ({cache, origin}) => cache.delete({requests: origin.urls.map(url => ({url}))}),
	'delete by patterns': async ({cache}) => cache.delete({patterns: ['*']}),
	'delete by a tag': async ({cache}) => cache.delete({tags: ['tagged']}),
	'delete of all valid entries': async ({cache}) => cache.delete({valid: true}),
	'expire by URLs': async ({cache, origin}) => cache.expire({urls: origin.urls}),
	'expire by a tag': async ({cache}) => cache.expire({tags: ['tagged']}),
	'expire by patterns': async ({cache}) => cache.expire({patterns: ['*']}),
	clear: async ({cache}) => cache.clear(),
	save: async ({cache, origin}) => Promise.all(origin.urls.map(async url => cache.save({url}, {body: 'version 2', headers: {etag: '"2"', 'cache-control': 'max-age=60'}}))),
	'an unsafe method': async ({client, origin}) => Promise.all(origin.urls.map(async url => client.post(url, {body: 'change'}))),
};

/** The progress of the requests at the time of the invalidation. */
export const states: Readonly<Record<string, (stage: Setup) => Promise<ReadonlyArray<Promise<string>>>>> = {
	async 'before their head is there'(stage) {
		stage.origin.how = 'without a head';
		return askAll(stage, resources);
	},
	async 'before their body is there'(stage) {
		stage.origin.how = 'with its head';
		return askAll(stage, resources);
	},
	async 'while they validate what is stored'(stage) {
		await Promise.all(stage.origin.urls.map(async url => stage.client(url)));
		await stage.cache.idle();
		stage.clock.advance(120);
		stage.origin.how = 'without a head';
		return askAll(stage, resources);
	},
};

/** Sends many requests, until a number of them has reached the origin. */
async function askAll({client, origin}: Setup, count: number): Promise<ReadonlyArray<Promise<string>>> {
	const heads = new Set<object>();
	const asked = origin.urls.flatMap(url => Array.from({length: callers}, async () => {
		const response = client(url);
		// Got emits this as soon as it has the head.
		void response.on('downloadProgress', () => {
			heads.add(response);
		});
		return response.text();
	}));
	while (origin.kept < count || (origin.how === 'with its head' && heads.size < count)) {
		await turn();
	}

	await settle();
	return asked;
}

export function open(settings: CacheSettings, clock: Clock): Got {
	return instance.extend({retry: {limit: 0}}, cacheHooks({
		expireAfter: 60, now: clock.now, partitionSecret, ...settings,
	}));
}

export async function versions(client: Got, urls: readonly string[]): Promise<readonly string[]> {
	return Promise.all(urls.map(async url => client(url).text()));
}

export const renewed: readonly string[] = Array.from({length: resources}, () => 'version 2');

type Case = {
	readonly openStore: () => Promise<OpenedStore>;
	readonly cacheControl: boolean;

	/** Whether it is done by another cache on the same store. */
	readonly isOther: boolean;
	readonly state: string;
};

/** Invalidates responses in flight. Half of them are requested again before they arrive, the others afterwards. */
async function invalidateInFlight(t: ExecutionContext, [action, invalidate]: readonly [string, Action], {openStore, cacheControl, isOther, state}: Case): Promise<void> {
	const isTagged = action.endsWith('by a tag') && state === 'before their head is there';
	await using origin = await VersionedOrigin.start();
	await using opened = await openStore();
	const clock = new Clock(Date.now());
	const settings = {...opened.settings, cacheControl};
	const client = open(settings, clock);
	const other = isOther ? open(settings, clock) : client;
	await using cache = getCache(client);
	await using otherCache = getCache(other);
	const keys = await Promise.all(origin.urls.map(async url => (await cache.createKey({url}))!));
	const stage = {
		origin, client, cache, clock, keys,
	};
	const asked = await states[state]!(stage);
	origin.version = 2;
	clock.advance(1);
	await invalidate({...stage, client: other, cache: otherCache});
	origin.how = 'at once';
	const sent = origin.count;
	const half = resources / 2;
	const after = versions(client, origin.urls.slice(0, half));
	// The tags of what was never stored are known with its head.
	if (!isTagged) {
		await after;
	}

	origin.release();
	t.deepEqual(await after, renewed.slice(0, half), `${action}: nobody is given what was asked for before`);
	if (!isTagged) {
		t.is(origin.count - sent, action === 'save' ? 0 : half, `${action}: those that come after share`);
	}

	await Promise.all(asked);
	await Promise.all([cache.idle(), otherCache.idle()]);
	t.deepEqual(await versions(client, origin.urls), renewed, `${action}: what was asked for before is not stored`);
	t.deepEqual(await versions(other, origin.urls), renewed, action);
}

/** Tests invalidations while 50 requests are in flight. */
export function testInvalidatedInFlight(test: TestFn, store: string, openStore: () => Promise<OpenedStore>): void {
	for (const cacheControl of [false, true]) {
		for (const isOther of [false, true]) {
			for (const state of Object.keys(states)) {
				test.serial(`${store}, cacheControl ${cacheControl}: no outdated response is served to 50 requests (${state}) after ${isOther ? 'another cache on the same store' : 'the same cache'} invalidates them`, async t => {
					const done = Object.entries(actions).filter(([action]) => cacheControl || action !== 'an unsafe method');
					// One after the other: a request waits only as long for another as that makes progress.
					for (const action of done) {
						await invalidateInFlight(t, action, {
							openStore, cacheControl, isOther, state,
						});
					}
				});
			}
		}
	}
}
