import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import process from 'node:process';
import {createServer, connect, type AddressInfo} from 'node:net';
import {setTimeout as pause} from 'node:timers/promises';

export type ServerCommand = {
	readonly command: string;
	readonly args: (port: number) => readonly string[];

	/** Milliseconds that it may take until it accepts connections. Default: 20,000. */
	readonly startTimeout?: number;
};

/**
A server of another program on loopback, for tests that stop, pause and restart it. Its port stays the same.
*/
export class ServerProcess implements AsyncDisposable {
	readonly port: number;
	readonly #command: ServerCommand;
	#child: ChildProcess | undefined;

	private constructor(command: ServerCommand, port: number) {
		this.#command = command;
		this.port = port;
	}

	static async start(command: ServerCommand): Promise<ServerProcess> {
		const server = new ServerProcess(command, await freePort());
		await server.start();
		return server;
	}

	/** Resolves when it accepts connections. */
	async start(): Promise<void> {
		const {command, args, startTimeout = 20_000} = this.#command;
		const child = spawn(command, args(this.port), {stdio: ['ignore', 'ignore', 'pipe']});
		this.#child = child;
		// Also where a test file ends before its hooks have run.
		const end = () => {
			child.kill('SIGKILL');
		};

		process.once('exit', end);
		child.once('exit', () => {
			process.off('exit', end);
		});
		let complaint = '';
		child.stderr.on('data', chunk => {
			complaint = (complaint + String(chunk)).slice(-2000);
		});
		const failed = Promise.race([
			once(child, 'error').then(([error]) => `cannot be started: ${String(error)}`),
			once(child, 'exit').then(([code]) => `ended with ${String(code)}: ${complaint}`),
		]);
		const deadline = performance.now() + startTimeout;
		while (!await accepts(this.port)) {
			const fault = await Promise.race([failed, pause(20)]);
			if (typeof fault === 'string' || performance.now() > deadline) {
				child.kill('SIGKILL');
				throw new Error(`${command} ${fault ?? `did not listen within ${startTimeout} ms`}`);
			}
		}
	}

	/** It keeps its connections and answers nothing. Resolves when it has stopped: a signal takes effect later on a busy machine. */
	async suspend(): Promise<void> {
		const {pid} = this.#child!;
		this.#child!.kill('SIGSTOP');
		while (process.platform === 'linux' && !/^\d+ \(.*\) T/v.test(await readFile(`/proc/${pid}/stat`, 'utf8'))) {
			await pause(1);
		}
	}

	resume(): void {
		this.#child!.kill('SIGCONT');
	}

	/** It is killed, as by a power cut. */
	async stop(): Promise<void> {
		const child = this.#child;
		this.#child = undefined;
		if (child?.exitCode !== null || child.signalCode !== null) {
			return;
		}

		const ended = once(child, 'exit');
		child.kill('SIGKILL');
		await ended;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop();
	}
}

async function freePort(): Promise<number> {
	const server = createServer();
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

async function accepts(port: number): Promise<boolean> {
	const socket = connect(port, '127.0.0.1');
	try {
		await once(socket, 'connect');
		return true;
	} catch {
		return false;
	} finally {
		socket.destroy();
	}
}
