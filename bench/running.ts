import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {pythonSubjects} from './subjects/index.ts';
import type {Shared} from './surroundings.ts';
import type {Place, Round, Scenario} from './types.ts';

/** Milliseconds that a subject may be silent: the longest fills its cache by 20,000 requests. */
const longest = 300_000;

/** A subject in a process of its own. What fails there rejects here, with what the process complained of. */
export class Running {
	readonly name: string;
	readonly #child: ChildProcess;
	readonly #ended: Promise<void>;
	#complaint = '';

	private constructor(name: string, child: ChildProcess) {
		this.name = name;
		this.#child = child;
		child.stderr!.on('data', chunk => {
			this.#complaint = (this.#complaint + String(chunk)).slice(-4000);
		});
		child.on('error', error => {
			this.#complaint += String(error);
		});
		const {promise, resolve} = Promise.withResolvers<void>();
		this.#ended = promise;
		child.once('close', () => {
			resolve();
		});
	}

	/** Resolves when it has answered correctly and is ready to be measured. */
	static async start(name: string, {place, concurrency = 1}: Pick<Scenario, 'place' | 'concurrency'>, {origin, redis, python, folder}: Shared): Promise<Running> {
		const whole: Place = {
			origin, ...(redis !== undefined && {redis}), folder: await fs.mkdtemp(path.join(folder, 'subject-')), bytes: 1024, read: 'json', entries: 100, ...place,
		};
		const [program, worker] = pythonSubjects.includes(name) ? [python!, 'worker.py'] : [process.execPath, 'worker.ts'];
		const running = new Running(name, spawn(program, [path.join(import.meta.dirname, worker), name, JSON.stringify(whole), String(concurrency)], {stdio: ['ignore', 'ignore', 'pipe', 'ipc']}));
		await running.#answer();
		return running;
	}

	async round(milliseconds: number): Promise<Round> {
		this.#child.send(milliseconds);
		return await this.#answer() as Round;
	}

	/** Resolves when it has answered correctly once more and is gone. */
	async close(): Promise<void> {
		this.#child.send('close');
		await this.#answer();
		await this.#ended;
	}

	kill(): void {
		this.#child.kill('SIGKILL');
	}

	async #answer(): Promise<unknown> {
		try {
			return await Promise.race([
				once(this.#child, 'message', {signal: AbortSignal.timeout(longest)}).then(([message]) => message as unknown),
				this.#ended.then(() => {
					throw new Error(`It ended with ${String(this.#child.exitCode ?? this.#child.signalCode)}: ${this.#complaint.trim()}`);
				}),
			]);
		} catch (error) {
			this.kill();
			throw error;
		}
	}
}
