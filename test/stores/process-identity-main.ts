import process from 'node:process';
import {processIdentity} from '../../source/stores/process-identity.ts';

// Prints the identity of its process and runs until its input ends.
if (process.argv[2] !== undefined) {
	process.title = process.argv[2];
}

process.stdout.write(`${processIdentity()}\n`);
process.stdin.resume();
