import {randomUUID} from 'node:crypto';
import fs from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import process from 'node:process';
import type {TestFn} from 'ava';
import {MongoClient, type Db} from 'mongodb';
import {ServerProcess, type ServerCommand} from './server-process.ts';
import {processFolder} from './temporary-folder.ts';

/** Finds the file of a program on the PATH. */
export async function findProgram(name: string): Promise<string | undefined> {
	for (const folder of (process.env.PATH ?? '').split(delimiter)) {
		const file = join(folder, name);
		try {
			await fs.access(file, fs.constants.X_OK);
			return file;
		} catch {}
	}

	return undefined;
}

/** Returns the command of a Redis without persistence. */
export function redisCommand(command: string, ...args: readonly string[]): ServerCommand {
	return {
		command,
		args: port => ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no', ...args],
	};
}

/** Returns the command of FerretDB, which speaks the protocol of MongoDB over SQLite. */
export function ferretDbCommand(command: string, folder: string): ServerCommand {
	return {command, args: port => [`--sqlite-url=file:${folder}/?_pragma=synchronous(0)`, `--listen-addr=127.0.0.1:${port}`]};
}

export async function findRedis(): Promise<string | undefined> {
	return findProgram('redis-server');
}

/** Starts Redis, if it is on the PATH. */
export async function startRedis(): Promise<ServerProcess | undefined> {
	const program = await findRedis();
	return program === undefined ? undefined : ServerProcess.start(redisCommand(program));
}

export async function findFerretDb(): Promise<string | undefined> {
	return process.env.FERRETDB_BINARY ?? findProgram('ferretdb');
}

/**
Names the server of a store's tests in the title of a test, or what is missing, which is a failure if `CI` is `true`. `.ci/stores.js` reads the title.
*/
export function reportServer(test: TestFn, store: string, server: string | undefined, missing: string): void {
	if (server !== undefined) {
		test(`${store}: served by ${server}`, t => {
			t.pass();
		});
		return;
	}

	test(`${store}: not tested, as there is no ${missing}`, t => {
		t.log(`The store \`${store}\` is not tested: there is no ${missing}.`);
		t.not(process.env.CI, 'true', 'every server is required if `CI` is `true`');
	});
}

export type MongoServer = {
	readonly url: string;
	readonly version: string;

	/** Returns the command that starts another server; `undefined` if there is only that of `MONGODB_URL`. */
	readonly command: (() => ServerCommand) | undefined;
	stop(): Promise<void>;
};

/** Connects to the server of `MONGODB_URL`, or starts FerretDB. */
export async function startMongo(): Promise<MongoServer | undefined> {
	const binary = await findFerretDb();
	const command = binary === undefined ? undefined : () => ferretDbCommand(binary, processFolder());
	const given = process.env.MONGODB_URL;
	const server = given === undefined && command !== undefined ? await ServerProcess.start(command()) : undefined;
	const url = given ?? (server && mongoUrl(server.port));
	if (url === undefined) {
		return undefined;
	}

	const client = await MongoClient.connect(url);
	const {version} = await client.db().admin().buildInfo() as {readonly version: string};
	await client.close();
	return {
		url,
		version: server === undefined ? `the MongoDB ${version} of MONGODB_URL` : `FerretDB 1.24 (as MongoDB ${version})`,
		command,
		async stop() {
			await server?.stop();
		},
	};
}

/**
Starts MongoDB for the tests of a store, and names it in the title of a test. The database is dropped after the tests.

Call it before the first test, since AVA requires that all tests are declared at once.
*/
export async function openMongo(test: TestFn, store: string): Promise<(MongoServer & {readonly database: Db}) | undefined> {
	const server = await startMongo();
	reportServer(test, store, server?.version, mongoMissing);
	if (server === undefined) {
		return undefined;
	}

	const client = new MongoClient(server.url);
	const database = client.db(`got_cache_hooks_${randomUUID()}`);
	test.after.always(async () => {
		await database.dropDatabase();
		await client.close();
		await server.stop();
	});
	return {...server, database};
}

export function mongoUrl(port: number): string {
	return `mongodb://127.0.0.1:${port}/`;
}

export const mongoMissing = 'server of MongoDB: neither `MONGODB_URL`, nor a FerretDB by `FERRETDB_BINARY` or as `ferretdb` on the PATH';
