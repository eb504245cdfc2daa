import test from 'ava';
import type {OptionsInit} from 'got';
import {getCache, type CacheSettings, type StoreErrorEvent} from '../../source/index.ts';
import {SharedStore} from '../cache/shared-store.ts';
import {createClient} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {Origin} from '../helpers/origin.ts';

type Operation = Parameters<SharedStore['before']>[0];
type Asking = {
	readonly ask: (options?: OptionsInit) => Promise<readonly string[]>;
	readonly errors: () => number;
};

/** Requests of a client whose store fails; each gives the operations and messages that were told of it. */
function failing(url: string, fail: (operation: Operation, key: string) => void | Promise<void>, settings: CacheSettings): Asking {
	const store = new SharedStore();
	store.before = fail;
	const {client} = createClient({
		store, storeTimeout: 20_000, now: () => Date.now(), ...settings,
	});
	const cache = getCache(client)!;
	const told: StoreErrorEvent[] = [];
	cache.on('storeError', event => {
		told.push(event);
	});
	return {
		async ask(options = {}) {
			await client(url, options as object);
			await cache.idle();
			return told.splice(0).map(({operation, error}) => `${operation}: ${(error as Error).message}`);
		},
		errors: () => cache.stats().errors,
	};
}

const ways: ReadonlyArray<readonly [title: string, fail: () => Promise<void> | void, message: RegExp]> = [
	['throws', () => {
		throw new Error('no');
	}, /^get: no$/v],
	['rejects', async () => {
		throw new Error('no');
	}, /^get: no$/v],
	['throws what has no text', () => {
		throw Object.create(null) as Error;
	}, /^get: undefined$/v],
	['hangs', async () => new Promise<void>(() => {}), /^get: The store did not answer/v],
];

const requests: ReadonlyArray<readonly [title: string, options: OptionsInit, settings?: CacheSettings]> = [
	['a GET', {}],
	['a GET by the origin', {}, byOrigin],
	['a GET with a credential', {headers: {authorization: 'Bearer secret'}}, byOrigin],
	['a HEAD', {method: 'HEAD'}],
	['a GET with tags', {context: {cache: {tags: ['tag']}}}],
];

for (const [way, fail, message] of ways) {
	for (const [title, options, settings = {}] of requests) {
		test(`${title} tells once that \`get\` ${way}, and the next one tells it again`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.setHeader('cache-control', 'max-age=60');
				response.end();
			});
			const {ask, errors} = failing(origin.url, operation => operation === 'get' ? fail() : undefined, {...settings, ...way === 'hangs' && {storeTimeout: 20}});
			for (const round of [1, 2]) {
				const told = await ask(options);
				t.is(told.length, 1, told.join('\n'));
				t.regex(told[0]!, message);
				t.is(errors(), round);
			}
		});
	}
}

test('requests at the same time tell their own faults', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end();
	});
	const {ask} = failing(origin.url, operation => {
		if (operation === 'get') {
			throw new Error('no');
		}
	}, {});
	const told = await Promise.all([ask({searchParams: {a: 1}}), ask({searchParams: {a: 2}})]);
	t.deepEqual(told.flat(), ['get: no', 'get: no']);
});

test('each operation is told, and so is each reason', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.setHeader('cache-control', 'max-age=60');
		response.end();
	});
	const all = failing(origin.url, operation => {
		throw new Error(`no ${operation}`);
	}, {expireAfter: 60});
	t.deepEqual(await all.ask(), ['get: no get', 'set: no set']);
	const own = failing(origin.url, (operation, key) => {
		if (operation === 'get') {
			throw new Error(key === 'got-cache:1:journal' ? 'no head' : 'no entry');
		}
	}, {expireAfter: 60});
	t.deepEqual(await own.ask(), ['get: no entry', 'get: no head']);
});
