import process from 'node:process';
import got from 'got';
import {cacheHooks, getCache, type CacheSettings} from '../../source/index.ts';

export type Task = {
	/** To which it sends an unsafe method. */
	readonly post?: readonly string[];

	/** The criteria of the deletion. */
	readonly tags?: readonly string[];
};

/** Another process that opens the cache, and invalidates entries when it gets a message. */
const client = got.extend({retry: {limit: 0}}, cacheHooks({expireAfter: '1h', ...JSON.parse(process.argv[2]!) as CacheSettings}));
const cache = getCache(client);
// It has the store open before the others ask.
await cache.count();
process.send!('ready');
process.on('message', (task: Task) => {
	void (async () => {
		for (const url of task.post ?? []) {
			await client.post(url, {body: 'change'});
		}

		if (task.tags !== undefined) {
			await cache.delete({tags: task.tags});
		}

		await cache.idle();
		process.send!('done');
	})();
});
