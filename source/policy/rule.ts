import type {Reason} from './reasons.ts';

/**
A rule is a row of a table: the first row whose condition holds decides. The verdict is the explanation.
*/
export type Rule<Facts, Decision> = {
	readonly reason: Reason;

	/** The source of the rule: a section of an RFC, or the setting that asks for it. */
	readonly section: string;
	readonly when: (facts: Facts) => boolean;
	readonly then: (facts: Facts, reason: Reason) => Decision;
};

export function decide<Facts, Decision>(rules: ReadonlyArray<Rule<Facts, Decision>>, facts: Facts): Decision {
	for (const rule of rules) {
		if (rule.when(facts)) {
			return rule.then(facts, rule.reason);
		}
	}

	throw new Error('A table of rules must end with one that always holds');
}

export function always(): boolean {
	return true;
}
