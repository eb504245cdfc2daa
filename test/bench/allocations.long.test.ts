import {execFile} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import test from 'ava';

const run = promisify(execFile); // eslint-disable-line @typescript-eslint/strict-void-return

/** The accepted ratios of CPU time, which allocations follow: bench/results.md has those that were measured. */
const accepted: Readonly<Record<string, number>> = {
	hit: 1.1,
	'hit of createCachedGot': 0.45,
	'hit, SQLite': 1.25,
	'hit, stream': 1.25,
	disabled: 1.03,
	miss: 1.25,
	'miss, SQLite': 1.6,
	304: 1.25,
};

const margin = 1.5;

test('no kind of request allocates much more than the same request without the cache', async t => {
	const {stdout} = await run(process.execPath, ['--expose-gc', '--min-semi-space-size=512', '--max-semi-space-size=512', path.join(import.meta.dirname, '../../bench/allocations.ts')]);
	const ratios = JSON.parse(stdout) as Record<string, number>;
	t.log(stdout);
	t.deepEqual(Object.keys(ratios).toSorted(), Object.keys(accepted).toSorted());
	t.deepEqual(Object.entries(ratios).filter(([name, ratio]) => !(ratio <= margin * accepted[name]!)), []);
});
