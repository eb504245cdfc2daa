import process from 'node:process';
import got from 'got';
import {
	cacheHooks,
	cacheInfo,
	getCache,
	type CacheSettings,
} from '../../source/index.ts';

/** One of several processes with a cold cache: it waits for a message, sends many requests at once, and reports the responses. */
const [settings, url, count] = process.argv.slice(2) as [string, string, string];
const client = got.extend({retry: {limit: 0}}, cacheHooks({expireAfter: '1h', ...JSON.parse(settings) as CacheSettings}));
process.send!('ready');
process.once('message', () => {
	void (async () => {
		const responses = await Promise.all(Array.from({length: Number(count)}, async () => client(url)));
		await getCache(client).close();
		process.send!({
			bodies: [...new Set(responses.map(({body}) => body))],
			sent: responses.filter(response => !response.isFromCache).length,
			reasons: [...new Set(responses.map(response => cacheInfo(response).reason))],
		}, () => {
			process.disconnect();
		});
	})();
});
