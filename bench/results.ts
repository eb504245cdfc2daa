import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {chart} from './chart.ts';
import {figuresOf, verdictsOf} from './figures.ts';
import type {Effort} from './measure.ts';
import {excerpt, replaceSection, section} from './readme.ts';
import {hit} from './scenarios.ts';
import {figureTable, goalTable, omissions} from './tables.ts';
import type {Measured} from './types.ts';

export type Run = {
	readonly node: string;
	readonly machine: string;

	/** A day, as in `2026-01-31`. */
	readonly date: string;
	readonly effort: Effort;
	readonly measured: readonly Measured[];
};

const root = path.join(import.meta.dirname, '..');

export function runOf(measured: readonly Measured[], effort: Effort): Run {
	return {
		node: process.version,
		machine: `${os.availableParallelism()} × ${os.cpus()[0]?.model ?? 'CPU'}, ${(os.totalmem() / (2 ** 30)).toFixed(0)} GiB, ${os.type()} ${os.release()} ${os.arch()}`,
		date: new Date().toISOString().slice(0, 10),
		effort,
		measured,
	};
}

/** What `docs/performance.md` shows, and the readme in part: how it was measured, the goals and the hits. The chart is named as from `bench/`. */
export function summary(run: Run): string {
	const {measured, effort} = run;
	const hits = measured.find(({scenario}) => scenario.title === hit.title);
	return [
		`Measured on ${run.date} by \`npm run bench\` (medians of ${effort.rounds} rounds of ${effort.milliseconds} ms) with Node.js ${run.node} on ${run.machine}.`,
		...omissions(measured),
		'What is to be reached, as ratios of medians unless it says otherwise:',
		goalTable(measured),
		...(hits === undefined ? [] : [`Who answers how fast from its cache (${hit.title}), and what it takes of the CPU:`, figureTable(hits, {sorted: true}), `![${chartText(hits)}](hits.svg)`]),
	].join('\n\n');
}

function chartText(hits: Measured): string {
	const bars = figuresOf(hits).toSorted((a, b) => a.medians.p50! - b.medians.p50!);
	return `Bars of the median time of a hit, the quickest first: ${bars.map(({name, medians}) => `${name} ${medians.p50!.toFixed(0)} µs`).join('; ')}.`;
}

/** The whole of it, the summary first. */
export function document(run: Run): string {
	return [
		'# What was measured',
		'Written by `npm run bench`, as are its parts in the readme and in `docs/performance.md`: do not edit it.',
		section(summary(run)),
		'## All scenarios',
		'CPU time is of user and system together, without that of the origin and of Redis; what is written later counts, too.',
		'Where several are asked for at once, the median is the time until one of them has its answer, and the mean is the time of the round by its operations.',
		...run.measured.flatMap(measured => [`### ${measured.scenario.title}`, figureTable(measured)]),
	].join('\n\n') + '\n';
}

/** All rounds, for machines. */
export function json({measured, ...run}: Run): string {
	return JSON.stringify({
		...run,
		scenarios: measured.map(one => ({
			title: one.scenario.title, subjects: one.subjects, medians: figuresOf(one), goals: verdictsOf(one), failures: one.failures, leftOut: one.leftOut,
		})),
	}, undefined, '\t');
}

export async function writeJson(run: Run): Promise<string> {
	const file = path.join(root, '.bench', 'results.json');
	await fs.mkdir(path.dirname(file), {recursive: true});
	await fs.writeFile(file, json(run));
	return file;
}

/** The pages that show results: the file, and what it should be. */
export async function pagesWith(results: string): Promise<ReadonlyMap<string, string>> {
	const readme = path.join(root, 'readme.md');
	const page = path.join(root, 'docs', 'performance.md');
	return new Map([
		[readme, replaceSection(await fs.readFile(readme, 'utf8'), excerpt(results), 'bench/')],
		[page, replaceSection(await fs.readFile(page, 'utf8'), results, '../bench/')],
	]);
}

async function updatePages(results: string): Promise<void> {
	for (const [file, text] of await pagesWith(results)) {
		await fs.writeFile(file, text);
	}
}

/** What stays in the repository: results, chart, and the parts of the readme and of `docs/performance.md`. */
export async function publish(run: Run): Promise<void> {
	const results = document(run);
	await fs.writeFile(path.join(root, 'bench', 'results.md'), results);
	await updatePages(results);
	const hits = run.measured.find(({scenario}) => scenario.title === hit.title)!;
	await fs.writeFile(path.join(root, 'bench', 'hits.svg'), chart(hit.title, figuresOf(hits).map(({name, medians}) => ({name, p50: medians.p50!}))));
}
