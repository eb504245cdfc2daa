import path from 'node:path';
import test from 'ava';
import {getCache} from '../../source/index.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {temporaryFolder} from '../helpers/temporary-folder.ts';
import {standClock} from '../helpers/hand-clock.ts';

test('concurrent requests for two variants do not wait for the lock of each other', async t => {
	await using folder = await temporaryFolder();
	const areThere = Promise.withResolvers<void>();
	await using origin = await Origin.start((request, response) => {
		const language = request.headers['accept-language']!;
		response.writeHead(200, {vary: 'accept-language', 'content-length': 4});
		response.write(language);
		if (language === 'fr') {
			areThere.resolve();
		}

		void areThere.promise.then(() => response.end(language));
	});
	const {client} = createClient({store: 'sqlite', cacheName: path.join(folder.path, 'cache'), cacheControl: true});
	// A wait for a lock would never end.
	standClock(t);
	const bodies = await Promise.all(['de', 'fr'].map(async language => client(origin.url, {headers: {'accept-language': language}}).text()));
	t.deepEqual(bodies, ['dede', 'frfr']);
	await getCache(client).close();
});
