import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import type {Got} from 'got';
import {
	Cached,
	cacheInfo,
	DO_NOT_CACHE,
	Refresh,
	Uncached,
} from '../../../source/index.ts';
import {createClient, majors} from '../../helpers/clients.ts';
import {Origin, type Clock} from '../../helpers/origin.ts';

const dialect = import.meta.url.split('/').at(-2)!;

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		response.setHeader('etag', '"1"');
		response.statusCode = request.headers['if-none-match'] === '"1"' ? 304 : 200;
		response.end(response.statusCode === 304 ? undefined : JSON.stringify({url: request.url}));
	});
}

class Api {
	static client: Got;
	readonly client: Got;
	readonly clock: Clock;
	readonly url: string;

	constructor(origin: Origin, {client, clock} = createClient({urlsExpireAfter: [['*/pattern', 10]], expireAfter: 5})) {
		this.client = client;
		this.clock = clock;
		this.url = origin.url;
	}

	/** Seconds for which the response is fresh. */
	async lifetime(path: string, cache?: object): Promise<number> {
		const response = await this.client(`${this.url}${path}`, {context: {cache: {forceRefresh: true, ...cache}}});
		return (cacheInfo(response).expires!.getTime() - this.clock.now()) / 1000;
	}

	@Cached(20)
	async twenty(path: string, cache?: object): Promise<number> {
		await pause(1);
		return this.lifetime(path, cache);
	}

	@Cached(30)
	async nested(): Promise<number[]> {
		const first = await this.twenty('/a');
		const [second, third] = await Promise.all([this.lifetime('/b'), this.twenty('/c')]);
		return [first, second, third];
	}

	@Cached('5m')
	user(name: string) {
		return this.client(`${this.url}/users/${name}`);
	}

	async reason(path: string): Promise<string> {
		return cacheInfo(await this.client(`${this.url}${path}`)).reason;
	}

	@Uncached()
	async uncached(path: string): Promise<string> {
		return this.reason(path);
	}

	@Cached(DO_NOT_CACHE)
	async live(path: string): Promise<string> {
		return this.reason(path);
	}

	@Refresh()
	async latest(path: string): Promise<string> {
		return this.reason(path);
	}

	@Uncached()
	async outer(path: string): Promise<string> {
		return this.inner(path);
	}

	@Cached('1h', {disabled: false})
	async inner(path: string): Promise<string> {
		return this.reason(path);
	}

	@Refresh()
	@Cached(40)
	async stacked(path: string): Promise<[string, number]> {
		const response = await this.client(`${this.url}${path}`);
		const {reason, expires} = cacheInfo(response);
		return [reason, (expires!.getTime() - this.clock.now()) / 1000];
	}

	@Cached(50)
	static async fifty(api: Api): Promise<number> {
		return api.lifetime('/static');
	}

	@Cached(60)
	get sixty() {
		return async (path: string): Promise<number> => this.lifetime(path);
	}

	@Cached(70)
	override(): Promise<number> {
		return this.lifetime('/override');
	}
}

class SubApi extends Api {
	@Cached(80)
	override async twenty(path: string): Promise<number> {
		return await super.twenty(path) + await this.lifetime(path);
	}
}

test(`${dialect}: settings of a method apply to its call tree only: below those of a request, above URL patterns`, async t => {
	await using origin = await startOrigin();
	const api = new Api(origin);

	t.is(await api.lifetime('/pattern'), 10);
	t.is(await api.twenty('/pattern'), 20);
	t.is(await api.twenty('/other', {expireAfter: 40}), 40);
	t.deepEqual(await Promise.all([api.lifetime('/x'), api.twenty('/x'), api.lifetime('/x')]), [5, 20, 5]);
	t.is(await api.lifetime('/other'), 5);
});

test(`${dialect}: if methods call each other, the settings of the inner one apply`, async t => {
	await using origin = await startOrigin();
	t.deepEqual(await new Api(origin).nested(), [20, 30, 20]);
});

for (const [name, instance] of majors) {
	test(`${dialect}: ${name}: a method that returns a promise of Got keeps its shortcuts`, async t => {
		await using origin = await startOrigin();
		const api = new Api(origin, createClient({}, instance));

		t.deepEqual(await api.user('ada').json(), {url: '/users/ada'});
		t.is(await api.user('ada').text(), '{"url":"/users/ada"}');
		t.true((await api.user('ada').buffer()) instanceof Uint8Array);
		t.is(origin.count, 1);
	});
}

test(`${dialect}: \`@Uncached\` bypasses the cache, and \`@Refresh\` revalidates`, async t => {
	await using origin = await startOrigin();
	const api = new Api(origin, createClient());

	t.is(await api.reason('/a'), 'miss');
	t.is(await api.reason('/a'), 'fresh');
	t.is(await api.uncached('/a'), 'disabled');
	t.is(await api.live('/a'), 'do-not-cache');
	t.is(await api.latest('/a'), 'revalidated');
	t.is(await api.outer('/a'), 'fresh');
	t.is(await api.reason('/a'), 'fresh');
});

test(`${dialect}: decorators of this library can be combined`, async t => {
	await using origin = await startOrigin();
	const api = new Api(origin, createClient());

	t.deepEqual(await api.stacked('/a'), ['miss', 40]);
	t.deepEqual(await api.stacked('/a'), ['revalidated', 40]);
});

test(`${dialect}: static methods, getters of functions, inherited and overriding methods use their settings`, async t => {
	await using origin = await startOrigin();
	const api = new Api(origin);
	const sub = new SubApi(origin);

	t.is(await Api.fifty(api), 50);
	t.is(await api.sixty('/a'), 60);
	t.is(await sub.override(), 70);
	t.is(await sub.twenty('/a'), 20 + 80);
	t.is(api.twenty.name, 'twenty');
	t.is(api.user.length, 1);
});

const decorateField: (target: object, key: string | object, descriptor?: unknown) => unknown = Cached('5m') as never;

test(`${dialect}: a decorator in another place is an error that says where to apply it`, t => {
	const message = /is applied to .*Apply it to a method, or an accessor or getter/v;
	t.throws(() => decorateField({}, 'field'), {code: 'ERR_DECORATOR_PLACE', message: /the field `field`/v});
	t.throws(() => decorateField({}, 'method', 0), {message: /a parameter of `method`/v});
	t.throws(() => decorateField({}, {kind: 'field', name: 'field'}), {message: /the field `field`/v});
	t.throws(() => decorateField({}, {kind: 'setter', name: 'value'}), {message: /the setter `value`/v});
	t.throws(() => decorateField({}, {kind: 'class', name: 'Api'}), {message});
	t.throws(() => {
		(Cached('5m') as unknown as (target: unknown) => void)(Api);
	}, {message: /a class/v});
	t.throws(() => decorateField({}, 'member', {value: 5}), {message: /`member`, which is not a function/v});
});

test(`${dialect}: a getter that does not return a function is an error when it is read`, t => {
	class Wrong {
		// @ts-expect-error -- The types refuse it, too.
		@Cached('5m')
		get five() {
			return 5;
		}
	}

	t.throws(() => new Wrong().five, {code: 'ERR_DECORATOR_PLACE', message: /five` does not return a function/v});
});

test(`${dialect}: invalid settings are errors at definition`, t => {
	t.throws(() => Cached('5'), {instanceOf: TypeError, message: /`Cached\.expireAfter`/v});
	t.throws(() => Cached('5m', {staleIfError: 'long'}), {message: /`Cached\.staleIfError`/v});
	t.throws(() => Cached('5m', {store: 'memory'} as object), {message: /`Cached\.store`.*client/v});
	t.throws(() => Cached('5m', {expireAfter: '1h'}), {message: /first argument already/v});
	t.throws(() => Cached('5m', 5 as never), {message: /`Cached`/v});
	t.throws(() => Cached('5m', {scope: 'instance'} as object), {message: /`Cached\.scope`.*`result`/v});
	t.throws(() => Cached('5m', {cache: {}} as never), {message: /`Cached\.cache`/v});
});
