/**
The benchmark suite: `npm run bench`, or a part of it: `npm run bench -- --only=miss`.

Each subject runs in a process of its own, round by round in turn, so that what disturbs the machine disturbs all. Figures are medians of the rounds; what counts are the ratios within one run.
*/
import {fork, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {parseArgs} from 'node:util';
import {report, type Measured} from './report.ts';
import {scenarios} from './scenarios.ts';
import type {Place, Round, Scenario} from './types.ts';

const {values: options} = parseArgs({
	options: {
		only: {type: 'string', default: ''}, rounds: {type: 'string', default: '9'}, time: {type: 'string', default: '300'},
	},
});
const rounds = Number(options.rounds);
const milliseconds = Number(options.time);

const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-bench-'));
const origin = fork(path.join(import.meta.dirname, 'origin.ts'));
const [port] = await once(origin, 'message') as [number];

type Running = {readonly name: string; readonly child: ChildProcess; readonly rounds: Round[]};

async function start(name: string, {place, concurrency = 1}: Scenario, index: number): Promise<Running> {
	const own = path.join(folder, String(index));
	await fs.mkdir(own, {recursive: true});
	const whole: Place = {
		origin: `http://127.0.0.1:${port}`, folder: own, bytes: 1024, read: 'json', entries: 100, ...place,
	};
	const child = fork(path.join(import.meta.dirname, 'worker.ts'), [name, JSON.stringify(whole), String(concurrency)]);
	const failed = once(child, 'exit');
	const outcome = await Promise.race([once(child, 'message'), failed]);
	if (outcome[0] !== 'ready') {
		throw new Error(`${name} ended with ${String(outcome[0])}`);
	}

	return {name, child, rounds: []};
}

async function ask(child: ChildProcess, time: number): Promise<Round> {
	child.send(time);
	const [round] = await Promise.race([once(child, 'message'), once(child, 'exit')]) as [Round | number];
	if (typeof round === 'number') {
		throw new TypeError(`A subject ended with ${round}`);
	}

	return round;
}

async function measure(scenario: Scenario): Promise<Measured> {
	const running: Running[] = [];
	try {
		for (const [index, name] of scenario.subjects.entries()) {
			// One at a time, here as below: two would disturb each other.
			running.push(await start(name, scenario, index));
		}

		// The first round warms up.
		for (let round = 0; round <= rounds; round++) {
			for (const {child, rounds: own} of running) {
				const result = await ask(child, milliseconds);
				if (round > 0) {
					own.push(result);
				}
			}
		}

		return {scenario, subjects: running.map(({name, rounds: own}) => ({name, rounds: own}))};
	} finally {
		for (const {child} of running) {
			if (!child.connected) {
				continue;
			}

			child.send('close');
			await once(child, 'exit');
		}

		await fs.rm(folder, {recursive: true, force: true});
	}
}

try {
	const measured: Measured[] = [];
	const wanted = scenarios.filter(({title}) => title.includes(options.only));
	for (const scenario of wanted) {
		process.stderr.write(`${scenario.title} …\n`);
		measured.push(await measure(scenario));
	}

	await report(measured, {writes: options.only === ''});
} finally {
	origin.kill();
	await fs.rm(folder, {recursive: true, force: true});
}
