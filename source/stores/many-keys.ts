import {batches} from './server-options.ts';

const valuesAtOnce = 16;

/**
Reads the values of many keys, 16 at a time, and yields those that exist, in the order of the keys.
*/
export async function * readMany<Value>(keys: readonly string[], get: (key: string) => Promise<Value | undefined>): AsyncGenerator<readonly [key: string, value: Value], void> {
	for (const batch of batches(keys, valuesAtOnce)) {
		const values = await Promise.all(batch.map(async key => get(key))); // eslint-disable-line no-await-in-loop
		for (const [index, value] of values.entries()) {
			if (value !== undefined) {
				yield [batch[index]!, value];
			}
		}
	}
}

/**
Runs a task for each item, a number of them at once, and returns the results in the order of the items.

When a task fails, no other task is started; the function waits for the tasks that run, and then throws the error.
*/
export async function inParallel<Input, Result>(items: readonly Input[], atOnce: number, task: (item: Input) => Promise<Result>): Promise<Result[]> {
	const results: Result[] = [];
	// All workers share one iterator, so that each takes the next item.
	const queue = items.entries();
	let hasFailed = false;
	const work = async (): Promise<void> => {
		for (const [index, item] of queue) {
			if (hasFailed) {
				return;
			}

			try {
				results[index] = await task(item); // eslint-disable-line no-await-in-loop
			} catch (error) {
				hasFailed = true;
				throw error;
			}
		}
	};

	const workers = await Promise.allSettled(Array.from({length: Math.min(atOnce, items.length)}, work));
	for (const worker of workers) {
		if (worker.status === 'rejected') {
			throw worker.reason as Error;
		}
	}

	return results;
}
