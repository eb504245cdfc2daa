import {
	figuresOf,
	measuresOf,
	resultOf,
	verdictsOf,
} from './figures.ts';
import type {Measure, Measured} from './types.ts';

const titles: Readonly<Record<Measure, string>> = {
	p50: 'median (µs)', mean: 'mean (µs)', cpu: 'CPU (µs)', heap: 'bytes an entry', peak: 'peak of memory (bytes)',
};
const names: Readonly<Record<Measure, string>> = {
	p50: '', mean: ', mean', cpu: ', CPU', heap: ', bytes', peak: ', peak of memory',
};
const ends = {'redis-server': 'no `redis-server` on the PATH', 'requests-cache': 'no Python with requests-cache (Debian: `apt-get install python3-requests-cache`)'};

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
	return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}

function amount(value: number): string {
	return value.toLocaleString('en', {maximumFractionDigits: value < 10 ? 2 : (value < 100 ? 1 : 0)});
}

/** All that was measured of a scenario's subjects, as they were named or `sorted` by their time. */
export function figureTable(measured: Measured, {sorted = false}: {readonly sorted?: boolean} = {}): string {
	const by = measuresOf(measured);
	const figures = figuresOf(measured);
	const [main = 'p50'] = by;
	const floor = figures[0]?.medians[main];
	const shown = sorted ? figures.toSorted((a, b) => a.medians[main]! - b.medians[main]!) : figures;
	return table(
		['subject', ...by.map(measure => titles[measure]), figures[0] === undefined ? 'ratio' : `÷ ${figures[0].name}`],
		shown.map(({name, medians}) => [name, ...by.map(measure => amount(medians[measure]!)), (medians[main]! / floor!).toFixed(2)]),
	);
}

export function goalTable(measured: readonly Measured[]): string {
	return table(
		['what', 'against', 'goal, at most', 'accepted', 'seen', 'reached'],
		measured.flatMap(one => verdictsOf(one)).map(verdict => [
			`${verdict.scenario}: ${verdict.subject}${names[verdict.by]}`, verdict.against, String(verdict.atMost), String(verdict.accepted ?? verdict.atMost), verdict.seen?.toFixed(2) ?? '–', resultOf(verdict),
		]),
	);
}

/** Who failed and who was left out, and why, by the line. */
export function omissions(measured: readonly Measured[]): readonly string[] {
	const missing = Map.groupBy(measured.flatMap(({leftOut}) => leftOut), ({need}) => need);
	return [
		...Array.from(missing, ([need, subjects]) => `Left out, as there is ${ends[need]}: ${[...new Set(subjects.map(({name}) => name))].join('; ')}.`),
		...measured.flatMap(({scenario, failures}) => failures.map(({name}) => `FAILED: ${name}, in “${scenario.title}”.`)),
	];
}
