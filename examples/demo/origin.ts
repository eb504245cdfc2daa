import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {gzipSync} from 'node:zlib';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export type Origin = {
	readonly url: string;

	/** How many requests reached it. */
	readonly count: () => number;
	readonly stop: () => Promise<void>;
};

/**
A small web site on loopback, on whatever port is free.
*/
export async function startOrigin(): Promise<Origin> {
	let count = 0;
	const answers = createAnswers();
	const server = createServer((request, response) => {
		count++;
		(answers[request.url!] ?? notFound)(response, request);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		count: () => count,
		async stop() {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		},
	};
}

function createAnswers(): Readonly<Record<string, Answer>> {
	let visits = 0;
	return {
		'/json'(response) {
			json(response, {time: new Date().toISOString()});
		},
		'/gzip'(response) {
			response.writeHead(200, {'content-type': 'text/plain', 'content-encoding': 'gzip'});
			response.end(gzipSync('All work and no play makes a dull demo. '.repeat(500)));
		},
		'/old'(response) {
			response.writeHead(302, {location: '/new'});
			response.end();
		},
		'/new'(response) {
			json(response, {moved: true});
		},
		'/etag'(response, request) {
			response.setHeader('etag', '"version-1"');
			if (request.headers['if-none-match'] === '"version-1"') {
				response.writeHead(304);
				response.end();
			} else {
				json(response, {version: 1});
			}
		},
		'/private'(response) {
			json(response, {secret: Math.random()});
		},
		// Well at first, then a 503, then a connection that is cut; and so on.
		'/flaky'(response) {
			const visit = visits++ % 3;
			if (visit === 0) {
				json(response, {visits});
			} else if (visit === 1) {
				response.writeHead(503);
				response.end('busy');
			} else {
				response.destroy();
			}
		},
	};
}

function json(response: ServerResponse, value: unknown): void {
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify(value));
}

function notFound(response: ServerResponse): void {
	response.writeHead(404);
	response.end('not found');
}
