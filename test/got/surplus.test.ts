import {once} from 'node:events';
import net, {type AddressInfo, type Socket} from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {byOrigin} from '../helpers/dated.ts';
import {refreshingClient} from '../helpers/refreshing.ts';

const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nCache-Control: max-age=60\r\n';

type Write = (socket: Socket) => unknown;

const origins: ReadonlyArray<readonly [title: string, write: Write]> = [
	['at once', socket => socket.write(`${head}\r\nhello world`)],
	['on a connection that is to be closed', socket => socket.end(`${head}Connection: close\r\n\r\nhello world`)],
	['with the last bytes of the content', async socket => {
		socket.write(`${head}\r\nhel`);
		await delay(20);
		socket.end('lo world');
	}],
];

type RawOrigin = {readonly url: string; readonly count: number};

/** An origin that writes each answer itself. */
async function startOrigin(t: ExecutionContext, write: (socket: Socket, count: number) => unknown): Promise<RawOrigin> {
	const origin = {url: '', count: 0};
	const server = net.createServer(socket => {
		socket.on('error', () => {});
		socket.once('data', () => {
			origin.count++;
			write(socket, origin.count);
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	origin.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
	return origin;
}

for (const [major, instance] of majors) {
	for (const [title, write] of origins) {
		test(`RFC 9111 §3.3 ${major}: a response with more bytes than its Content-Length, ${title}, is not stored`, async t => {
			const origin = await startOrigin(t, write);
			const {client} = createClient(byOrigin, instance);
			await t.throwsAsync(client(origin.url));
			await t.throwsAsync(client(origin.url));
			t.is(origin.count, 2);
		});

		test(`RFC 9111 §3.3 ${major}: a response that is streamed with more bytes than its Content-Length, ${title}, is not stored`, async t => {
			const origin = await startOrigin(t, write);
			const {client} = createClient(byOrigin, instance);
			await t.throwsAsync(readStream(client.stream(origin.url)));
			await t.throwsAsync(readStream(client.stream(origin.url)));
			t.is(origin.count, 2);
		});

		test(`RFC 9111 §3.3 ${major}: a refresh that gets more bytes than the Content-Length, ${title}, does not replace the stored response`, async t => {
			const good = `${head}Connection: close\r\n\r\nfirst`;
			const origin = await startOrigin(t, (socket, count) => count === 1 ? socket.end(good) : write(socket));
			const {client, expire, idle, errors} = refreshingClient(instance);
			await client(origin.url);
			expire();
			await client(origin.url);
			await idle();
			t.is(errors.length, 1);
			const {body} = await client(origin.url);
			t.is(body, 'first');
			await idle();
			t.true(origin.count > 2);
		});
	}
}
