import process from 'node:process';

/**
Returns the CPU time of this process for an action, in milliseconds, as the minimum of some tries: other processes do not count, nor does garbage collection in one of the tries.
*/
export function cpuTime(action: () => unknown, tries = 5): number {
	return Math.min(...Array.from({length: tries}, () => {
		const start = process.threadCpuUsage();
		action();
		const {user, system} = process.threadCpuUsage(start);
		return (user + system) / 1000;
	}));
}
