import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {chart} from './chart.ts';
import type {Goal, Round, Scenario} from './types.ts';

export type Measured = {
	readonly scenario: Scenario;
	readonly subjects: ReadonlyArray<{readonly name: string; readonly rounds: readonly Round[]}>;
};

type Figures = {readonly name: string; readonly p50: number; readonly mean: number; readonly cpu: number; readonly ratio: number};

const folder = path.join(import.meta.dirname, '..', '.bench');

/**
Prints what was measured, as tables; and where it was the whole suite, writes it as JSON, and the chart of the readme.
*/
export async function report(measured: readonly Measured[], {writes}: {readonly writes: boolean}): Promise<void> {
	const tables = measured.map(({scenario, subjects}) => {
		const figures = figuresOf(subjects);
		return {
			title: scenario.title, figures, goals: (scenario.goals ?? []).map(goal => verdict(goal, subjects)),
		};
	});

	console.log(`Node.js ${process.version}, ${os.availableParallelism()} × ${os.cpus()[0]?.model ?? 'CPU'}, ${os.platform()}\n`);
	for (const {title, figures, goals} of tables) {
		console.log(`### ${title}\n\n| subject | p50 (µs) | mean (µs) | CPU (µs) | p50, of the first |\n|---|---|---|---|---|`);
		for (const {name, p50, mean, cpu, ratio} of figures) {
			console.log(`| ${name} | ${p50.toFixed(1)} | ${mean.toFixed(1)} | ${cpu.toFixed(1)} | ${ratio.toFixed(2)} |`);
		}

		console.log();
		for (const {text} of goals) {
			console.log(text);
		}

		console.log();
	}

	if (!writes) {
		return;
	}

	await fs.mkdir(folder, {recursive: true});
	await fs.writeFile(path.join(folder, 'results.json'), JSON.stringify({node: process.version, cpu: os.cpus()[0]?.model, tables}, undefined, '\t'));
	const [hit] = tables;
	await fs.writeFile(path.join(import.meta.dirname, 'hits.svg'), chart(hit!.title, hit!.figures));
}

function figuresOf(subjects: Measured['subjects']): Figures[] {
	const floor = median(subjects[0]!.rounds.map(({p50}) => p50));
	return subjects.map(({name, rounds}) => {
		const [p50, mean, cpu] = (['p50', 'mean', 'cpu'] as const).map(by => median(rounds.map(round => round[by]))) as [number, number, number];
		return {
			name, p50, mean, cpu, ratio: p50 / floor,
		};
	});
}

/** The ratio of each round, since what disturbs a round disturbs both; of these the median. */
function verdict({subject, against, by, atMost}: Goal, subjects: Measured['subjects']): {readonly text: string; readonly ratio: number} {
	const roundsOf = (name: string): readonly Round[] => subjects.find(candidate => candidate.name === name)!.rounds;
	const others = roundsOf(against);
	const ratio = median(roundsOf(subject).map((round, index) => round[by] / others[index]![by]));
	return {ratio, text: `${ratio <= atMost ? 'reached' : 'NOT reached'}: ${subject} ÷ ${against}, ${by}: ${ratio.toFixed(2)} (goal ${atMost})`};
}

function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
