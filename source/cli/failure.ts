import {CommanderError} from 'commander';
import {CacheHooksError, SettingError} from '../errors.ts';
import {oneLine, printableLine} from './printable.ts';

/** The exit codes, which stay the same. */
export const exitCodes = {
	done: 0,

	/** What was asked for is not there or has failed, or the answer to a question was no. */
	failed: 1,

	/** The command is wrong, and nothing was done. */
	usage: 2,

	/** As a shell reports a program that SIGINT has ended. */
	interrupted: 130,
} as const;

/** An error whose message is for the user: one line that says what is wrong and what to do. */
export class Failure extends Error {
	override readonly name = 'Failure';
	readonly exitCode: number;

	constructor(message: string, exitCode: number = exitCodes.failed) {
		super(message);
		this.exitCode = exitCode;
	}
}

/** A wrong command. */
export function wrongUsage(message: string): Failure {
	return new Failure(message, exitCodes.usage);
}

/** Returns the exit code of a thrown value. A wrong value of an option is a `SettingError`, also where a settings file has it. */
export function exitCodeOf(error: unknown): number {
	if (error instanceof Failure) {
		return error.exitCode;
	}

	if (error instanceof CommanderError) {
		return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
	}

	return error instanceof SettingError || (error instanceof CacheHooksError && error.code === 'ERR_CACHE_CONFIG') ? exitCodes.usage : exitCodes.failed;
}

/** Returns a thrown value as one line, without what may be user info in a URL: errors of drivers name their server. */
export function messageOf(error: unknown): string {
	const message = error instanceof Error ? [error.message, ...causesOf(error)].find(text => text !== '') ?? error.name : String(error);
	return printableLine(oneLine(inWordsOfCommands(message)).replaceAll(/(?<=:\/\/)[^\s\/@]*@/gv, '…@'));
}

/** What a message of the library names, and what a user of the command line has written. */
const words: ReadonlyArray<readonly [name: RegExp, word: string]> = [
	[/`criteria\.(?<name>key|url|pattern|tag)s\[\d+\]`/gv, '`--…`'],
	[/`criteria\.olderThan`/gv, '`--older-than`'],
	[/`(?:request|target)\.url`/gv, '`<url>`'],
	[/: create it, or set `createTable: true`/gv, ', and only `copy`, `har --import` and `get` create it'],
	[/`createStore\('[^']+'\)\.(?<name>\w+)`/gv, '`--option …`'],
];

function inWordsOfCommands(message: string): string {
	let text = message;
	for (const [name, word] of words) {
		text = text.replaceAll(name, (_whole, group: unknown) => word.replace('…', () => String(group)));
	}

	return text;
}

/** The errors of several addresses have no message of their own. */
function causesOf(error: Error): readonly string[] {
	const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
	return errors.map(each => each instanceof Error ? each.message : String(each));
}
