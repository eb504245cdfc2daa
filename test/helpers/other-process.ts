import {fork, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';

export type Command = readonly [name: 'get' | 'set' | 'add' | 'delete', key: string];

/** A process that has a store open which this one has open too. */
export class OtherProcess implements AsyncDisposable {
	readonly #child: ChildProcess;

	private constructor(child: ChildProcess) {
		this.#child = child;
	}

	static async start({module, args, namespace}: {readonly module: string; readonly args: readonly string[]; readonly namespace: string}): Promise<OtherProcess> {
		const child = fork(new URL('other-process-main.ts', import.meta.url), [module, namespace, ...args], {execArgv: ['--disable-warning=ExperimentalWarning']});
		await answerOf(child);
		return new OtherProcess(child);
	}

	/** Its answer to each call; `undefined` becomes `null`. */
	async run(...commands: readonly Command[]): Promise<unknown[]> {
		this.#child.send(commands);
		return await answerOf(this.#child) as unknown[];
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
			return;
		}

		const ended = once(this.#child, 'exit');
		this.#child.kill();
		await ended;
	}
}

async function answerOf(child: ChildProcess): Promise<unknown> {
	const answers: unknown[] = await Promise.race([
		once(child, 'message'),
		once(child, 'exit').then(([code]) => {
			throw new Error(`The other process ended with ${String(code)}`);
		}),
	]);
	return answers[0];
}
