import {once} from 'node:events';
import type {Server} from 'node:net';
import process from 'node:process';

// Below the ports that systems give out by themselves, which come back soon.
const firstPort = 10_240;
const portCount = 21_989;
let next = (process.pid * 7919) % portCount;

/**
Listens on a port of 127.0.0.1 that no other server of this process has had: a request to an origin that is gone must not reach the origin of another test.
*/
export async function listen(server: Server): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		server.listen(firstPort + next, '127.0.0.1');
		next = (next + 1) % portCount;
		try {
			await once(server, 'listening');
			return;
		} catch (error) {
			if (attempt === portCount || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
				throw error;
			}
		}
	}
}
