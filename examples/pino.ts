/*
`node examples/pino.ts [URL]`: pino writes a line of JSON for each event of all caches of the process, with the ID of the request that it belongs to. URLs and errors in events have no credentials.
*/
import {AsyncLocalStorage} from 'node:async_hooks';
import {subscribe} from 'node:diagnostics_channel';
import process from 'node:process';
import got from 'got';
import {pino} from 'pino';
import {cacheHooks} from 'got-cache-hooks';

const url = process.argv[2] ?? 'https://example.com/';
const requestIds = new AsyncLocalStorage<number>();
const logger = pino({level: 'debug', errorKey: 'error', mixin: () => ({requestId: requestIds.getStore()})});

const events = {
	debug: ['hit', 'revalidated', 'miss', 'bypassed', 'stored', 'refused', 'deleted', 'expired', 'evicted'],
	warn: ['stale', 'circuit', 'backgroundError'],
	error: ['storeError', 'settingError', 'internalError'],
} as const;

for (const level of ['debug', 'warn', 'error'] as const) {
	for (const event of events[level]) {
		subscribe(`got-cache-hooks:${event}`, message => {
			logger[level](message, event);
		});
	}
}

const client = got.extend(cacheHooks({
	store: 'memory', expireAfter: '5m', filterFn(response) {
		if (response.url.includes('/unknown')) {
			throw new TypeError('This filter does not know the resource');
		}

		return true;
	},
}));
for (const [index, target] of [url, url, new URL('unknown?api_key=secret', url)].entries()) {
	await requestIds.run(index + 1, async () => client(target, {throwHttpErrors: false}));
}
