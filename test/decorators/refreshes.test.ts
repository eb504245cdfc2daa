/* eslint-disable node-test/prefer-context-mock -- AVA's context has none. */
import {mock} from 'node:test';
import test from 'ava';
import {cached, HttpCache} from '../../source/index.ts';
import {Clock} from '../helpers/origin.ts';
import {Calls, settle} from './calls.ts';

test('a refresh that never ends is awaited for one minute, and a late result is stored', async t => {
	const clock = new Clock();
	const cache = new HttpCache({store: 'memory', now: clock.now});
	const calls = new Calls();
	const ask = (name: string) => cached(async () => calls.begin(), '1h', {
		result: true, name, cache, staleWhileRevalidate: '1d',
	});
	const running = Array.from({length: 32}, (_, index) => ask(`running ${index}`));
	const other = ask('other');
	for (const call of [...running, other]) {
		const first = call();
		await settle();
		calls.succeed('old');
		t.is(await first, 'old');
	}

	clock.advance(7200);
	mock.timers.enable({apis: ['setTimeout']});
	try {
		for (const call of running) {
			t.is(await call(), 'old');
		}

		await calls.reach(65);
		let isIdle = false;
		const idle = cache.idle().then(() => {
			isIdle = true;
		});
		mock.timers.tick(59_999);
		await settle();
		t.false(isIdle);
		mock.timers.tick(1);
		await idle;

		t.is(await other(), 'old');
		await calls.reach(66);
		calls.succeed('late');
		await settle();
		t.is(await running[0]!(), 'late');
		t.is(calls.count, 66);
	} finally {
		mock.timers.reset();
	}
});
