import {mock} from 'node:test';
import test from 'ava';
import {getCache, type Store} from '../../source/index.ts';
import {MemoryStore} from '../../source/stores/memory.ts';
import {createClient} from '../helpers/clients.ts';
import {Origin} from '../helpers/origin.ts';
import {settle} from '../helpers/gate.ts';
import {standClock} from '../helpers/hand-clock.ts';
import {until} from '../helpers/until.ts';

const hang = async (): Promise<never> => new Promise(() => {});
const fail = async (): Promise<never> => {
	throw new Error('no connection');
};

const readNames = ['get', 'iterate'] as const;
const writeNames = ['set', 'add', 'delete', 'deleteMany', 'clear'] as const;
const storeTimeout = 500;
const step = 250;
const {timers} = mock;

/** A store that another process may share, with some methods replaced. */
function storeWith(names: ReadonlyArray<keyof Store>, instead: () => unknown): Store {
	const memory = new MemoryStore();
	const store: Record<string, unknown> = {name: 'shared', valueType: 'objects', close() {}};
	for (const name of [...readNames, ...writeNames]) {
		store[name] = names.includes(name) ? instead : (...parameters: unknown[]) => (memory[name] as (...rest: unknown[]) => unknown).apply(memory, parameters);
	}

	return store as unknown as Store;
}

async function startOrigin(): Promise<Origin> {
	return Origin.start((_request, response) => {
		response.setHeader('cache-control', 'max-age=100');
		response.setHeader('vary', 'accept');
		response.end('answer');
	});
}

const outages = {
	'of which the writes hang': [writeNames, hang],
	'of which the writes fail': [writeNames, fail],
	'of which everything hangs': [[...readNames, ...writeNames], hang],
	'of which everything fails': [[...readNames, ...writeNames], fail],
} as const;

for (const [title, [names, instead]] of Object.entries(outages)) {
	for (const settings of [{}, {lock: true}, {lock: true, cacheControl: true, headers: {authorization: 'Bearer one'}}] as const) {
		const {headers = {}, ...others} = settings as {headers?: Record<string, string>};
		test.serial(`a store ${title} delays a request by its time limit at most once, and not at all while the circuit is open (${JSON.stringify(settings)})`, async t => {
			await using origin = await startOrigin();
			const {client} = createClient({store: storeWith(names, instead), storeTimeout, ...others});
			const cache = getCache(client);
			const kind = (names as readonly string[]).includes('get') ? 'reads' : 'writes';
			const opened: string[] = [];
			cache.on('circuit', ({state, of}) => {
				opened.push(`${of} ${state}`);
			});
			timers.enable({apis: ['setTimeout']});
			const clock = standClock(t);
			t.teardown(() => {
				timers.reset();
			});
			/** Lets time pass in steps until something is done; gives the milliseconds. */
			const passUntil = async (pending: Promise<unknown>): Promise<number> => {
				const start = clock.now();
				let isDone = false;
				const done = (async () => {
					await pending;
					isDone = true;
				})();
				await settle();
				await until(async () => {
					if (!isDone) {
						clock.advance(step);
						timers.tick(step);
						await settle();
					}

					return isDone;
				});
				await done;
				return clock.now() - start;
			};

			for (let index = 0; !opened.includes(`${kind} open`); index++) {
				t.true(index < 10, 'the circuit does not open');
				const response = client(`${origin.url}/${index}`, {headers}).text();
				const took = await passUntil(response);
				t.is(await response, 'answer');
				t.true(took < 1.9 * storeTimeout, `request ${index} took ${took} ms`);
				await passUntil(cache.idle());
			}

			let faults = 0;
			cache.on('storeError', () => {
				faults++;
			});
			// No time passes.
			for (let index = 0; index < 5; index++) {
				t.is((await client(`${origin.url}/open/${index}`, {headers}).text()), 'answer');
			}

			await cache.idle();
			t.is(faults, 0);
			t.is(cache.circuit, 'open');
			t.is((await cache.explain({url: origin.url})).circuit.reads, kind === 'reads' ? 'open' : 'closed');
		});
	}
}

test('stored responses are served from a store that fails only to write', async t => {
	await using origin = await startOrigin();
	const memory = new MemoryStore();
	const {client} = createClient({store: memory, now: () => Date.now()});
	await client(origin.url);
	await getCache(client).idle();
	Object.assign(memory, {set: fail});
	for (let index = 0; index < 7; index++) {
		await client(`${origin.url}/${index}`);
		await getCache(client).idle();
	}

	t.is(getCache(client).circuit, 'open');
	t.true((await client(origin.url)).isFromCache);
	const {text, circuit} = await getCache(client).explain({url: origin.url});
	t.deepEqual(circuit, {reads: 'closed', writes: 'open'});
	t.regex(text, /the store is read but not written after faults: the circuit of its writes is open/v);
});

for (const isSynchronous of [true, false]) {
	test(`a failed lookup is one event for a request, whatever else would be read from the store (${isSynchronous ? 'synchronous' : 'asynchronous'} store)`, async t => {
		await using origin = await startOrigin();
		const instead = isSynchronous
			? () => {
				throw new Error('no connection');
			}
			: fail;
		const {client} = createClient({store: storeWith(['get', 'add'], instead), lock: true, cacheControl: true});
		const cache = getCache(client);
		const operations: string[] = [];
		cache.on('storeError', ({operation}) => {
			operations.push(operation);
		});
		await client(origin.url, {context: {cache: {readOnly: true}}});
		await cache.idle();
		t.deepEqual(operations, ['get']);
	});
}
