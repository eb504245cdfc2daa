import test from 'ava';
import type {Got} from 'got';
import {
	Cached,
	cacheHooks,
	cacheInfo,
	cacheOf,
	CacheConfig,
	explain,
	getCache,
	NEVER_EXPIRE,
	withCacheSettings,
	type CacheConfigOptions,
} from '../../../source/index.ts';
import {createClient} from '../../helpers/clients.ts';
import {Clock, Origin} from '../../helpers/origin.ts';

const dialect = import.meta.url.split('/').at(-2)!;

/** The time in the stores of classes, which clients do not use. */
const {now} = new Clock();

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		response.setHeader('cache-control', 'max-age=90');
		response.end(request.url);
	});
}

class Base {
	readonly client: Got;
	readonly clock: Clock;
	readonly url: string;

	constructor(origin: Origin, {client, clock} = createClient({expireAfter: 5, urlsExpireAfter: [['*/pattern', 10]]})) {
		this.client = client;
		this.clock = clock;
		this.url = origin.url;
	}
}

async function ask({client, url, clock}: Base, path: string): Promise<[reason: string, seconds: number]> {
	const response = await client(`${url}${path}`);
	const {reason, expires} = cacheInfo(response);
	return [reason, expires === undefined ? Infinity : (expires.getTime() - clock.now()) / 1000];
}

@CacheConfig({expireAfter: 20})
class Requests extends Base {
	static async ofClass(self: Base): Promise<number> {
		return (await ask(self, '/static'))[1];
	}

	async plain(path: string): Promise<number> {
		return (await ask(this, path))[1];
	}

	get latest(): Promise<number> {
		return this.plain('/latest');
	}

	@Cached(30)
	async thirty(path: string): Promise<number> {
		return (await ask(this, path))[1];
	}

	@Cached(40)
	async forty(): Promise<number> {
		return this.plain('/through');
	}

	async other(other: {plain(path: string): Promise<number>}): Promise<number> {
		return other.plain('/other');
	}
}

test(`${dialect}: settings of a class apply in all its methods: below those of a method, above those of the client`, async t => {
	await using origin = await startOrigin();
	const api = new Requests(origin);

	t.is(await api.plain('/a'), 20);
	t.is(await api.plain('/pattern'), 20);
	t.is(await api.thirty('/b'), 30);
	t.is(await api.forty(), 40);
	t.is(await Requests.ofClass(api), 20);
	t.is(await api.latest, 20);
	t.is((await ask(api, '/outside'))[1], 5);
});

@CacheConfig({urlsExpireAfter: {'*/mine': 50}, expireAfter: 60})
class Patterns extends Requests {}

@CacheConfig()
class Heir extends Patterns {
	async own(path: string): Promise<number> {
		return (await ask(this, path))[1];
	}
}

class Plain extends Requests {
	async own(path: string): Promise<number> {
		return (await ask(this, path))[1];
	}

	@Cached(undefined, {staleIfError: true})
	async decorated(path: string): Promise<number> {
		return (await ask(this, path))[1];
	}
}

test(`${dialect}: a subclass inherits settings, and its own take precedence`, async t => {
	await using origin = await startOrigin();

	const patterns = new Patterns(origin);
	t.is(await patterns.plain('/a'), 60);
	t.is(await patterns.plain('/mine'), 50);
	t.is(await patterns.thirty('/c'), 30);
	t.is(await new Heir(origin).own('/mine'), 50);
	t.is(await new Heir(origin).own('/b'), 60);

	const plain = new Plain(origin);
	t.is(await plain.own('/a'), 5);
	t.is(await plain.plain('/b'), 20);
	t.is(await plain.decorated('/c'), 20);
});

test(`${dialect}: if classes call each other, the settings of the inner one apply`, async t => {
	await using origin = await startOrigin();
	const shared = createClient({expireAfter: 5});
	t.is(await new Requests(origin, shared).other(new Patterns(origin, shared)), 60);
	t.is(await new Patterns(origin, shared).other(new Requests(origin, shared)), 60);

	const other = createClient({expireAfter: 5});
	t.is(await new Patterns(origin, other).other(new Requests(origin, other)), 20);
});

const shared = new Map();

@CacheConfig({
	store: shared, cacheName: 'class', cacheControl: true, now,
})
class Stored extends Base {
	async ask(path: string): Promise<[string, number]> {
		return ask(this, path);
	}

	async explain(path: string): Promise<string> {
		return (await explain(this.client, {url: `${this.url}${path}`})).reason;
	}
}

test(`${dialect}: the store and client settings of a class take precedence over those of \`cacheHooks()\` in any client`, async t => {
	await using origin = await startOrigin();
	const [one, other] = [new Stored(origin), new Stored(origin, createClient({cacheControl: false}))];

	t.deepEqual(await one.ask('/a'), ['miss', 90]);
	await cacheOf(one).idle();
	t.deepEqual(await other.ask('/a'), ['fresh', 90]);
	t.is(await one.explain('/a'), 'fresh');
	t.true(shared.size > 0);
	t.true(shared.keys().every(key => String(key).startsWith('got-cache-hooks:class::')));

	// Outside the class, the client has its own cache.
	t.deepEqual(await ask(one, '/a'), ['miss', 5]);
	t.is((await explain(one.client, {url: `${one.url}/b`})).reason, 'miss');
	t.is(origin.count, 2);
	t.is(cacheOf(one), cacheOf(Stored));
	t.not(cacheOf(one), getCache(one.client));

	await cacheOf(one).clear();
	t.deepEqual(await one.ask('/a'), ['miss', 90]);
});

@CacheConfig({store: 'memory', now})
class InMemory extends Base {
	async reason(): Promise<string> {
		return (await ask(this, '/memory'))[0];
	}
}

test(`${dialect}: all clients in a class share its store, and a subclass inherits it`, async t => {
	await using origin = await startOrigin();
	class Heir extends InMemory {}

	t.is(await new InMemory(origin).reason(), 'miss');
	t.is(await new InMemory(origin, createClient()).reason(), 'fresh');
	t.is(await new Heir(origin).reason(), 'fresh');
	t.is(cacheOf(Heir), cacheOf(InMemory));
});

const asked: Tenant[] = [];

@CacheConfig({
	now,
	store(self: Tenant) {
		asked.push(self);
		return self.store;
	},
})
class Tenant extends Base {
	store = new Map();

	async reason(): Promise<string> {
		return (await ask(this, '/tenant'))[0];
	}
}

test(`${dialect}: each instance may have its own store, determined at its first call`, async t => {
	await using origin = await startOrigin();
	const client = createClient();
	const [one, other, third] = [new Tenant(origin, client), new Tenant(origin, client), new Tenant(origin, client)];
	third.store = one.store;
	t.deepEqual(asked, []);

	t.is(await one.reason(), 'miss');
	t.is(await other.reason(), 'miss');
	t.is(await one.reason(), 'fresh');
	t.is(await third.reason(), 'fresh');
	t.is(asked.length, 3);
	t.not(cacheOf(one), cacheOf(other));
	t.is(cacheOf(one), cacheOf(third));
});

test(`${dialect}: \`withCacheSettings\` sets the settings of a function or a class`, async t => {
	await using origin = await startOrigin();
	const base = new Base(origin);
	const report = withCacheSettings({store: 'memory', expireAfter: 70, now}, async (path: string) => ask(base, path));

	t.deepEqual(await report('/a'), ['miss', 70]);
	t.deepEqual(await report('/a'), ['fresh', 70]);
	t.deepEqual(await ask(base, '/a'), ['miss', 5]);

	// eslint-disable-next-line @typescript-eslint/naming-convention -- A class.
	const Given = withCacheSettings({expireAfter: 80}, class extends Base {
		async ask(path: string): Promise<[string, number]> {
			return ask(this, path);
		}
	});
	t.deepEqual(await new Given(origin).ask('/b'), ['miss', 80]);
	t.throws(() => withCacheSettings({}, 5 as never), {message: /function or a class/v});
});

test(`${dialect}: invalid settings of a class, or applying the decorator elsewhere, are errors at definition`, t => {
	const define = (settings: unknown) => () => withCacheSettings(settings as CacheConfigOptions, class extends Base {});
	t.throws(define({expireAfter: '5'}), {instanceOf: TypeError, message: /`withCacheSettings\.expireAfter`/v});
	t.throws(define({jitter: 5}), {message: /jitter/v});
	t.throws(define({stor: 'memory'}), {message: 'Unknown setting `withCacheSettings.stor`. Did you mean `store`?'});
	t.throws(define({store: 'nowhere'}), {message: /cache\.store/v});
	for (const idle of [{storeTimeout: 5}, {lock: true}, {serializer: 'json'}, {autoclose: true}]) {
		t.throws(define(idle), {message: new RegExp(`${Object.keys(idle)[0]!}.*has no effect without .store`, 'v')});
	}

	t.throws(define(5), {message: /`withCacheSettings`/v});
	t.notThrows(define({storeTimeout: 5, store: 'memory', expireAfter: NEVER_EXPIRE}));

	const decorator = CacheConfig({}) as unknown as (...inputs: unknown[]) => void;
	for (const inputs of [[{}, 'method', {value() {}}], [() => {}, {kind: 'method', name: 'method'}], [{}]]) {
		t.throws(() => {
			decorator(...inputs);
		}, {code: 'ERR_DECORATOR_PLACE', message: /Apply it to a class/v});
	}
});

test(`${dialect}: endless mutual calls do not accumulate scopes`, async t => {
	await using origin = await startOrigin();
	class Turns extends Base {
		@Cached(20)
		async even(count: number): Promise<number> {
			return count === 0 ? (await ask(this, '/turns'))[1] : this.odd(count - 1);
		}

		@Cached(30)
		async odd(count: number): Promise<number> {
			return count === 0 ? (await ask(this, '/turns'))[1] : this.even(count - 1);
		}
	}

	t.is(await new Turns(origin).even(1001), 30);
	t.is(await new Turns(origin, createClient()).even(1000), 20);
});

test(`${dialect}: a Got instance that is extended twice is one client inside a class, too`, async t => {
	await using origin = await startOrigin();
	const {client, clock} = createClient();
	const twice = client.extend(cacheHooks({store: 'memory', now: clock.now, expireAfter: 7}));
	const stored = new Requests(origin, {client: twice, clock});
	t.is(await stored.plain('/twice'), 20);
	t.is((await ask(stored, '/twice'))[0], 'fresh');
});

test(`${dialect}: a decorator without parentheses is refused with what to do`, t => {
	t.throws(() => CacheConfig(Array as never), {instanceOf: TypeError, message: /Call it: `@CacheConfig\(\)`/v});
	t.throws(() => Cached((() => {}) as never), {instanceOf: TypeError, message: /Call it: `@Cached\(\)`/v});
});
