import {createClient} from '@keyv/redis';
import test from 'ava';
import {ServerProcess} from '../helpers/server-process.ts';
import {findRedis, redisCommand, reportServer} from '../helpers/servers.ts';
import {testCommands} from './commands.ts';

const program = await findRedis();
const server = program === undefined ? undefined : await ServerProcess.start(redisCommand(program));
const url = `redis://127.0.0.1:${server?.port ?? 0}`;
const client = createClient({url});
if (server !== undefined) {
	// Before the first test: AVA wants all of them declared at once.
	await client.connect();
}

reportServer(test, 'redis', server && 'Redis', '`redis-server` on the PATH (Debian: `apt-get install redis-server`)');
if (server !== undefined) {
	test.after.always(async () => {
		client.destroy();
		await server.stop();
	});

	let caches = 0;
	testCommands(test, 'redis', async () => {
		const cacheName = `cache ${caches++}`;
		return {
			store: url,
			words: ['--cache-name', cacheName],
			settings: {store: `redis://127.0.0.1:${server.port}`, cacheName},
			async snapshot() {
				const keys = await client.keys('*');
				return Promise.all(keys.filter(key => key.includes(cacheName)).toSorted().map(async key => [key, await client.get(key), await client.pExpireTime(key)]));
			},
		};
	});
}
