import http from 'node:http';
import process from 'node:process';
import {setImmediate as turn} from 'node:timers/promises';
import type {ExtendOptions, Got, OptionsInit} from 'got';
import {
	cacheHooks,
	getCache,
	type CacheEvents,
	type CacheSettings,
	type ClientSettings,
	type HttpCache,
} from '../../../source/index.ts';
import {Recorder, Site} from '../../helpers/behaviour.ts';
import {Clock, Origin} from '../../helpers/origin.ts';
import {look} from './look.ts';
import {StartedRequests} from './started-requests.ts';

/** What a case is played on. */
export type Stage = {
	readonly recorder: Recorder;
	readonly origin: string;
	readonly clock: Clock;

	/** A copy of Got, without retries. */
	readonly instance: Got;

	/** To be undone, or closed, when the case is over. */
	readonly disposables: AsyncDisposableStack;
};

/** How a caller asks, and reads. */
export type Way = {
	readonly title: string;
	readonly run: (desk: Desk) => Promise<void>;

	/** Whether there are requests one after another: what is renewed meanwhile may be there for the next of them, or not yet. */
	readonly isSequence?: boolean;
};

/** What a caller has before it. */
export type Desk = Stage & {
	readonly client: Got;
	readonly url: string;

	/** One request's. */
	readonly options: OptionsInit;

	/** Writes down how something settles, and all that can be seen of a response. */
	readonly settle: (pending: unknown) => Promise<void>;
};

type Made<Value> = Value | ((stage: Stage) => Value);

/** One set of options, and what is done with it. */
export type Draft = {
	path: string;
	way: Way;
	readonly settings: Array<Made<CacheSettings>>;

	/** What an instance is extended with before the cache. */
	readonly before: Array<Made<ExtendOptions>>;

	/** What becomes of the cached instance. */
	readonly after: Array<(client: Got, stage: Stage, cacheAgain: () => ExtendOptions) => Got>;

	/** Of each request. */
	readonly options: Array<Made<OptionsInit>>;

	/** What a request is made in. */
	readonly around: Array<(action: () => Promise<void>, cache: HttpCache, stage: Stage) => Promise<void>>;

	/** Another way to give an instance a cache. */
	cache: (instance: Got, settings: ClientSettings) => Got;

	/** Seconds between one request and the next. */
	pause: number;

	/** Whether the answer is stored before, for what would not get one by itself. */
	isStored: boolean;
};

export type Recording = {
	readonly notes: readonly unknown[];

	/** How often nothing was sent, and Got started no request: its own lane's answers. */
	readonly fast: number;
};

/** Three times: what is stored by the first is what the others get. */
const rounds = 3;

const cacheEvents: ReadonlyArray<keyof CacheEvents> = ['hit', 'stale', 'revalidated', 'miss', 'bypassed', 'stored', 'refused', 'deleted', 'expired', 'storeError', 'settingError', 'backgroundError', 'internalError'];

/** Where cases are played, one after another: both lanes ask the same origin. */
export type Venue = AsyncDisposable & {
	readonly origin: Origin;
	site: Site;
};

export async function openVenue(): Promise<Venue> {
	const origin = await Origin.start((request, response, body) => {
		try {
			venue.site.handler(request, response, body);
		} catch {
			// Some of what is drawn makes no sense to the site, such as trailers of a HEAD.
			response.socket!.destroy();
		}
	});
	const venue: Venue = {
		origin,
		site: new Site(),
		async [Symbol.asyncDispose]() {
			await origin[Symbol.asyncDispose]();
		},
	};
	return venue;
}

export function draft(way: Way): Draft {
	return {
		path: '/json',
		way,
		settings: [],
		before: [],
		after: [],
		options: [],
		around: [],
		cache: (instance, settings) => instance.extend(cacheHooks(settings)),
		pause: 1,
		isStored: false,
	};
}

/**
Plays a case from an empty cache on, through a client with the fast lane or without.
*/
export async function play(played: Draft, instance: Got, fastLane: boolean, venue: Venue): Promise<Recording> {
	venue.site = new Site();
	const {origin} = venue;
	await using disposables = new AsyncDisposableStack();
	const unhandled = catchUnhandled(disposables);
	const recorder = new Recorder();
	recorder.addPort(Number(new URL(origin.url).port));
	const clock = new Clock();
	// A connection that another case has left may be closed by now.
	const agent = new http.Agent({keepAlive: true});
	disposables.defer(() => {
		agent.destroy();
	});
	const stage: Stage = {
		recorder, origin: origin.url, clock, instance: instance.extend({retry: {limit: 0}, agent: {http: agent}}), disposables,
	};
	const settings = {
		store: 'memory', expireAfter: '5m', now: clock.now, ...merged(played.settings, stage), fastLane,
	} as const;
	const cached = played.cache(stage.instance.extend(...played.before.map(made => resolve(made, stage))), settings);
	const cache = getCache(cached)!;
	const told = record(cache);
	let client = cached;
	for (const change of played.after) {
		client = change(client, stage, () => cacheHooks({...settings, store: 'memory'}));
	}

	if (played.isStored) {
		await settled(() => client(origin.url + played.path));
		await cache.idle();
	}

	let fast = 0;
	const started = new StartedRequests(instance);
	for (let round = 1; round <= rounds; round++) {
		recorder.note(`round ${round}`);
		started.take();
		const before = {sent: origin.count, hits: cache.stats().hits};
		const action = async (): Promise<void> => {
			try {
				await played.way.run(deskOf(played, stage, client));
			} catch (error) {
				recorder.note('threw', recorder.error(error));
			}
		};

		await surrounded(played.around, action, cache, stage);
		await turn();
		await cache.idle();
		fast += started.take() === 0 && origin.count === before.sent && cache.stats().hits > before.hits ? 1 : 0;
		clock.advance(played.pause);
	}

	recorder.note('unhandled', unhandled.map(String));
	recorder.note('told', told.answers);
	recorder.note('told beside', told.others.toSorted());
	recorder.note('stats', cache.stats());
	recorder.note('asked', origin.requests.splice(0));
	// What comes after is nobody's.
	return {notes: [...recorder.notes], fast};
}

/** Whatever comes of it, and however. */
async function settled(action: () => Promise<unknown>): Promise<void> {
	try {
		await action();
	} catch {
		// It is told by what follows.
	}
}

/** What nobody has caught until all is over. */
function catchUnhandled(disposables: AsyncDisposableStack): unknown[] {
	const unhandled: unknown[] = [];
	const listener = (error: unknown): void => {
		unhandled.push(error);
	};

	process.on('unhandledRejection', listener);
	disposables.defer(() => {
		process.off('unhandledRejection', listener);
	});
	return unhandled;
}

/** The first stands outside. */
async function surrounded([outer, ...others]: Draft['around'], action: () => Promise<void>, cache: HttpCache, stage: Stage): Promise<void> {
	await (outer === undefined ? action() : outer(async () => surrounded(others, action, cache, stage), cache, stage));
}

function deskOf(played: Draft, stage: Stage, client: Got): Desk {
	const {recorder, origin, instance} = stage;
	return {
		...stage,
		client,
		url: origin + played.path,
		options: merged<Record<string, unknown>>(played.options, stage),
		async settle(pending) {
			const value = await recorder.settle(pending as Promise<unknown>);
			if (isResponse(value)) {
				recorder.note('look', look(value as never, instance));
			}
		},
	};
}

function isResponse(value: unknown): boolean {
	return typeof value === 'object' && value !== null && 'requestUrl' in value;
}

/** What the cache tells: of answers in their order, of what is done in the background and of what is stored whenever it is. */
function record(cache: HttpCache): {readonly answers: unknown[]; readonly others: string[]} {
	const answers: unknown[] = [];
	const others: string[] = [];
	for (const event of cacheEvents) {
		cache.on(event, (news: object) => {
			const {key, error, ...rest} = news as {key?: unknown; error?: unknown; background?: boolean};
			const told = [event, {...rest, hasKey: key !== undefined, error: error instanceof Error ? String(error) : undefined}];
			if (rest.background === false) {
				answers.push(told);
			} else {
				others.push(JSON.stringify(told));
			}
		});
	}

	return {answers, others};
}

function resolve<Value>(made: Made<Value>, stage: Stage): Value {
	return typeof made === 'function' ? (made as (of: Stage) => Value)(stage) : made;
}

/** What several say of one thing (`headers`, `hooks`, `context`) is said together. */
function merged<Value extends object>(all: ReadonlyArray<Made<Value>>, stage: Stage): Value {
	const result: Record<string, unknown> = {};
	for (const made of all) {
		for (const [name, value] of Object.entries(resolve(made, stage))) {
			result[name] = isPlain(value) && isPlain(result[name]) ? {...result[name], ...value} : value;
		}
	}

	return result as Value;
}

function isPlain(value: unknown): value is object {
	return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
