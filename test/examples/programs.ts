import assert from 'node:assert/strict';
import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import path from 'node:path';
import process from 'node:process';
import type {ExecutionContext} from 'ava';
import {readPage, root} from './pages.ts';
import {createFolder, runNode} from './run-node.ts';

/** Gives a program this package by its name. */
export const byName: readonly string[] = ['--import', new URL('by-name.ts', import.meta.url).href];

export function pathOf(name: string): string {
	return path.join(root, 'examples', name);
}

export type ProgramOptions = {
	readonly folder?: string;
	readonly variables?: NodeJS.ProcessEnv;

	/** What stands in the output for this URL's origin. */
	readonly origin?: string;
	readonly flags?: readonly string[];
};

/** Runs a program of `examples/` as a user would, and returns its output; it must not fail, and print nothing on stderr. */
export async function runProgram(t: ExecutionContext, name: string, inputs: readonly string[], {folder, variables, origin, flags = []}: ProgramOptions = {}): Promise<string> {
	const {stdout, stderr, code} = await runNode([...byName, ...flags, pathOf(name), ...inputs], folder ?? await createFolder(t), variables);
	t.is(stderr, '');
	t.is(code, 0, stdout);
	return origin === undefined ? stdout : stdout.replaceAll(origin, 'https://example.com');
}

/** Starts a program that is stopped before its end. */
export function startProgram(name: string, inputs: readonly string[], folder: string): ChildProcess {
	return spawn(process.execPath, [...byName, pathOf(name), ...inputs], {cwd: folder, stdio: ['ignore', 'pipe', 'inherit']});
}

/** Waits until the program has printed the text, and ends it by the signal. Returns its exit code and all its output. */
export async function endProgram(program: ChildProcess, text: string, signal: NodeJS.Signals): Promise<{readonly code: number | null; readonly output: string}> {
	let output = '';
	let isSent = false;
	for await (const chunk of program.stdout!) {
		output += String(chunk);
		if (!isSent && output.includes(text)) {
			isSent = program.kill(signal);
		}
	}

	const [code] = program.exitCode === null && program.signalCode === null ? await once(program, 'exit') as [number | null] : [program.exitCode];
	assert.ok(isSent, `It has not printed \`${text}\`:\n${output}`);
	return {code, output};
}

/** The outputs that docs/recipes.md shows for a program, in the section that links to it. */
export function shownOutputs(name: string): readonly string[] {
	const sections = readPage('docs/recipes.md').split(/^(?=## )/mv).slice(1);
	const section = sections.find(text => text.includes(`](../examples/${name})`));
	if (section === undefined) {
		throw new Error(`docs/recipes.md has no section that links to examples/${name}`);
	}

	return section.matchAll(/^```text\n(?<output>.*?)^```$/gmsv).map(({groups}) => groups!.output!).toArray();
}

/** Compares an output with what the page shows, where a line `…` stands for any lines. */
export function isShown(t: ExecutionContext, output: string, shown: string | undefined): void {
	const parts = (shown ?? '').split(/^…\n/mv);
	let rest = output;
	for (const part of parts.slice(0, -1)) {
		const start = rest.indexOf(part);
		t.is(rest.slice(0, start === -1 ? undefined : start + part.length).slice(-part.length), part);
		rest = rest.slice(start + part.length);
	}

	// Without `…`, this is all of it.
	const last = parts.at(-1)!;
	t.is(parts.length === 1 ? rest : rest.slice(-last.length), last);
}
