import process from 'node:process';
import {registerCompletionHandler} from 'ava'; // eslint-disable-line ava/use-test -- This file has no tests.

/** Ends the process of a test file once its tests have ended: some adapters go on looking for a server that is gone, and keep it alive. */
export function exitWhenDone(): void {
	registerCompletionHandler(() => {
		process.exit(); // eslint-disable-line unicorn/no-process-exit -- Nothing else ends it.
	});
}
