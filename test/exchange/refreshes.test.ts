import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import type {CacheCore} from '../../source/cache/core.ts';
import type {Match} from '../../source/cache/entries.ts';
import type {Exchange} from '../../source/exchange/exchange.ts';
import type {InFlight} from '../../source/exchange/in-flight.ts';
import {Refreshes} from '../../source/exchange/refreshes.ts';
import {Sharing} from '../../source/exchange/sharing.ts';
import {TimeBudget} from '../../source/exchange/time-budget.ts';
import type {WaitOutcome} from '../../source/exchange/waiter.ts';

/** A cache that acquires locks as the test decides. */
class Situation {
	readonly errors: unknown[] = [];
	readonly held: Array<Promise<void>> = [];
	isLockTaken = false;
	readonly cache: CacheCore = {
		locks: {isOn: true, take: async () => this.isLockTaken ? undefined : {async release() {}}},
		writes: {
			async whenWritten() {},
			track: (work: Promise<void>) => {
				this.held.push(work);
			},
		},
		events: {
			emit: (_event: string, {error}: {readonly error: unknown}) => {
				this.errors.push(error);
			},
		},
	} as unknown as CacheCore;

	readonly refreshes: Refreshes = Refreshes.of(this.cache);
	readonly sharing: Sharing<Match> = Sharing.of<Match>(this.cache);
	readonly sent: Array<{readonly key: string; readonly inFlight: InFlight<Match>; readonly registerAgain: () => Promise<InFlight<Match> | undefined>; readonly end: () => void; readonly fail: (error: Error) => void}> = [];

	start(key: string): void {
		const exchange = {
			sharingKey: key, request: {fields: {}}, variesBy: undefined, info: {key},
		} as unknown as Exchange;
		this.refreshes.start(exchange, async (inFlight, registerAgain) => {
			const {promise, resolve, reject} = Promise.withResolvers<void>();
			this.sent.push({
				key, inFlight, registerAgain, end: resolve, fail: reject,
			});
			return promise;
		});
	}

	/** Requests for a key that wait for its refresh, and how that ended. */
	wait(key: string, count: number): Array<WaitOutcome<Match> | undefined> {
		const outcomes: Array<WaitOutcome<Match> | undefined> = Array.from({length: count}, () => undefined);
		for (const index of outcomes.keys()) {
			const joined = this.sharing.join(key, {fields: {}, budget: () => new TimeBudget({store: 20_000, total: 30_000}), position: 0});
			if (joined.do !== 'wait') {
				throw new Error(`Expected to wait, not to ${joined.do}`);
			}

			void (async () => {
				outcomes[index] = await joined.outcome;
			})();
		}

		return outcomes;
	}
}

const match = {primary: 'key', key: 'key', stored: {fields: {}}} as unknown as Match;

async function turns(): Promise<void> {
	for (let count = 0; count < 5; count++) {
		await turn();
	}
}

test('one refresh of a key runs at a time, and other requests wait for it', async t => {
	const at = new Situation();
	at.start('key');
	at.start('key');
	at.start('other');
	await turns();
	t.deepEqual(at.sent.map(({key}) => key), ['key', 'other']);
	const outcomes = at.wait('key', 3);
	const [refresh] = at.sent;
	refresh!.inFlight.resolve(match, {}, () => true);
	refresh!.end();
	await turns();
	t.deepEqual(outcomes.map(outcome => outcome?.do), ['reuse', 'reuse', 'reuse']);
	at.start('key');
	await turns();
	t.is(at.sent.length, 3);
	for (const {end} of at.sent) {
		end();
	}

	await Promise.all(at.held);
	t.is(at.sharing.size, 0);
	t.deepEqual(at.errors, []);
});

test('other requests wait for the retry of a refresh, unless another request is in flight or has a response', async t => {
	const at = new Situation();
	at.start('key');
	await turns();
	const [{inFlight: first, registerAgain, end}] = at.sent as [typeof at.sent[0]];
	first.end('failed');
	const other = at.sharing.register('key', {})!;
	t.is(await registerAgain(), undefined, 'another is under way');
	other.end('failed');
	at.isLockTaken = true;
	t.is(await registerAgain(), undefined, 'another process asks');
	at.isLockTaken = false;
	const second = await registerAgain();
	t.not(second, undefined);
	const outcomes = at.wait('key', 1);
	second!.resolve(match, {}, () => true);
	await turns();
	t.deepEqual(outcomes.map(outcome => outcome?.do), ['reuse']);
	t.is(await registerAgain(), undefined, 'there is an answer');
	end();
	await Promise.all(at.held);
	t.is(at.sharing.size, 0);
	t.deepEqual(at.errors, []);
});

test('at most 32 refreshes run at the same time', async t => {
	const at = new Situation();
	for (let index = 0; index < 34; index++) {
		at.start(String(index));
	}

	await turns();
	t.is(at.sent.length, 32);
	at.sent[0]!.end();
	await turns();
	at.start('32');
	at.start('33');
	await turns();
	t.deepEqual(at.sent.slice(31).map(({key}) => key), ['31', '32']);
});

test('a failed refresh is an event, and one waiting request is sent', async t => {
	const at = new Situation();
	at.start('key');
	await turns();
	const outcomes = at.wait('key', 3);
	at.sent[0]!.fail(new Error('no'));
	await Promise.all(at.held);
	await turns();
	t.deepEqual(outcomes.map(outcome => outcome?.do), ['send-shared', undefined, undefined]);
	t.deepEqual(at.errors.map(String), ['Error: no']);
	const [first] = outcomes;
	if (first?.do === 'send-shared') {
		first.inFlight.resolve(match, {}, () => true);
	}

	await turns();
	t.deepEqual(outcomes.map(outcome => outcome?.do), ['send-shared', 'reuse', 'reuse']);
	t.is(at.sharing.size, 0);
});

test('a refresh that another process does is not a failure: one waiting request is sent instead', async t => {
	const at = new Situation();
	at.isLockTaken = true;
	at.start('key');
	const outcomes = at.wait('key', 4);
	await Promise.all(at.held);
	await turns();
	t.deepEqual(at.sent, []);
	t.deepEqual(outcomes.map(outcome => outcome?.do), ['send-shared', undefined, undefined, undefined]);
	const [first] = outcomes;
	if (first?.do === 'send-shared') {
		first.inFlight.end('failed');
	}

	await turns();
	t.deepEqual(outcomes.map(outcome => outcome?.do), ['send-shared', 'send-shared', undefined, undefined], 'it is the first failure');
	t.deepEqual(at.errors, []);
	for (const outcome of outcomes) {
		if (outcome?.do === 'send-shared') {
			outcome.inFlight.end('refused');
		}
	}
});
