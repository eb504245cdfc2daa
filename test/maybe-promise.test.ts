import process from 'node:process';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import {all, settledInTime} from '../source/maybe-promise.ts';

test('`all` returns the results when every action is synchronous, and a promise of them otherwise', async t => {
	t.deepEqual(all([1, 2], item => item * 2), [2, 4]);
	t.deepEqual(await all([1, 2], item => item === 1 ? Promise.resolve(2) : 4), [2, 4]);
	await t.throwsAsync(async () => all([1, 2], async item => {
		throw new Error(`later ${item}`);
	}), {message: 'later 1'});
});

test.serial('when an action throws, later rejections of the others are handled', async t => {
	const unhandled: unknown[] = [];
	const note = (error: unknown): void => {
		unhandled.push(error);
	};

	process.on('unhandledRejection', note);
	t.teardown(() => {
		process.off('unhandledRejection', note);
	});
	t.throws(() => all([1, 2], item => {
		if (item === 2) {
			throw new Error('at once');
		}

		return Promise.reject(new Error('later'));
	}), {message: 'at once'});
	await nextTurn();
	await nextTurn();
	t.deepEqual(unhandled, []);
});

const outcomes = {
	onValue: (value: string) => `value ${value}`,
	onError: (error: unknown) => `error ${(error as Error).message}`,
	onTimeout: () => 'timeout',
};

test('`settledInTime` returns the result of the function for what comes first, without a limit too, and ignores a late outcome', async t => {
	for (const milliseconds of [60_000, Infinity]) {
		t.is(await settledInTime(Promise.resolve('a'), milliseconds, outcomes), 'value a');
		t.is(await settledInTime(Promise.reject(new Error('b')), milliseconds, outcomes), 'error b');
	}

	for (const end of ['resolve', 'reject'] as const) {
		const late = Promise.withResolvers<string>();
		const calls: string[] = [];
		const onValue = (value: string): string => {
			calls.push(value);
			return value;
		};

		t.is(await settledInTime(late.promise, 0, {...outcomes, onValue}), 'timeout');
		late[end](new Error('late') as never);
		await nextTurn();
		t.deepEqual(calls, []);
	}
});

test('what a function of `settledInTime` throws is the rejection, and without `onError` the error is', async t => {
	const fail = (): never => {
		throw new Error('a fault of the function');
	};

	await t.throwsAsync(settledInTime(Promise.resolve('a'), 60_000, {...outcomes, onValue: fail}), {message: 'a fault of the function'});
	await t.throwsAsync(settledInTime(Promise.reject(new Error('b')), 60_000, {...outcomes, onError: fail}), {message: 'a fault of the function'});
	await t.throwsAsync(settledInTime(new Promise<string>(() => {}), 0, {...outcomes, onTimeout: fail}), {message: 'a fault of the function'});
	await t.throwsAsync(settledInTime<string, string>(Promise.reject(new Error('b')), 60_000, {onValue: outcomes.onValue, onTimeout: outcomes.onTimeout}), {message: 'b'});
});
