/*
Several tenants on one Redis: each has a cache of its own, so that no tenant sees another's responses, and one can be counted and cleared without the others. They share one connection.

	node redis-tenants.ts https://example.com/ redis://localhost:6379
*/
import process from 'node:process';
import {createClient} from '@keyv/redis';
import {
	cacheInfo,
	createCachedGot,
	createStore,
	type CachedGot,
} from 'got-cache-hooks';

const [url = 'https://example.com/', server = 'redis://localhost:6379'] = process.argv.slice(2);

const connection = createClient({url: server});
connection.on('error', error => {
	console.error(String(error));
});

const clients = new Map<string, CachedGot>();

/** Returns the client of a tenant, which all of its requests share. */
function clientOf(tenant: string): CachedGot {
	if (!/^[\d\-a-z]{1,40}$/v.test(tenant)) {
		throw new TypeError(`\`${tenant}\` is no name of a tenant`);
	}

	const client = clients.get(tenant) ?? createCachedGot({
		store: createStore('redis', {client: connection, cacheName: `tenant-${tenant}`}),
		expireAfter: '10m',
		// Of several processes, one asks the origin.
		lock: true,
	});
	clients.set(tenant, client);
	return client;
}

for (const tenant of ['acme', 'acme', 'globex', 'globex']) {
	const response = await clientOf(tenant)(url, {headers: {'x-tenant': tenant}});
	console.log(tenant, response.isFromCache, cacheInfo(response).reason, response.body);
	await clientOf(tenant).cache.idle();
}

await clientOf('acme').cache.clear();
for (const [tenant, client] of clients) {
	console.log(tenant, await client.cache.count());
	await client.cache.close();
}

await connection.close();
