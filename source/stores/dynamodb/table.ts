import {setTimeout as pause} from 'node:timers/promises';
import type {TableDescription} from '@aws-sdk/client-dynamodb';
import {CacheHooksError} from '../../errors.ts';
import {isCausedBy, type Send} from './connection.ts';
import {ttlAttribute} from './items.ts';

const activationTime = 60_000;
const longestPause = 1000;

/**
Makes the table, and turns on its TTL, where it is not there, and waits until it can be used. Several processes may do so at once. Of a table that is there nothing is changed: it may hold items of others, to which `ttl` means something else.

@throws {CacheHooksError} `ERR_STORE_SCHEMA` for a table with other keys, `ERR_STORE_TABLE` for one that is not active within a minute.
*/
export async function ensureTable(send: Send, tableName: string): Promise<void> {
	const table = await describe(send);
	const isOurs = table === undefined && await create(send);
	checkKeys(table, tableName);
	await untilActive(send, tableName, table);
	if (isOurs) {
		await turnOnTimeToLive(send);
	}
}

async function describe(send: Send): Promise<TableDescription | undefined> {
	try {
		const {Table: table} = await send('DescribeTable', {});
		return table;
	} catch (error) {
		if (isCausedBy(error, 'ResourceNotFoundException')) {
			return undefined;
		}

		throw error;
	}
}

/** Whether it did: another process may be faster. */
async function create(send: Send): Promise<boolean> {
	try {
		await send('CreateTable', {
			AttributeDefinitions: [{AttributeName: 'namespace', AttributeType: 'S'}, {AttributeName: 'key', AttributeType: 'S'}],
			KeySchema: [{AttributeName: 'namespace', KeyType: 'HASH'}, {AttributeName: 'key', KeyType: 'RANGE'}],
			BillingMode: 'PAY_PER_REQUEST',
		});
		return true;
	} catch (error) {
		if (isCausedBy(error, 'ResourceInUseException')) {
			return false;
		}

		throw error;
	}
}

function checkKeys(table: TableDescription | undefined, tableName: string): void {
	const keys = table?.KeySchema?.map(({AttributeName: name, KeyType: type}) => `${name} ${type}`).join(', ');
	if (keys !== undefined && keys !== 'namespace HASH, key RANGE') {
		throw new CacheHooksError('ERR_STORE_SCHEMA', `The DynamoDB table \`${tableName}\` is not one of this library: its partition key must be \`namespace\` and its sort key \`key\``);
	}
}

async function untilActive(send: Send, tableName: string, described: TableDescription | undefined): Promise<void> {
	const end = performance.now() + activationTime;
	let table = described;
	for (let wait = 25; table?.TableStatus !== 'ACTIVE' && table?.TableStatus !== 'UPDATING'; wait = Math.min(wait * 2, longestPause)) {
		if (performance.now() > end) {
			throw new CacheHooksError('ERR_STORE_TABLE', `The DynamoDB table \`${tableName}\` is not active after ${activationTime / 1000} s`);
		}

		await pause(wait); // eslint-disable-line no-await-in-loop
		table = await describe(send); // eslint-disable-line no-await-in-loop
	}
}

async function turnOnTimeToLive(send: Send): Promise<void> {
	try {
		await send('UpdateTimeToLive', {
			TimeToLiveSpecification: {AttributeName: ttlAttribute, Enabled: true},
		});
	} catch (error) {
		// Emulators that delete nothing do not know it: what has expired is not served anyway.
		if (!isCausedBy(error, 'UnknownOperationException')) {
			throw error;
		}
	}
}
