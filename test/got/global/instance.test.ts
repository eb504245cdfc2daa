import test from 'ava';
import {
	cacheHooks,
	getCache,
	installCache,
	isInstalled,
	uninstallCache,
} from '../../../source/index.ts';
import {majors} from '../../helpers/clients.ts';
import {Origin} from '../../helpers/origin.ts';

for (const [name, got] of majors) {
	test(`${name}: the cache can be installed in one instance with mutable defaults without the register, and uninstalled`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.end('body');
		});
		const instance = got.extend({mutableDefaults: true});
		const isHit = async (): Promise<boolean> => {
			await instance(origin.url);
			return (await instance(origin.url)).isFromCache;
		};

		t.false(await isHit());
		t.false(isInstalled(instance));
		const first = installCache({store: 'memory'}, instance);
		t.is(getCache(instance), first.cache);
		t.true(isInstalled(instance));
		t.true(await isHit());
		t.false(isInstalled());
		t.false((await got(origin.url)).isFromCache);

		{
			await using second = installCache({store: 'memory'}, instance);
			await first[Symbol.asyncDispose]();
			t.is(getCache(instance), second.cache);
			t.is(instance.defaults.options.hooks.beforeRequest.length, 1);
			t.true(await isHit());
		}

		t.false(isInstalled(instance));
		t.is(instance.defaults.options.hooks.beforeRequest.length, 0);
		t.false(await isHit());
		await uninstallCache(instance);
	});

	test(`${name}: uninstalling restores the hooks of an instance, including its own cache`, async t => {
		const instance = got.extend({mutableDefaults: true}, cacheHooks({store: 'memory'}), {mutableDefaults: true});
		const own = getCache(instance);
		const {cache} = installCache({store: 'memory'}, instance);
		t.is(getCache(instance), cache);
		await uninstallCache(instance);
		t.is(getCache(instance), own);
	});

	test(`${name}: an instance with frozen defaults is a TypeError`, t => {
		t.throws(() => installCache({store: 'memory'}, got), {instanceOf: TypeError, message: /`mutableDefaults: true`.*cacheHooks/v});
		t.false(isInstalled(got));
	});
}
