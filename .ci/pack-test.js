// Runs in a folder into which `pack-test` has installed the library and Got. It exits with an error unless each second request is a hit.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import got from 'got';
import {cacheHooks} from 'got-cache-hooks';

const {version} = JSON.parse(fs.readFileSync('node_modules/got/package.json', 'utf8'));

let requests = 0;
const server = http.createServer((request, response) => {
	requests++;
	response.setHeader('content-type', 'application/json');
	response.setHeader('cache-control', 'max-age=60');
	response.end(JSON.stringify({requests}));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

try {
	const stores = {memory: {store: 'memory'}, default: {}};
	for (const [name, settings] of Object.entries(stores)) {
		const client = got.extend(cacheHooks(settings));
		const url = `http://127.0.0.1:${server.address().port}/${name}`;

		const [first, second] = [await client(url), await client(url)];

		assert.equal(first.isFromCache, false, `${name}: the first answer is from the origin`);
		assert.equal(second.isFromCache, true, `${name}: the second answer is from the cache`);
		assert.equal(second.body, first.body);
		console.log(`got ${version}, store ${name}: hit`);
	}

	assert.equal(requests, 2);
	assert.ok(fs.existsSync('http_cache.sqlite'), 'the default store outlives the process');
} finally {
	server.close();
}
