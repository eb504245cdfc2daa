/*
What each runner runs: an instance with a cache of its own, and then a plain one, which has a cache where the register works. The matrix compiles it for the runner, with the name of the package in the place of the path.
*/
import {once} from 'node:events';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import got, {type Got} from 'got';
import {cacheHooks} from '../../source/index.ts';

export async function run(): Promise<void> {
	const server = http.createServer((request, response) => {
		response.end(request.url);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const isCached = async (client: Got, path: string): Promise<boolean> => {
		await client(url + path);
		const {isFromCache, body} = await client(url + path);
		return isFromCache && body === path;
	};

	try {
		const explicit = await isCached(got.extend(cacheHooks({store: 'memory'})), '/explicit');
		const plain = await isCached(got, '/plain');
		console.log(`RESULT ${JSON.stringify({explicit, plain})}`);
	} finally {
		server.close();
	}
}
