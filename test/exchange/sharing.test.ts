import {AsyncLocalStorage} from 'node:async_hooks';
import {setImmediate as turn} from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import test from 'ava';
import {enclosingRequests, type InFlight} from '../../source/exchange/in-flight.ts';
import {Sharing, type JoinResult, type JoinRequest} from '../../source/exchange/sharing.ts';
import {TimeBudget} from '../../source/exchange/time-budget.ts';
import type {WaitOutcome} from '../../source/exchange/waiter.ts';
import type {Fields} from '../../source/policy/fields.ts';
import {HandClock} from '../helpers/hand-clock.ts';
import {cpuTime, isProportional} from '../helpers/cpu-time.ts';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

const german = {'accept-language': 'de'};
const french = {'accept-language': 'fr'};
const byLanguage = {vary: 'Accept-Language'};

/** A waiting request, and how its wait ended. */
class Waiting {
	outcome: WaitOutcome<string> | undefined;
	readonly leave: () => void;
	readonly hasResponse: () => boolean;

	constructor(joined: JoinResult<string>) {
		if (joined.do !== 'wait') {
			throw new Error(`Expected to wait, not to ${joined.do}`);
		}

		this.leave = joined.leave;
		this.hasResponse = joined.hasResponse;
		void (async () => {
			this.outcome = await joined.outcome;
		})();
	}

	get do(): WaitOutcome<string>['do'] | 'wait' {
		return this.outcome?.do ?? 'wait';
	}

	get inFlight(): InFlight<string> {
		return leading(this.outcome!);
	}
}

function leading(joined: JoinResult<string> | WaitOutcome<string>): InFlight<string> {
	if (joined.do !== 'send-shared') {
		throw new Error(`Expected to send, not to ${joined.do}`);
	}

	return joined.inFlight;
}

type Own = Partial<JoinRequest> & {readonly store?: number; readonly total?: number};

class Situation {
	readonly clock = new HandClock();
	readonly sharing = new Sharing<string>(this.clock);

	join({fields = {}, store = 500, total = Infinity, ...own}: Own = {}, key = 'key'): JoinResult<string> {
		const budget = new TimeBudget({store, total}, this.clock);
		return this.sharing.join(key, {
			fields, budget: () => budget, position: 0, ...own,
		});
	}

	send(own?: Own, key?: string): InFlight<string> {
		return leading(this.join(own, key));
	}

	wait(own?: Own, key?: string): Waiting {
		return new Waiting(this.join(own, key));
	}

	waitTogether(length: number, own?: Own): Waiting[] {
		return Array.from({length}, () => this.wait(own));
	}

	/** Returns what a request that arrives now would do. */
	next(own?: Own): JoinResult<string>['do'] {
		const joined = this.join(own);
		if (joined.do === 'send-shared') {
			joined.inFlight.end('abandoned');
		} else if (joined.do === 'wait') {
			joined.leave();
		}

		return joined.do;
	}

	/** Advances the clock, and lets waiting requests react. */
	async after(milliseconds: number): Promise<void> {
		this.clock.advance(milliseconds);
		await turn();
	}
}

const forAll = (): boolean => true;

function resolve(inFlight: InFlight<string>, response: Fields = {}): void {
	inFlight.resolve('result', response, forAll);
}

function count(waiters: readonly Waiting[], what: Waiting['do']): number {
	return waiters.filter(waiter => waiter.do === what).length;
}

test('the first request for a key is sent, others wait and get its result, and no state remains', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(2);
	at.send({}, 'another key');
	t.is(at.sharing.size, 2);
	leader.respond({}, 10);
	resolve(leader);
	await turn();
	t.deepEqual(waiters.map(({outcome}) => outcome), [{do: 'reuse', result: 'result'}, {do: 'reuse', result: 'result'}]);
	t.is(at.sharing.size, 1);
	t.is(at.next(), 'send-shared');
});

test('a request is informed of a result that arrived after its lookup', async t => {
	const at = new Situation();
	const before = at.clock.now();
	t.false(at.sharing.hasResolvedSince('key', before));
	await at.after(10);
	resolve(at.send());
	t.true(at.sharing.hasResolvedSince('key', before));
	t.true(at.sharing.hasResolvedSince('key', before + 10));
	t.false(at.sharing.hasResolvedSince('key', before + 11));
	for (let index = 0; index < 1000; index++) {
		resolve(at.send({}, String(index)));
	}

	t.false(at.sharing.hasResolvedSince('key', before), 'more are remembered than 1000');
});

test('after a result that answers some waiters, one of the others is sent, and the rest continue to wait', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = [1, 2, 3, 4].map(position => at.wait({position}));
	leader.resolve('result', {}, ({position}) => position < 3);
	await turn();
	t.deepEqual(waiters.map(waiter => waiter.do), ['reuse', 'reuse', 'send-shared', 'wait']);
	resolve(waiters[2]!.inFlight);
	await turn();
	t.is(waiters[3]!.do, 'reuse');
	t.is(at.sharing.size, 0);
});

test('a refresh starts only if no request is in flight, and others wait for it', t => {
	const at = new Situation();
	const refresh = at.sharing.register('key', {});
	t.truthy(refresh);
	t.is(at.sharing.register('key', {}), undefined);
	at.wait().leave();
	refresh!.end('abandoned');
	t.is(at.sharing.size, 0);
});

// Refusals.

test('after a result that cannot be shared, all waiters are sent at once, and no request waits for 10 seconds', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(3);
	leader.end('refused');
	await turn();
	t.is(count(waiters, 'send-alone'), 3);
	t.is(at.next(), 'send-alone');
	t.is(at.sharing.size, 0);
	await at.after(9999);
	t.is(at.next(), 'send-alone');
	await at.after(1);
	t.is(at.next(), 'send-shared');
});

test('a response that the settings of one request refuse does not affect requests with other settings', async t => {
	const at = new Situation();
	const [settings, others] = [{}, {}];
	at.sharing.refuse('key', settings);
	t.is(at.next({settings}), 'send-alone');
	at.send({settings: others});
	t.is(at.next({settings: others}), 'wait');
	t.is(at.next(), 'wait');
	t.is(at.next({settings}), 'send-alone');
	await at.after(10_000);
	t.is(at.next({settings}), 'wait');
});

test('at least the latest 500 refusals are stored and at most 1000, for all requests and for each settings', t => {
	const at = new Situation();
	const settings = {};
	for (let index = 0; index <= 1000; index++) {
		at.sharing.refuse(String(index));
		at.sharing.refuse(String(index), settings);
	}

	t.is(at.join({}, '0').do, 'send-shared');
	t.is(at.join({settings}, '0').do, 'wait');
	t.is(at.join({}, '501').do, 'send-alone');
});

// Failures.

test('after failures, 1, 1, 2, 4 … requests are sent, and a result resets the count', async t => {
	const at = new Situation();
	let leader = at.send();
	const waiters = at.waitTogether(17, {store: 60_000});
	for (const [sent, before] of [[1, 0], [2, 1], [4, 3], [8, 7]] as const) {
		leader.end('failed');
		await turn();
		t.is(count(waiters, 'wait'), 17 - before - sent);
		const [next, ...beside] = waiters.slice(before, before + sent);
		t.is(count(beside, 'send-alone'), sent - 1);
		leader = next!.inFlight;
	}

	resolve(leader);
	await turn();
	t.is(count(waiters, 'reuse'), 2);
	t.is(at.sharing.size, 0);
	const again = at.send();
	const later = at.waitTogether(3);
	again.end('failed');
	await turn();
	t.deepEqual(later.map(waiter => waiter.do), ['send-shared', 'wait', 'wait']);
});

test('after a failure the other waiters are sent at increasing rates within their own time limits', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(101, {store: 400});
	// The time for which another request is in flight does not count for them.
	await at.after(5000);
	leader.end('failed');
	await turn();
	const {inFlight: next} = waiters[0]!;
	const late = at.wait();
	const sent: number[] = [];
	for (let time = 0; time < 400; time += 100) {
		await at.after(100);
		sent.push(count(waiters, 'send-alone'));
	}

	t.deepEqual(sent, [6, 25, 56, 100]);
	// Later requests have seen no failure.
	t.is(late.do, 'wait');
	t.false(next.hasEnded);
	resolve(next);
	await turn();
	t.is(late.do, 'reuse');
	t.is(at.sharing.size, 0);
	t.is(at.clock.timers, 0);
});

test('a second failure does not change the time of waiters that have seen the first one', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(6, {store: 400});
	leader.end('failed');
	await at.after(100);
	t.is(count(waiters, 'wait'), 5);
	waiters[0]!.inFlight.end('failed');
	await turn();
	t.deepEqual(waiters.map(waiter => waiter.do), ['send-shared', 'send-shared', 'send-alone', 'wait', 'wait', 'wait']);
	// Their shares of 400 ms end after 310, 358 and 400 ms.
	await at.after(200);
	t.is(count(waiters, 'wait'), 3);
	await at.after(50);
	t.is(count(waiters, 'wait'), 2);
	await at.after(50);
	t.is(count(waiters, 'wait'), 0);
	waiters[1]!.inFlight.end('abandoned');
	t.is(at.sharing.size, 0);
});

test('a result resets the count of failures, even if it does not answer all waiters', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = Array.from({length: 6}, (_, position) => at.wait({position, store: 60_000}));
	leader.end('failed');
	await turn();
	waiters[0]!.inFlight.resolve('result', {}, ({position}) => position === 1);
	await turn();
	t.deepEqual(waiters.map(waiter => waiter.do), ['send-shared', 'reuse', 'send-shared', 'wait', 'wait', 'wait']);
	waiters[2]!.inFlight.end('failed');
	await turn();
	t.deepEqual(waiters.map(waiter => waiter.do), ['send-shared', 'reuse', 'send-shared', 'send-shared', 'wait', 'wait']);
});

test('each failure at most doubles the number of 200 requests that are sent', async t => {
	const at = new Situation();
	let leader: InFlight<string> | undefined = at.send();
	const waiters = at.waitTogether(200, {store: 500});
	let sent = 1;
	for (let failure = 0; leader !== undefined; failure++) {
		const before = 200 - count(waiters, 'wait');
		leader.end('failed');
		await turn();
		const now = 200 - count(waiters, 'wait');
		t.true(now - before <= 2 ** failure);
		sent += now - before;
		leader = waiters.findLast(waiter => waiter.do === 'send-shared' && !waiter.inFlight.hasEnded)?.inFlight;
	}

	t.is(sent, 201);
	t.is(at.sharing.size, 0);
	t.is(at.clock.timers, 0);
});

// The end of the request by its own caller.

test('exactly one of 300 waiters is sent instead of an abandoned request: 2 are sent in all', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(300);
	leader.end('abandoned');
	await turn();
	t.is(count(waiters, 'send-shared'), 1);
	t.is(count(waiters, 'wait'), 299);
	await at.after(20_000);
	t.is(count(waiters, 'wait'), 299, 'it is no failure, after which they would be sent in their own time');
	resolve(waiters[0]!.inFlight);
	await turn();
	t.is(count(waiters, 'reuse'), 299);
});

test('an abandoned request does not count as a failure', async t => {
	const at = new Situation();
	let leader = at.send();
	const waiters = at.waitTogether(10, {store: 60_000});
	for (const ending of ['abandoned', 'abandoned', 'abandoned', 'failed'] as const) {
		leader.end(ending);
		await turn();
		leader = waiters.findLast(waiter => waiter.do === 'send-shared')!.inFlight;
	}

	t.deepEqual(waiters.map(waiter => waiter.do), [...Array.from({length: 4}, () => 'send-shared' as const), ...Array.from({length: 6}, () => 'wait' as const)]);
});

test('if a waiter gives up when it is to be sent, another one is sent instead', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(4);
	// One signal ends three of them.
	leader.end('abandoned');
	waiters[0]!.leave();
	waiters[1]!.leave();
	await turn();
	t.is(count(waiters.slice(2), 'send-shared'), 1);
	resolve(waiters[2]!.inFlight);
	await turn();
	t.is(waiters[3]!.do, 'reuse');
	t.is(at.sharing.size, 0);
});

test('one signal that aborts all of 300 requests leaves no state', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(300);
	leader.end('abandoned');
	for (const waiter of waiters) {
		waiter.leave();
	}

	await turn();
	t.is(at.sharing.size, 0);
	t.is(at.clock.timers, 0);
	t.is(at.next(), 'send-shared');
});

test('a waiter that has given up is not sent, and does not settle', async t => {
	const at = new Situation();
	const leader = at.send();
	const [first, second] = at.waitTogether(2);
	first!.leave();
	leader.end('failed');
	await turn();
	t.is(first!.do, 'wait');
	second!.inFlight.end('failed');
	t.is(at.sharing.size, 0);
	first!.leave();
	second!.leave();
	t.is(at.sharing.size, 0);
});

// Limits.

test('requests wait for a response head for 30 seconds: then one is sent, and the others continue to wait within their own time limits', async t => {
	const at = new Situation();
	const leader = at.send();
	await at.after(10_000);
	const waiters = at.waitTogether(3);
	await at.after(19_999);
	t.is(count(waiters, 'wait'), 3);
	t.is(at.next(), 'wait');
	await at.after(1);
	t.deepEqual(waiters.map(waiter => waiter.do), ['send-shared', 'wait', 'wait']);
	t.true(leader.hasEnded);
	await at.after(500);
	t.is(count(waiters, 'send-alone'), 2);
});

test('no request begins to wait if the response head is late, and the next request is sent', async t => {
	const at = new Situation();
	const leader = at.send();
	t.is(at.clock.timers, 0);
	await at.after(30_000);
	const next = at.send();
	const waiter = at.wait();
	resolve(leader);
	await turn();
	t.is(waiter.do, 'wait', 'it waits for the second one');
	resolve(next);
	await turn();
	t.is(waiter.do, 'reuse');
	t.is(at.sharing.size, 0);
});

test('requests wait for a body of unknown length for 2 seconds after its head, however many bytes arrive', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(2);
	await at.after(20_000);
	leader.respond({}, undefined);
	t.true(waiters[0]!.hasResponse());
	await at.after(1500);
	leader.progress(1_000_000);
	const late = at.wait();
	await at.after(499);
	t.is(late.do, 'wait');
	leader.progress(1_000_000);
	await at.after(1);
	t.deepEqual([...waiters, late].map(waiter => waiter.do), ['send-alone', 'send-alone', 'send-alone']);
	t.is(at.sharing.size, 0);
	t.is(at.next(), 'send-shared', 'it is released, and not refused');
});

test('no request begins to wait for a body of unknown length after 2 seconds', async t => {
	const at = new Situation();
	const leader = at.send();
	leader.respond({}, undefined);
	t.is(at.clock.timers, 0);
	await at.after(1999);
	t.is(at.next(), 'wait');
	await at.after(1);
	t.is(at.next(), 'send-shared');
	t.false(leader.hasEnded);
});

test('requests wait for a body of 40 MB that takes 10 seconds', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(25);
	await at.after(3000);
	leader.respond({}, 40_000_000);
	for (let second = 0; second < 100; second++) {
		leader.progress(400_000);
		await at.after(100);
		if (second % 4 === 0) {
			waiters.push(at.wait());
		}
	}

	t.is(count(waiters, 'wait'), 50);
	resolve(leader);
	await turn();
	t.is(count(waiters, 'reuse'), 50);
	t.is(at.clock.timers, 0);
});

const bodies: ReadonlyArray<readonly [title: string, length: number, received: readonly number[], end: number]> = [
	// One number for each second.
	['of which nothing arrives', 1000, [0], 1000],
	['that would take 31 seconds at the rate of its first second', 31_000, [1000], 1000],
	['that would take 30 seconds', 30_000, Array.from({length: 40}, () => 1000), 30_000],
	['that would take 29 seconds, and stops after 15', 29_000, [...Array.from({length: 15}, () => 1000), ...Array.from({length: 20}, () => 0)], 16_000],
	['that arrives at once, but does not end', 1000, [1000, ...Array.from({length: 40}, () => 0)], 30_000],
	['that is empty, but does not end', 0, Array.from({length: 40}, () => 0), 30_000],
	['that is longer than its Content-Length', 10, Array.from({length: 40}, () => 1_000_000), 30_000],
];

for (const [title, length, received, end] of bodies) {
	test(`requests wait ${end / 1000} s for a body ${title}`, async t => {
		const at = new Situation();
		const leader = at.send();
		const waiter = at.wait();
		const start = at.clock.now();
		leader.respond({}, length);
		let released: number | undefined;
		for (const bytes of [...received, 0, 0]) {
			leader.progress(bytes);
			for (let tenth = 0; tenth < 10; tenth++) {
				await at.after(100);
				released ??= waiter.do === 'wait' ? undefined : at.clock.now() - start;
			}
		}

		t.is(waiter.do, 'send-alone');
		t.is(released, end);
		t.is(at.next(), 'send-shared');
		t.is(at.clock.timers, 0);
	});
}

test('no request begins to wait for a body that is too slow', async t => {
	const at = new Situation();
	const leader = at.send();
	leader.respond({}, 1_000_000);
	await at.after(500);
	t.is(at.next(), 'wait');
	await at.after(500);
	t.is(at.next(), 'send-shared');
	leader.progress(900_000);
	t.is(at.next(), 'wait', 'it has caught up');
});

test('the waiters for an event stream are sent when its head arrives, and the next request is not refused', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(3);
	leader.end('released');
	await turn();
	t.is(count(waiters, 'send-alone'), 3);
	t.is(at.next(), 'send-shared');
	leader.respond({}, undefined);
	resolve(leader);
	t.is(at.sharing.size, 0);
});

test('a request waits at most as long as its remaining time', async t => {
	const at = new Situation();
	const leader = at.send();
	t.is(at.join({total: 0}).do, 'send-alone');
	const budget = new TimeBudget({store: 500, total: 100}, at.clock);
	await at.after(100);
	t.is(at.join({budget: () => budget}).do, 'send-alone');
	const waiter = at.wait({total: 50});
	await at.after(49);
	t.is(waiter.do, 'wait');
	await at.after(1);
	t.is(waiter.do, 'send-alone');
	t.false(leader.hasEnded);
	t.is(at.clock.timers, 0);
});

test('the duration of a wait counts towards the total time limit, and not towards that of the store', async t => {
	const at = new Situation();
	const leader = at.send();
	const budget = new TimeBudget({store: 1000, total: 30_000}, at.clock);
	await at.after(900);
	const waiter = at.wait({budget: () => budget});
	await at.after(5000);
	resolve(leader);
	await turn();
	t.is(waiter.do, 'reuse');
	t.is(budget.left, 100);
	t.is(budget.totalLeft, 24_100);
	t.is(new TimeBudget({store: 1000, total: 10}, at.clock).left, 10);
	t.is(new TimeBudget({store: Infinity, total: Infinity}, at.clock).left, Infinity);
});

test('the time after a failure counts towards the time limit of the waiter', async t => {
	const at = new Situation();
	const leader = at.send();
	const budget = new TimeBudget({store: 1000, total: Infinity}, at.clock);
	const waiters = [at.wait(), at.wait({budget: () => budget, store: 60_000})];
	await at.after(5000);
	leader.end('failed');
	await at.after(300);
	resolve(waiters[0]!.inFlight);
	await turn();
	t.is(waiters[1]!.do, 'reuse');
	t.is(budget.left, 700);
});

test('no timer runs without waiters', async t => {
	const at = new Situation();
	const leader = at.send({fields: german});
	t.is(at.clock.timers, 0);
	const waiters = [at.wait({total: 1000}), at.wait()];
	t.true(at.clock.timers > 0);
	for (const waiter of waiters) {
		waiter.leave();
	}

	t.is(at.clock.timers, 0);
	const other = at.wait({fields: french});
	leader.respond(byLanguage, undefined);
	await turn();
	t.is(other.do, 'send-shared');
	t.is(at.clock.timers, 0);
	const another = at.wait({fields: german});
	t.is(at.clock.timers, 1);
	leader.end('abandoned');
	await turn();
	t.is(at.clock.timers, 0);
	another.inFlight.end('refused');
	other.inFlight.end('failed');
	t.is(at.sharing.size, 0);
});

test('calls after the end have no effect', async t => {
	const at = new Situation();
	const leader = at.send();
	const waiters = at.waitTogether(2);
	const endings: string[] = [];
	leader.onEnd = ending => {
		endings.push(ending);
	};

	leader.end('abandoned');
	const next = at.wait();
	await turn();
	resolve(leader);
	leader.respond({vary: '*'}, 5);
	leader.end('refused');
	leader.end('failed');
	leader.end('released');
	leader.progress(5);
	await turn();
	t.deepEqual(endings, ['abandoned']);
	t.deepEqual([...waiters, next].map(waiter => waiter.do), ['send-shared', 'wait', 'wait']);
	t.is(at.next(), 'wait');
});

// Variants.

for (const how of ['its head', 'its end, as of a 304'] as const) {
	test(`a response that varies (${how}) answers waiters with matching fields, and one waiter is sent for each other variant`, async t => {
		const at = new Situation();
		const leader = at.send({fields: german});
		const [same, one, other] = [german, french, french].map(fields => at.wait({fields}));
		if (how === 'its head') {
			leader.respond(byLanguage, 10);
		} else {
			resolve(leader, byLanguage);
		}

		await turn();
		t.is(one!.do, 'send-shared');
		t.is(other!.do, 'wait');
		resolve(leader, byLanguage);
		await turn();
		t.is(same!.do, 'reuse');
		t.is(other!.do, 'wait');
		t.is(at.next({fields: french}), 'wait');
		t.is(at.next({fields: german}), 'send-shared');
		resolve(one!.inFlight, byLanguage);
		await turn();
		t.is(other!.do, 'reuse');
		t.is(at.sharing.size, 0);
	});
}

for (const vary of ['*', 'accept language', Array.from({length: 33}, (_, index) => `x-${index}`).join(',')]) {
	for (const how of ['head', 'end'] as const) {
		test(`a response with Vary: * answers no waiter (${how}): ${vary.slice(0, 20)}`, async t => {
			const at = new Situation();
			const leader = at.send({fields: german});
			const waiters = at.waitTogether(3, {fields: german});
			if (how === 'head') {
				leader.respond({vary}, 10);
			} else {
				resolve(leader, {vary});
			}

			await turn();
			t.is(count(waiters, 'send-alone'), 3);
			t.is(at.sharing.size, 0);
		});
	}
}

test('a known Vary separates requests from the start', t => {
	const at = new Situation();
	const names = ['accept-language'];
	at.send({fields: german, names});
	at.send({fields: french, names});
	t.is(at.next({fields: french}), 'wait');
	t.is(at.next({fields: {'accept-language': 'en'}}), 'send-shared');
});

test('failures of one variant do not affect the others', async t => {
	const at = new Situation();
	const names = ['accept-language'];
	const leaders = [german, french].map(fields => at.send({fields, names}));
	const waiters = [german, french].map(fields => at.wait({fields}));
	leaders[0]!.end('failed');
	await turn();
	t.deepEqual(waiters.map(waiter => waiter.do), ['send-shared', 'wait']);
	t.is(at.sharing.size, 1);
});

test('no request begins to wait for an outdated request, and those that wait already get its result', async t => {
	const at = new Situation();
	const leader = at.send();
	let isOutdated = false;
	leader.isOutdated = () => isOutdated;
	const waiter = at.wait();
	isOutdated = true;
	const next = at.send();
	const later = at.wait();
	resolve(leader);
	await turn();
	t.deepEqual([waiter.do, later.do], ['reuse', 'wait']);
	resolve(next);
	await turn();
	t.is(later.do, 'reuse');
});

// Requests that are made inside of others.

test('a request that is made inside another one does not wait for it, and is sent alone', t => {
	const at = new Situation();
	const leader = at.send();
	leader.run(() => {
		t.is(at.join().do, 'send-alone');
		at.send({}, 'other').run(() => {
			t.is(at.join().do, 'send-alone');
			t.is(at.join({}, 'other').do, 'send-alone');
		});
	});
	t.is(at.join().do, 'wait');
});

for (const steps of [2, 3, 6]) {
	test(`a request does not wait for one that waits for it through ${steps} others`, async t => {
		const at = new Situation();
		const keys = Array.from({length: steps}, (_, index) => String(index));
		const leaders = keys.map(key => at.send({}, key));
		const waiters = leaders.slice(0, -1).map((leader, index) => leader.run(() => at.wait({}, keys[index + 1])));
		leaders.at(-1)!.run(() => {
			t.is(at.join({}, '0').do, 'send-alone');
		});
		// A request outside of all of them may wait.
		t.is(at.join({}, '0').do, 'wait');
		resolve(leaders.at(-1)!);
		await turn();
		t.is(waiters.at(-1)!.do, 'reuse');
	});
}

test('of two requests that each request the key of the other inside, one waits and the other is sent alone', async t => {
	const at = new Situation();
	const [one, other] = [at.send({}, 'one'), at.send({}, 'other')];
	const waiter = one.run(() => at.wait({}, 'other'));
	t.is(other.run(() => at.join({}, 'one')).do, 'send-alone');
	resolve(other);
	await turn();
	t.is(waiter.do, 'reuse');
	resolve(one);
	t.is(at.sharing.size, 0);
});

test('an outer request waits, whatever requests are made inside it', t => {
	const at = new Situation();
	const [outer, other] = [at.send({}, 'outer'), at.send({}, 'other')];
	outer.run(() => {
		const inner = at.send({}, 'inner');
		inner.run(() => at.wait({}, 'other'));
		other.run(() => {
			t.is(at.join({}, 'outer').do, 'send-alone');
			t.is(at.join({}, 'inner').do, 'send-alone');
		});
	});
});

test('an inner request that has ended neither prevents waiting for the outer one, nor hides it', t => {
	const at = new Situation();
	const outer = at.send({}, 'outer');
	outer.run(() => {
		const inner = at.send({}, 'inner');
		inner.run(() => {
			resolve(inner);
			t.is(at.join({}, 'outer').do, 'send-alone');
			at.send({}, 'inner');
			t.is(at.join({}, 'inner').do, 'wait');
			resolve(outer);
			at.send({}, 'outer');
			t.is(at.join({}, 'outer').do, 'wait');
		});
	});
});

test('a wait that has ended prevents no other wait', t => {
	const at = new Situation();
	const [one, other] = [at.send({}, 'one'), at.send({}, 'other')];
	const waiter = one.run(() => at.wait({}, 'other'));
	t.is(other.run(() => at.join({}, 'one')).do, 'send-alone');
	waiter.leave();
	t.is(other.run(() => at.join({}, 'one')).do, 'wait');
});

test('a waiter is not reassigned to a request that waits for it', async t => {
	const at = new Situation();
	const [outer, first] = [at.send({}, 'outer'), at.send()];
	const waiters = [outer.run(() => at.wait()), at.wait()];
	first.isOutdated = () => true;
	const second = at.send();
	const inner = second.run(() => at.wait({}, 'outer'));
	// The first one's result is not for them, so that they go over to the second one.
	first.resolve('result', {}, () => false);
	await turn();
	t.deepEqual(waiters.map(waiter => waiter.do), ['send-alone', 'wait']);
	t.is(inner.do, 'wait');
});

test('requests of several caches that would wait for each other are detected', t => {
	const [one, other] = [new Situation(), new Situation()];
	const [first, second] = [one.send(), other.send()];
	first.run(() => other.wait());
	t.is(second.run(() => one.join()).do, 'send-alone');
});

// What is left.

test('a request that has ended can be collected, even if its code is still referenced', async t => {
	const at = new Situation();
	const references: Array<WeakRef<object>> = [];
	const contexts: unknown[] = [];
	const end = (): void => {
		const leader = at.send();
		const match = {};
		references.push(new WeakRef(match), new WeakRef(at.wait()));
		leader.isOutdated = () => match === undefined;
		leader.onEnd = () => {
			t.truthy(match);
		};

		// A socket that is opened for the request remembers its context.
		contexts.push(leader.run(() => AsyncLocalStorage.snapshot()));
		resolve(leader);
	};

	end();
	await turn();
	collect();
	t.deepEqual(references.map(reference => reference.deref()), [undefined, undefined]);
	t.is(at.sharing.size, 0);
	t.is(contexts.length, 1);
});

test('requests that start one another form no growing chain', async t => {
	const at = new Situation();
	const references: Array<WeakRef<InFlight<string>>> = [];
	const contexts: unknown[] = [];
	const step = (left: number): void => {
		const leader = at.send();
		references.push(new WeakRef(leader));
		leader.run(() => {
			resolve(leader);
			t.deepEqual(enclosingRequests(), []);
			if (left > 0) {
				// As a listener that asks again does.
				setImmediate(step, left - 1);
			} else {
				contexts.push(AsyncLocalStorage.snapshot());
			}
		});
	};

	step(20);
	while (contexts.length === 0) {
		await turn();
	}

	await turn();
	collect();
	const alive = references.filter(reference => reference.deref() !== undefined);
	t.true(alive.length <= 2, `${alive.length} are left`);
});

test('a long request that waits repeatedly keeps no reference to the requests that it waited for', async t => {
	const at = new Situation();
	const outer = at.send({}, 'outer');
	const references: Array<WeakRef<object>> = [];
	for (let index = 0; index < 10; index++) {
		const inner = at.send({}, String(index));
		const fields = {};
		references.push(new WeakRef(inner), new WeakRef(fields));
		const waiter = outer.run(() => at.wait({fields}, String(index)));
		resolve(inner);
		await turn();
		t.is(waiter.do, 'reuse');
	}

	await turn();
	collect();
	t.true(references.filter(reference => reference.deref() !== undefined).length <= 2);
	t.false(outer.hasEnded);
});

test('many requests for one key are shared in time in proportion to their number', async t => {
	await isProportional(t, [200, 20_000], 100, async requests => {
		const at = new Situation();
		const leader = at.send();
		const waiters = at.waitTogether(requests);
		const time = cpuTime(() => {
			resolve(leader);
		}, 1);
		await turn();
		t.is(count(waiters, 'reuse'), requests);
		return time;
	});
});
