import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import {median, Timing} from '../../bench/timing.ts';

test('the given number of operations run at once, each with its own number', async t => {
	const numbers: number[] = [];
	let running = 0;
	let most = 0;
	let settled = 0;
	const timing = new Timing({
		async run(index) {
			numbers.push(index);
			most = Math.max(most, ++running);
			await nextTurn();
			running--;
		},
		async settle() {
			t.is(running, 0);
			settled++;
		},
	}, 3);
	await timing.round(20);
	await timing.round(20);
	t.is(most, 3);
	t.is(settled, 2);
	t.deepEqual(numbers, numbers.map((_, index) => index));
});

test('operations that only await promises do not block the event loop', async t => {
	const loop = {turns: 0};
	const count = (): void => {
		loop.turns++;
		next = setImmediate(count);
	};

	let next = setImmediate(count);
	const timing = new Timing({run: async () => undefined}, 1);
	// On a busy machine, this process may not run during a whole round.
	for (let rounds = 0; loop.turns < 2 && rounds < 100; rounds++) {
		await timing.round(50);
	}

	clearImmediate(next);
	t.true(loop.turns > 1, String(loop.turns));
});

test('the mean time of one operation is right even if the clock cannot measure a single one', async t => {
	let operations = 0;
	const timing = new Timing({
		run() {
			operations++;
		},
	}, 1);
	await timing.round(5);
	const before = operations;
	const start = performance.now();
	const {mean} = await timing.round(20);
	const elapsed = performance.now() - start;
	t.is((operations - before) % 100, 0);
	// At least 20 ms were spent on all operations together.
	t.true(mean! * (operations - before) >= 20_000);
	t.true(mean! * (operations - before) <= elapsed * 1001);
});

test('the median orders values as numbers, not as text', t => {
	t.is(median([10, 9, 100]), 10);
	t.is(median([10, 9, 100, 8]), 9.5);
});
