import {median} from './timing.ts';
import type {
	Goal,
	Measure,
	Measured,
	Round,
} from './types.ts';

export type Figures = {readonly name: string; readonly medians: Round};

/** `seen` is `undefined` where one of the two was left out or has failed. */
export type Verdict = Goal & {readonly scenario: string; readonly seen: number | undefined};

const measures: readonly Measure[] = ['p50', 'mean', 'cpu', 'heap', 'peak'];

/** What was measured of a scenario's subjects. */
export function measuresOf({subjects}: Measured): readonly Measure[] {
	return measures.filter(by => subjects.some(({rounds}) => rounds.some(round => round[by] !== undefined)));
}

export function figuresOf(measured: Measured): readonly Figures[] {
	return measured.subjects.map(({name, rounds}) => ({
		name,
		medians: Object.fromEntries(measuresOf(measured).map(by => [by, median(rounds.map(round => round[by]!))])),
	}));
}

/** The ratio of each round, since what disturbs a round disturbs both; of these the median. */
export function verdictsOf({scenario, subjects}: Measured): readonly Verdict[] {
	const roundsOf = (name: string): readonly Round[] | undefined => subjects.find(candidate => candidate.name === name)?.rounds;
	return (scenario.goals ?? []).map(goal => {
		const {by} = goal;
		const own = roundsOf(goal.subject);
		const others = roundsOf(goal.against);
		return {
			...goal,
			scenario: scenario.title,
			seen: own && others && median(own.map((round, index) => round[by]! / others[index]![by]!)),
		};
	});
}

/** Returns what became of a goal, in the words of the table. */
export function resultOf({seen, atMost, accepted = atMost}: Verdict): string {
	if (seen === undefined) {
		return 'not measured';
	}

	return seen <= atMost ? 'yes' : (seen <= accepted ? 'accepted' : '**no**');
}
