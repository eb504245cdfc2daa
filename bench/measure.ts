import {Running} from './running.ts';
import type {Shared} from './surroundings.ts';
import type {Measured, Round, Scenario} from './types.ts';

export type Effort = {
	readonly rounds: number;

	/** Of one round of one subject. */
	readonly milliseconds: number;
};

/** Rounds that count for nothing: code that is not compiled yet is slower, and a miss runs through much of it. */
const warmUps = 3;

/** How many times as long as the others they are, where a round is short. */
const warmUpLength = 5;

/**
Measures the subjects of a scenario, round by round in turn, so that what disturbs the machine disturbs all. A subject that fails is told of, and the others go on without it.
*/
export async function measure(scenario: Scenario, surroundings: Shared, effort: Effort): Promise<Measured> {
	const {subjects, blocks = 1, mostRounds} = scenario;
	const leftOut = subjects.map(name => ({name, need: surroundings.missing(name)!})).filter(({need}) => need !== undefined);
	const failures: Array<Measured['failures'][number]> = [];
	const results = new Map<Running, Round[]>();
	/** Whether it went well. */
	const attempt = async (name: string, run: () => Promise<unknown>): Promise<boolean> => {
		try {
			await run();
			return true;
		} catch (error) {
			failures.push({name, reason: String(error)});
			return false;
		}
	};

	try {
		const present = subjects.filter(name => surroundings.missing(name) === undefined);
		for (const name of present) {
			// One at a time, here as below: two would disturb each other.
			await attempt(name, async () => {
				results.set(await Running.start(name, scenario, surroundings), []);
			});
		}

		const rounds = blocks * Math.min(effort.rounds, mostRounds ?? Infinity);
		const first = mostRounds === undefined ? -blocks * warmUps : -1;
		for (let round = first; round < rounds; round++) {
			const order = [...results];
			// Back and forth, so that none always comes after the same one.
			for (const [running, own] of round % 2 === 0 ? order : order.toReversed()) {
				const isGood = await attempt(running.name, async () => {
					const length = mostRounds === undefined && round < 0 ? warmUpLength : 1;
					const result = await running.round(length * effort.milliseconds / blocks);
					if (round >= 0) {
						own.push(result);
					}
				});
				if (!isGood) {
					results.delete(running);
				}
			}
		}

		for (const running of results.keys()) {
			if (!await attempt(running.name, () => running.close())) {
				results.delete(running);
			}
		}

		return {
			scenario, failures, leftOut, subjects: Array.from(results, ([{name}, own]) => ({name, rounds: own})),
		};
	} finally {
		for (const running of results.keys()) {
			running.kill();
		}
	}
}
