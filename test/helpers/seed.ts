import process from 'node:process';

/** The seed of all tests of a run, which `ava.config.js` sets and prints. */
export const seed: number = Number(process.env.SEED); // eslint-disable-line @typescript-eslint/no-inferrable-types -- `isolatedDeclarations` wants it.
