import test from 'ava';
import type {Got} from 'got';
import {
	Cached,
	cacheInfo,
	cacheKeyOf,
	cacheOf,
	CacheSettings,
	getCache,
	invalidate,
	Invalidates,
} from '../../../source/index.ts';
import {createClient, majors} from '../../helpers/clients.ts';
import {Clock, Origin} from '../../helpers/origin.ts';

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
	test(`${dialect}: ${name}: a method that succeeds deletes what it makes outdated, before its promise resolves`, async t => {
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

test(`${dialect}: what was stored with a tag is deleted by it`, async t => {
	await using origin = await startOrigin();
	const {client} = createClient();
	const api = new Api(client, origin.url);
	const cache = getCache(client)!;
	await client(`${origin.url}/a`, {context: {cache: {tags: ['users']}}});
	await api.reason('/b');
	await cache.idle();

	await api.tagged();
	t.is(await api.reason('/a'), 'miss');
	t.is(await api.reason('/b'), 'fresh');
});

test(`${dialect}: a fault in what is to be invalidated is told, and not the method's`, async t => {
	await using origin = await startOrigin();
	const api = new Api(createClient().client, origin.url);
	const errors: unknown[] = [];
	cacheOf(api).once('settingError', ({setting, error}) => {
		errors.push(setting, String(error));
	});
	t.is(await api.faulty(), 'done');
	t.deepEqual(errors, ['Invalidates', 'Error: faulty']);
});

test(`${dialect}: wrong things to invalidate are errors at definition`, t => {
	t.throws(() => Invalidates({tags: ['']}), {instanceOf: TypeError, message: /`Invalidates\.tags\[0\]`/v});
	t.throws(() => Invalidates({urls: [5 as never]}), {message: /`Invalidates\.urls\[0\]`/v});
	t.throws(() => Invalidates({requests: [{url: 'no URL'}]}), {message: /`Invalidates\.requests\[0\]`/v});
	t.throws(() => Invalidates({method: ['x']} as never), {message: /`Invalidates\.method`.*there are/v});
	t.throws(() => Invalidates({methods: 'x'} as never), {message: /an array/v});
	t.throws(() => Invalidates(5 as never), {message: /`Invalidates`/v});
});

@CacheSettings({store: 'memory', now: clock.now})
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

test.serial(`${dialect}: results are deleted by their method, by arguments or all at once`, async t => {
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

test.serial(`${dialect}: keys are told by the method, or by its object and its name`, async t => {
	const library = new Library();
	await library.list('a');
	t.regex(cacheKeyOf(library.list, 'a')!, /^got-cache:2:[\da-f]{64}$/v);
	t.is(cacheKeyOf(library.list, 'a'), cacheKeyOf(library, 'list', 'a'));
	t.not(cacheKeyOf(library.list, 'a'), cacheKeyOf(library.list, 'a', 2));
	t.not(cacheKeyOf(library, 'own', 'a'), cacheKeyOf(new Library(), 'own', 'a'));
	t.not(await cacheOf(library).get({key: cacheKeyOf(library.list, 'a')!}), undefined);

	t.throws(() => cacheKeyOf(library.own, 'a'), {code: 'ERR_CALL_OBJECT', message: /give the object and the name/v});
	t.throws(() => cacheKeyOf(library.plain), {instanceOf: TypeError, message: /`result: true`/v});
	await t.throwsAsync(invalidate(library, 'plain'), {message: /`result: true`/v});
});

test.serial(`${dialect}: an inherited method is known by each class that has it`, async t => {
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

test.serial(`${dialect}: what was called before an invalidation is not kept after it`, async t => {
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
