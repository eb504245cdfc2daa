import path from 'node:path';
import test from 'ava';
import type {Got} from 'got';
import {Keyv} from 'keyv';
import {
	Cached,
	cacheInfo,
	cacheKeyOf,
	cacheOf,
	CacheConfig,
	type CacheConfigOptions,
	getCache,
	HttpCache,
	invalidate,
	Invalidates,
} from '../../../source/index.ts';
import {createClient, majors} from '../../helpers/clients.ts';
import {Clock, Origin} from '../../helpers/origin.ts';
import {temporaryFolder} from '../../helpers/temporary-folder.ts';
import {Calls, settle} from '../calls.ts';

const dialect = import.meta.url.split('/').at(-2)!;
const clock = new Clock();

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		response.statusCode = request.url!.startsWith('/fail') ? 400 : 200;
		response.end(JSON.stringify({url: request.url}));
	});
}

class Api {
	readonly client: Got;
	readonly url: string;

	constructor(client: Got, url: string) {
		this.client = client;
		this.url = url;
	}

	async reason(path: string): Promise<string> {
		return cacheInfo(await this.client(`${this.url}${path}`)).reason;
	}

	@Invalidates((self, name) => ({urls: [`${new URL(self.url).host}/users/${name}`]}))
	rename(name: string, path = '/rename') {
		return this.client.post(`${this.url}${path}?${name}`);
	}

	@Invalidates((self: Api, path: string) => ({requests: [{url: `${self.url}${path}`}]}))
	async exactly(path: string): Promise<void> {
		await this.client.put(`${this.url}${path}`);
	}

	@Invalidates({tags: ['users']})
	async tagged(): Promise<void> {
		await this.client.put(`${this.url}/tagged`);
	}

	@Invalidates(() => {
		throw new Error('faulty');
	})
	async faulty(): Promise<string> {
		await this.client.put(`${this.url}/faulty`);
		return 'done';
	}
}

for (const [name, instance] of majors) {
	test(`${dialect}: ${name}: a method that succeeds deletes what it invalidates before its promise resolves`, async t => {
		await using origin = await startOrigin();
		const {client} = createClient({}, instance);
		const api = new Api(client, origin.url);
		const fill = async (): Promise<string[]> => Promise.all(['/users/ada', '/users/ada/repos', '/users/bob'].map(async path => api.reason(path)));
		await fill();

		t.deepEqual(await api.rename('ada').json(), {url: '/rename?ada'});
		t.deepEqual(await fill(), ['miss', 'miss', 'fresh']);
		await api.rename('ada');
		t.deepEqual(await fill(), ['miss', 'miss', 'fresh']);

		await t.throwsAsync(api.rename('ada', '/fail'), {name: 'HTTPError'});
		await t.throwsAsync(api.rename('ada', '/fail').json(), {name: 'HTTPError'});
		t.deepEqual(await fill(), ['fresh', 'fresh', 'fresh']);

		await api.exactly('/users/ada');
		t.deepEqual(await fill(), ['miss', 'fresh', 'fresh']);
	});
}

test(`${dialect}: entries are deleted by their tag`, async t => {
	await using origin = await startOrigin();
	const {client} = createClient();
	const api = new Api(client, origin.url);
	const cache = getCache(client);
	await client(`${origin.url}/a`, {context: {cache: {tags: ['users']}}});
	await api.reason('/b');
	await cache.idle();

	await api.tagged();
	t.is(await api.reason('/a'), 'miss');
	t.is(await api.reason('/b'), 'fresh');
});

test(`${dialect}: an error of an invalidation is reported, and does not fail the method`, async t => {
	await using origin = await startOrigin();
	const api = new Api(createClient().client, origin.url);
	const errors: unknown[] = [];
	cacheOf(api).once('settingError', ({setting, error}) => {
		errors.push(setting, String(error));
	});
	t.is(await api.faulty(), 'done');
	t.deepEqual(errors, ['Invalidates', 'Error: faulty']);
});

test(`${dialect}: invalid settings of \`@Invalidates\` are errors at definition`, t => {
	t.throws(() => Invalidates({tags: ['']}), {instanceOf: TypeError, message: /`Invalidates\.tags\[0\]`/v});
	t.throws(() => Invalidates({urls: [5 as never]}), {message: /`Invalidates\.urls\[0\]`/v});
	t.throws(() => Invalidates({requests: [{url: 'no URL'}]}), {message: /`Invalidates\.requests\[0\]\.url`/v});
	t.throws(() => Invalidates({method: ['x']} as never), {message: /`Invalidates\.method`.*The options are/v});
	t.throws(() => Invalidates({methods: 'x'} as never), {message: /an array/v});
	t.throws(() => Invalidates(5 as never), {message: /`Invalidates`/v});
});

@CacheConfig({store: 'memory', now: clock.now})
class Library {
	readonly calls: string[] = [];

	@Cached('1h', {result: true})
	async list(name: string, page = 1): Promise<string> {
		this.calls.push(`list ${name} ${page}`);
		return name;
	}

	@Cached('1h', {result: true, name: 'Library.named'})
	async named(name: string): Promise<string> {
		this.calls.push(`named ${name}`);
		return name;
	}

	@Cached('1h', {result: true, scope: 'instance'})
	async own(name: string): Promise<string> {
		this.calls.push(`own ${name}`);
		return name;
	}

	@Invalidates({methods: ['list', 'named']})
	async add(during?: () => Promise<unknown>): Promise<void> {
		await during?.();
	}

	async plain(): Promise<void> {}
}

test.serial(`${dialect}: results of a method are deleted by arguments or all at once`, async t => {
	const library = new Library();
	const fill = async (): Promise<number> => {
		const {length} = library.calls;
		await Promise.all([library.list('a'), library.list('b'), library.named('a'), library.own('a')]);
		return library.calls.length - length;
	};

	t.is(await fill(), 4);
	t.is(await fill(), 0);
	await library.add();
	t.is(await fill(), 3);

	await invalidate(library.list, 'a');
	t.is(await fill(), 1);
	await invalidate(library, 'list', 'b');
	t.is(await fill(), 1);
	await invalidate(library, 'own', 'a');
	t.is(await fill(), 1);
	await invalidate(library.list, 'c');
	t.is(await fill(), 0);
});

test.serial(`${dialect}: \`cacheKeyOf\` takes a method, or an instance and a method name`, async t => {
	const library = new Library();
	await library.list('a');
	t.regex(cacheKeyOf(library.list, 'a')!, /^got-cache:2:[\da-f]{64}$/v);
	t.is(cacheKeyOf(library.list, 'a'), cacheKeyOf(library, 'list', 'a'));
	t.not(cacheKeyOf(library.list, 'a'), cacheKeyOf(library.list, 'a', 2));
	t.not(cacheKeyOf(library, 'own', 'a'), cacheKeyOf(new Library(), 'own', 'a'));
	t.not(await cacheOf(library).get({key: cacheKeyOf(library.list, 'a')!}), undefined);

	t.throws(() => cacheKeyOf(library.own, 'a'), {code: 'ERR_CALL_OBJECT', message: /^Pass the instance and the method name/v});
	t.throws(() => cacheKeyOf(library.plain), {instanceOf: TypeError, message: /`result: true`/v});
	await t.throwsAsync(invalidate(library, 'plain'), {message: /`result: true`/v});
});

test.serial(`${dialect}: an inherited method is found for each class that has it`, async t => {
	class SubLibrary extends Library {}
	const [library, sub] = [new Library(), new SubLibrary()];
	await library.list('x');
	await sub.list('x');
	t.not(cacheKeyOf(library, 'list', 'x'), cacheKeyOf(sub, 'list', 'x'));
	t.throws(() => cacheKeyOf(sub.list, 'x'), {message: /Several classes/v});
	await invalidate(sub.list, 'x');
	await library.list('x');
	await sub.list('x');
	t.is(library.calls.length + sub.calls.length, 4);
});

test.serial(`${dialect}: a call made before an invalidation is not stored after it`, async t => {
	const library = new Library();
	const {promise, resolve} = Promise.withResolvers<void>();
	library.calls.push = (...calls: string[]) => {
		resolve();
		return Array.prototype.push.apply(library.calls, calls);
	};

	const slow = Object.assign(new Library(), {calls: library.calls});
	const early = slow.list('early');
	await promise;
	await library.add(async () => undefined);
	await early;
	const {length} = library.calls;
	await library.list('early');
	t.is(library.calls.length, length + 1);
});

/** Creates a class with a store, as another process would. */
function createShelf(settings: CacheConfigOptions) {
	const clock = new Clock();

	// The time limit is long, so that no store is too slow on a busy machine.
	@CacheConfig({now: clock.now, storeTimeout: 20_000, ...settings})
	class Shelf {
		readonly clock = clock;
		readonly calls = new Calls();

		@Cached('1h', {result: true, tags: ['books'], staleWhileRevalidate: '1d'})
		async list(_name: string): Promise<unknown> {
			return this.calls.begin();
		}

		@Invalidates({methods: ['list']})
		async changeMethod(): Promise<void> {}

		@Invalidates({tags: ['books']})
		async changeTag(): Promise<void> {}

		@Invalidates({urls: ['*', /./v]})
		async changeUrls(): Promise<void> {}

		@Cached('1h', {result: true})
		async changing(): Promise<unknown> {
			const result = await this.calls.begin();
			await this.changeUrls();
			return result;
		}
	}

	return new Shelf();
}

type Shelf = ReturnType<typeof createShelf>;

const keyOf = (shelf: Shelf): string => cacheKeyOf(shelf, 'list', 'a')!;
const effects: ReadonlyArray<readonly [name: string, invalidate: (shelf: Shelf) => Promise<unknown>]> = [
	['invalidate(method, …)', async ({list}) => invalidate(list, 'a')],
	['invalidate(object, name, …)', async shelf => invalidate(shelf, 'list', 'a')],
	['@Invalidates() by the method', async shelf => shelf.changeMethod()],
	['@Invalidates() by a tag', async shelf => shelf.changeTag()],
	['delete() by the key', async shelf => cacheOf(shelf).delete({keys: [keyOf(shelf)]})],
	['delete() by a tag', async shelf => cacheOf(shelf).delete({tags: ['books']})],
	['expire() by the key', async shelf => cacheOf(shelf).expire({keys: [keyOf(shelf)]})],
	['clear()', async shelf => cacheOf(shelf).clear()],
];

async function openStore(name: 'memory' | 'sqlite' | 'keyv'): Promise<AsyncDisposable & {readonly settings: () => CacheConfigOptions}> {
	if (name === 'sqlite') {
		const folder = await temporaryFolder();
		return {settings: () => ({store: 'sqlite', cacheName: path.join(folder.path, 'shelf')}), [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose]()};
	}

	const map = new Map();
	return {
		settings: () => ({store: name === 'memory' ? 'memory' : new Keyv({store: map})}),
		async [Symbol.asyncDispose]() {},
	};
}

for (const store of ['memory', 'sqlite', 'keyv'] as const) {
	for (const [name, invalidate] of effects) {
		test(`${dialect}: ${store}: a call in progress at a ${name} is neither stored nor joined after it`, async t => {
			await using opened = await openStore(store);
			const shelf = createShelf(opened.settings());
			const {calls} = shelf;

			const early = shelf.list('a');
			await calls.reach(1);
			await invalidate(shelf);
			const late = [shelf.list('a')];
			await calls.reach(2);
			calls.succeed('old');
			t.is(await early, 'old');
			late.push(shelf.list('a'));
			await settle();
			calls.succeed('new');
			t.deepEqual(await Promise.all(late), ['new', 'new']);
			t.is(await shelf.list('a'), 'new');
			t.is(calls.count, 2);

			await cacheOf(shelf).close();
		});

		test(`${dialect}: ${store}: a result returned before its ${name} is not stored, nor is the result of a refresh`, async t => {
			await using opened = await openStore(store);
			const shelf = createShelf(opened.settings());
			const {calls} = shelf;

			const early = shelf.list('a');
			await calls.reach(1);
			await invalidate(shelf);
			calls.succeed('old');
			t.is(await early, 'old');
			const next = shelf.list('a');
			await calls.reach(2);
			calls.succeed('older');
			t.is(await next, 'older');

			shelf.clock.advance(7200);
			t.is(await shelf.list('a'), 'older');
			await calls.reach(3);
			// Clearing a cache also waits for its refreshes.
			const isDone = invalidate(shelf);
			await settle();
			calls.succeed('refreshed');
			await isDone;
			await cacheOf(shelf).idle();
			const last = shelf.list('a');
			await calls.reach(4);
			calls.succeed('last');
			t.not(await last, 'refreshed');
			await cacheOf(shelf).idle();
			t.is(await shelf.list('a'), 'last');
			await cacheOf(shelf).close();
		});
	}
}

for (const [name, invalidate] of effects) {
	test(`${dialect}: a call in progress at a ${name} in another process is not stored after it`, async t => {
		await using opened = await openStore('keyv');
		const [here, elsewhere] = [createShelf(opened.settings()), createShelf(opened.settings())];
		const early = here.list('a');
		await here.calls.reach(1);
		await invalidate(elsewhere);
		const joining = here.list('a');
		await settle();
		t.is(here.calls.count, 1);
		here.calls.succeed('old');
		t.is(await early, 'old');
		await here.calls.reach(2);
		here.calls.succeed('new');
		t.is(await joining, 'new');
		await cacheOf(here).idle();
		t.is(await elsewhere.list('a'), 'new');
	});
}

test(`${dialect}: URL patterns do not match results`, async t => {
	const shelf = createShelf({store: 'memory'});
	const first = shelf.changing();
	await shelf.calls.reach(1);
	shelf.calls.succeed('one');
	t.is(await first, 'one');
	t.is(await shelf.changing(), 'one');
});

test(`${dialect}: calls that wait for another call get its result, even if it is invalidated in the meantime`, async t => {
	const shelf = createShelf({store: 'memory'});
	const early = [shelf.list('a'), shelf.list('a')];
	await shelf.calls.reach(1);
	await shelf.changeMethod();
	shelf.calls.succeed('old');
	t.deepEqual(await Promise.all(early), ['old', 'old']);
});

test(`${dialect}: results of a method with its own \`cache\` are found there`, async t => {
	const cache = new HttpCache({store: 'memory'});
	let calls = 0;

	@CacheConfig({store: 'memory'})
	class Split {
		@Cached('1h', {result: true})
		async here(): Promise<number> {
			calls++;
			return calls;
		}

		@Cached('1h', {result: true, cache, name: 'elsewhere'})
		async elsewhere(): Promise<number> {
			calls++;
			return calls;
		}

		@Invalidates({methods: ['elsewhere']})
		async change(): Promise<void> {}
	}

	const split = new Split();
	t.deepEqual([await split.here(), await split.elsewhere()], [1, 2]);
	await split.change();
	t.deepEqual([await split.here(), await split.elsewhere()], [1, 3]);
});

test(`${dialect}: a request with secrets is deleted for all users`, async t => {
	@CacheConfig({store: 'memory'})
	class Keeper {
		@Invalidates({requests: [{url: 'https://example.com/users?api_key=mine'}]})
		async change(): Promise<void> {}
	}

	const cache = cacheOf(Keeper);
	const urls = ['https://example.com/users?api_key=mine', 'https://example.com/users?api_key=yours', 'https://example.com/users', 'https://example.com/other?api_key=mine'];
	for (const url of urls) {
		await cache.save({url}, {body: 'content'});
	}

	await new Keeper().change();
	t.deepEqual(await Promise.all(urls.map(async url => cache.contains({url}))), [false, false, true, true]);
});
