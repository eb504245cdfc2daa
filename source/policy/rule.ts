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

/** A rule that was asked, and whether it held. */
export type AskedRule = {
	readonly reason: Reason;
	readonly section: string;
	readonly held: boolean;
};

/**
Decides by the first row that holds.

@param asked - Gets each rule that was asked, in order: the decision and its explanation come from the same rows.
*/
export function decide<Facts, Decision>(rules: ReadonlyArray<Rule<Facts, Decision>>, facts: Facts, asked?: AskedRule[]): Decision {
	for (const {reason, section, when, then} of rules) {
		const held = when(facts);
		asked?.push({reason, section, held});
		if (held) {
			return then(facts, reason);
		}
	}

	throw new Error('A table of rules must end with one that always holds');
}

export function always(): boolean {
	return true;
}
