import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {
	Cached,
	cached,
	cacheKeyOf,
	cacheOf,
	CacheConfig,
	DO_NOT_CACHE,
	Refresh,
	Uncached,
	withCacheSettings,
	type HttpCache,
} from '../../../source/index.ts';
import {coreOf} from '../../../source/cache/http-cache.ts';
import {Clock} from '../../helpers/origin.ts';

const dialect = import.meta.url.split('/').at(-2)!;
const clock = new Clock();

class User {
	readonly name: string;

	constructor(name: string) {
		this.name = name;
	}

	greet(): string {
		return `Hello ${this.name}`;
	}
}

class Secretive {
	readonly #secret: string;

	constructor(secret: string) {
		this.#secret = secret;
	}

	tell(): string {
		return this.#secret;
	}

	toPlain(): {secret: string} {
		return {secret: this.#secret};
	}
}

/** A library of a vendor, which does not use Got. */
class Sdk {
	readonly calls: string[] = [];
	failure: Error | undefined;
	answer: (name: string) => unknown = name => ({name, tags: new Set(['a']), bytes: Uint8Array.of(1, 2, 3)});

	async ask(name: string): Promise<unknown> {
		this.calls.push(name);
		const {failure} = this;
		await pause(1);
		if (failure !== undefined) {
			throw failure;
		}

		return this.answer(name);
	}
}

type Answer = {name: string; tags: Set<string>; bytes: Uint8Array};

@CacheConfig({store: 'memory', now: clock.now})
class Wrapper {
	readonly sdk: Sdk;
	tenant = 'one';

	constructor(sdk: Sdk = new Sdk()) {
		this.sdk = sdk;
	}

	@Cached('1h', {result: true})
	async get(name: string, _options?: object): Promise<Answer> {
		return await this.sdk.ask(name) as Answer;
	}

	@Cached('1h', {result: true, staleIfError: '1d'})
	async sturdy(name: string): Promise<unknown> {
		return this.sdk.ask(name);
	}

	@Cached('1h', {result: true, staleWhileRevalidate: '1d'})
	async swift(name: string): Promise<unknown> {
		return this.sdk.ask(name);
	}

	@Cached('1h', {result: true, scope: 'instance'})
	async own(name: string): Promise<unknown> {
		return this.sdk.ask(name);
	}

	@Cached('1h', {result: true, keyFn: (self, name) => name === 'none' ? undefined : [self.tenant, name.toLowerCase()]})
	async keyed(name: string, _callback?: () => void): Promise<unknown> {
		return this.sdk.ask(name);
	}

	@Cached('1h', {
		result: true,
		filterFn(value, self, name) {
			return self === this && value !== 'none' && name !== 'never';
		},
	})
	async filtered(name: string): Promise<string> {
		return String(await this.sdk.ask(name));
	}

	@Cached(DO_NOT_CACHE, {result: true})
	async never(callback: () => void): Promise<unknown> {
		return this.sdk.ask(String(callback));
	}

	@Cached('1h', {result: true, onlyIfCached: true})
	async offline(name: string): Promise<unknown> {
		return this.sdk.ask(name);
	}

	@Refresh()
	@Cached('1h', {result: true})
	async anew(name: string): Promise<unknown> {
		return this.sdk.ask(name);
	}

	@Uncached()
	async through(name: string): Promise<unknown> {
		return this.get(name);
	}

	@Cached('1h', {result: true, type: User})
	async user(name: string): Promise<User> {
		await this.sdk.ask(name);
		return new User(name);
	}

	@Cached('1h', {result: true, type: User})
	async users(...names: string[]): Promise<User[]> {
		await this.sdk.ask(names.join(' '));
		return names.map(name => new User(name));
	}

	@Cached('1h', {result: true, revive: (plain: {secret: string}) => ({wrapped: new Secretive(plain.secret)})})
	async revived(secret: string): Promise<{wrapped?: Secretive; secret?: string}> {
		return await this.sdk.ask(secret) as {secret: string};
	}

	@Cached('1h', {result: true})
	async wrong(name: string): Promise<unknown> {
		return this.sdk.ask(name);
	}

	@Cached('1h', {result: true})
	static async ofClass(sdk: {name: string}): Promise<unknown> {
		return {...sdk};
	}

	@Cached('1h', {result: true})
	get getter() {
		return async (name: string): Promise<unknown> => this.sdk.ask(name);
	}
}

test.beforeEach(async () => {
	await cacheOf(Wrapper).clear();
});

test.serial(`${dialect}: a result is cached by its arguments for as long as it is fresh`, async t => {
	const wrapper = new Wrapper();
	const first = await wrapper.get('ada');
	t.deepEqual(await wrapper.get('ada'), first);
	t.deepEqual(await new Wrapper(wrapper.sdk).get('ada', undefined), first);
	t.deepEqual(wrapper.sdk.calls, ['ada']);

	await wrapper.get('bob');
	await wrapper.get('ada', {page: 1, size: 2});
	await wrapper.get('ada', {size: 2, page: 1});
	t.deepEqual(wrapper.sdk.calls, ['ada', 'bob', 'ada']);

	clock.advance(3599);
	await wrapper.get('ada');
	t.is(wrapper.sdk.calls.length, 3);
	clock.advance(1);
	await wrapper.get('ada');
	t.is(wrapper.sdk.calls.length, 4);
});

test.serial(`${dialect}: every caller gets its own copy, including the bytes of typed arrays`, async t => {
	const wrapper = new Wrapper();
	const [leader, waiter] = await Promise.all([wrapper.get('ada'), wrapper.get('ada')]);
	t.is(wrapper.sdk.calls.length, 1);
	for (const answer of [leader, waiter, await wrapper.get('ada')]) {
		t.deepEqual({...answer, bytes: [...answer.bytes]}, {name: 'ada', tags: new Set(['a']), bytes: [1, 2, 3]});
		answer.name = 'changed';
		answer.tags.add('changed');
		answer.bytes.fill(9);
	}

	t.deepEqual([...(await wrapper.get('ada')).bytes], [1, 2, 3]);
});

test.serial(`${dialect}: concurrent callers share one call, and continue after its failure`, async t => {
	const wrapper = new Wrapper();
	await Promise.all(Array.from({length: 50}, async () => wrapper.get('ada')));
	t.is(wrapper.sdk.calls.length, 1);

	const {sdk} = new Wrapper();
	const failing = new Wrapper(sdk);
	sdk.failure = new Error('busy');
	const first = failing.get('bob');
	await pause(0);
	const others = Array.from({length: 5}, async () => failing.get('bob'));
	sdk.failure = undefined;
	await t.throwsAsync(first, {message: 'busy'});
	t.is((await Promise.all(others)).length, 5);
	t.deepEqual(sdk.calls, ['bob', 'bob']);
});

test.serial(`${dialect}: a failure is not cached, and with \`staleIfError\` a stale result is returned instead`, async t => {
	const wrapper = new Wrapper();
	wrapper.sdk.failure = new Error('down');
	await t.throwsAsync(wrapper.sturdy('ada'), {is: wrapper.sdk.failure});
	wrapper.sdk.failure = undefined;
	const value = await wrapper.sturdy('ada');

	wrapper.sdk.failure = new Error('down');
	clock.advance(7200);
	const [one, other] = await Promise.all([wrapper.sturdy('ada'), wrapper.sturdy('ada')]);
	t.deepEqual(one, value);
	t.deepEqual(other, value);
	clock.advance(86_400);
	await t.throwsAsync(wrapper.sturdy('ada'), {is: wrapper.sdk.failure});

	await t.throwsAsync(wrapper.get('ada'), {is: wrapper.sdk.failure});
});

test.serial(`${dialect}: with \`staleWhileRevalidate\` a stale result is returned at once, and refreshed`, async t => {
	const wrapper = new Wrapper();
	wrapper.sdk.answer = () => wrapper.sdk.calls.length;
	t.is(await wrapper.swift('ada'), 1);
	clock.advance(7200);
	t.is(await wrapper.swift('ada'), 1);
	await cacheOf(wrapper).idle();
	t.is(await wrapper.swift('ada'), 2);
	t.is(wrapper.sdk.calls.length, 2);

	const errors: unknown[] = [];
	cacheOf(wrapper).once('backgroundError', ({error}) => {
		errors.push(error);
	});
	wrapper.sdk.failure = new Error('down');
	clock.advance(7200);
	t.is(await wrapper.swift('ada'), 2);
	await cacheOf(wrapper).idle();
	t.deepEqual(errors, [wrapper.sdk.failure]);
	t.is(await wrapper.swift('ada'), 2);
});

test.serial(`${dialect}: instances do not share results with scope 'instance', and share by key otherwise`, async t => {
	const [one, other] = [new Wrapper(), new Wrapper()];
	other.tenant = 'other';
	one.sdk.answer = () => 'of one';
	other.sdk.answer = () => 'of the other';

	const names = Array.from({length: 20}, (_, index) => `name ${index % 4}`);
	const [ofOne, ofOther] = await Promise.all([one, other].map(async wrapper => Promise.all(names.flatMap(name => [wrapper.own(name), wrapper.keyed(name)]))));
	t.deepEqual(new Set(ofOne), new Set(['of one']));
	t.deepEqual(new Set(ofOther), new Set(['of the other']));
	t.is(one.sdk.calls.length, 8);

	t.is(await one.wrong('shared') as string, 'of one');
	t.is(await other.wrong('shared') as string, 'of one');
});

test.serial(`${dialect}: subclasses, static methods and instance methods do not share results`, async t => {
	class Sub extends Wrapper {}
	const [wrapper, sub] = [new Wrapper(), new Sub()];
	wrapper.sdk.answer = () => 'of the class';
	sub.sdk.answer = () => 'of the subclass';

	t.is(await wrapper.wrong('x') as string, 'of the class');
	t.is(await sub.wrong('x') as string, 'of the subclass');
	t.is(await sub.swift('x') as string, 'of the subclass');
	t.deepEqual(await Wrapper.ofClass({name: 'a'}), {name: 'a'});
	t.deepEqual(await Wrapper.ofClass({name: 'b'}), {name: 'b'});
	t.is(await wrapper.getter('x') as string, 'of the class');
	await wrapper.getter('x');
	t.is(wrapper.sdk.calls.length, 2);
});

test.serial(`${dialect}: \`keyFn\` replaces the arguments in the key; if it returns \`undefined\` or throws, the call is not cached`, async t => {
	const wrapper = new Wrapper();
	await wrapper.keyed('Ada', () => {});
	await wrapper.keyed('ada');
	t.deepEqual(wrapper.sdk.calls, ['Ada']);

	await wrapper.keyed('none');
	await wrapper.keyed('none');
	t.is(wrapper.sdk.calls.length, 3);

	const settings: string[] = [];
	cacheOf(wrapper).once('settingError', ({setting}) => {
		settings.push(setting);
	});
	await wrapper.keyed(5 as never);
	t.deepEqual(settings, ['keyFn']);
	t.is(wrapper.sdk.calls.length, 4);
});

test.serial(`${dialect}: arguments that cannot be included in the key are an error, unless nothing is cached`, async t => {
	const wrapper = new Wrapper();
	await t.throwsAsync(wrapper.get('ada', {callback() {}}), {instanceOf: TypeError, message: /argument 2 of .*get\.callback.*`keyFn`/v});
	await t.throwsAsync(wrapper.get('ada', new User('ada')), {message: /instance of User/v});
	t.deepEqual(wrapper.sdk.calls, []);
	await wrapper.never(() => {});
	await wrapper.never(() => {});
	t.is(wrapper.sdk.calls.length, 2);
});

test.serial(`${dialect}: \`filterFn\` is called before a result is stored and when it is read`, async t => {
	const wrapper = new Wrapper();
	wrapper.sdk.answer = name => name;
	for (const name of ['some', 'some', 'none', 'none', 'never', 'never']) {
		t.is(await wrapper.filtered(name), name);
	}

	t.deepEqual(wrapper.sdk.calls, ['some', 'none', 'none', 'never', 'never']);
});

test.serial(`${dialect}: request settings apply to results: refresh, disabled, onlyIfCached`, async t => {
	const wrapper = new Wrapper();
	await wrapper.anew('a');
	await wrapper.anew('a');
	t.is(wrapper.sdk.calls.length, 2);

	await wrapper.get('b');
	await wrapper.through('b');
	t.is(wrapper.sdk.calls.length, 4);

	await t.throwsAsync(wrapper.offline('c'), {code: 'ERR_NOT_CACHED', message: /offline/v});
	t.is(wrapper.sdk.calls.length, 4);
});

test.serial(`${dialect}: instances of classes are restored by \`type\` or \`revive\`, and are an error without them`, async t => {
	const wrapper = new Wrapper();
	for (let round = 0; round < 2; round++) {
		const user = await wrapper.user('Ada');
		t.true(user instanceof User);
		t.is(user.greet(), 'Hello Ada');
		t.deepEqual((await wrapper.users('Ada', 'Bob')).map(one => one.greet()), ['Hello Ada', 'Hello Bob']);
	}

	t.is(wrapper.sdk.calls.length, 2);

	wrapper.sdk.answer = secret => new Secretive(secret).toPlain();
	await wrapper.revived('x');
	t.is((await wrapper.revived('x')).wrapped!.tell(), 'x');

	for (const [answer, message] of [
		[new User('Ada'), /the result of .*wrong is an instance of User.*`type` or `revive`/v],
		[{list: [{owner: new User('Ada')}]}, /wrong\.list\[0\]\.owner is an instance of User/v],
		[new Map([['a', () => {}]]), /an item of .*is a function/v],
	] as const) {
		wrapper.sdk.answer = () => answer;
		await t.throwsAsync(wrapper.wrong('Ada'), {code: 'ERR_RESULT_NOT_CLONEABLE', message});
	}
});

test.serial(`${dialect}: a function that does not return a promise, or has no name, is an error`, async t => {
	@CacheConfig({store: 'memory'})
	class Wrong {
		// @ts-expect-error -- The types refuse it, too.
		@Cached('1h', {result: true})
		plain() {
			return 5;
		}
	}

	const {plain} = new Wrong() as unknown as {plain: () => Promise<unknown>};
	await t.throwsAsync(Reflect.apply(plain, new Wrong(), []), {code: 'ERR_RESULT_NOT_A_PROMISE', message: /plain returns no promise/v});
	await t.throwsAsync(plain(), {code: 'ERR_CALL_NAME'});
	t.throws(() => cached(async function * generate() {} as never, '1h', {result: true}), {code: 'ERR_RESULT_NOT_A_PROMISE', message: /a generator/v});
	t.throws(() => cached(async () => 5, '1h', {result: true}), {code: 'ERR_CALL_NAME', message: /Use a named function/v});
	t.throws(() => Cached('1h', {result: true, scope: 'all'} as never), {message: /`Cached\.scope`/v});
	t.throws(() => Cached('1h', {result: true, allowableCodes: [200]} as never), {message: /a result is not a response/v});
	t.throws(() => Cached('1h', {result: true, name: ''}), {message: /`Cached\.name`/v});
});

const twins = (cache: HttpCache) => {
	const calls: number[] = [];
	const square = cached(async function square(number: number) {
		calls.push(number);
		return number ** 2;
	}, '5m', {result: true, cache});
	return {square, calls};
};

test.serial(`${dialect}: \`cached\` caches the results of functions, and functions with the same name do not share them`, async t => {
	const cache = cacheOf(Wrapper);
	const {square, calls} = twins(cache);
	t.deepEqual([await square(3), await square(3), await square(4)], [9, 9, 16]);
	t.deepEqual(calls, [3, 4]);
	t.is(square.name, 'square');

	const other = twins(cache);
	await t.throwsAsync(other.square(3), {code: 'ERR_CALL_NAME', message: /Two functions have the name `square`/v});

	const stored = withCacheSettings({store: 'memory', now: clock.now}, async (number: number) => named(number));
	let count = 0;
	const named = cached(async (number: number) => {
		count++;
		return number;
	}, '5m', {result: true, name: 'named'});
	await stored(1);
	await stored(1);
	t.is(count, 1);
	t.not(cacheKeyOf(named, 1), cacheKeyOf(named, 2));
});

test.serial(`${dialect}: a stored result that cannot be read is a miss`, async t => {
	const wrapper = new Wrapper();
	const cache = cacheOf(wrapper);
	await wrapper.wrong('ada');
	const key = cacheKeyOf(wrapper, 'wrong', 'ada')!;
	const core = coreOf(cache);
	const {stored} = await core.match(key, {});
	const operations: string[] = [];
	cache.once('storeError', ({operation}) => {
		operations.push(operation);
	});
	await core.managedEntries.write(key, {...stored!, body: Uint8Array.of(1, 2, 3)});

	t.is((await wrapper.wrong('ada') as Answer).name, 'ada');
	await wrapper.wrong('ada');
	t.is(wrapper.sdk.calls.length, 2);
	t.deepEqual(operations, ['decode']);
});
