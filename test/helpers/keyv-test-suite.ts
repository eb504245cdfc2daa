import test from 'ava';
import {expect} from 'expect';
import keyvTestSuite, {keyvIteratorTests} from '@keyv/test-suite';

/** What the suite uses of a test function: that of Vitest. */
type Suite = Parameters<typeof keyvTestSuite>[0];
type KeyvClass = Parameters<typeof keyvTestSuite>[1];
type Body = (context: {expect: typeof expect}) => unknown;

/**
Runs @keyv/test-suite, which is written for Vitest, with AVA, one test after another: they share the store, and stop the clock.

Each of its groups has its own `beforeEach` and `afterEach`, which AVA would run for all of them.

@param store - A new adapter over the same storage each time.
*/
export function testKeyvAdapter(name: string, keyvClass: unknown, store: () => unknown): void {
	const run = (group: string, suite: typeof keyvTestSuite) => {
		const before: Array<() => unknown> = [];
		const after: Array<() => unknown> = [];
		const shim = {
			it(title: string, body: Body) {
				test.serial(`${name}: ${group}: ${title}`, async t => {
					for (const action of before) {
						await action();
					}

					await body({expect});
					for (const action of after) {
						await action();
					}

					t.pass();
				});
			},
			beforeEach: (action: () => unknown) => before.push(action),
			afterEach: (action: () => unknown) => after.push(action),
		};
		suite(shim as unknown as Suite, keyvClass as KeyvClass, store);
	};

	run('suite', keyvTestSuite);
	run('iterator', keyvIteratorTests);
}
