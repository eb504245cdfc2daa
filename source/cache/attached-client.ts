import type {DescribedRequest} from '../identity/sent-request.ts';
import type {EvaluatedRule} from '../policy/facts.ts';
import type {Reason} from '../policy/types.ts';
import type {LiveSettings, RequestSettings} from '../settings/settings.ts';
import type {CircuitState} from '../stores/circuits.ts';

/**
What the cache would do with a request, and why.
*/
export type Explanation = {
	/** Whether the cache would `'serve'` a stored response, `'send'` the request, let it `'pass'` without the cache, or `'fail'` with a 504. */
	readonly decision: 'serve' | 'send' | 'pass' | 'fail';
	readonly reason: Reason;

	/** The source of the rule that decided: a section of an RFC, or a setting. */
	readonly section: string;

	/** The rules that were asked, in order. The last one that held decided. */
	readonly rules: readonly EvaluatedRule[];

	/** `undefined` where the cache does not handle the request. */
	readonly key: string | undefined;

	/** The stored response that matches the request, if one does. */
	readonly stored: {readonly createdAt: Date; readonly expires: Date | undefined; readonly statusCode: number} | undefined;

	/** The validators that would be sent. */
	readonly validators: Readonly<Record<string, string>>;

	/** Whether the store is read and written: while it is not read, nothing counts as stored. */
	readonly circuit: {readonly reads: CircuitState; readonly writes: CircuitState};

	/** The explanation in lines for people. */
	readonly text: string;
};

/**
What a cache needs of the client that uses it.
*/
export type AttachedClient = {
	readonly explain: (request: DescribedRequest, settings: RequestSettings | undefined) => Promise<Explanation>;

	/** Runs a function in whose call tree the requests of the cache have these settings. */
	readonly run: <Result>(settings: RequestSettings, action: () => Result) => Result;

	/** The settings of the client, which may be changed while it runs. */
	readonly settings: LiveSettings;
};
