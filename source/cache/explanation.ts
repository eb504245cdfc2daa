import type {AskedRule} from '../policy/facts.ts';
import type {Reason} from '../policy/reasons.ts';
import type {CircuitState} from '../stores/circuits.ts';

/**
What the cache would do with a request, and why.
*/
export type Explanation = {
	/** `'serve'` what is stored, `'send'` the request, let it `'pass'` without the cache, or `'fail'` with 504. */
	readonly decision: 'serve' | 'send' | 'pass' | 'fail';
	readonly reason: Reason;

	/** The source of the rule that decided: a section of an RFC, or a setting. */
	readonly section: string;

	/** Each rule that was asked, in order; the last one that held decided. */
	readonly rules: readonly AskedRule[];

	/** `undefined` where the request was none for the cache. */
	readonly key: string | undefined;

	/** What is stored for the request, if anything matches. */
	readonly stored: {readonly createdAt: Date; readonly expires: Date | undefined; readonly statusCode: number} | undefined;

	/** The validators that would be sent. */
	readonly validators: Readonly<Record<string, string>>;

	/** Whether the store is read and written: what is not read counts as not stored. */
	readonly circuit: {readonly reads: CircuitState; readonly writes: CircuitState};

	/** All of it in lines for people. */
	readonly text: string;
};
