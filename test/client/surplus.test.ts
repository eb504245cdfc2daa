import {once} from 'node:events';
import net, {type AddressInfo, type Socket} from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {createClient} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';

const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nCache-Control: max-age=60\r\n';

const origins: ReadonlyArray<readonly [title: string, write: (socket: Socket) => unknown]> = [
	['at once', socket => socket.write(`${head}\r\nhello world`)],
	['on a connection that is to be closed', socket => socket.end(`${head}Connection: close\r\n\r\nhello world`)],
	['with the last bytes of the content', async socket => {
		socket.write(`${head}\r\nhel`);
		await delay(20);
		socket.end('lo world');
	}],
];

for (const [title, write] of origins) {
	// The parser's error comes after the head, when nobody tells the exchange any more: `source/got/watch-request.ts`.
	test.failing(`RFC 9111 §3.3 a response with more bytes than its Content-Length, ${title}, is not stored`, async t => {
		let count = 0;
		const server = net.createServer(socket => {
			socket.on('error', () => {});
			socket.once('data', () => {
				count++;
				write(socket);
			});
		}).listen(0, '127.0.0.1');
		await once(server, 'listening');
		t.teardown(() => server.close());
		const {client} = createClient(byOrigin);
		const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
		await t.throwsAsync(client(url));
		await t.throwsAsync(client(url));
		t.is(count, 2);
	});
}
