/**
The origin of all benchmarks, a process of its own: `/<bytes>/…` answers with a JSON body of so many bytes, `/tagged/<bytes>/…` with one that is validated each time, `/stream/<bytes>/…` with as many bytes in chunks. `/asked/…` tells how often what is behind it was asked for, where that is an `item…`.
*/
import {createServer, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import process from 'node:process';
import {jsonBody} from './body.ts';

const chunk = new Uint8Array(65_536).fill(0x61);
const asked = new Map<string, number>();

const server = createServer((request, response) => {
	const url = request.url!;
	const [, first = '', second = ''] = url.split('/', 3);
	if (first === 'asked') {
		response.end(String(asked.get(url.slice('/asked'.length)) ?? 0));
		return;
	}

	// Only these: among misses are hundreds of thousands.
	if (url.includes('/item')) {
		asked.set(url, (asked.get(url) ?? 0) + 1);
	}

	if (first === 'stream') {
		stream(response, Number(second));
		return;
	}

	const isTagged = first === 'tagged';
	response.setHeader('content-type', 'application/json');
	response.setHeader('cache-control', isTagged ? 'no-cache' : 'max-age=3600');
	if (isTagged) {
		response.setHeader('etag', '"1"');
		if (request.headers['if-none-match'] === '"1"') {
			response.writeHead(304).end();
			return;
		}
	}

	const body = jsonBody(Number(isTagged ? second : first));
	response.setHeader('content-length', body.length);
	response.end(body);
});

function stream(response: ServerResponse, bytes: number): void {
	response.setHeader('content-length', bytes);
	let sent = 0;
	const write = (): void => {
		while (sent < bytes) {
			const part = chunk.subarray(0, Math.min(chunk.length, bytes - sent));
			sent += part.length;
			if (!response.write(part)) {
				response.once('drain', write);
				return;
			}
		}

		response.end();
	};

	write();
}

server.listen(0, '127.0.0.1', () => {
	process.send!((server.address() as AddressInfo).port);
});
process.on('disconnect', () => {
	process.exit();
});
