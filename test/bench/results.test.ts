import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {chart} from '../../bench/chart.ts';
import {verdictsOf} from '../../bench/figures.ts';
import {
	excerpt,
	replaceSection,
	section,
	sectionOf,
} from '../../bench/readme.ts';
import {
	document,
	json,
	pagesWith,
	type Run,
} from '../../bench/results.ts';
import {hit} from '../../bench/scenarios.ts';
import type {Measured, Round} from '../../bench/types.ts';

const rounds = (...medians: readonly number[]): readonly Round[] => medians.map(p50 => ({p50, mean: p50 * 2, cpu: p50 * 3}));

/** The machine is three times slower in the second round. */
const measured: Measured = {
	scenario: {
		title: hit.title,
		subjects: ['slow', 'quick', 'ours, Redis', 'broken'],
		goals: [
			{
				subject: 'quick', against: 'slow', by: 'p50', atMost: 0.6, accepted: 0.8,
			},
			{
				subject: 'quick', against: 'slow', by: 'mean', atMost: 0.4,
			},
			{
				subject: 'quick', against: 'slow', by: 'cpu', atMost: 0.4, accepted: 0.5,
			},
			{
				subject: 'broken', against: 'slow', by: 'cpu', atMost: 1,
			},
		],
	},
	subjects: [{name: 'slow', rounds: rounds(10, 30, 12)}, {name: 'quick', rounds: rounds(5, 15, 6)}],
	failures: [{name: 'broken', reason: 'Error: no hit'}],
	leftOut: [{name: 'ours, Redis', need: 'redis-server'}],
};

const run: Run = {
	node: 'v24.0.0', machine: '2 × CPU', date: '2026-01-31', effort: {rounds: 3, milliseconds: 300}, measured: [measured],
};

test('a goal is compared with the median of the ratios of all rounds', t => {
	t.deepEqual(verdictsOf(measured).map(({seen}) => seen), [0.5, 0.5, 0.5, undefined]);
	const [first] = verdictsOf({...measured, subjects: [measured.subjects[0]!, {name: 'quick', rounds: rounds(5, 90, 3)}]});
	t.is(first!.seen, 0.5);
});

test('the results show the goals, the figures, the machine, and the subjects that failed or were left out', t => {
	const results = document(run);
	const lines = new Set(results.split('\n'));
	const expected = [
		`| ${hit.title}: quick | slow | 0.6 | 0.8 | 0.50 | yes |`,
		`| ${hit.title}: quick, mean | slow | 0.4 | 0.4 | 0.50 | **no** |`,
		`| ${hit.title}: quick, CPU | slow | 0.4 | 0.5 | 0.50 | accepted |`,
		`| ${hit.title}: broken, CPU | slow | 1 | 1 | – | not measured |`,
		'| quick | 6 | 12 | 18 | 0.50 |',
		'| slow | 12 | 24 | 36 | 1.00 |',
		`FAILED: broken, in “${hit.title}”.`,
		'Left out, as there is no `redis-server` on the PATH: ours, Redis.',
		'Measured on 2026-01-31 by `npm run bench` (medians of 3 rounds of 300 ms) with Node.js v24.0.0 on 2 × CPU.',
	];
	t.deepEqual(expected.filter(line => !lines.has(line)), []);
	t.regex(sectionOf(results), /quick 6 µs; slow 12 µs\.\]\(hits\.svg\)/v);
	t.like(JSON.parse(json(run)), {node: 'v24.0.0', scenarios: [{title: hit.title, goals: [{seen: 0.5}]}]});
});

test('the section of a page is replaced by that of the results, and its other text stays', t => {
	const readme = `# Readme\n\n${section('old')}\n\nThe rest costs $&.`;
	t.is(replaceSection(readme, `# Results\n\n${section('new $& ![Bars.](hits.svg)')}\n\nMore.`, 'bench/'), `# Readme\n\n${section('new $& ![Bars.](bench/hits.svg)')}\n\nThe rest costs $&.`);
	t.throws(() => replaceSection('# Readme', section('new'), 'bench/'), {message: /no part/v});
});

test('the readme has an excerpt: how it was measured, the hits of a few subjects, and the chart', t => {
	const table = ['| subject | median (µs) |', '| --- | --- |', '| ours, memory | 30 |', '| make-fetch-happen | 700 |', '| plain Got | 230 |'];
	const results = section(['Measured on 2026-01-31.', 'Goals:', '| what | seen |\n| --- | --- |\n| hit | 1 |', table.join('\n'), '![Bars.](hits.svg)'].join('\n\n'));
	t.is(excerpt(results), section(['Measured on 2026-01-31.', table.filter(line => !line.includes('make-fetch-happen')).join('\n'), '![Bars.](hits.svg)'].join('\n\n')));
});

test('the readme and docs/performance.md show the results of the last complete run', async t => {
	const results = await fs.readFile(path.join(import.meta.dirname, '../../bench/results.md'), 'utf8');
	for (const [file, text] of await pagesWith(results)) {
		t.is(await fs.readFile(file, 'utf8'), text);
	}
});

test('the chart has a bar for each subject, and cuts off a bar that is many times longer than the others', t => {
	const svg = chart('hit', [{name: 'ours', p50: 10}, {name: 'a < b', p50: 20}, {name: 'far', p50: 1000}]);
	t.is(svg.match(/<rect /gv)!.length, 3);
	t.regex(svg, /a &lt; b/v);
	t.is(svg.match(/\(cut\)/gv)!.length, 1);
});
