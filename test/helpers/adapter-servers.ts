import {execFile} from 'node:child_process';
import {chownSync} from 'node:fs';
import fs from 'node:fs/promises';
import {join} from 'node:path';
import process from 'node:process';
import type {ServerCommand} from './server-process.ts';
import {
	findProgram,
	findRedis,
	redisCommand,
} from './servers.ts';
import {processFolder} from './temporary-folder.ts';

export type AdapterServer = {
	/** For the test's title. */
	readonly title: string;
	readonly command: ServerCommand;
};

/** The missing requirement, for the title of a test. */
export type Missing = {readonly missing: string};

export type FoundServer = AdapterServer | Missing;

/** Redis, which speaks Valkey's protocol as well. */
export async function redisServer(): Promise<FoundServer> {
	const program = await findRedis();
	if (program === undefined) {
		return {missing: '`redis-server` on the PATH (Debian: `apt-get install redis-server`)'};
	}

	const version = await run(program, ['--version']);
	return {title: `Redis ${/v=(?<version>\S+)/v.exec(version)?.groups!.version}`, command: redisCommand(program)};
}

/** The program of `.ci/mongo-java`, as `.ci/servers` builds it. */
export async function mongoJavaServer(): Promise<FoundServer> {
	const folder = process.env.MONGO_JAVA_FOLDER ?? join(import.meta.dirname, '../../.ci/.cache/mongo-java');
	const java = await findProgram('java');
	const files: readonly string[] = await fs.readdir(folder).catch(() => []);
	if (java === undefined || !files.includes('Main.class')) {
		return {missing: 'mongo-java-server by `MONGO_JAVA_FOLDER`: `.ci/servers` builds it, with Java and Maven'};
	}

	return {
		title: 'mongo-java-server 1.47 (as MongoDB 5.0)',
		command: {command: java, args: port => ['-Xmx1g', '-cp', `${folder}/*:${folder}`, 'Main', String(port)], startTimeout: 60_000},
	};
}

export async function memcachedServer(): Promise<FoundServer> {
	const program = await findProgram('memcached');
	if (program === undefined) {
		return {missing: '`memcached` on the PATH (Debian: `apt-get install memcached`)'};
	}

	const version = await run(program, ['--version']);
	return {
		title: version,
		// Without a user it refuses to run as root.
		command: {command: program, args: port => ['--listen=127.0.0.1', `--port=${port}`, '--udp-port=0', '--user=nobody']},
	};
}

/** PostgreSQL with an empty folder of its own, which outlives its process. */
export async function postgresServer(): Promise<FoundServer> {
	const program = await findPostgres();
	if (program === undefined) {
		return {missing: 'PostgreSQL (Debian: `apt-get install postgresql`)'};
	}

	const folder = processFolder();
	const asUser = await withoutRoot(folder);
	const [initdb, ...rest] = [...asUser, join(program, '../initdb'), '--pgdata', join(folder, 'data'), '--auth=trust', '--username=postgres', '--no-sync'];
	await run(initdb, rest, folder);
	const version = await run(program, ['--version']);
	const [command, ...args] = [...asUser, program, '-D', join(folder, 'data'), '-h', '127.0.0.1', '-k', '', '-c', 'fsync=off'];
	return {title: version, command: {command, args: port => [...args, '-p', String(port)]}};
}

async function findPostgres(): Promise<string | undefined> {
	const versions = await fs.readdir('/usr/lib/postgresql').catch(() => []);
	const [newest] = versions.toSorted((a, b) => Number(b) - Number(a));
	return newest === undefined ? findProgram('postgres') : `/usr/lib/postgresql/${newest}/bin/postgres`;
}

/** PostgreSQL refuses to run as root: what a command begins with to run as the user that its package made. */
async function withoutRoot(folder: string): Promise<readonly string[]> {
	if (process.getuid?.() !== 0) {
		return [];
	}

	const ids = await Promise.all(['-u', '-g'].map(async option => run('id', [option, 'postgres'])));
	const [user, group] = ids as [string, string];
	chownSync(folder, Number(user), Number(group));
	return ['setpriv', `--reuid=${user}`, `--regid=${group}`, '--clear-groups'];
}

async function run(program: string, args: readonly string[], folder?: string): Promise<string> {
	return new Promise((resolve, reject) => {
		execFile(program, args, {cwd: folder}, (error, stdout) => {
			if (error === null) {
				resolve(stdout.trim());
			} else {
				reject(new Error(`${program} failed`, {cause: error}));
			}
		});
	});
}
