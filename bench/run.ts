/**
The benchmark suite: `npm run bench`. What it measures goes into `bench/results.md`, `bench/hits.svg`, the readme and `docs/performance.md`; and every round, as JSON, into `.bench/results.json`.

What has goals, in less than two minutes and less exactly: `npm run bench -- --quick`. A part of it, or a try: `npm run bench -- --only=miss --only=stream --rounds=3 --time=100` writes the JSON alone. `--only` names a part of titles; `--time` is milliseconds a round.

Redis is there where a `redis-server` is on the PATH; requests-cache, where the Python that `PYTHON` names, the one on the PATH or Debian's has it.

Each subject runs in a process of its own, round by round in turn. Figures are medians of the rounds; what counts are the ratios within one run. It ends with 1 where a subject failed; a goal that is not reached is no failure.
*/
import process from 'node:process';
import {parseArgs} from 'node:util';
import {measure} from './measure.ts';
import {publish, runOf, writeJson} from './results.ts';
import {scenarios} from './scenarios.ts';
import {Surroundings} from './surroundings.ts';
import {figureTable, goalTable, omissions} from './tables.ts';
import type {Measured, Scenario} from './types.ts';

const leastRounds = 15;

const {values: options} = parseArgs({
	options: {
		only: {type: 'string', multiple: true, default: ['']}, quick: {type: 'boolean', default: false}, rounds: {type: 'string'}, time: {type: 'string'},
	},
});
const {rounds = options.quick ? 5 : leastRounds, time = options.quick ? 40 : 300} = options;
const effort = {rounds: Number(rounds), milliseconds: Number(time)};
const candidates = options.quick ? scenarios.flatMap(scenario => withGoals(scenario)) : scenarios;
const wanted = candidates.filter(({title}) => options.only.some(part => title.toLowerCase().includes(part.toLowerCase())));
if (wanted.length === 0 || !(effort.rounds > 0 && effort.milliseconds > 0)) {
	throw new Error(`Nothing to measure. There are: ${scenarios.map(({title}) => `\n- ${title}`).join('')}`);
}

// The servers go with a process that exits, and stay behind one that is killed.
for (const signal of ['SIGINT', 'SIGTERM']) {
	process.once(signal, () => {
		process.exit(1);
	});
}

const measured: Measured[] = [];
{
	await using surroundings = await Surroundings.start();
	for (const scenario of wanted) {
		process.stderr.write(`${scenario.title} …\n`);
		const one = await measure(scenario, surroundings, effort);
		measured.push(one);
		console.log(`### ${scenario.title}\n\n${figureTable(one)}\n`);
		for (const {name, reason} of one.failures) {
			process.exitCode = 1;
			console.error(`${name} failed: ${reason}\n`);
		}
	}
}

console.log([goalTable(measured), ...omissions(measured)].join('\n\n'));
const run = runOf(measured, effort);
console.log(`\nAll rounds are in ${await writeJson(run)}`);
if (options.quick || wanted.length < scenarios.length || effort.rounds < leastRounds) {
	console.log(`The readme, docs/performance.md and bench/results.md stay as they are: they show whole runs of ${leastRounds} rounds or more.`);
} else {
	await publish(run);
}

/** A scenario with the subjects alone that its goals compare, or nothing if it has no goals. */
function withGoals(scenario: Scenario): readonly Scenario[] {
	const compared = new Set(scenario.goals?.flatMap(({subject, against}) => [subject, against]));
	return compared.size === 0 ? [] : [{...scenario, subjects: scenario.subjects.filter(name => compared.has(name)), place: {...scenario.place, ...(scenario.place?.entries !== undefined && {entries: scenario.place.entries / 10})}}];
}
