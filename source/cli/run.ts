import process from 'node:process';
import {CommanderError} from 'commander';
import {exitCodeOf, exitCodes} from './failure.ts';
import {ClosedPipeError, Output, type Surroundings} from './output.ts';
import {createProgram} from './program.ts';

/**
Runs a command line, and returns its exit code. It throws nothing.

@param words - The command and its arguments.
*/
export async function run(words: readonly string[], surroundings: Surroundings): Promise<number> {
	const output = new Output(surroundings);
	const interruption = new AbortController();
	const interrupt = (): void => {
		interruption.abort();
	};

	process.once('SIGINT', interrupt);
	const {emitWarning} = process;
	process.emitWarning = withoutSqlite(emitWarning);
	try {
		await createProgram(output, interruption.signal).parseAsync(words, {from: 'user'});
		return exitCodes.done;
	} catch (error) {
		return reported(error, output, interruption.signal);
	} finally {
		process.emitWarning = emitWarning;
		process.removeListener('SIGINT', interrupt);
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

/** Node.js 22 warns that `node:sqlite` is experimental, which the user of a command can do nothing about. */
function withoutSqlite(emitWarning: typeof process.emitWarning): typeof process.emitWarning {
	return (warning: string | Error, ...rest: readonly unknown[]) => {
		if (!(rest[0] === 'ExperimentalWarning' && String(warning).includes('SQLite'))) {
			Reflect.apply(emitWarning, process, [warning, ...rest]);
		}
	};
}
