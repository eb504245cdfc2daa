import process from 'node:process';
import {registerCompletionHandler} from 'ava'; // eslint-disable-line ava/use-test -- This file has no tests.

/** Ends the process of a test file when its tests have ended. Some adapters keep it alive, since they never stop looking for a server. */
export function exitWhenDone(): void {
	registerCompletionHandler(() => {
		process.exit(); // eslint-disable-line unicorn/no-process-exit -- Nothing else ends it.
	});
}
