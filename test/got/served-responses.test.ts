import {Buffer} from 'node:buffer';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {once} from 'node:events';
import http, {type ClientRequest, type IncomingMessage} from 'node:http';
import {setImmediate, setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type got from 'got';
import type {Got, Response} from 'got';
import {CookieJar} from 'tough-cookie';
import type {CacheSettings} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin, type Handler} from '../helpers/origin.ts';

const text = 'Grüße '.repeat(100);

/** How a stored response comes to Got: without a request, or instead of the response or the error of one. */
const ways: ReadonlyArray<readonly [name: string, settings: CacheSettings]> = [
	['a fresh response', {}],
	['a response that was validated', {alwaysRevalidate: true}],
	['a stale response instead of an error', {expireAfter: 0, staleIfError: true}],
];

type Stage = AsyncDisposable & {
	readonly client: Got;
	readonly url: string;
};

/** Stores a response, so that the next one is served in one of the ways. */
async function prepare(instance: typeof got, settings: CacheSettings, headers: Readonly<Record<string, string | undefined>> = {}): Promise<Stage> {
	const origin = await Origin.start((request, response) => {
		if (origin.count > 1 && settings.staleIfError === true) {
			response.socket!.destroy();
		} else if (request.headers['if-none-match'] === undefined) {
			const fields = Object.entries({etag: '"a"', 'content-length': String(Buffer.byteLength(text)), ...headers}).filter(([, value]) => value !== undefined);
			// Without a length, Node.js sends chunks only if the body comes in several calls.
			response.writeHead(200, Object.fromEntries(fields)).write(text);
			response.end();
		} else {
			response.writeHead(304, {etag: '"a"'}).end();
		}
	});
	const {client} = createClient({storeSetCookie: true, ...settings}, instance);
	await client(origin.url);
	return {
		client,
		url: origin.url,
		async [Symbol.asyncDispose]() {
			await origin[Symbol.asyncDispose]();
		},
	};
}

/** Lets a reader have the response before or after Got, and returns what Got gives. */
async function readWith({client, url}: Pick<Stage, 'client' | 'url'>, reader: (response: IncomingMessage) => void, isFirst: boolean): Promise<Readonly<Record<string, unknown>>> {
	const listen = (request: ClientRequest): void => {
		request.on('response', response => {
			reader(response);
		});
	};

	const request = (...parameters: Parameters<typeof http.request>): ClientRequest => {
		const sent = http.request(...parameters);
		if (isFirst) {
			listen(sent);
		}

		return sent;
	};

	const promise = client(url, {request});
	if (!isFirst) {
		void promise.on('request', listen as never);
	}

	try {
		const {body} = await promise as Response;
		return {body};
	} catch (error) {
		const {name, message} = error as Error;
		return {name, message};
	}
}

const redirect: Handler = (request, response) => {
	if (request.url === '/end') {
		response.end(text);
	} else {
		response.writeHead(301, {location: '/end'}).end('moved');
	}
};

async function assertUnchanged(t: ExecutionContext, {client, url}: Stage): Promise<void> {
	const {body, isFromCache} = await client(url);
	t.is(body, text);
	t.true(isFromCache);
}

for (const [major, instance] of majors) {
	// A fresh response has no ClientRequest, so that nobody gets it before Got has read it.
	for (const [way, settings] of ways.slice(1)) {
		for (const [title, prepareToDestroy] of [
			['destroys it', () => {}],
			['resumes and destroys it', (response: IncomingMessage) => response.resume()],
			['listens to its data and destroys it', (response: IncomingMessage) => response.on('data', () => {})],
		] as const) {
			test(`${major}: a request for ${way} rejects if somebody ${title} before Got has read it, as it does without the cache`, async t => {
				await using stage = await prepare(instance, settings);
				const destroy = (response: IncomingMessage): void => {
					prepareToDestroy(response);
					response.destroy();
				};

				await using origin = await Origin.start((_request, response) => {
					response.end(text);
				});
				const plain = {client: instance.extend({retry: {limit: 0}}), url: origin.url};
				// Got 14 resolves with what it has.
				t.is((await readWith(plain, destroy, true)).name, major === 'Got 14' ? undefined : 'ReadError');
				t.is((await readWith(stage, destroy, true)).name, 'ReadError');
			});
		}

		test(`${major}: a request for ${way} resolves if somebody destroys it when Got has read it`, async t => {
			await using stage = await prepare(instance, settings);
			const result = await readWith(stage, response => {
				response.destroy();
			}, false);
			t.is(result.body, text);
		});
	}

	for (const [way, settings] of ways) {
		test(`${major}: the timeouts of a request end with the body of ${way}, while a hook runs`, async t => {
			await using stage = await prepare(instance, settings);
			const hooks = {
				afterResponse: [async (response: Response) => {
					// Got's timers cannot be injected.
					await setTimeout(1600);
					return response;
				}],
			};
			t.is(await stage.client(stage.url, {timeout: {request: 1500, read: 1500, response: 1500}, hooks}).text(), text);
		});

		for (const [storeName, store] of [['a store that answers at once', () => 'memory' as const], ['a store for which the response waits', () => new Map()]] as const) {
			test(`${major}: timings are complete in the hooks that get ${way}, from ${storeName}`, async t => {
				await using stage = await prepare(instance, {...settings, store: store(), failFast: true});
				const seen: unknown[] = [];
				const hooks = {
					afterResponse: [(response: Response) => {
						const {end, phases} = response.timings!;
						seen.push(typeof end, typeof phases.total, typeof phases.download, (response).readableEnded);
						return response;
					}],
				};
				await stage.client(stage.url, {hooks});
				t.deepEqual(seen, ['number', 'number', 'number', true]);
			});
		}

		test(`${major}: an abort at the last progress of ${way} rejects`, async t => {
			await using stage = await prepare(instance, settings);
			const controller = new AbortController();
			const promise = stage.client(stage.url, {signal: controller.signal});
			void promise.on('downloadProgress', ({percent}) => {
				if (percent === 1) {
					controller.abort();
				}
			});
			await t.throwsAsync(promise, {name: 'AbortError'});
			await assertUnchanged(t, stage);
		});

		test(`${major}: ${way} is read in each type and by each method as by plain Got`, async t => {
			await using stage = await prepare(instance, settings, {'content-type': 'text/plain'});
			t.is(await stage.client(stage.url).text(), text);
			t.is(Buffer.from(await stage.client(stage.url).buffer()).toString(), text);
			t.is(await stage.client(stage.url, {encoding: 'base64'}).text(), Buffer.from(text).toString('base64'));
			t.is(Buffer.from(await stage.client(stage.url, {responseType: 'buffer', resolveBodyOnly: true})).toString(), text);
			await t.throwsAsync(stage.client(stage.url).json(), {name: 'ParseError'});
			t.is(await readStream(stage.client.stream(stage.url)), text);
			await assertUnchanged(t, stage);
		});
	}

	test(`${major}: a hook that reads and changes a served redirect gets its body, and changes only its own`, async t => {
		await using origin = await Origin.start(redirect);
		const {client} = createClient({}, instance);
		const bodies: string[] = [];
		const read = async (): Promise<void> => {
			await client(origin.url, {
				hooks: {
					beforeRedirect: [async (_options, response) => {
						const chunks = await (response as unknown as IncomingMessage).toArray() as Uint8Array[];
						bodies.push(Buffer.concat(chunks).toString());
						for (const chunk of chunks) {
							chunk.fill(0);
						}
					}],
				},
			});
		};

		await read();
		await read();
		await read();
		t.deepEqual(bodies, ['moved', 'moved', 'moved']);
		t.is(await client(origin.url, {followRedirect: false}).text(), 'moved');
		t.is(origin.count, 2);
	});

	for (const [way, settings] of ways) {
		test(`${major}: a stream of ${way} has its body, whatever a hook does to the options`, async t => {
			for (const headers of [{}, {'content-length': undefined}]) {
				await using stage = await prepare(instance, settings, headers);
				const stream = stage.client.stream(stage.url, {
					hooks: {
						beforeRequest: [options => {
							options.isStream = false;
						}],
					},
				});
				await once(stream, 'response');
				await setImmediate();
				t.is(await readStream(stream), text);
			}
		});
	}

	test(`${major}: a listener that throws when it gets data makes the request reject`, async t => {
		await using stage = await prepare(instance, {alwaysRevalidate: true}, {'content-length': undefined});
		const result = await readWith(stage, response => {
			response.on('data', () => {
				throw new Error('mine');
			});
		}, true);
		t.is(result.message, 'mine');
	});

	test(`${major}: a served redirect is followed, though a hook destroys its response`, async t => {
		await using origin = await Origin.start(redirect);
		const {client} = createClient({}, instance);
		await client(origin.url);
		for (const isLater of [false, true]) {
			t.is(await client(origin.url, {
				hooks: {
					beforeRedirect: [async (_options, response) => {
						if (isLater) {
							await setImmediate();
						}

						(response as unknown as IncomingMessage).destroy();
					}],
				},
			}).text(), text);
		}

		t.is(origin.count, 2);
	});

	test(`${major}: \`readableEnded\` works on an object that inherits from a served response, and on a proxy of it`, async t => {
		await using stage = await prepare(instance, {});
		const response = await stage.client(stage.url) as Response & IncomingMessage;
		t.true((Object.create(response) as IncomingMessage).readableEnded);
		t.true(new Proxy(response, {}).readableEnded);
	});

	test(`${major}: a served body is whole with a cookie jar, however slow it is`, async t => {
		await using stage = await prepare(instance, {}, {'set-cookie': 'a=b'});
		class SlowJar extends CookieJar {
			override async setCookie(...parameters: readonly unknown[]): Promise<never> {
				await setImmediate();
				return super.setCookie(...parameters as Parameters<CookieJar['setCookie']>) as Promise<never>;
			}
		}

		const cookieJar = new SlowJar();
		t.is(await stage.client(stage.url, {cookieJar: cookieJar as never}).text(), text);
		t.is(await cookieJar.getCookieString(stage.url), 'a=b');
	});

	test.serial(`${major}: the channel of responses reports the length of a served body`, async t => {
		await using stage = await prepare(instance, {});
		const sizes: unknown[] = [];
		const onEnd = (message: unknown): void => {
			const {url, bodySize} = message as {readonly url: string; readonly bodySize: number};
			if (url.startsWith(stage.url)) {
				sizes.push(bodySize);
			}
		};

		subscribe('got:response:end', onEnd);
		t.teardown(() => {
			unsubscribe('got:response:end', onEnd);
		});
		await stage.client(stage.url);
		await stage.client(stage.url);
		const length = Buffer.byteLength(text);
		t.deepEqual(sizes, [length, length]);
	});
}
