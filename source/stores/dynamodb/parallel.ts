/**
Does the task for each item, some of them at once, and answers in their order. When one fails no other is begun, and those that have begun are waited for.
*/
export async function inParallel<Item, Result>(items: readonly Item[], atOnce: number, task: (item: Item) => Promise<Result>): Promise<Result[]> {
	const results: Result[] = [];
	// One iterator for all workers: each takes what comes next.
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
