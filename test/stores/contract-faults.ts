import {setTimeout as pause} from 'node:timers/promises';
import type {TestFn} from 'ava';
import got from 'got';
import {cacheHooks, getCache, type Store} from '../../source/index.ts';
import {Origin} from '../helpers/origin.ts';
import type {ServerProcess} from '../helpers/server-process.ts';
import {until} from '../helpers/until.ts';
import {runWithLimits, type KnownLimit} from './contract.ts';

export type FaultOptions = {
	readonly start: () => Promise<ServerProcess>;
	readonly open: (port: number) => Store;

	/** Whether what was stored is there again after the server was killed. */
	readonly isDurable: boolean;

	/** Milliseconds that a call may take: what the server is sure to keep while it is well. Default: 300. */
	readonly storeTimeout?: number;

	/** The tests that the store is known to fail. */
	readonly limits?: readonly KnownLimit[];
};

// Milliseconds, far more than the time limits of the store calls of one request: a driver that waits for its server to be back would take longer.
const tooLong = 25_000;

/**
What a store on a server must do while that server is stopped, paused and restarted, as AVA tests: every request is answered in bounded time, and the store is used again.
*/
export function testStoreFaults(register: TestFn, name: string, {
	start, open, isDurable, storeTimeout = 300, limits = [],
}: FaultOptions): void {
	const title = 'with the server stopped, paused and restarted, every request is answered in time and the store is used again';
	register(`${name}: ${title}`, async test => runWithLimits(test, limits.find(limit => limit.test === title), async t => {
		await using origin = await Origin.start((request, response) => {
			// Between two requests may be more time than a kept connection lasts.
			response.setHeader('connection', 'close');
			response.end(`answer of ${request.url}`);
		});
		await using server = await start();
		let now = Date.now();
		const client = got.extend({retry: {limit: 0}}, cacheHooks({
			store: open(server.port), expireAfter: '1h', storeTimeout, autoclose: true, now: () => now,
		}));
		const cache = getCache(client);
		// Whatever happens: a client that stays open keeps the process.
		t.teardown(async () => cache.close());
		const faults: string[] = [];
		cache.on('storeError', ({operation}) => {
			faults.push(operation);
		});
		const ask = async (path: string): Promise<boolean> => {
			const answered = await Promise.race([client(`${origin.url}${path}`), pause(tooLong, undefined, {ref: false})]);
			if (answered === undefined) {
				throw new Error(`${path} takes more than ${tooLong} ms`);
			}

			const {body, isFromCache} = answered;
			t.is(body, `answer of ${path}`);
			await cache.idle();
			return isFromCache;
		};

		// The circuit breaker's pause, on the clock that never goes back, is over.
		const {now: elapsed} = performance;
		let passed = 0;
		performance.now = () => elapsed.call(performance) + passed;
		t.teardown(() => {
			performance.now = elapsed;
		});
		const pass = (): void => {
			now += 60_000;
			passed += 60_000;
		};

		// The first calls may be late: they connect, and make what the store needs.
		await expectHit(ask, pass, '/first');
		await until(async () => {
			// A busy machine may make a call late.
			faults.length = 0;
			await expectHit(ask, pass, '/before');
			return faults.length === 0;
		});

		for (const [state, harm, repair] of [
			['paused', async () => server.suspend(), () => {
				server.resume();
			}],
			['stopped', async () => server.stop(), async () => server.start()],
		] as const) {
			await harm();
			const met = faults.length;
			for (let index = 0; index < 4; index++) {
				t.false(await ask(`/${state}/${index}`), `a hit while the server is ${state}`);
			}

			t.true(faults.length > met, `no word of a fault while the server is ${state}`);
			await repair();
			await expectHit(ask, pass, `/after ${state}`.replace(' ', '-'));
		}

		t.is(await ask('/before'), isDurable);
	}));
}

/** A store that is back may need more than one request to be found: each one that is late has another pause follow. */
async function expectHit(ask: (path: string) => Promise<boolean>, pass: () => void, path: string): Promise<void> {
	await until(async () => {
		pass();
		return ask(path);
	});
}
