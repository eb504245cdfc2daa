import process from 'node:process';
import type {ExecutionContext} from 'ava';

/**
Returns the CPU time of this thread for an action, in milliseconds, as the minimum of some tries: other processes do not count, nor does garbage collection in one of the tries.
*/
export function cpuTime(action: () => unknown, tries = 5): number {
	return Math.min(...Array.from({length: tries}, () => {
		const start = threadTime();
		action();
		return threadTime() - start;
	}));
}

/** Returns the CPU time of this thread in milliseconds. */
function threadTime(): number {
	// Linux brings it up to date every 4 ms, and whenever the time of the process is read.
	process.cpuUsage();
	const {user, system} = process.threadCpuUsage();
	return (user + system) / 1000;
}

/**
Asserts that an action takes CPU time in proportion to its input, of which the larger is `times` as large as the smaller. The bound is ten times the proportion, for the caches of the processor, which hold the smaller input only; if the time grew with the square, it would be exceeded `times / 10` times.

@param measure - Returns the CPU time for an input, in milliseconds.
*/
export async function isProportional<Input>(t: ExecutionContext, [small, large]: readonly [small: Input, large: Input], times: number, measure: (input: Input) => number | Promise<number>): Promise<void> {
	const [base, time] = [await measure(small), await measure(large)];
	t.true(time < Math.max(base, 0.3) * times * 10, `${base.toFixed(2)} ms and ${time.toFixed(2)} ms for ${times} times as much`);
}
