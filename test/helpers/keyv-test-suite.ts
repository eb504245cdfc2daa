import type {TestFn} from 'ava';
import {expect} from 'expect';
import keyvTestSuite, {keyvIteratorTests} from '@keyv/test-suite';

/** A Keyv of either version, as the suite asks for one. */
type KeyvClass = new (options: never) => object;

export type KeyvSuiteOptions = {
	/** A new adapter; all of them lead to the same entries. */
	readonly store: () => object;

	/** Titles of tests that this version of Keyv itself does not pass. */
	readonly except?: ReadonlySet<string>;
};

/**
Keyv's own suite for storage adapters, as AVA tests. It speaks Vitest's language: `it`, `beforeEach`, `afterEach` and `expect`.

One test runs after the other: they share their entries, and the suite stops the clock.
*/
export function testKeyvAdapter(test: TestFn, name: string, Keyv: KeyvClass, {store, except = new Set()}: KeyvSuiteOptions): void {
	for (const suite of [keyvTestSuite, keyvIteratorTests]) {
		const shim = shimFor(test, `${name}: `, except);
		suite(shim as never, Keyv as never, store);
	}
}

type Hook = () => Promise<void>;
type Body = (context: {readonly expect: unknown}) => void | Promise<void>;

function shimFor(test: TestFn, prefix: string, except: ReadonlySet<string>): object {
	let before: Hook[] = [];
	let after: Hook[] = [];
	let titlesSinceHook = 0;
	return {
		beforeEach(hook: Hook) {
			// Each part of the suite begins with its own hook.
			if (titlesSinceHook > 0) {
				before = [];
				after = [];
				titlesSinceHook = 0;
			}

			before.push(hook);
		},
		afterEach(hook: Hook) {
			after.push(hook);
		},
		it(title: string, body: Body) {
			titlesSinceHook++;
			if (except.has(title)) {
				return;
			}

			const hooks = before;
			const cleaning = after;
			test.serial(`${prefix}${title}`, async t => {
				for (const hook of hooks) {
					await hook();
				}

				// The count of `expect.assertions` is one for the whole process.
				expect.extractExpectedAssertionsErrors();
				await body({expect});
				t.deepEqual(expect.extractExpectedAssertionsErrors().map(({error}) => error), []);
				for (const hook of cleaning) {
					await hook();
				}
			});
		},
		expect,
	};
}
