import {Session} from 'node:inspector';

/** The number of calls of each function, by the end of its file's path and its name. */
export type Calls = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
Starts to count the calls of functions, by V8's own counters: nothing is replaced.

The coverage of the tests uses the same counters, and loses the counts of this thread: a test file that counts should have no other tests.

@param folder - A part of the paths of the files that count, such as `source/policy/`.
@returns A function that stops counting and returns the calls.
*/
export function startCounting(folder: string): () => Calls {
	const session = new Session();
	session.connect();
	session.post('Profiler.enable');
	session.post('Profiler.startPreciseCoverage', {callCount: true, detailed: false});
	// This resets the counts.
	session.post('Profiler.takePreciseCoverage');
	return () => {
		const calls = new Map<string, Map<string, number>>();
		session.post('Profiler.takePreciseCoverage', (error, coverage) => {
			if (error !== null) {
				throw error;
			}

			const scripts = coverage.result.filter(({url}) => url.includes(folder));
			for (const {url, functions} of scripts) {
				const counts = new Map<string, number>();
				for (const {functionName, ranges} of functions) {
					counts.set(functionName, (counts.get(functionName) ?? 0) + ranges[0]!.count);
				}

				calls.set(url.split(folder, 2)[1]!, counts);
			}
		});
		session.disconnect();
		return calls;
	};
}

/** Counts the calls while a function runs. */
export function countCalls(folder: string, run: () => void): Calls {
	const end = startCounting(folder);
	run();
	return end();
}
