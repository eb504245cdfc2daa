import {CommanderError} from 'commander';
import {exitCodeOf, exitCodes} from './failure.ts';
import {ClosedPipeError, Output, type Surroundings} from './output.ts';
import {createProgram} from './program.ts';

/**
Runs a command line, and returns its exit code. It throws nothing.

@param words - The command and its arguments.
@param signal - Ends a long task between two entries.
*/
export async function run(words: readonly string[], surroundings: Surroundings, signal: AbortSignal): Promise<number> {
	const output = new Output(surroundings);
	try {
		await createProgram(output, signal).parseAsync(words, {from: 'user'});
		return exitCodes.done;
	} catch (error) {
		return reported(error, output, signal);
	}
}

function reported(error: unknown, output: Output, {aborted}: AbortSignal): number {
	if (error instanceof ClosedPipeError) {
		return exitCodes.done;
	}

	if (aborted) {
		output.note('got-cache-hooks: Interrupted. What was done stays done.');
		return exitCodes.interrupted;
	}

	// The parser has shown the help or its error itself.
	if (!(error instanceof CommanderError)) {
		output.error(error);
	}

	return exitCodeOf(error);
}
