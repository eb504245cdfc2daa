import process from 'node:process';
import type {TestFn} from 'ava';

/** Tests, after all other tests of a file, that no promise of this process was rejected without a handler. */
export function testUnhandledRejections(test: TestFn): void {
	const unhandled: unknown[] = [];
	process.on('unhandledRejection', error => {
		unhandled.push(error);
	});
	test.after('every rejection is handled', t => {
		t.deepEqual(unhandled, []);
	});
}
