import test from 'ava';
import type {Got, HandlerFunction, Options} from 'got';
import {cacheHooks} from '../../../source/index.ts';
import {Clock, Origin} from '../../helpers/origin.ts';
import {majors} from '../../helpers/clients.ts';
import {startedBy, warm} from './lane-clients.ts';

type Next = (options: Options) => Promise<unknown>;

/** A handler, and the instances with nothing but it and with the cache. */
type Parts = {
	readonly instance: Got;
	readonly handlers: HandlerFunction[];
	readonly client: Got;
	readonly cache: () => ReturnType<typeof cacheHooks>;
};

/** Where a handler may stand. */
const places: Readonly<Record<string, (parts: Parts) => Got>> = {
	'behind, of options': ({client, handlers}) => client.extend({handlers}),
	'behind, of options beside the cache': ({instance, handlers, cache}) => instance.extend(cache(), {handlers}),
	'behind, of options beside the client': ({instance, client, handlers}) => instance.extend(client, {handlers}),
	'behind, of an instance beside the client': ({instance, client, handlers}) => instance.extend(client, instance.extend({handlers})),
	'behind, of an instance with options': ({instance, client, handlers}) => client.extend(instance.extend({headers: {mine: 'mine'}, handlers})),
	'behind, of an instance with the client in it': ({instance, client, handlers}) => client.extend(instance.extend(client, instance.extend({handlers}))),
	'behind, of an instance with nothing else': ({instance, client, handlers}) => client.extend(instance.extend({handlers})),
	'behind, of an instance with options of another': ({instance, client, handlers}) => client.extend(instance.extend({headers: {mine: 'mine'}}).extend({handlers})),
	'behind, of an instance beside the cache': ({instance, handlers, cache}) => instance.extend(cache(), instance.extend({handlers})),
	'behind, two extensions later': ({client, handlers}) => client.extend({headers: {mine: 'mine'}}).extend({handlers}).extend({headers: {mine: 'another'}}),
	'behind, in the same options as the cache'({instance, handlers, cache}) {
		const given = cache();
		return instance.extend({...given, handlers: [...given.handlers!, ...handlers]});
	},
	'behind, added to defaults that may change'({client, handlers}) {
		const mutable = client.extend({mutableDefaults: true});
		mutable.defaults.handlers.push(...handlers);
		return mutable;
	},
	'in front, of options': ({instance, handlers, cache}) => instance.extend({handlers}).extend(cache()),
	'in front, of options beside the cache': ({instance, handlers, cache}) => instance.extend({handlers}, cache()),
	'in front, of an instance': ({instance, handlers, client}) => instance.extend({handlers}).extend(client),
	'in front, in the same options as the cache'({instance, handlers, cache}) {
		const given = cache();
		return instance.extend({...given, handlers: [...handlers, ...given.handlers!]});
	},
};

for (const [name, instance] of majors) {
	for (const [title, make] of Object.entries(places)) {
		test.serial(`${name}: a handler ${title}, sees every request and is seen by its caller`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.end('{"a":1}');
			});
			const seen: string[] = [];
			const handlers = [(async (options: Options, next: Next) => {
				seen.push(String(options.url));
				return next(options);
			}) as unknown as HandlerFunction];
			const clock = new Clock();
			const cache = () => cacheHooks({store: 'memory', expireAfter: '5m', now: clock.now});
			const client = make({
				instance, handlers, client: instance.extend(cache()), cache,
			});
			await warm(client, origin.url);
			const heard: unknown[] = [];
			t.deepEqual(await client(origin.url).json(), {a: 1});
			t.is(await client(origin.url).text(), '{"a":1}');
			t.deepEqual(await client(origin.url, {responseType: 'json', resolveBodyOnly: true}), {a: 1});
			const pending = client(origin.url);
			void pending.on('downloadProgress', ({transferred}) => {
				heard.push(transferred);
			});
			t.true((await pending).isFromCache);
			t.true(heard.length > 0, 'Got\'s events are heard');
			t.is(seen.length, 5);
			t.is(origin.count, 1);
		});
	}

	test.serial(`${name}: a client keeps its lane where one that is made of it has a handler`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('a');
		});
		const clock = new Clock();
		const client = instance.extend(cacheHooks({store: 'memory', expireAfter: '5m', now: clock.now}));
		const handled = client.extend({handlers: [((options: Options, next: Next) => next(options)) as unknown as HandlerFunction]});
		await warm(client, origin.url);
		t.is(await startedBy(instance, async () => client(origin.url)), 0);
		t.is(await startedBy(instance, async () => handled(origin.url)), 1);
		t.is(await startedBy(instance, async () => client(origin.url, {headers: {mine: 'mine'}})), 0);
	});

	test.serial(`${name}: the same options may be a lane in one instance and stand behind a handler in another`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('a');
		});
		const clock = new Clock();
		const options = cacheHooks({store: 'memory', expireAfter: '5m', now: clock.now});
		const handled = instance.extend({handlers: [((given: Options, next: Next) => next(given)) as unknown as HandlerFunction]}).extend(options);
		const client = instance.extend(options);
		await warm(client, origin.url);
		t.is(await startedBy(instance, async () => handled(origin.url)), 1);
		t.is(await startedBy(instance, async () => client(origin.url)), 0);
	});

	test.serial(`${name}: the lane is closed while somebody else has put something over Got's merge`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('a');
		});
		const {now} = new Clock();
		const client = instance.extend(cacheHooks({store: 'memory', expireAfter: '5m', now}));
		await warm(client, origin.url);
		const prototype = Object.getPrototypeOf(client.defaults.options) as Pick<Options, 'merge'>;
		const {merge} = prototype;
		prototype.merge = function (this: Options, ...given) {
			merge.apply(this, given);
		};

		try {
			const another = client.extend(cacheHooks({store: 'memory', now}));
			t.true(another.defaults.handlers.length > client.defaults.handlers.length);
			t.is(await startedBy(instance, async () => client(origin.url)), 1);
		} finally {
			prototype.merge = merge;
		}

		t.is(await startedBy(instance, async () => client(origin.url)), 0);
	});

	// Got shows handlers to nobody: the doc comment of `fastLane` says so.
	test.serial(`${name}: a handler that is added to defaults that could be changed before the cache was is not noticed: it sees no hits`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('a');
		});
		const {now} = new Clock();
		const client = instance.extend({mutableDefaults: true}).extend(cacheHooks({store: 'memory', expireAfter: '5m', now}));
		let seen = 0;
		const handler = ((options: Options, next: Next) => {
			seen++;
			return next(options);
		}) as unknown as HandlerFunction;
		// Got 15 hands nothing down of that.
		const isMutable = client.defaults.mutableDefaults;
		t.is(isMutable, name === 'Got 16');
		if (isMutable) {
			client.defaults.handlers.push(handler);
		}

		await warm(client, origin.url);
		await client(origin.url);
		t.is(seen, isMutable ? 1 : 0);
	});
}
