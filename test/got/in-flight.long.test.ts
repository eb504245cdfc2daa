import {fork} from 'node:child_process';
import {once} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import {getCache, type CacheSettings} from '../../source/index.ts';
import {majors} from '../helpers/clients.ts';
import {settle} from '../helpers/gate.ts';
import {openedRedis, openedStores} from '../helpers/opened-stores.ts';
import {Clock} from '../helpers/origin.ts';
import {testColdRequests} from './cold-requests.ts';
import type {Task} from './invalidating-caller.ts';
import {
	open,
	partitionSecret,
	renewed,
	states,
	testInvalidatedInFlight,
	versions,
	VersionedOrigin,
} from './invalidating.ts';

const openRedis = await openedRedis(test, 'single flight and invalidation');

testInvalidatedInFlight(test, 'sqlite', openedStores.sqlite!);

if (openRedis !== undefined) {
	for (const major of majors) {
		testColdRequests(test, major, ['redis', openRedis]);
	}

	testInvalidatedInFlight(test, 'redis', openRedis);
}

/** Another process that has the same file open. */
async function startOther(t: ExecutionContext, settings: CacheSettings): Promise<(task: Task) => Promise<void>> {
	const child = fork(new URL('invalidating-caller.ts', import.meta.url), [JSON.stringify({...settings, partitionSecret})], {execArgv: ['--disable-warning=ExperimentalWarning']});
	t.teardown(() => {
		child.kill();
	});
	await once(child, 'message');
	return async task => {
		const done = once(child, 'message');
		child.send(task);
		await done;
	};
}

for (const cacheControl of [false, true]) {
	for (const state of Object.keys(states)) {
		const tasks: Readonly<Record<string, (urls: readonly string[]) => Task>> = {
			'by a tag': () => ({tags: ['tagged']}),
			...(cacheControl && {'by an unsafe method': urls => ({post: urls})}),
		};
		for (const [how, task] of Object.entries(tasks)) {
			test(`cacheControl ${cacheControl}: no outdated response is served to 50 requests (${state}) after another process invalidates them ${how}`, async t => {
				await using origin = await VersionedOrigin.start();
				await using opened = await openedStores.sqlite!();
				const clock = new Clock(Date.now());
				const settings = {...opened.settings, cacheControl};
				const other = await startOther(t, settings);
				const client = open(settings, clock);
				await using cache = getCache(client);
				const asked = await states[state]!({
					origin, client, cache, clock, keys: [],
				});
				origin.version = 2;
				origin.how = 'at once';
				await other(task(origin.urls));
				const after = versions(client, origin.urls);
				await settle();
				origin.release();
				t.deepEqual(await after, renewed);
				await Promise.all(asked);
				await cache.idle();
				t.deepEqual(await versions(client, origin.urls), renewed);
			});
		}
	}
}
