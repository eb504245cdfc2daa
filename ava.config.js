import {createRequire} from 'node:module';
import process from 'node:process';

// AVA's TAP reporter ends the whole run at a failed test whose error has a member that YAML has no word for, such as `undefined` (errors of MongoDB have some): here such a member is left out.
const yaml = createRequire(import.meta.resolve('supertap'))('js-yaml');
const {safeDump} = yaml;
yaml.safeDump = value => safeDump(value, {skipInvalid: true});

// All tests have the same seed in each run, or that of `SEED`; `npm run test:nightly` has another in each run.
const {SEED: given = '1'} = process.env;
const seed = given === 'random' ? String((Date.now() % 2_147_483_646) + 1) : given;
console.error(`SEED=${seed}`); // eslint-disable-line unicorn/no-top-level-side-effects

export default {
	files: ['test/**/*.test.ts'],
	extensions: {ts: 'module'},
	environmentVariables: {SEED: seed},
	// For a file that hangs, and never for one that a busy machine makes slow.
	timeout: '5m',
	workerThreads: false,
};
