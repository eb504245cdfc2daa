import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import got from 'got';
import {cacheHooks, getCache, type CacheSettings} from '../../source/index.ts';

/** A process that abandons a request in flight: it aborts the request and closes its cache, closes its cache, or exits. */
const [settings, url] = process.argv.slice(2) as [string, string];
const client = got.extend({retry: {limit: 0}}, cacheHooks({expireAfter: '1h', ...JSON.parse(settings) as CacheSettings}));
const controller = new AbortController();

process.once('message', ending => {
	void (async () => {
		switch (ending) {
			case 'abort': {
				controller.abort();
				await getCache(client).close();
				break;
			}

			case 'close': {
				await getCache(client).close();
				break;
			}

			default: {
				process.exit();
			}
		}

		process.send!('closed');
		// The process continues, so that the lock is not released by its end.
		await delay(60_000);
	})();
});
process.send!('ready');
await client(url, {signal: controller.signal}).catch(() => undefined);
