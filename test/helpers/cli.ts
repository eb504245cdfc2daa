import {execFile} from 'node:child_process';
import {hash} from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {PassThrough} from 'node:stream';
import {fileURLToPath} from 'node:url';
import {run} from '../../source/cli/run.ts';

export type Answer = {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
};

const entry = fileURLToPath(new URL('../../source/cli/index.ts', import.meta.url));

type ProcessOptions = {
	readonly folder: string;
	readonly variables?: NodeJS.ProcessEnv;

	/** The user of the process, for tests of what may only be read. */
	readonly uid?: number;
};

/** Runs a command in a process of its own, without a terminal. */
export async function runProcess(words: readonly string[], {folder, variables = {}, uid}: ProcessOptions): Promise<Answer> {
	return new Promise(resolve => {
		const child = execFile(process.execPath, [entry, ...words], {cwd: folder, env: {...process.env, ...variables}, ...(uid !== undefined && {uid})}, (error, stdout, stderr) => {
			resolve({code: error === null ? 0 : Number(error.code), stdout, stderr});
		});
		child.stdin!.end();
	});
}

type Terminal = {
	/** Whether the standard streams are terminals. Default: `false`. */
	readonly isTerminal?: boolean;

	/** What the user types. */
	readonly input?: string;
	readonly variables?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal;
};

/** Runs a command in this process. */
export async function runHere(words: readonly string[], {isTerminal = false, input = '', variables = {}, signal = new AbortController().signal}: Terminal = {}): Promise<Answer> {
	const streams = {stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough()};
	const texts = {stdout: '', stderr: ''};
	for (const name of ['stdout', 'stderr'] as const) {
		streams[name].setEncoding('utf8').on('data', (text: string) => {
			texts[name] += text;
		});
	}

	const terminal = {isTTY: isTerminal}; // eslint-disable-line @typescript-eslint/naming-convention -- The name in Node.js.
	streams.stdin.end(input);
	const code = await run(words, {
		stdin: Object.assign(streams.stdin, terminal),
		stdout: Object.assign(streams.stdout, terminal),
		stderr: Object.assign(streams.stderr, terminal),
		env: variables,
	}, signal);
	await new Promise(resolve => {
		setImmediate(resolve);
	});
	return {code, ...texts};
}

/** Returns the names of all files below a folder, each with a digest of its bytes and the time of its last change. */
export function snapshot(folder: string): Record<string, string> {
	const names = fs.readdirSync(folder, {recursive: true, encoding: 'utf8'}).toSorted();
	return Object.fromEntries(names.map(name => {
		const file = path.join(folder, name);
		const stats = fs.statSync(file, {bigint: true});
		return [name, stats.isDirectory() ? `folder ${stats.mtimeNs}` : `${hash('sha256', fs.readFileSync(file))} ${stats.mtimeNs}`];
	}));
}
