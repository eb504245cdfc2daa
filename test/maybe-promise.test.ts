import process from 'node:process';
import {setImmediate as nextTurn} from 'node:timers/promises';
import test from 'ava';
import {all} from '../source/maybe-promise.ts';

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
