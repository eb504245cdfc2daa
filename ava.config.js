import {createRequire} from 'node:module';
import path from 'node:path';
import process from 'node:process';

// AVA's TAP reporter ends the whole run at a failed test whose error has a member that YAML has no word for, such as `undefined` (errors of MongoDB have some): here such a member is left out.
const yaml = createRequire(import.meta.resolve('supertap'))('js-yaml');
const {safeDump} = yaml;
yaml.safeDump = value => safeDump(value, {skipInvalid: true});

// All tests have the same seed in each run, or that of `SEED`; `npm run test:nightly` has another in each run.
const {SEED: given = '1'} = process.env;
const seed = given === 'random' ? String((Date.now() % 2_147_483_646) + 1) : given;
console.error(`SEED=${seed}`); // eslint-disable-line unicorn/no-top-level-side-effects

// Each test file has a process of its own: compiled code that Node.js stores saves it more than half of its start. Coverage is less exact with it, as Node's documentation says.
const compileCache = process.env.NODE_V8_COVERAGE === undefined ? {NODE_COMPILE_CACHE: path.join(import.meta.dirname, 'node_modules/.cache/compile')} : {};

// These files wait most of their time for time limits of Got's own, which no clock of ours moves: started first, they wait beside the others.
const waiting = new Set(['resend', 'got-behavior', 'http2', 'waiting-limits']);
const rank = file => waiting.has(path.basename(file, '.test.ts')) ? 0 : 1;

export default {
	files: ['test/**/*.test.ts'],
	extensions: {ts: 'module'},
	environmentVariables: {SEED: seed, ...compileCache},
	// For a file that hangs, and never for one that a busy machine makes slow.
	timeout: '5m',
	sortTestFiles: (left, right) => rank(left) - rank(right) || (left < right ? -1 : 1),
	workerThreads: false,
};
