/*
Tests the types with standard and legacy decorators. `@ts-expect-error` marks what the compiler must refuse.
*/
import test from 'ava';
import {expectTypeOf} from 'expect-type';
import {
	Cached,
	cached,
	CacheConfig,
	Invalidates,
	invalidate,
	withCacheSettings,
} from '../../../source/index.ts';

class User {
	readonly id = 1;
}

@CacheConfig({store: (self: Typed) => self.store})
class Typed {
	store = new Map();

	@Cached('1h', {
		result: true,
		keyFn(self, name, page) {
			expectTypeOf(this).toEqualTypeOf<Typed>();
			expectTypeOf(self).toEqualTypeOf<Typed>();
			expectTypeOf(name).toEqualTypeOf<string>();
			expectTypeOf(page).toEqualTypeOf<number>();
			return [name, page];
		},
		filterFn(value, self, name) {
			expectTypeOf(this).toEqualTypeOf<Typed>();
			expectTypeOf(value).toEqualTypeOf<{id: number}>();
			expectTypeOf(self).toEqualTypeOf<Typed>();
			expectTypeOf(name).toEqualTypeOf<string>();
			return value.id > 0;
		},
	})
	async repos(name: string, page: number): Promise<{id: number}> {
		return {id: name.length + page};
	}

	@Cached('1h', {result: true, keyFn: (self, name) => self.store.size + name.length})
	async fewer(name: string, page: number): Promise<number> {
		return name.length + page;
	}

	@Invalidates((_self, name) => ({urls: [name.trim()]}))
	async fewerStill(name: string, body: object): Promise<object> {
		return {name, body};
	}

	@Cached('1h', {result: true, type: User})
	async users(): Promise<User[]> {
		return [new User()];
	}

	@Cached('1h', {result: true, keyFn: (self, name) => self.name + name.toUpperCase()})
	static async ofClass(name: string): Promise<string> {
		return name;
	}

	@Invalidates((self, name) => {
		expectTypeOf(self).toEqualTypeOf<Typed>();
		expectTypeOf(name).toEqualTypeOf<string>();
		return {tags: [name]};
	})
	async create(name: string): Promise<void> {
		await this.repos(name, 1);
	}

	@Cached('5m')
	plain(name: string): string {
		return name;
	}

	// @ts-expect-error -- `result: true` needs a method that returns a promise.
	@Cached('1h', {result: true})
	notAsynchronous(name: string): string {
		return name;
	}

	// @ts-expect-error -- The method does not return a `User`.
	@Cached('1h', {result: true, type: User})
	async wrongType(): Promise<Date> {
		return new Date();
	}
}

test(`${import.meta.url.split('/').at(-2)}: types are inferred from the decorated method`, async t => {
	const typed = new Typed();
	expectTypeOf(typed.repos).returns.resolves.toEqualTypeOf<{id: number}>();

	const twin = cached(async function twin(this: Typed, name: string) {
		return name.length;
	}, '1h', {
		result: true,
		keyFn(self, name) {
			expectTypeOf(self).toEqualTypeOf<Typed>();
			expectTypeOf(name).toEqualTypeOf<string>();
			return name;
		},
	});
	expectTypeOf(twin).toEqualTypeOf<(this: Typed, name: string) => Promise<number>>();
	expectTypeOf(cached((name: string) => name, '5m')).toEqualTypeOf<(name: string) => string>();
	expectTypeOf(withCacheSettings({expireAfter: '5m'}, (name: string) => name)).toEqualTypeOf<(name: string) => string>();

	// @ts-expect-error -- The function does not return a promise.
	cached(function plain() {
		return 5;
	}, '1h', {result: true});

	t.throws(() => {
		class Wrong {
			// @ts-expect-error -- A field is not a method.
			@Cached('5m')
			field = 5;
		}

		return new Wrong();
	}, {code: 'ERR_DECORATOR_PLACE'});

	await t.throwsAsync(async () => {
		// @ts-expect-error -- The arguments are those of the method.
		await invalidate(typed, 'repos', 5, 'name');

		// @ts-expect-error -- There is no such method.
		await invalidate(typed, 'nothing');
	}, {instanceOf: TypeError});
});
