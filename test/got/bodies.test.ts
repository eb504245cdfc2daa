import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import test from 'ava';
import {cacheInfo, getCache} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

for (const [name, instance] of majors) {
	test(`${name}: a response with a truncated body is not stored`, async t => {
		await using origin = await Origin.start((request, response) => {
			if (origin.count > 2) {
				response.end('whole');
				return;
			}

			if (request.url === '/length') {
				response.writeHead(200, {'content-length': '100'});
			}

			response.write('part');
			setImmediate(() => {
				response.socket!.destroy();
			});
		});
		const {client} = createClient({}, instance);
		await t.throwsAsync(client(`${origin.url}/length`));
		await t.throwsAsync(readStream(client.stream(`${origin.url}/chunked`)));
		for (const path of ['/length', '/chunked']) {
			const response = await client(origin.url + path);
			t.is(response.body, 'whole');
			t.is(cacheInfo(response).reason, 'miss');
		}
	});

	test(`${name}: a response whose body is aborted is not stored`, async t => {
		const finish: Array<() => void> = [];
		await using origin = await Origin.start((_request, response) => {
			response.write('first');
			finish.push(() => {
				response.end('last');
			});
			if (finish.length === 3) {
				response.end('whole');
			}
		});
		const {client} = createClient({}, instance);
		const stream = client.stream(origin.url);
		stream.once('data', () => {
			stream.destroy();
		});
		await once(stream, 'close');

		const controller = new AbortController();
		const promise = client(origin.url, {signal: controller.signal});
		void promise.on('downloadProgress', ({transferred}) => {
			if (transferred > 0) {
				controller.abort();
			}
		});
		await t.throwsAsync(promise, {name: 'AbortError'});
		for (const end of finish) {
			end();
		}

		const third = await client(origin.url);
		t.is(third.body, 'firstwhole');
		t.is(cacheInfo(third).reason, 'miss');
	});

	test(`${name}: a response with a body that cannot be decoded is not stored`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(200, {'content-encoding': 'gzip'});
			response.end('no gzip');
		});
		const {client} = createClient({}, instance);
		for (let round = 0; round < 2; round++) {
			await t.throwsAsync(client(origin.url));
			await getCache(client).idle();
		}

		t.is(origin.count, 2);
	});

	test(`${name}: the first bytes reach the caller while the body is still arriving`, async t => {
		let finish: (() => void) | undefined;
		await using origin = await Origin.start((_request, response) => {
			response.write('first');
			finish = () => {
				response.end('last');
			};
		});
		const {client} = createClient({}, instance);
		const received: string[] = [];
		for await (const chunk of client.stream(origin.url)) {
			received.push(String(chunk));
			if (received.length !== 1) {
				continue;
			}

			t.deepEqual(received, ['first']);
			finish!();
		}

		t.deepEqual(received, ['first', 'last']);
		t.is((await client(origin.url)).body, 'firstlast');
		t.is(origin.count, 1);
	});
}

test('a body over maxEntryBytes is passed on and not stored', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end(Buffer.alloc(100_000, 'a'));
	});
	const {client} = createClient({maxEntryBytes: 99_999});
	for (let round = 0; round < 2; round++) {
		const response = await client(origin.url);
		t.is(response.body.length, 100_000);
		t.is(cacheInfo(response).stored, 'too-large');
		t.is(cacheInfo(response).expires, undefined);
	}

	const {client: larger} = createClient({maxEntryBytes: 100_000});
	await larger(origin.url);
	t.true((await larger(origin.url)).isFromCache);
	t.is(origin.count, 3);
});

test('an empty body is stored and served', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(204);
		response.end();
	});
	const {client} = createClient({allowableCodes: [204]});
	await client(origin.url);
	const second = await client(origin.url);
	t.is(second.statusCode, 204);
	t.is(second.body, '');
	t.true(second.isFromCache);
});
