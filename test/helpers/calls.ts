import {Session} from 'node:inspector';

/** How often each function of some files was called, by the end of the file's path and the function's name. */
export type Calls = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
Counts the calls of functions from now on, by V8's own counters: nothing is replaced.

What measures the coverage of the tests uses the same counters, and loses what it had of this thread: a test file that counts should hold nothing else.

@param folder - A part of the paths of the files that count, such as `source/policy/`.
@returns A function that ends it and gives what was called.
*/
export function startCounting(folder: string): () => Calls {
	const session = new Session();
	session.connect();
	session.post('Profiler.enable');
	session.post('Profiler.startPreciseCoverage', {callCount: true, detailed: false});
	// Taking the counts sets them to 0.
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

/** The calls while something runs. */
export function countCalls(folder: string, run: () => void): Calls {
	const end = startCounting(folder);
	run();
	return end();
}
