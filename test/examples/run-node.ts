import {execFile} from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {ExecutionContext} from 'ava';

export type Output = {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
};

/** Runs the program with the arguments, in the folder, where `node` is this Node.js; `variables` come on top of the environment. */
export async function runProgram(program: string, inputs: readonly string[], folder: string, variables: NodeJS.ProcessEnv = {}): Promise<Output> {
	return new Promise(resolve => {
		const programs = [path.dirname(process.execPath), process.env.PATH].join(path.delimiter);
		execFile(program, [...inputs], {cwd: folder, env: Object.fromEntries([...Object.entries(process.env), ['PATH', programs], ...Object.entries(variables)])}, (error, stdout, stderr) => {
			resolve({code: error === null ? 0 : Number(error.code), stdout, stderr});
		});
	});
}

export async function runNode(inputs: readonly string[], folder: string, variables: NodeJS.ProcessEnv = {}): Promise<Output> {
	return runProgram(process.execPath, inputs, folder, variables);
}

/** An empty folder that goes when the test is over. */
export async function createFolder(t: ExecutionContext): Promise<string> {
	const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'got-cache-hooks-examples-'));
	t.teardown(async () => {
		await fs.rm(folder, {recursive: true});
	});
	return folder;
}
