import {Session} from 'node:inspector';

/** How often each function of some files was called: by file, then by name. */
export type Calls = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
Counts the calls of functions while something runs, by V8's own counters: nothing is replaced.

What measures the coverage of the tests uses the same counters, and loses what it had of this thread: a test file that counts should hold nothing else.

@param folder - A part of the paths of the files that count, such as `source/policy/`.
*/
export function countCalls(folder: string, run: () => void): Calls {
	const session = new Session();
	session.connect();
	session.post('Profiler.enable');
	session.post('Profiler.startPreciseCoverage', {callCount: true, detailed: false});
	const calls = new Map<string, Map<string, number>>();
	try {
		// Taking the counts sets them to 0.
		session.post('Profiler.takePreciseCoverage');
		run();
		session.post('Profiler.takePreciseCoverage', (error, coverage) => {
			if (error !== null) {
				throw error;
			}

			const scripts = coverage.result.filter(({url}) => url.includes(folder));
			for (const {url, functions} of scripts) {
				const counts = functions
					.filter(({functionName, ranges}) => functionName !== '' && ranges[0]!.count > 0)
					.map(({functionName, ranges}) => [functionName, ranges[0]!.count] as const);
				calls.set(url.split(folder, 2)[1]!, new Map(counts));
			}
		});
	} finally {
		session.disconnect();
	}

	return calls;
}
