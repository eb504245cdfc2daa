// Runs beside `pack-test.js`, started with the register. It exits with an error unless the second request of a plain Got is a hit, whether it is imported or required.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import http from 'node:http';
import got from 'got';
import required from './pack-test-required.cjs';

// Where the linter wants it among the imports depends on whether it is built.
const {installCache} = await import('got-cache-hooks');

const server = http.createServer((_request, response) => {
	response.end('body');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

try {
	installCache({store: 'memory'});
	for (const [name, instance] of Object.entries({imported: got, required})) {
		const url = `http://127.0.0.1:${server.address().port}/${name}`;
		await instance(url);
		const {isFromCache} = await instance(url);
		assert.equal(isFromCache, true, `the second answer of Got, ${name}, is from the installed cache`);
	}
} finally {
	server.close();
}
