import {kindOf, RedactedError} from '../errors.ts';

/** The error of a function of the settings that has seen a request: what it says may hold a credential. */
export function failureOf(setting: 'keyFn' | 'partitionBy', thrown: unknown): RedactedError {
	return thrown instanceof RedactedError
		? thrown
		: new RedactedError(thrown, {
			name: 'RedactedError',
			code: 'ERR_SETTING_FUNCTION',
			message: `\`${setting}\` threw ${kindOf(thrown)}; what that says is not shown, since it may hold a credential, and is given by \`error.thrown()\``,
		});
}
