/*
An instance of a Got that is not supported is refused when it is given, with the version and what to do. The instances here have the shapes of those of Got 11, and of 12 and 13.
*/
import test from 'ava';
import type {Got} from 'got';
import {
	CacheHooksError,
	cacheHooks,
	createCachedGot,
	getCache,
	installCache,
} from '../../source/index.ts';
import {majors} from '../helpers/clients.ts';

type Plain = {hooks?: {init?: ReadonlyArray<(plain: object, self?: object) => void>}};

/** Got 12 and 13: a class of options, which calls the `init` hooks of what is merged. */
class OldOptions {
	readonly hooks = {beforeRequest: []};

	merge(plain: Plain): void {
		for (const hook of plain.hooks?.init ?? []) {
			hook(plain, this);
		}
	}
}

const got13 = {
	defaults: {options: new OldOptions(), mutableDefaults: true},
	extend(plain: Plain) {
		new OldOptions().merge(plain);
		return got13;
	},
};

/** Got 11: plain options, and `init` hooks that are called with those of a request. */
const got11 = {
	defaults: {options: {hooks: {beforeRequest: []}}, mutableDefaults: true},
	extend: (plain: Plain) => () => {
		for (const hook of plain.hooks?.init ?? []) {
			hook({});
		}
	},
};

const refused = (version: string) => ({
	instanceOf: CacheHooksError,
	code: 'ERR_UNSUPPORTED_GOT',
	message: `This is an instance of Got ${version}, but \`got-cache-hooks\` needs Got 14 (14.6 or newer), 15 or 16. If another package brings this Got, look for a newer version of that package.`,
});

test('Got 12 and 13 are refused by `extend(cacheHooks())`, and Got 11 by its first request', t => {
	t.throws(() => got13.extend(cacheHooks() as unknown as Plain), refused('12, 13 or 14 before 14.6'));
	const client = got11.extend(cacheHooks() as unknown as Plain);
	t.throws(client, refused('11 or older'));
});

test('where only the hook of a request is used, the request is refused', t => {
	const hook = cacheHooks().hooks!.beforeRequest![0] as (options: object) => void;
	t.throws(() => {
		hook(new OldOptions());
	}, refused('12, 13 or 14 before 14.6'));
	t.throws(() => {
		hook({headers: {}});
	}, refused('11 or older'));
});

for (const [name, instance, version] of [['Got 13', got13, '12, 13 or 14 before 14.6'], ['Got 11', got11, '11 or older']] as const) {
	test(`${name} is refused by \`createCachedGot()\` and \`installCache()\``, t => {
		t.throws(() => createCachedGot({}, instance as unknown as Got), refused(version));
		t.throws(() => installCache({}, instance as unknown as Got), refused(version));
	});
}

for (const [name, got] of majors) {
	test(`${name} is accepted, and no request calls the check`, t => {
		const client = got.extend(cacheHooks({store: 'memory'}));
		t.deepEqual(client.defaults.options.hooks.init, []);
		const other = got.extend({hooks: {init: [() => undefined]}}, client);
		t.is(other.defaults.options.hooks.init.length, 1);
		t.is(getCache(other), getCache(client));
	});

	test(`${name}: the options of \`cacheHooks()\` can be used more than once`, t => {
		const options = cacheHooks({store: 'memory'});
		const {init, beforeRequest} = options.hooks!;
		const clients = [got.extend(options), got.extend({hooks: {init: [...init!], beforeRequest: [...beforeRequest!]}})];
		t.is(options.hooks!.init, init);
		t.is(init!.length, 1);
		t.deepEqual(clients.map(client => client.defaults.options.hooks.init), [[], []]);
	});
}
