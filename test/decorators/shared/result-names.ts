/* eslint-disable @typescript-eslint/naming-convention -- Variables that are classes. */
import test from 'ava';
import {
	Cached,
	cached,
	cacheKeyOf,
	CacheConfig,
	HttpCache,
	invalidate,
} from '../../../source/index.ts';

const dialect = import.meta.url.split('/').at(-2)!;

/** Defines a new class with its own cache. */
function define() {
	const cache = new HttpCache({store: 'memory'});
	let calls = 0;
	const call = async (name: string): Promise<string> => {
		calls++;
		return `${name} ${calls}`;
	};

	class Base {
		@Cached('1h', {result: true, cache, name: 'of-class'})
		static async ofClass(): Promise<string> {
			return call('of the class');
		}

		@Cached('1h', {result: true, cache})
		async derived(): Promise<string> {
			return call('derived');
		}

		@Cached('1h', {result: true, cache, name: 'named'})
		async named(): Promise<string> {
			return call('named');
		}

		@Cached('1h', {result: true, cache, name: 'got'})
		get getter() {
			return async (): Promise<string> => call('got');
		}
	}

	return {cache, Base};
}

type Base = InstanceType<ReturnType<typeof define>['Base']>;

const relatives: ReadonlyArray<readonly [name: string, relative: (instance: Base) => Base]> = [
	['the same instance', instance => instance],
	['another instance', instance => new (instance.constructor as new () => Base)()],
	['an object whose prototype is the instance', instance => Object.create(instance) as Base],
	['an object that inherits from the instance through other objects', instance => Object.create(Object.assign(Object.create(instance) as Base, {own: true})) as Base],
	['a proxy of the instance', instance => new Proxy(instance, {})],
];

for (const [name, relative] of relatives) {
	test(`${dialect}: ${name} shares the results of its class, whichever is called first`, async t => {
		for (const isFirst of [true, false]) {
			const {Base} = define();
			const instance = new Base();
			const other = relative(instance);
			const [one, two] = isFirst ? [other, instance] : [instance, other];
			const results = [await one.derived(), await one.named(), await one.getter()];
			t.deepEqual([await two.derived(), await two.named(), await two.getter()], results);
			t.is(cacheKeyOf(one, 'derived'), cacheKeyOf(two, 'derived'));
			t.is(cacheKeyOf(Base.prototype.derived), cacheKeyOf(two, 'derived'));
			await invalidate(other, 'derived');
			t.not(await two.derived(), results[0]);
		}
	});
}

test(`${dialect}: an inherited method shares results between classes only with a \`name\``, async t => {
	const {Base} = define();
	class Sub extends Base {}
	const [base, sub] = [new Base(), new Sub()];
	t.deepEqual([await base.named(), await sub.named()], ['named 1', 'named 1']);
	t.deepEqual([await base.derived(), await sub.derived()], ['derived 2', 'derived 3']);
	t.deepEqual([await Base.ofClass(), await Sub.ofClass()], ['of the class 4', 'of the class 4']);
});

test(`${dialect}: two functions with the same name in one cache are an error, whether the name is set or derived`, async t => {
	const {cache, Base} = define();
	const base = new Base();
	await base.derived();
	await base.named();
	await base.getter();

	class Other {
		@Cached('1h', {result: true, cache, name: 'named'})
		async method(): Promise<string> {
			return 'of another method';
		}

		@Cached('1h', {result: true, cache, name: 'got'})
		get getter() {
			return async (): Promise<string> => 'of another getter';
		}
	}

	const twice = Cached<unknown, [], string>('1h', {result: true, cache, name: 'twice'});
	class Twice {
		@twice
		async one(): Promise<string> {
			return 'one';
		}

		@twice
		async other(): Promise<string> {
			return 'other';
		}
	}

	const named = (name: string) => cached(async () => 'of a function', '1h', {result: true, cache, name});
	t.is(await new Twice().one(), 'one');
	for (const [name, call] of [
		['named', async () => new Other().method()],
		['got', async () => new Other().getter()],
		['twice', async () => new Twice().other()],
		['named', named('named')],
		['Base.derived', named('Base.derived')],
	] as const) {
		await t.throwsAsync(call(), {code: 'ERR_CALL_NAME', message: new RegExp(`\`${name}\` in one cache`, 'v')});
	}

	t.is(await named('another')(), 'of a function');
	t.is(await base.named(), 'named 2');
	t.is(await new Twice().one(), 'one');
});

test(`${dialect}: a function that is wrapped again keeps its results`, async t => {
	const {cache} = define();
	let count = 0;
	const original = async (): Promise<number> => {
		count++;
		return count;
	};

	const wrap = () => cached(original, '1h', {result: true, cache, name: 'wrapped'});
	t.deepEqual([await wrap()(), await wrap()()], [1, 1]);
});

test(`${dialect}: functions with the same name do not conflict in different caches`, async t => {
	@CacheConfig({store: 'memory'})
	class One {
		@Cached('1h', {result: true, name: 'one'})
		async method(): Promise<string> {
			return 'one';
		}
	}

	@CacheConfig({store: 'memory'})
	class Other {
		@Cached('1h', {result: true, name: 'one'})
		async method(): Promise<string> {
			return 'other';
		}
	}

	t.deepEqual([await new One().method(), await new Other().method()], ['one', 'other']);
});

test(`${dialect}: a method that calls the method it overrides is an error that asks for a \`name\``, async t => {
	const cache = new HttpCache({store: 'memory'});
	class Parent {
		@Cached('1h', {result: true, cache})
		async method(): Promise<string> {
			return 'parent';
		}

		@Cached('1h', {result: true, cache, name: 'Parent.named'})
		async named(): Promise<string> {
			return 'parent';
		}
	}

	class Child extends Parent {
		@Cached('1h', {result: true, cache})
		override async method(): Promise<string> {
			return `child of ${await super.method()}`;
		}

		@Cached('1h', {result: true, cache})
		override async named(): Promise<string> {
			return `child of ${await super.named()}`;
		}
	}

	await t.throwsAsync(new Child().method(), {code: 'ERR_CALL_NAME', message: /`Child\.method`/v});
	t.is(await new Child().named(), 'child of parent');
	t.is(await new Parent().named(), 'parent');
});

test(`${dialect}: a method without a class has no name`, async t => {
	const {Base} = define();
	for (const self of [undefined, null, 5, {}, Object.create(null), Object.create({}), Object.create(Object.create(null) as object)]) {
		await t.throwsAsync(Reflect.apply(Base.prototype.derived, self, []) as Promise<unknown>, {code: 'ERR_CALL_NAME', message: /has no class/v});
	}
});
