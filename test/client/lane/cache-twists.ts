import diagnostics from 'node:diagnostics_channel';
import {mkdtempSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
	cached,
	createStore,
	DO_NOT_CACHE,
	withCacheSettings,
	type CacheSettings,
} from '../../../source/index.ts';
import {MemoryStore} from '../../../source/stores/memory.ts';
import {LaterStore} from './later-store.ts';
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
	setting('a store that answers later', ({clock}) => ({store: new LaterStore({now: clock.now})})),
	renewing('a store that answers later, where what expired is given', ({clock}) => ({store: new LaterStore({now: clock.now}), expireAfter: 2, staleWhileRevalidate: 100}), 3),
	setting('SQLite', ({clock, disposables}) => {
		const folder = mkdtempSync(path.join(os.tmpdir(), 'got-cache-hooks-'));
		const store = createStore('sqlite', {now: clock.now, cacheName: path.join(folder, 'cache')});
		disposables.defer(async () => {
			store.close();
			await rm(folder, {recursive: true});
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

/** A request's own settings, right and wrong. */
const ofRequests: Readonly<Record<string, unknown>> = {
	'another age': {expireAfter: '1m'},
	'a refresh': {refresh: true},
	'a forced refresh': {forceRefresh: true},
	'only if cached': {onlyIfCached: true},
	'without a cache': {disabled: true},
	'a wrong setting': {expireAftr: 1},
	'a wrong age': {expireAfter: 'soon'},
	tags: {tags: ['mine']},
	nothing: undefined,
	'a text': 'mine',
	'frozen settings': Object.freeze({expireAfter: 100}),
};

const contexts: readonly Twist[] = Object.entries(ofRequests).map(([title, cache]) => ({
	title: `${title}, for one request`,
	apply({options}) {
		options.push({context: {cache}});
	},
}));

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

export const cacheTwists: readonly Twist[] = [...settings, ...contexts, ...surroundings];
