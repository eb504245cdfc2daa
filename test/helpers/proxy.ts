import {once} from 'node:events';
import {createServer, type IncomingMessage} from 'node:http';
import {connect, type AddressInfo, type Socket} from 'node:net';
import type {ExecutionContext} from 'ava';

export type Proxy = {readonly url: string; readonly tunnels: () => number};

/** A proxy that tunnels, and counts its tunnels; it ends with the test. */
export async function startProxy(t: ExecutionContext): Promise<Proxy> {
	const sockets = new Set<Socket>();
	const server = createServer();
	let count = 0;
	server.on('connect', (request: IncomingMessage, socket: Socket, head: Uint8Array) => {
		count++;
		const {hostname, port} = new URL(`http://${request.url}`);
		const target = connect(Number(port), hostname, () => {
			socket.write('HTTP/1.1 200 OK\r\n\r\n');
			target.write(head);
			target.pipe(socket).pipe(target);
		});
		for (const [end, other] of [[socket, target], [target, socket]] as const) {
			sockets.add(end);
			end.on('error', () => {
				other.destroy();
			});
		}
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
		for (const socket of sockets) {
			socket.destroy();
		}
	});
	return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels: () => count};
}
