import fc from 'fast-check';
import {seed} from './seed.ts';

fc.configureGlobal({seed}); // eslint-disable-line unicorn/no-top-level-side-effects -- It holds for all properties of a file.

/** fast-check with the seed of the run, so that a run can be repeated. */
export {default as fc} from 'fast-check';
