#!/usr/bin/env node
import process from 'node:process';
import {run} from './run.ts';

const interruption = new AbortController();
process.once('SIGINT', () => {
	interruption.abort();
});

// Node.js 22 warns that `node:sqlite` is experimental, which the user of a command can do nothing about.
const {emitWarning} = process;
const emitOtherWarning = (warning: string | Error, ...rest: readonly unknown[]): void => {
	if (!(rest[0] === 'ExperimentalWarning' && String(warning).includes('SQLite'))) {
		Reflect.apply(emitWarning, process, [warning, ...rest]);
	}
};

process.emitWarning = emitOtherWarning;

// It is left to end by itself, so that pipes get all of the output.
process.exitCode = await run(process.argv.slice(2), process, interruption.signal);
