import process from 'node:process';

/**
The milliseconds of this process's own work that an action takes, at best of some tries: other processes do not count, nor does a pause for garbage in one of the tries.
*/
export function cpuTime(action: () => unknown, tries = 5): number {
	return Math.min(...Array.from({length: tries}, () => {
		const start = process.threadCpuUsage();
		action();
		const {user, system} = process.threadCpuUsage(start);
		return (user + system) / 1000;
	}));
}
