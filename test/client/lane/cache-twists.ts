import diagnostics from 'node:diagnostics_channel';
import {setImmediate as turn} from 'node:timers/promises';
import type {ExtendOptions, Got, HandlerFunction} from 'got';
import {
	cached,
	createCachedGot,
	createStore,
	DO_NOT_CACHE,
	withCacheSettings,
	type CacheSettings,
	type Store,
} from '../../../source/index.ts';
import {MemoryStore} from '../../../source/stores/memory.ts';
import {temporaryFolder} from '../../helpers/temporary-folder.ts';
import type {Twist} from './option-twists.ts';
import type {Draft, Stage} from './play.ts';
import {plainly} from './ways.ts';

function setting(title: string, made: CacheSettings | ((stage: Stage) => CacheSettings), more: Partial<Pick<Draft, 'pause' | 'path'>> = {}): Twist {
	return {
		title,
		apply(draft) {
			draft.settings.push(made);
			Object.assign(draft, more);
		},
	};
}

/** What renews in the background what it gives. */
function renewing(title: string, made: CacheSettings | ((stage: Stage) => CacheSettings), pause: number): Twist {
	return {
		title,
		apply(draft) {
			setting(title, made, {pause}).apply(draft);
			draft.way = draft.way.isSequence === true ? plainly : draft.way;
		},
	};
}

/** Answers later, as a server would. */
export class LaterStore extends MemoryStore {
	override async get(key: string): Promise<object | string | undefined> {
		await turn();
		return super.get(key);
	}
}

function later(made: Store): CacheSettings {
	return {store: made};
}

const settings: readonly Twist[] = [
	setting('a header is matched', {matchHeaders: ['accept']}),
	setting('all headers are matched', {matchHeaders: true}),
	setting('the origin decides', {cacheControl: true}, {path: '/made/json?cache-control=max-age%3D100'}),
	setting('the origin decides, and has been asked long ago', {cacheControl: true}, {path: '/made/json?cache-control=max-age%3D1&etag=%221%22', pause: 5}),
	setting('no Cache-Status', {cacheStatus: false}),
	setting('Cache-Status', {cacheStatus: true}),
	renewing('what has expired is given while it is renewed', {expireAfter: 2, staleWhileRevalidate: 100}, 3),
	setting('what has expired is given for an error', {expireAfter: 2, staleIfError: true}, {pause: 3}),
	setting('what has expired', {expireAfter: 2}, {pause: 3}),
	renewing('what will expire is renewed', {expireAfter: 10, refreshAhead: 0.5}, 8),
	setting('everything is validated', {alwaysRevalidate: true}),
	setting('nothing is written', {readOnly: true}),
	setting('nothing is cached', {disabled: true}),
	setting('nothing of this site is cached', {urlsExpireAfter: [['*/json', DO_NOT_CACHE]]}),
	setting('only what is there', {onlyIfCached: true}),
	setting('only what is there, else an answer', {onlyIfCached: true, gatewayTimeout: 'respond'}),
	setting('a filter that refuses', {filterFn: () => false}),
	setting('a filter that is waited for', {filterFn: async () => true}),
	setting('a key of one\'s own', {keyFn: (request, createKey) => `${createKey(request)}:mine`}),
	setting('a key that is waited for', {keyFn: async (request, createKey) => createKey(request)}),
	setting('a key that fails', {
		keyFn() {
			throw new Error('mine');
		},
	}),
	setting('faults are told', {failFast: true}),
	setting('a key that fails, which is told', {
		failFast: true,
		keyFn() {
			throw new Error('mine');
		},
	}),
	setting('no single flight', {singleFlight: false}),
	setting('bytes are stored as they came', {storeEncoded: true}),
	setting('nobody is told apart', {partitionBy: false}),
	setting('small bodies only', {maxEntryBytes: 5}),
	setting('error statuses are stored', {allowableCodes: [200, 404, 418, 500]}),
	setting('a store that gives a promise', () => ({store: new Map()})),
	setting('a store that answers later', ({clock}) => later(new LaterStore({now: clock.now}))),
	renewing('a store that answers later, where what expired is given', ({clock}) => ({store: new LaterStore({now: clock.now}), expireAfter: 2, staleWhileRevalidate: 100}), 3),
	setting('SQLite', ({clock, disposables}) => {
		const store = createStore('sqlite', {now: clock.now, useTemp: true, cacheName: `lane-${performance.now()}`});
		disposables.defer(async () => {
			await store.clear();
			await store.close();
		});
		return {store};
	}),
	setting('a store that fails', ({clock}) => {
		const store = new MemoryStore({now: clock.now});
		store.get = () => {
			throw new Error('mine');
		};

		return {store};
	}),
	...(['replay', 'record', 'record-missing'] as const).map(mode => setting(`mode ${mode}`, {mode})),
];

const contexts: readonly Twist[] =
	Object.entries({
		'another age': {expireAfter: '1m'}, 'a refresh': {refresh: true}, 'a forced refresh': {forceRefresh: true}, 'only if cached': {onlyIfCached: true}, 'without a cache': {disabled: true}, 'a wrong setting': {expireAftr: 1}, 'a wrong age': {expireAfter: 'soon'}, tags: {tags: ['mine']}, nothing: undefined, 'a text': 'mine', 'frozen settings': Object.freeze({expireAfter: 100}),
	}).map(([title, cache]): Twist => ({
		title: `${title}, for one request`,
		apply({options}) {
			options.push({context: {cache}});
		},
	}))
;

/** A stream is handed on as it is, which Got asks of handlers. */
function forPromises(make: (stage: Stage) => HandlerFunction): (stage: Stage) => HandlerFunction {
	return stage => {
		const handle = make(stage);
		return (options, next) => options?.isStream ? next(options) : handle(options, next);
	};
}

/** What a handler may do, and what it stands before or behind. */
const handlers: Readonly<Record<string, (stage: Stage) => HandlerFunction>> = {
	'that hands on': ({recorder}) => (options, next) => {
		recorder.note('handler', options.url);
		return next(options);
	},
	'that waits': ({recorder}) => (async (options: never, next: (given: never) => Promise<unknown>) => {
		recorder.note('handler');
		const value = await next(options);
		recorder.note('handled', typeof value);
		return value;
	}) as unknown as HandlerFunction,
	'that waits before': () => (async (options: never, next: (given: never) => Promise<unknown>) => {
		await turn();
		return next(options);
	}) as unknown as HandlerFunction,
	'that replaces the response': () => (async (options: never, next: (given: never) => Promise<unknown>) => {
		await next(options);
		return {mine: 'mine'};
	}) as unknown as HandlerFunction,
	'that reads': () => (((options: never, next: (given: never) => {json: () => unknown}) => next(options).json()) as unknown as HandlerFunction),
	'that listens': ({recorder}) => ((options: never, next: (given: never) => {on: (event: string, listen: () => void) => unknown}) => {
		const pending = next(options);
		pending.on('downloadProgress', () => {
			recorder.note('handler hears');
		});
		return pending;
	}) as unknown as HandlerFunction,
	'that changes a header': () => ((options: {headers: Record<string, string>}, next: (given: unknown) => unknown) => {
		options.headers.mine = 'mine';
		return next(options);
	}) as unknown as HandlerFunction,
	'that answers': () => (async () => 'mine') as unknown as HandlerFunction,
	'that throws': () => () => {
		throw new Error('mine');
	},
	'that changes errors': () => (async (options: never, next: (given: never) => Promise<unknown>) => {
		try {
			return await next(options);
		} catch (error) {
			(error as Error).message += ' (mine)';
			throw error;
		}
	}) as unknown as HandlerFunction,
};

function composed(title: string, change: (client: Got, stage: Stage, cacheAgain: () => ExtendOptions) => Got): Twist {
	return {
		title,
		apply({after}) {
			after.push(change);
		},
	};
}

const compositions: readonly Twist[] = [
	...Object.entries(handlers).map(([title, make]) => [title, forPromises(make)] as const).flatMap(([title, make]): Twist[] => [
		{
			title: `a handler in front ${title}`,
			apply({before}) {
				before.push(stage => ({handlers: [make(stage)]}));
			},
		},
		composed(`a handler behind ${title}`, (client, stage) => client.extend({handlers: [make(stage)]})),
		composed(`an instance in front with a handler ${title}`, (client, stage) => stage.instance.extend({handlers: [make(stage)]}).extend(client)),
		composed(`a handler behind in one go ${title}`, (client, stage) => stage.instance.extend(client, {handlers: [make(stage)]})),
		composed(`an instance behind in one go ${title}`, (client, stage) => stage.instance.extend(client, stage.instance.extend({handlers: [make(stage)], headers: {mine: 'mine'}}))),
	]),
	composed('extended by an instance', (client, {instance}) => client.extend(instance.extend({headers: {mine: 'mine'}}))),
	composed('an instance extended by the client', (client, {instance}) => instance.extend(client)),
	composed('an instance extended by the client, and more', (client, {instance}) => instance.extend(client, {headers: {mine: 'mine'}})),
	composed('extended by itself', client => client.extend(client)),
	composed('extended by nothing', client => client.extend()),
	composed('extended many times', client => client.extend({}).extend({headers: {a: '1'}}).extend({context: {b: 2}})),
	composed('extended by another cache', (client, _stage, cacheAgain) => client.extend(cacheAgain())),
	composed('extended by an instance with another cache', (client, {instance}, cacheAgain) => client.extend(instance.extend(cacheAgain()))),
	composed('with defaults that may change', client => client.extend({mutableDefaults: true})),
	composed('with defaults that change', client => {
		const mutable = client.extend({mutableDefaults: true});
		mutable.defaults.options.headers.mine = 'mine';
		return mutable;
	}),
	composed('with handlers that are added', (client, {recorder}) => {
		const mutable = client.extend({mutableDefaults: true});
		mutable.defaults.handlers.push((options, next) => {
			recorder.note('added');
			return next(options);
		});
		return mutable;
	}),
	{
		title: 'settings beside Got\'s options',
		apply(draft) {
			draft.cache = (instance, given) => createCachedGot(given, instance) as unknown as Got;
			draft.options.push({expireAfter: '2m'} as never);
		},
	},
	{
		title: 'a client of its own',
		apply(draft) {
			draft.cache = (instance, given) => createCachedGot(given, instance) as unknown as Got;
		},
	},
];

function around(title: string, wrap: Draft['around'][number]): Twist {
	return {
		title,
		apply(draft) {
			draft.around.push(wrap);
		},
	};
}

const channels = ['got:request:create', 'got:request:start', 'got:response:start', 'got:response:end', 'got:request:retry', 'got:request:error', 'got:response:redirect'];

const surroundings: readonly Twist[] = [
	around('where the cache is off', async (action, cache) => cache.disabled(action)),
	around('where ages are others', async (action, cache) => cache.with({expireAfter: 0}, action)),
	around('where settings are others', async (action, cache) => cache.with({alwaysRevalidate: true}, action)),
	around('in a cached function', async action => cached(action, '1m')()),
	around('in a function with settings', async action => withCacheSettings({expireAfter: '1m'}, action)()),
	around('in a function with a store', async (action, _cache, {clock}) => withCacheSettings({store: 'memory', now: clock.now}, action)()),
	...channels.map(name => around(`with a subscriber of ${name}`, async (action, _cache, {recorder}) => {
		const subscriber = (message: unknown): void => {
			recorder.note(name, Object.keys(message as object));
		};

		diagnostics.subscribe(name, subscriber);
		try {
			await action();
		} finally {
			diagnostics.unsubscribe(name, subscriber);
		}
	})),
];

export const cacheTwists: readonly Twist[] = [...settings, ...contexts, ...compositions, ...surroundings];
