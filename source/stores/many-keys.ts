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
	// All workers share one iterator, so that each takes the next item. One that throws closes it for all, which the iterator of an array itself does not allow.
	const queue = items.entries().map(entry => entry);
	const work = async (): Promise<void> => {
		for (const [index, item] of queue) {
			results[index] = await task(item); // eslint-disable-line no-await-in-loop
		}
	};

	const workers = await Promise.allSettled(Array.from({length: Math.min(atOnce, items.length)}, work));
	const failed = workers.find(worker => worker.status === 'rejected');
	if (failed !== undefined) {
		throw failed.reason as Error;
	}

	return results;
}
