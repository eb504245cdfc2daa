import process from 'node:process';
import got from 'got';
import {cacheHooks, getCache} from '../../source/index.ts';

const [folder, url, language] = process.argv.slice(2) as [string, string, string];
const client = got.extend(cacheHooks({store: 'filesystem', cacheName: folder, mode: 'record'}));
getCache(client).on('storeError', ({error}) => {
	console.error(error);
});
await Promise.all(Array.from({length: 20}, async (_, index) => client(`${url}/${index}`, {headers: {'accept-language': language}})));
await getCache(client).idle();
