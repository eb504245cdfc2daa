#!/usr/bin/env node
import process from 'node:process';
import {run} from './run.ts';

// It is left to end by itself, so that pipes get all of the output.
process.exitCode = await run(process.argv.slice(2), process);
