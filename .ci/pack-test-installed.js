// Runs beside `pack-test.js`, started with the register. It exits with an error unless the second request of a plain Got is a hit.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import http from 'node:http';
import got from 'got';
import {installCache} from 'got-cache-hooks';

const server = http.createServer((_request, response) => {
	response.end('body');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

try {
	installCache({store: 'memory'});
	const url = `http://127.0.0.1:${server.address().port}/`;
	await got(url);
	const {isFromCache} = await got(url);
	assert.equal(isFromCache, true, 'the second answer is from the installed cache');
	console.log('installed by the register: hit');
} finally {
	server.close();
}
