import {mkdtempSync, rmSync} from 'node:fs';
import fs from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import process from 'node:process';
import type {TestFn} from 'ava';
import {MongoClient} from 'mongodb';
import {ServerProcess, type ServerCommand} from './server-process.ts';

/** The file of that program, if it is on the PATH. */
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

/** Redis that forgets everything when it ends; `args` come last. */
export function redisCommand(command: string, ...args: readonly string[]): ServerCommand {
	return {
		command,
		args: port => ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no', ...args],
	};
}

/** FerretDB, by our program or by its own: MongoDB's protocol over SQLite, in a folder that outlives the process. */
export function ferretDbCommand(command: string, folder: string): ServerCommand {
	return {command, args: port => [`--sqlite-url=file:${folder}/?_pragma=synchronous(0)`, `--listen-addr=127.0.0.1:${port}`]};
}

export async function findRedis(): Promise<string | undefined> {
	return findProgram('redis-server');
}

export async function findFerretDb(): Promise<string | undefined> {
	return process.env.FERRETDB_BINARY ?? findProgram('ferretdb');
}

/** A folder that is there until the process ends. */
export function makeFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), 'got-cache-hooks-'));
	process.once('exit', () => {
		rmSync(folder, {recursive: true, force: true});
	});
	return folder;
}

/**
Says by a test's title which server a store's tests meet, or that there is none, which is a failure where `CI` is `true`. `.ci/stores.js` reads it.
*/
export function tellServer(test: TestFn, store: string, server: string | undefined, missing: string): void {
	if (server !== undefined) {
		test(`${store}: served by ${server}`, t => {
			t.pass();
		});
		return;
	}

	test(`${store}: not tested, as there is no ${missing}`, t => {
		t.log(`The store \`${store}\` is not tested: there is no ${missing}.`);
		t.not(process.env.CI, 'true', 'where `CI` is `true`, every server must be there');
	});
}

export type MongoServer = {
	readonly url: string;
	readonly version: string;

	/** How to start another, to stop and pause it; `undefined` where there is only the one of `MONGODB_URL`. */
	readonly command: (() => ServerCommand) | undefined;
	stop(): Promise<void>;
};

/** The server of `MONGODB_URL`, or FerretDB, started. */
export async function startMongo(): Promise<MongoServer | undefined> {
	const binary = await findFerretDb();
	const command = binary === undefined ? undefined : () => ferretDbCommand(binary, makeFolder());
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

export function mongoUrl(port: number): string {
	return `mongodb://127.0.0.1:${port}/`;
}

export const mongoMissing = 'server of MongoDB: neither `MONGODB_URL`, nor a FerretDB by `FERRETDB_BINARY` or as `ferretdb` on the PATH';
