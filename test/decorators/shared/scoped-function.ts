import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import test from 'ava';
import type {Got} from 'got';
import {Cached, cacheInfo, Uncached} from '../../../source/index.ts';
import {createClient, majors, readStream} from '../../helpers/clients.ts';
import {Origin} from '../../helpers/origin.ts';

const dialect = import.meta.url.split('/').at(-2)!;

async function startOrigin(): Promise<Origin> {
	return Origin.start((request, response) => {
		const page = Number(new URL(request.url!, 'http://origin').searchParams.get('page') ?? 1);
		response.end(JSON.stringify([page]));
	});
}

class Pages {
	readonly client: Got;
	readonly url: string;

	constructor(client: Got, url: string) {
		this.client = client;
		this.url = url;
	}

	async reason(): Promise<string> {
		return cacheInfo(await this.client(this.url)).reason;
	}

	@Uncached()
	async * reasons(): AsyncGenerator<string, string, string | undefined> {
		try {
			const given = yield await this.reason();
			yield `${given} ${await this.reason()}`;
		} catch {
			yield `caught ${await this.reason()}`;
		} finally {
			// eslint-disable-next-line no-unsafe-finally -- What `return()` gives shows in whose scope it ran.
			return `end ${await this.reason()}`;
		}
	}

	@Uncached()
	* pending(): Generator<Promise<string>> {
		yield this.reason();
		yield this.reason();
	}

	@Uncached()
	async later(): Promise<AsyncGenerator<string>> {
		return this.reasons();
	}

	@Uncached()
	lazily(): AsyncIterable<string> {
		const reason = this.reason.bind(this);
		return {
			[Symbol.asyncIterator]() {
				return {
					async next() {
						return {done: false, value: await reason()};
					},
				};
			},
		};
	}

	@Uncached()
	readable(): Readable {
		const reason = this.reason.bind(this);
		return Readable.from((async function * () {
			yield `${await reason()},`;
			yield reason();
		})());
	}

	@Cached('1h')
	stream(path: string) {
		return this.client.stream(`${this.url}${path}`);
	}

	@Uncached()
	paginate() {
		return this.client.paginate<number>(this.url, {
			searchParams: {page: 1},
			pagination: {
				paginate: ({response}) => Number(response.requestUrl.searchParams.get('page')) < 3 && {searchParams: {page: Number(response.requestUrl.searchParams.get('page')) + 1}},
			},
			responseType: 'json',
		});
	}
}

test(`${dialect}: each step of a generator runs in the scope of the method, and its consumer keeps its own scope`, async t => {
	await using origin = await startOrigin();
	const pages = new Pages(createClient().client, origin.url);
	t.is(await pages.reason(), 'miss');

	const generator = pages.reasons();
	t.deepEqual(await generator.next(), {done: false, value: 'disabled'});
	t.is(await pages.reason(), 'fresh');
	t.deepEqual(await generator.next('given'), {done: false, value: 'given disabled'});
	t.deepEqual(await generator.return('early'), {done: true, value: 'end disabled'});

	const thrown = pages.reasons();
	await thrown.next();
	t.deepEqual(await thrown.throw(new Error('no')), {done: false, value: 'caught disabled'});

	const seen: string[] = [];
	for await (const reason of pages.reasons()) {
		seen.push(reason, await pages.reason());
		if (seen.length === 4) {
			break;
		}
	}

	t.deepEqual(seen, ['disabled', 'fresh', 'undefined disabled', 'fresh']);
	t.deepEqual(await Promise.all(pages.pending()), ['disabled', 'disabled']);
	t.is((await (await pages.later()).next()).value, 'disabled');
});

test(`${dialect}: a lazy iterable, and a stream made from it, runs in the scope of the method`, async t => {
	await using origin = await startOrigin();
	const pages = new Pages(createClient().client, origin.url);
	await pages.reason();

	const iterator = pages.lazily()[Symbol.asyncIterator]();
	for (let round = 0; round < 2; round++) {
		t.is((await iterator.next()).value, 'disabled');
		t.is(await pages.reason(), 'fresh');
	}

	t.deepEqual(await pages.readable().toArray(), ['disabled,', 'disabled']);
	t.is(await pages.reason(), 'fresh');
});

for (const [name, instance] of majors) {
	test(`${dialect}: ${name}: streams and pagination in a method use its settings`, async t => {
		await using origin = await startOrigin();
		const {client, clock} = createClient({expireAfter: 5}, instance);
		const pages = new Pages(client, origin.url);

		const stream = pages.stream('/stream');
		t.is(await readStream(stream), '[1]');
		t.is(cacheInfo(stream.response!).expires!.getTime() - clock.now(), 3_600_000);

		let text = '';
		await pipeline(pages.stream('/stream'), async source => {
			for await (const chunk of source) {
				text += String(chunk);
			}
		});
		t.is(text, '[1]');
		t.is(origin.count, 1);

		const seen: number[] = [];
		for await (const page of pages.paginate()) {
			seen.push(page);
			await pages.reason();
		}

		t.deepEqual(seen, [1, 2, 3]);
		await Array.fromAsync(pages.paginate());

		// The pages are requested twice, since they are not cached, and the request of the consumer once.
		t.is(origin.count, 1 + 3 + 3 + 1);
	});
}
