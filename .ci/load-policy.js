// Loads every file of the policy, so that one which no test imports counts as not covered.
// (`c8 --all` would do so too, but counts a file of types alone as a branch that is never taken.)
import fs from 'node:fs';

for (const file of fs.globSync('source/policy/**/*.ts', {cwd: new URL('..', import.meta.url)})) {
	await import(new URL(`../${file}`, import.meta.url).href);
}
