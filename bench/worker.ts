/**
One subject in a process of its own. It is told to run a round, and says what the round took.
*/
import process from 'node:process';
import {Bench} from 'tinybench';
import {subjects} from './subjects/index.ts';
import type {Place, Round} from './types.ts';

const [name, json, concurrency] = process.argv.slice(2) as [string, string, string];
const place = JSON.parse(json) as Place;
const opened = await subjects[name]!(place);
let index = 0;
await opened.run(index++);
await opened.check?.();

async function round(milliseconds: number): Promise<Round> {
	const bench = new Bench({
		time: milliseconds,
		iterations: 1,
		warmup: false,
		throws: true,
		...(Number(concurrency) > 1 && {concurrency: 'task', threshold: Number(concurrency)}),
	});
	bench.add(name, async () => {
		await opened.run(index++);
	});
	const before = process.cpuUsage();
	const [task] = await bench.run();
	const {user, system} = process.cpuUsage(before);
	const result = task!.result as {readonly latency: {readonly p50: number; readonly mean: number; readonly samplesCount: number}};
	const {p50, mean, samplesCount} = result.latency;
	return {
		p50: p50 * 1000, mean: mean * 1000, cpu: (user + system) / samplesCount, operations: samplesCount,
	};
}

process.on('message', (message: number | 'close') => {
	void (async () => {
		if (message === 'close') {
			await opened.close?.();
			process.disconnect();
			return;
		}

		process.send!(await round(message));
	})();
});
process.send!('ready');
