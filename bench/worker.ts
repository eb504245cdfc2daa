/**
One subject in a process of its own. It is told to run a round, and says what the round took. `worker.py` speaks the same.
*/
import process from 'node:process';
import {subjects} from './subjects/index.ts';
import {Timing} from './timing.ts';
import type {Place} from './types.ts';

const [name, json, concurrency] = process.argv.slice(2) as [string, string, string];
const opened = await subjects[name]!(JSON.parse(json) as Place);
await opened.check?.();
const timing = new Timing(opened, Number(concurrency));

process.on('message', (message: number | 'close') => {
	void (async () => {
		if (message !== 'close') {
			process.send!(opened.weigh === undefined ? await timing.round(message) : await opened.weigh());
			return;
		}

		await opened.check?.();
		await opened.close?.();
		process.send!('closed', undefined, undefined, () => {
			// Not only disconnected: connections that a subject keeps alive would keep the process.
			process.exit();
		});
	})();
});
process.on('disconnect', () => {
	process.exit();
});
process.send!('ready');
