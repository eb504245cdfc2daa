import {Buffer} from 'node:buffer';
import test from 'ava';
import Keyv5 from 'keyv5';
import Keyv from 'keyv';
import {
	cacheInfo,
	getCache,
	type MaybePromise,
	type Store,
	type StoreErrorEvent,
	type StoredValue,
} from '../../source/index.ts';
import {createClient, majors, readStream} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';

type Fault = (operation: string) => unknown;

/** A store whose calls do what the test decides. */
class FaultyStore implements Store {
	readonly name = 'faulty';
	readonly valueType = 'bytes';
	readonly values = new Map<string, StoredValue>();
	fault: Fault | undefined;

	get(key: string): StoredValue | undefined {
		return this.#do('get', () => this.values.get(key));
	}

	set(key: string, value: StoredValue): MaybePromise<void> {
		return this.#do<MaybePromise<void>>('set', () => {
			this.values.set(key, value);
		});
	}

	delete(key: string): boolean {
		return this.#do('delete', () => this.values.delete(key));
	}

	deleteMany(keys: readonly string[]): void {
		for (const key of keys) {
			this.delete(key);
		}
	}

	clear(): void {
		this.values.clear();
	}

	async * iterate(): AsyncIterable<readonly [string, StoredValue]> {
		yield * this.values;
	}

	close(): void {}

	#do<Result>(operation: string, action: () => Result): Result {
		return this.fault === undefined ? action() : this.fault(operation) as Result;
	}
}

const hang = async (): Promise<never> => new Promise(() => {});

const faults: ReadonlyArray<readonly [title: string, fault: Fault]> = [
	['throws', operation => {
		throw new Error(`no ${operation}`);
	}],
	['rejects', async operation => {
		throw new Error(`no ${operation}`);
	}],
	['hangs', hang],
	['returns rubbish', () => Buffer.from('rubbish')],
	['returns a truncated entry', () => Buffer.from([0x47, 0x43, 0x48, 1, 0xFF, 0xFF, 0xFF, 0xFF])],
	['returns a value of another type', () => 42],
	['returns text', () => '{"version":1}'],
];

for (const [title, fault] of faults) {
	for (const [name, instance] of majors) {
		test(`${name}: a store that ${title} is a miss, and the request is sent`, async t => {
			await using origin = await Origin.start((_request, response) => {
				response.end('answer');
			});
			const store = new FaultyStore();
			const {client} = createClient({store, storeTimeout: 30}, instance);
			const events: StoreErrorEvent[] = [];
			getCache(client).on('storeError', event => {
				events.push(event);
			});
			await client(origin.url);
			store.fault = fault;
			const response = await client(origin.url);
			t.is(response.body, 'answer');
			t.false(response.isFromCache);
			t.is(await readStream(client.stream(origin.url)), 'answer');
			t.is(origin.count, 3);
			t.true(events.length > 0);
			await getCache(client).idle();
			store.fault = undefined;
		});
	}
}

test('an entry that cannot be read is deleted', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.writeHead(origin.count === 1 ? 200 : 404);
		response.end('answer');
	});
	const store = new FaultyStore();
	const {client} = createClient({store});
	await client(origin.url);
	await getCache(client).idle();
	const key = store.values.keys().next().value;
	store.values.set(key!, Buffer.from('rubbish'));
	await client(origin.url, {throwHttpErrors: false});
	t.is(store.values.size, 0);
});

test('a truncated entry is a miss', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('a whole answer');
	});
	const store = new FaultyStore();
	const {client} = createClient({store});
	await client(origin.url);
	await getCache(client).idle();
	const [key, value] = store.values.entries().next().value as [string, Uint8Array];
	store.values.set(key, value.subarray(0, -1));
	const response = await client(origin.url);
	t.is(response.body, 'a whole answer');
	t.is(cacheInfo(response).reason, 'miss');
});

test('with failFast, a fault of the store fails the request', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const store = new FaultyStore();
	store.fault = () => {
		throw new Error('fault');
	};

	const {client} = createClient({store, failFast: true});
	await t.throwsAsync(client(origin.url), {message: /fault/v});
	t.is(origin.count, 0);
});

test('a listener that throws harms no request', async t => {
	await using origin = await Origin.start((_request, response) => {
		response.end('answer');
	});
	const store = new FaultyStore();
	store.fault = () => {
		throw new Error('fault');
	};

	const {client} = createClient({store});
	getCache(client).on('storeError', () => {
		throw new Error('listener');
	});
	t.is((await client(origin.url)).body, 'answer');
});

const shared: ReadonlyArray<readonly [title: string, create: () => unknown]> = [
	['a Keyv 6 instance', () => new Keyv({store: new Map(), namespace: 'mine'})],
	['a Keyv 5 instance', () => new Keyv5({store: new Map(), namespace: 'mine'})],
	['a Map', () => new Map()],
];

for (const [title, create] of shared) {
	test(`${title} can be passed as the store`, async t => {
		await using origin = await Origin.start((_request, response) => {
			response.writeHead(200, {'content-type': 'application/octet-stream'});
			response.end(Buffer.from(Array.from({length: 256}, (_, index) => index)));
		});
		const store = create() as never;
		const settings = {store, now: () => Date.now()};
		const first = await createClient(settings).client(origin.url, {responseType: 'buffer'});
		await new Promise(resolve => {
			setImmediate(resolve);
		});
		const second = await createClient(settings).client(origin.url, {responseType: 'buffer'});
		t.true(second.isFromCache);
		t.deepEqual(Buffer.from(second.body), Buffer.from(first.body));
		t.is(origin.count, 1);
	});
}
