import {createRequire} from 'node:module';
import process from 'node:process';
import {DynamoDBClient, type DynamoDBClientConfig} from '@aws-sdk/client-dynamodb';
import type {TestFn} from 'ava';
import {ServerProcess} from './server-process.ts';

export type DynamoDbServer = {
	readonly name: string;

	/** Returns its URL. The first call starts it. */
	readonly url: () => Promise<string>;
};

/** It deletes nothing that has expired, and knows no transactions. It ends with the tests of its file. */
export async function startDynalite(): Promise<ServerProcess> {
	const script = createRequire(import.meta.url).resolve('dynalite/cli.js');
	const times = ['createTableMs', 'deleteTableMs', 'updateTableMs'].flatMap(name => [`--${name}`, '0']);
	return ServerProcess.start({
		command: process.execPath,
		args: port => ['--no-deprecation', script, '--host', '127.0.0.1', '--port', String(port), ...times],
	});
}

/** The variables with which the SDK of a process uses such a server. */
export function variablesOf({port}: ServerProcess): Record<string, string> {
	/* eslint-disable @typescript-eslint/naming-convention -- The names of AWS. */
	return {
		AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}`, AWS_REGION: 'local', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test',
	};
	/* eslint-enable @typescript-eslint/naming-convention */
}

/**
The servers that a file's tests are for: dynalite, and the one that `DYNAMODB_URL` names. Without that there is a test that says so.
*/
export function dynamoDbServers(test: TestFn): readonly DynamoDbServer[] {
	let dynalite: Promise<ServerProcess> | undefined;
	test.after.always(async () => {
		const server = await dynalite;
		await server?.stop();
	});
	const servers: DynamoDbServer[] = [{
		name: 'dynalite',
		async url() {
			dynalite ??= startDynalite();
			const {port} = await dynalite;
			return `http://127.0.0.1:${port}`;
		},
	}];

	const url = process.env.DYNAMODB_URL;
	if (url === undefined || url === '') {
		test('DynamoDB Local: not tested, since `DYNAMODB_URL` is not set', t => {
			t.log('Without `DYNAMODB_URL` only dynalite is tested');
			t.pass();
		});
	} else {
		servers.push({name: 'DynamoDB Local', url: async () => url});
	}

	return servers;
}

/** The options of a client for a server on loopback. */
export function localClient(endpoint: string): DynamoDBClientConfig {
	return {endpoint, region: 'local', credentials: {accessKeyId: 'test', secretAccessKey: 'test'}};
}

/** The first call returns the URL. */
export function clientOf(url: () => Promise<string>): DynamoDBClient {
	return new DynamoDBClient({
		...localClient(''),
		async endpoint() {
			const {protocol, hostname, port} = new URL(await url());
			return {
				protocol, hostname, port: Number(port), path: '/',
			};
		},
	});
}

/** A call's name (`PutItem`; what deletes in a batch is `BatchWriteItem#Delete`), its input, and what sends it. */
export type Interceptor = (name: string, input: Readonly<Record<string, unknown>>, send: () => Promise<unknown>) => Promise<unknown>;

/**
A client that does what the other does, or what the interceptor makes of it.
*/
export function interceptedBy(client: DynamoDBClient, intercept: Interceptor): DynamoDBClient {
	const send = async (command: {input: Readonly<Record<string, unknown>>; constructor: {name: string}}): Promise<unknown> => {
		const {input} = command;
		const isDeleting = JSON.stringify(Object.keys((Object.values((input.RequestItems ?? {}) as Record<string, object[]>)[0] ?? [])[0] ?? {})).includes('Delete');
		return intercept(command.constructor.name.replace(/Command$/v, '') + (isDeleting ? '#Delete' : ''), input, async () => client.send(command as never));
	};

	return {send} as unknown as DynamoDBClient;
}
