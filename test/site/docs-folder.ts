import {existsSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {TestFn} from 'ava';
import {root} from '../examples/pages.ts';

export const docs: string = path.join(root, 'docs');

/** The program of a package that is installed in `docs/`. */
export function docsProgram(file: string): string {
	return path.join(docs, 'node_modules', file);
}

/** Whether what makes the docs is installed; if it is not, there is a test that says so, which is a failure if `CI` is `true`. */
export function hasDocsTools(test: TestFn): boolean {
	const hasTools = existsSync(docsProgram('vitepress/package.json'));
	if (!hasTools) {
		test('the API reference and the site are not tested, as there is no `docs/node_modules`: `npm ci` there installs it', t => {
			t.not(process.env.CI, 'true');
		});
	}

	return hasTools;
}
