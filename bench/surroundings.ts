import {fork, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import path from 'node:path';
import process from 'node:process';
import {ServerProcess} from '../test/helpers/server-process.ts';
import {findRedis, redisCommand} from '../test/helpers/servers.ts';
import {temporaryFolder} from '../test/helpers/temporary-folder.ts';
import {needs} from './subjects/index.ts';
import type {Need} from './types.ts';

/** What all subjects share: an origin and, where this machine has them, a Redis of our own and a Python with requests-cache. */
export type Shared = {
	readonly origin: string;

	/** Where each subject gets a folder. */
	readonly folder: string;
	readonly redis: string | undefined;

	/** Python's program. */
	readonly python: string | undefined;

	/** What that subject needs and is not here. */
	missing(subject: string): Need | undefined;
};

export class Surroundings implements Shared, AsyncDisposable {
	readonly origin: string;
	readonly folder: string;
	readonly redis: string | undefined;
	readonly python: string | undefined;
	readonly #stack: AsyncDisposableStack;

	private constructor(found: Omit<Shared, 'missing'>, stack: AsyncDisposableStack) {
		this.origin = found.origin;
		this.folder = found.folder;
		this.redis = found.redis;
		this.python = found.python;
		this.#stack = stack;
	}

	static async start(): Promise<Surroundings> {
		await using stack = new AsyncDisposableStack();
		const folder = stack.use(await temporaryFolder());
		const origin = fork(path.join(import.meta.dirname, 'origin.ts'));
		stack.defer(() => {
			origin.kill();
		});
		const [port] = await once(origin, 'message') as [number];
		const redisServer = await findRedis();
		const redis = redisServer === undefined ? undefined : stack.use(await ServerProcess.start(redisCommand(redisServer)));
		return new Surroundings({
			origin: `http://127.0.0.1:${port}`,
			folder: folder.path,
			redis: redis && `redis://127.0.0.1:${redis.port}`,
			python: findPython(),
		}, stack.move());
	}

	missing(subject: string): Need | undefined {
		const need = needs[subject];
		const isHere = {'redis-server': this.redis, 'requests-cache': this.python};
		return need === undefined || isHere[need] !== undefined ? undefined : need;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#stack.disposeAsync();
	}
}

/** Debian's package is Debian's Python's; the PATH may begin with another. */
function findPython(): string | undefined {
	return [process.env.PYTHON ?? 'python3', '/usr/bin/python3'].find(program => spawnSync(program, ['-c', 'import requests_cache'], {stdio: 'ignore'}).status === 0);
}
